//! Partitions of topics that are held back (`pausedTopics`): not copied, and shown all the same.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{TopicMetadata, TopicPartition};

use super::Run;
use crate::identity::PartitionId;
use crate::progress::PartitionProgress;

impl Run<'_> {
    /// Shows their partitions at their positions, or where they would begin, and no longer those that are gone from the
    /// source. What cannot be shown now is tried again at the next discovery.
    pub(super) async fn show_paused(&mut self, topics: &[(TopicMetadata, String)]) {
        let here: BTreeSet<&str> = topics.iter().map(|(topic, _)| &*topic.name).collect();
        let gone = |it: &TopicPartition| !here.contains(&*it.topic);
        let gone: Vec<TopicPartition> = self.paused.extract_if(.., gone).collect();
        self.progress.take_away(&gone);
        let mut positions = BTreeMap::new();
        let mut without = Vec::new();
        for (topic, _) in topics {
            let id = topic.id.to_string();
            for partition in &topic.partitions {
                let key = TopicPartition::new(topic.name.clone(), partition.index);
                if self.paused.contains(&key) {
                    continue;
                }
                let position = self.ownership.positions().get(&self.position_key(&key));
                match position {
                    Some(position) if position.source_topic_id == id => {
                        positions.insert(key, position.offset);
                    }
                    Some(_) | None if partition.leader.is_some() => without.push(key),
                    Some(_) | None => {}
                }
            }
        }
        if !without.is_empty() {
            match self.start_offsets(&without, &BTreeMap::new()).await {
                Ok(starts) => positions.extend(starts),
                Err(error) => tracing::debug!(%error, "paused partitions cannot be shown yet"),
            }
        }
        for (topic, target_name) in topics {
            let of_topic = |it: &TopicPartition, _: &mut i64| it.topic == topic.name;
            for (partition, position) in positions.extract_if(.., of_topic) {
                let id = PartitionId {
                    source_topic: topic.name.as_str().into(),
                    target_topic: target_name.as_str().into(),
                    partition: partition.partition,
                };
                let progress = PartitionProgress::new(id, position, i64::MAX);
                progress.pause();
                self.progress.add(progress);
                self.paused.insert(partition);
            }
        }
    }
}
