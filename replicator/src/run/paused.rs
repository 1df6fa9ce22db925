//! Partitions of topics that are held back (`pausedTopics`): not copied, and shown all the same.

use std::collections::BTreeSet;

use kafka::{PartitionMetadata, TopicMetadata, TopicPartition};

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
        let mut new: Vec<(&TopicMetadata, &PartitionMetadata)> = Vec::new();
        for (topic, _) in topics {
            let partitions = topic.partitions.iter().filter(|partition| {
                let place = TopicPartition::new(topic.name.clone(), partition.index);
                !self.paused.contains(&place)
            });
            new.extend(partitions.map(|partition| (topic, partition)));
        }
        let mut standing = self.standing(&new).await;
        for (topic, target_name) in topics {
            let of_topic = |it: &TopicPartition, _: &mut i64| it.topic == topic.name;
            for (partition, position) in standing.extract_if(.., of_topic) {
                let id = PartitionId {
                    source_topic: topic.name.as_str().into(),
                    target_topic: target_name.as_str().into(),
                    partition: partition.partition,
                };
                let shown = PartitionProgress::only_shown(id, position);
                shown.pause();
                self.progress.add(shown);
                self.paused.insert(partition);
            }
        }
    }
}
