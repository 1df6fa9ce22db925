//! Who would miss a topic.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kafka::{Cluster, OffsetSpec, TopicPartition};

use super::live::ReadError;
use super::readers::Readers;
use crate::observed::Usage;

/// A topic that was written within this time is in use.
pub(crate) const QUIET: Duration = Duration::from_mins(10);

/// Reads the offsets of all partitions, and takes from `readers` who reads them.
pub(crate) async fn of(
    cluster: &Cluster,
    topic: &str,
    partitions: u32,
    readers: &Readers,
) -> Result<Usage, ReadError> {
    let all: Vec<TopicPartition> = (0..partitions)
        .map(|partition| TopicPartition::new(topic, partition as i32))
        .collect();
    let (start, end) = (OffsetSpec::Earliest, OffsetSpec::Latest);
    let start: BTreeMap<_, _> = cluster.list_offsets(&all, start).await?;
    let end = cluster.list_offsets(&all, end).await?;
    let recently = OffsetSpec::Timestamp(millis_ago(QUIET));
    let recent = cluster.list_offsets(&all, recently).await?;
    let mut usage = Usage {
        active_groups: readers.on(topic),
        ..Usage::default()
    };
    for partition in &all {
        let offset = |listed: &BTreeMap<TopicPartition, Result<kafka::ListedOffset, _>>| {
            listed
                .get(partition)
                .cloned()
                .transpose()
                .map_err(|source| ReadError::Topic {
                    topic: topic.to_owned(),
                    request: "ListOffsets",
                    source,
                })
        };
        let (start, end, recent) = (offset(&start)?, offset(&end)?, offset(&recent)?);
        let (start, end) = (
            start.map_or(0, |it| it.offset),
            end.map_or(0, |it| it.offset),
        );
        usage.end_offsets += end;
        usage.records += (end - start).max(0);
        usage.written_recently |= recent.is_some_and(|found| found.offset >= 0);
    }
    Ok(usage)
}

/// That long ago, in milliseconds since 1970 UTC.
fn millis_ago(time: Duration) -> i64 {
    let then = SystemTime::now() - time;
    let since = then.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}
