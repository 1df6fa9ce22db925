//! How far a mirror is behind, from both clusters alone: no running replicator is needed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use kafka::batch::RawBatch;
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::{BrokerNode, Cluster, Connection, Error};
use serde::Serialize;
use topology::Mirror;

use crate::error::RunError;
use crate::options::Source;
use crate::position_writer::now_ms;
use crate::status::{Condition, PartitionStatus, status};
use crate::traffic::Times;

/// Partitions whose lag is measured in seconds: those with the most records to copy. Each costs one
/// batch to read.
pub const MEASURED: usize = 500;
/// Batches asked for at a time on one connection.
const AT_ONCE: usize = 16;

/// How far one partition is behind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionLag {
    /// Position and ends.
    #[serde(flatten)]
    pub status: PartitionStatus,
    /// Age of the oldest record that is not on the target; 0 when caught up, `None` where it was
    /// not measured or could not be read.
    pub lag_seconds: Option<f64>,
    /// An estimate: the lag in records times the mean record of the first batch that is missing.
    pub lag_estimated_bytes: Option<u64>,
}

/// The first missing batch of a partition.
#[derive(Debug, Clone, Copy)]
struct Missing {
    times: Times,
    bytes: usize,
    records: i32,
}

/// Reads positions from the target, ends from the source, and of the [`MEASURED`] partitions that
/// are furthest behind the first missing batch. Changes nothing. Sorted by topic and partition.
pub async fn lag(
    mirror: &Mirror,
    source: &Source,
    target: &Cluster,
) -> Result<Vec<PartitionLag>, RunError> {
    let statuses = status(mirror, source, target).await?;
    let is_behind = |it: &&PartitionStatus| it.lag > Some(0);
    let mut behind: Vec<&PartitionStatus> = statuses.iter().filter(is_behind).collect();
    behind.sort_by_key(|it| Reverse(it.lag));
    behind.truncate(MEASURED);
    let missing = first_missing(&source.cluster, &behind)
        .await
        .map_err(|error| RunError::Source {
            alias: source.alias.clone(),
            error,
        })?;
    let now = now_ms();
    Ok(statuses
        .into_iter()
        .map(|status| {
            let key = (status.source_topic.clone(), status.partition);
            let (lag_seconds, lag_estimated_bytes) = match missing.get(&key) {
                // copied beyond the source's end: what comes there now is not known to be copied
                _ if status.condition == Condition::Truncated => (None, None),
                _ if status.lag == Some(0) => (Some(0.0), Some(0)),
                None => (None, None),
                Some(missing) => (
                    age(missing, now),
                    status.lag.and_then(|lag| estimate(lag, missing)),
                ),
            };
            PartitionLag {
                status,
                lag_seconds,
                lag_estimated_bytes,
            }
        })
        .collect())
}

fn age(missing: &Missing, now_ms: i64) -> Option<f64> {
    let written = missing.times.oldest_ms;
    (written > 0).then(|| (now_ms - written).max(0) as f64 / 1e3)
}

fn estimate(lag: i64, missing: &Missing) -> Option<u64> {
    (missing.records > 0)
        .then(|| (lag as f64 * missing.bytes as f64 / f64::from(missing.records)) as u64)
}

/// By topic and partition. A partition that cannot be read now has none.
async fn first_missing(
    source: &Cluster,
    partitions: &[&PartitionStatus],
) -> Result<BTreeMap<(String, i32), Missing>, Error> {
    if partitions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut topics: Vec<String> = partitions
        .iter()
        .map(|it| it.source_topic.clone())
        .collect();
    topics.sort();
    topics.dedup();
    let metadata = source.metadata_of(&topics).await?;
    let mut by_leader: BTreeMap<i32, (BrokerNode, Vec<FetchFrom>)> = BTreeMap::new();
    for partition in partitions {
        let topic = &partition.source_topic;
        let (Some(leader), Some(known)) = (
            metadata.leader(topic, partition.partition),
            metadata.topics.get(topic),
        ) else {
            continue;
        };
        let (Some(end), Some(start), Some(lag)) =
            (partition.source_end, partition.source_start, partition.lag)
        else {
            continue;
        };
        let from = FetchFrom {
            topic: topic.as_str().into(),
            topic_id: known.id,
            partition: partition.partition,
            // not the position, which may speak of another topic
            offset: (end - lag).max(start),
            leader_epoch: -1,
        };
        let (_, wanted) = by_leader
            .entry(leader.id)
            .or_insert_with(|| (leader.clone(), Vec::new()));
        wanted.push(from);
    }
    let read = by_leader
        .into_values()
        .map(|(node, wanted)| read_from(source, node, wanted));
    Ok(join_all(read).await.into_iter().flatten().collect())
}

async fn read_from(
    source: &Cluster,
    node: BrokerNode,
    wanted: Vec<FetchFrom>,
) -> Vec<((String, i32), Missing)> {
    let connection = match source.open(&node).await {
        Ok(connection) => connection,
        Err(error) => {
            tracing::warn!(broker = node.id, %error, "lag in seconds is not known for its partitions");
            return Vec::new();
        }
    };
    let connection = &connection;
    stream::iter(wanted)
        .map(|from| async move {
            let key = (from.topic.to_string(), from.partition);
            match first_batch(connection, from).await {
                Ok(missing) => missing.map(|missing| (key, missing)),
                Err(error) => {
                    tracing::debug!(topic = key.0, partition = key.1, %error, "no batch");
                    None
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await
}

/// A broker answers with at least one whole batch, however small the limit.
async fn first_batch(connection: &Connection, from: FetchFrom) -> Result<Option<Missing>, Error> {
    let limits = FetchLimits {
        max_wait: Duration::from_millis(100),
        min_bytes: 1,
        max_bytes: 1,
        partition_max_bytes: 1,
    };
    let fetched = kafka::fetch::send(connection, limits, &[from])
        .await?
        .receive()
        .await?;
    let Some(mut records) = fetched.into_iter().next().map(|fetched| fetched.records) else {
        return Ok(None);
    };
    let batch = RawBatch::split_from(&mut records).map_err(|error| Error::Malformed {
        address: connection.address().to_owned(),
        what: "Fetch",
        detail: error.to_string(),
    })?;
    Ok(batch.map(|batch| Missing {
        times: Times::of(&batch.header),
        bytes: batch.wire_len(),
        records: batch.header.record_count,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_bytes_follow_from_the_first_missing_batch() {
        let missing = Missing {
            times: Times {
                oldest_ms: 1_000,
                newest_ms: 9_000,
            },
            bytes: 500,
            records: 10,
        };
        assert_eq!(age(&missing, 31_500), Some(30.5));
        assert_eq!(age(&missing, 500), Some(0.0), "their clock runs ahead");
        assert_eq!(estimate(40, &missing), Some(2_000));
        let timeless = Missing {
            times: Times {
                oldest_ms: -1,
                newest_ms: -1,
            },
            records: 0,
            ..missing
        };
        assert_eq!((age(&timeless, 5), estimate(40, &timeless)), (None, None));
    }
}
