//! Offsets at which partitions begin and end.

use std::collections::BTreeMap;

use kafka::{Cluster, OffsetSpec, PartitionMetadata, TopicMetadata, TopicPartition};
use topology::StartOffset;

use super::{Run, on_source};
use crate::error::RunError;
use crate::position::PositionKey;
use crate::topics::Begin;

impl Run<'_> {
    /// Where partitions without a position begin. What is discovered later, a new topic or a new
    /// partition, was empty when the mirror started: it is copied from its first record. The same
    /// holds for partitions that a topic of the mirror got while nobody looked. One that was refused
    /// at first begins where it would have begun then. On the way back after a promotion `begins`
    /// decides.
    pub(super) async fn start_offsets(
        &self,
        partitions: &[TopicPartition],
        begins: &BTreeMap<TopicPartition, Begin>,
    ) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
        let mut starts = self
            .source_offsets(partitions, OffsetSpec::Earliest)
            .await?;
        let as_declared: Vec<TopicPartition> = partitions
            .iter()
            .filter(|partition| match begins.get(partition) {
                Some(Begin::AsDeclared) => true,
                Some(Begin::At(_)) => false,
                None => self.first_discovery && !self.is_added(partition),
            })
            .cloned()
            .collect();
        starts.extend(self.declared_starts(&as_declared).await?);
        let refused_before = partitions
            .iter()
            .filter(|partition| !begins.contains_key(partition));
        starts.extend(
            refused_before.filter_map(|it| Some((it.clone(), self.start_when_refused(it)?))),
        );
        for (partition, begin) in begins {
            if let Begin::At(offset) = begin {
                starts.insert(partition.clone(), *offset);
            }
        }
        Ok(starts)
    }

    /// Where partitions stand that are only shown: at their positions, or where they would begin. Left out is what cannot
    /// be told now, because nobody leads a partition or the source cannot be asked.
    pub(super) async fn standing(
        &self,
        partitions: &[(&TopicMetadata, &PartitionMetadata)],
    ) -> BTreeMap<TopicPartition, i64> {
        let mut standing = BTreeMap::new();
        let mut without = Vec::new();
        for (topic, partition) in partitions {
            let place = TopicPartition::new(topic.name.clone(), partition.index);
            let position = self
                .ownership
                .positions()
                .get(&self.position_key(&place))
                .filter(|position| position.source_topic_id == topic.id.to_string());
            match position {
                Some(position) => {
                    standing.insert(place, position.offset);
                }
                None if partition.leader.is_some() => without.push(place),
                None => {}
            }
        }
        if !without.is_empty() {
            match self.start_offsets(&without, &BTreeMap::new()).await {
                Ok(starts) => standing.extend(starts),
                Err(error) => {
                    tracing::debug!(%error, "partitions that are not copied cannot be shown yet");
                }
            }
        }
        standing
    }

    /// Keeps where partitions of refused topics would have begun: `startOffset` speaks of what the mirror found when it
    /// started, and not of what came since. What is found later begins at its first record anyway.
    pub(super) fn note_starts(
        &mut self,
        refused: &[(&TopicMetadata, &PartitionMetadata)],
        standing: &BTreeMap<TopicPartition, i64>,
    ) {
        if !self.first_discovery || self.mirror.start_offset == StartOffset::Earliest {
            return;
        }
        for (topic, partition) in refused {
            let place = TopicPartition::new(topic.name.clone(), partition.index);
            if let Some(start) = standing.get(&place)
                && !self.is_added(&place)
            {
                self.refused_starts.insert(place, (topic.id, *start));
            }
        }
    }

    /// Where a partition begins that was refused at first; nothing where its topic is another one by now.
    fn start_when_refused(&self, partition: &TopicPartition) -> Option<i64> {
        let (topic_id, start) = self.refused_starts.get(partition)?;
        let (now, _) = self.topic_ids.get(&partition.topic)?;
        (now == topic_id).then_some(*start)
    }

    /// Whether the mirror has copied others of its topic before.
    fn is_added(&self, partition: &TopicPartition) -> bool {
        let positions = self.ownership.positions();
        let key = self.position_key(partition);
        if positions.contains_key(&key) {
            return false;
        }
        let first = PositionKey {
            partition: i32::MIN,
            ..key
        };
        // keys are in the order of their fields, the partition last
        let next = positions.range(first.clone()..).next();
        next.is_some_and(|(next, _)| {
            next.mirror == first.mirror
                && next.source_cluster_id == first.source_cluster_id
                && next.topic == first.topic
        })
    }

    /// Where `startOffset` lets these partitions begin; empty where that is the first record.
    async fn declared_starts(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        match self.mirror.start_offset {
            StartOffset::Earliest => Ok(BTreeMap::new()),
            StartOffset::Latest => {
                self.source_offsets(partitions, OffsetSpec::LatestCommitted)
                    .await
            }
            StartOffset::Timestamp(timestamp) => {
                let mut found = self
                    .source_offsets(partitions, OffsetSpec::Timestamp(timestamp))
                    .await?;
                // Nothing at or after the timestamp: begin at the end.
                let ends = self
                    .source_offsets(partitions, OffsetSpec::LatestCommitted)
                    .await?;
                for (partition, offset) in &mut found {
                    if *offset < 0 {
                        *offset = ends.get(partition).copied().unwrap_or(0);
                    }
                }
                Ok(found)
            }
        }
    }

    pub(super) async fn source_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
    ) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
        offsets(
            &self.source.cluster,
            &self.source.alias,
            partitions,
            at,
            on_source,
        )
        .await
    }
}

pub(super) async fn offsets(
    cluster: &Cluster,
    alias: &str,
    partitions: &[TopicPartition],
    at: OffsetSpec,
    side: fn(String, kafka::Error) -> RunError,
) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
    let listed = cluster
        .list_offsets(partitions, at)
        .await
        .map_err(|error| side(alias.to_owned(), error))?;
    listed
        .into_iter()
        .map(|(partition, outcome)| match outcome {
            Ok(listed) => Ok((partition, listed.offset)),
            Err(error) => {
                let api = format!("ListOffsets {partition}");
                Err(side(alias.to_owned(), kafka::Error::Broker { api, error }))
            }
        })
        .collect()
}
