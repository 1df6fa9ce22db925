//! Offsets at which partitions begin and end.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, OffsetSpec, TopicPartition};
use topology::StartOffset;

use super::{Run, on_source};
use crate::error::RunError;

impl Run<'_> {
    /// Where partitions without a position begin. What is discovered later, a new topic or a new
    /// partition, was empty when the mirror started: it is copied from its first record. The same
    /// holds for partitions that a topic of the mirror got while nobody looked.
    pub(super) async fn start_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
        let earliest = self
            .source_offsets(partitions, OffsetSpec::Earliest)
            .await?;
        if !self.first_discovery {
            return Ok(earliest);
        }
        let mut starts = match self.mirror.start_offset {
            StartOffset::Earliest => return Ok(earliest),
            StartOffset::Latest => {
                self.source_offsets(partitions, OffsetSpec::LatestCommitted)
                    .await?
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
                found
            }
        };
        let positions = self.ownership.positions();
        let cluster = self.source.cluster.cluster_id();
        let copied: BTreeSet<&str> = positions
            .keys()
            .filter(|key| key.mirror == self.mirror.name && key.source_cluster_id == cluster)
            .map(|key| key.topic.as_str())
            .collect();
        for (partition, start) in &mut starts {
            let added = copied.contains(partition.topic.as_str())
                && !positions.contains_key(&self.position_key(partition));
            if added && let Some(earliest) = earliest.get(partition) {
                *start = *earliest;
            }
        }
        Ok(starts)
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
