//! The end of a last copy: what the mirror filled belongs to the applications from here on.

use std::collections::BTreeMap;

use kafka::{OffsetSpec, TopicPartition};
use register::HandedOver;

use super::{Run, on_target};
use crate::error::RunError;
use crate::topics::MirroredTopic;

impl Run<'_> {
    /// Notes where the target ends before the last copy of these partitions. Where that is not told, nothing is claimed of
    /// its end later.
    pub(super) async fn note_target_ends(&mut self, new: &[(MirroredTopic, TopicPartition)]) {
        let places: BTreeMap<TopicPartition, TopicPartition> = new
            .iter()
            .filter(|(_, partition)| !self.target_ends.contains_key(partition))
            .map(|(topic, partition)| {
                let place = TopicPartition::new(topic.target.name.clone(), partition.partition);
                (place, partition.clone())
            })
            .collect();
        for (place, end) in self.ends_of(places.keys().cloned().collect()).await {
            if let Some(partition) = places.get(&place) {
                self.target_ends.insert(partition.clone(), end);
            }
        }
    }

    /// Marks what this mirror said about its topics on the target as released, with where each partition ended: there the
    /// way back begins. That is only claimed where the target grew by what this run copied and nothing else.
    pub(super) async fn hand_over(&mut self) -> Result<(), RunError> {
        self.make_sure().await?;
        let copied = self.progress.partitions();
        let places = copied
            .iter()
            .map(|it| TopicPartition::new(it.id.target_topic.to_string(), it.id.partition));
        let ends = self.ends_of(places.collect()).await;
        let mut handed: BTreeMap<String, BTreeMap<i32, HandedOver>> = BTreeMap::new();
        for partition in copied {
            let (source, index) = (
                partition.id.source_topic.to_string(),
                partition.id.partition,
            );
            let place = TopicPartition::new(partition.id.target_topic.to_string(), index);
            let before = self
                .target_ends
                .get(&TopicPartition::new(source.clone(), index));
            let after = ends.get(&place).copied();
            let grown = before.zip(after).map(|(before, after)| after - before);
            let only_ours = grown == i64::try_from(partition.records()).ok();
            let ended = HandedOver {
                source_offset: partition.position(),
                target_offset: after.filter(|_| only_ours),
            };
            let of_topic = handed.entry(source).or_default();
            // of one that began anew in this run nobody can tell by what it grew
            let twice = of_topic.contains_key(&index);
            of_topic.insert(
                index,
                HandedOver {
                    target_offset: ended.target_offset.filter(|_| !twice),
                    ..ended
                },
            );
        }
        let source_ids: BTreeMap<String, String> = self
            .topic_ids
            .iter()
            .map(|(topic, (id, _))| (topic.clone(), id.to_string()))
            .collect();
        self.upkeep.release(handed, &source_ids).await
    }

    async fn ends_of(&self, partitions: Vec<TopicPartition>) -> BTreeMap<TopicPartition, i64> {
        if partitions.is_empty() {
            return BTreeMap::new();
        }
        match self
            .target
            .list_offsets(&partitions, OffsetSpec::Latest)
            .await
        {
            Ok(listed) => listed
                .into_iter()
                .filter_map(|(partition, end)| Some((partition, end.ok()?.offset)))
                .collect(),
            Err(error) => {
                let error = on_target(self.mirror.target.clone(), error);
                tracing::warn!(%error, "where the target ends is not told: the way back will have to be told where to begin");
                BTreeMap::new()
            }
        }
    }
}
