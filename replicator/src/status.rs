use std::collections::BTreeMap;

use kafka::{Cluster, OffsetSpec, TopicPartition};
use serde::Serialize;
use topology::Mirror;

use crate::error::RunError;
use crate::position::{POSITIONS_TOPIC, PositionKey};
use crate::position_log;
use crate::run::Source;
use crate::topics;

/// How far one partition is copied, as the committed positions say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionStatus {
    /// Topic on the source.
    pub source_topic: String,
    /// Topic on the target.
    pub target_topic: String,
    /// Partition index.
    pub partition: i32,
    /// Committed source offset; `None` where nothing was committed yet.
    pub position: Option<i64>,
    /// Last stable offset of the source.
    pub source_end: i64,
    /// Offsets between position (or log start) and end.
    pub lag: i64,
    /// When the position was committed, ms since the epoch.
    pub committed_at_ms: Option<i64>,
}

/// Reads positions from the target and ends from the source; changes nothing and needs no
/// running replicator. Sorted by topic and partition.
pub async fn status(
    mirror: &Mirror,
    source: &Source,
    target: &Cluster,
) -> Result<Vec<PartitionStatus>, RunError> {
    let on_source = |error| RunError::Source {
        alias: source.alias.clone(),
        error,
    };
    let positions = position_log::load(target, &mirror.name, source.cluster.cluster_id())
        .await
        .map_err(|error| RunError::Positions {
            alias: mirror.target.clone(),
            topic: POSITIONS_TOPIC,
            reason: error.to_string(),
        })?;
    let metadata = source.cluster.metadata().await.map_err(on_source)?;
    let selected = topics::select(mirror, &source.alias, metadata.topics);
    let partitions: Vec<TopicPartition> = selected
        .iter()
        .flat_map(|(topic, _)| {
            topic
                .partitions
                .iter()
                .map(|p| TopicPartition::new(topic.name.clone(), p.index))
        })
        .collect();
    let starts = source
        .cluster
        .list_offsets(&partitions, OffsetSpec::Earliest)
        .await;
    let starts = starts.map_err(on_source)?;
    let ends = source
        .cluster
        .list_offsets(&partitions, OffsetSpec::LatestCommitted)
        .await;
    let ends = ends.map_err(on_source)?;
    let target_names: BTreeMap<String, String> = selected
        .into_iter()
        .map(|(topic, target)| (topic.name, target))
        .collect();
    partitions
        .into_iter()
        .map(|partition| {
            let key = PositionKey {
                mirror: mirror.name.clone(),
                source_cluster_id: source.cluster.cluster_id().to_owned(),
                topic: partition.topic.clone(),
                partition: partition.partition,
            };
            let position = positions.get(&key);
            let source_end = offset(&ends, &partition).map_err(on_source)?;
            let start = offset(&starts, &partition).map_err(on_source)?;
            let copied = position.map_or(start, |position| position.offset);
            Ok(PartitionStatus {
                target_topic: target_names
                    .get(&partition.topic)
                    .cloned()
                    .unwrap_or_default(),
                source_topic: partition.topic,
                partition: partition.partition,
                position: position.map(|position| position.offset),
                source_end,
                lag: (source_end - copied).max(0),
                committed_at_ms: position.map(|position| position.committed_at_ms),
            })
        })
        .collect()
}

type Listed = BTreeMap<TopicPartition, Result<kafka::ListedOffset, kafka::BrokerError>>;

fn offset(listed: &Listed, partition: &TopicPartition) -> Result<i64, kafka::Error> {
    match listed.get(partition) {
        Some(Ok(listed)) => Ok(listed.offset),
        Some(Err(error)) => Err(kafka::Error::Broker {
            api: format!("ListOffsets {partition}"),
            error: error.clone(),
        }),
        None => Err(kafka::Error::NoLeader {
            topic: partition.topic.clone(),
            partition: partition.partition,
        }),
    }
}
