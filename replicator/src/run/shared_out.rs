//! A mirror that is split into tasks: the first one decides where partitions begin, and the others wait for that.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::TopicPartition;
use tokio::time::Instant;

use super::{Run, positions_error};
use crate::error::RunError;
use crate::position::{PositionKey, Start};
use crate::topics::{Begin, MirroredTopic};

/// For how long a new run looks often for what the first task makes ready, and how often.
pub(super) const QUICK_FOR: Duration = Duration::from_secs(30);
const QUICK: Duration = Duration::from_secs(1);

impl Run<'_> {
    /// Says where the partitions of the other tasks begin that have no position: what `startOffset` means hangs on what a
    /// mirror found when it started, which a task that another process goes on with cannot know.
    pub(super) async fn let_others_begin(
        &mut self,
        ready: &[MirroredTopic],
        begins: &BTreeMap<TopicPartition, Begin>,
    ) -> Result<(), RunError> {
        let mut unknown: BTreeMap<TopicPartition, String> = BTreeMap::new();
        for topic in ready {
            let id = topic.source.id.to_string();
            for partition in &topic.source.partitions {
                let place = TopicPartition::new(topic.source.name.clone(), partition.index);
                let key = self.position_key(&place);
                let is_known = self.ownership.positions().contains_key(&key)
                    || self.start_of(&key, &id).is_some();
                if partition.leader.is_some() && !self.task.has(&place) && !is_known {
                    unknown.insert(place, id.clone());
                }
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let places: Vec<TopicPartition> = unknown.keys().cloned().collect();
        let offsets = self.start_offsets(&places, begins).await?;
        let starts: Vec<(PositionKey, Start)> = offsets
            .into_iter()
            .filter_map(|(place, offset)| {
                let source_topic_id = unknown.remove(&place)?;
                let start = Start {
                    offset,
                    source_topic_id,
                };
                Some((self.position_key(&place), start))
            })
            .collect();
        let said = self.ownership.let_begin(&starts).await;
        said.map_err(|error| positions_error(self.mirror, error))
    }

    /// Those of these partitions that may begin, with where the first task lets them. For the others it is looked again soon.
    pub(super) fn led(
        &mut self,
        new: Vec<(MirroredTopic, TopicPartition)>,
    ) -> (
        Vec<(MirroredTopic, TopicPartition)>,
        BTreeMap<TopicPartition, i64>,
    ) {
        let found = new.len();
        let mut starts = BTreeMap::new();
        let led = new.into_iter().filter(|(topic, partition)| {
            let key = self.position_key(partition);
            let start = self.start_of(&key, &topic.source.id.to_string());
            let offset = start.map(|start| start.offset);
            starts.extend(offset.map(|offset| (partition.clone(), offset)));
            offset.is_some() || self.known(&key).is_some()
        });
        let led: Vec<_> = led.collect();
        let now = Instant::now();
        if (led.len() < found || self.running.is_empty()) && now < self.quick_until {
            self.restart_at = Some(now + QUICK);
        }
        (led, starts)
    }

    fn start_of(&self, key: &PositionKey, source_topic_id: &str) -> Option<&Start> {
        let start = self.ownership.starts().get(key)?;
        (start.source_topic_id == source_topic_id).then_some(start)
    }
}
