//! Partitions that begin anew, because a topic was recreated.

use std::collections::BTreeMap;

use kafka::{OffsetSpec, TopicPartition};
use topology::OnTopicReset;

use super::{RESTART_PAUSE, Run, failure, on_target};
use crate::error::RunError;
use crate::identity::PartitionId;
use crate::outcome::Stopped;
use crate::partition::{Partition, leave};
use crate::position::{Position, PositionKey};
use crate::progress::PartitionProgress;
use crate::reset::{self, Standing};
use crate::topics::MirroredTopic;

impl Run<'_> {
    /// Decides for partitions whose topics were recreated where they begin, and notes that before
    /// anything is copied.
    pub(super) async fn begin_anew(
        &mut self,
        new: &[(MirroredTopic, TopicPartition)],
        starts: &BTreeMap<TopicPartition, i64>,
    ) -> Result<(), RunError> {
        let mut recreated = Vec::new();
        for (topic, partition) in new {
            let key = self.position_key(partition);
            let Some(position) = self.known(&key) else {
                continue;
            };
            let (source, target) = (topic.source.id.to_string(), topic.target.id.to_string());
            let standing = Standing::of(position, &source, &target);
            if standing.begins_anew(self.mirror.on_topic_reset) && !self.anew.contains_key(&key) {
                let id = PartitionId {
                    source_topic: topic.source_name.clone(),
                    target_topic: topic.target_name.clone(),
                    partition: partition.partition,
                };
                recreated.push((id, partition.clone(), key, standing, position.clone()));
            }
        }
        if recreated.is_empty() {
            return Ok(());
        }
        if recreated
            .iter()
            .any(|(_, _, key, ..)| self.stopped.contains_key(key))
        {
            self.fresh_producer().await?;
        }
        let partitions: Vec<TopicPartition> = recreated
            .iter()
            .map(|(_, partition, ..)| partition.clone())
            .collect();
        let earliest = self
            .source_offsets(&partitions, OffsetSpec::Earliest)
            .await?;
        for (id, partition, key, standing, position) in recreated {
            let at = |offsets: &BTreeMap<TopicPartition, i64>| {
                offsets.get(&partition).copied().unwrap_or(0)
            };
            let start = reset::new_start(self.mirror.start_offset, at(&earliest), at(starts));
            if let Some(gap) = reset::gap(standing, &position, start) {
                self.shared
                    .losses
                    .note(&id, gap)
                    .await
                    .map_err(|error| on_target(self.mirror.target.clone(), error))?;
            }
            self.anew.insert(key, start);
        }
        Ok(())
    }

    /// Sees to it that partitions that ended in this run and begin again repeat no sequence of their earlier life.
    pub(super) async fn begin_again(
        &mut self,
        new: &[(MirroredTopic, TopicPartition)],
    ) -> Result<(), RunError> {
        let before = self.ended.len();
        for (_, partition) in new {
            self.ended.remove(partition);
        }
        if self.ended.len() < before {
            self.fresh_producer().await?;
        }
        Ok(())
    }

    async fn fresh_producer(&mut self) -> Result<(), RunError> {
        let fresh = self.target.init_producer_id().await;
        self.producer = fresh.map_err(|error| on_target(self.mirror.target.clone(), error))?;
        Ok(())
    }

    /// Stops a partition whose position speaks of a source topic that is gone: says so, shows it with what
    /// the new topic has from `start` on, and leaves the reason beside the position.
    pub(super) fn stop_recreated(
        &mut self,
        id: &PartitionId,
        partition: TopicPartition,
        position: Position,
        (start, until): (i64, i64),
    ) {
        let reason = Stopped::SourceReset {
            topic: id.source_topic.clone(),
        }
        .to_string();
        tracing::error!(partition = %id, position = position.offset, %reason,
            "partition stopped; its neighbours go on");
        let new = PartitionProgress::new(id.clone(), start, until);
        let progress = self.progress.add(new);
        progress.fail(&reason);
        let failure = failure(id, Some(position.offset), reason);
        let slot = self.slots.of(self.position_key(&partition));
        leave(&slot, position, &failure.reason);
        self.running.insert(partition);
        self.progress.fail(failure);
    }

    /// A partition's newest position.
    pub(super) fn known(&self, key: &PositionKey) -> Option<&Position> {
        self.stopped
            .get(key)
            .or_else(|| self.ownership.positions().get(key))
    }

    /// Whether a partition that stopped is started again, with the topics as they are now.
    pub(super) fn starts_again(&mut self, partition: &Partition, stopped: &Stopped) -> bool {
        let again = match stopped {
            Stopped::SourceReset { .. } => self.mirror.on_topic_reset == OnTopicReset::Restart,
            Stopped::TargetReset { .. } => true,
            _ => false,
        };
        if again {
            tracing::warn!(partition = %partition.id, position = partition.flow.watermark(),
                reason = %stopped, "beginning anew");
            let place = partition.source_partition();
            let key = self.position_key(&place);
            self.running.remove(&place);
            self.anew.remove(&key);
            self.stopped.insert(key, partition.position.clone());
            self.restart_at = Some(tokio::time::Instant::now() + RESTART_PAUSE);
        }
        again
    }
}
