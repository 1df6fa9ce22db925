//! Who would miss a topic.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kafka::{Cluster, ListedOffset, OffsetSpec, TopicPartition};
use tokio::time::sleep;

use super::live::ReadError;
use super::readers::Readers;
use crate::observed::Usage;

/// A topic that was written within this time is in use.
pub(crate) const QUIET: Duration = Duration::from_mins(10);

/// How far apart the two looks of [`watched`] are.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

type Offsets = BTreeMap<TopicPartition, Result<ListedOffset, kafka::BrokerError>>;

/// Who uses each of these topics, given with their partition counts, and whether records arrive while that is looked at.
/// Timestamps alone do not tell: mirrors and backfills write records as old as the original ones. One pause serves all
/// topics; there is none where every topic is in use anyway.
pub(crate) async fn watched(
    cluster: &Cluster,
    topics: BTreeMap<String, u32>,
) -> Result<BTreeMap<String, Usage>, ReadError> {
    let mut used = seen(cluster, &topics).await?;
    let again: Vec<TopicPartition> = used
        .iter()
        .filter(|(_, usage)| !usage.written_recently && usage.active_groups.is_empty())
        .flat_map(|(topic, _)| partitions_of(topic, topics[topic]))
        .collect();
    if again.is_empty() {
        return Ok(used);
    }
    sleep(BETWEEN_LOOKS).await;
    let ends = cluster.list_offsets(&again, OffsetSpec::Latest).await?;
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for partition in &again {
        let end = offset(&ends, partition)?.map_or(0, |it| it.offset);
        *sums.entry(&partition.topic).or_default() += end;
    }
    for (topic, end_offsets) in sums {
        if let Some(usage) = used.get_mut(topic) {
            usage.written_recently = end_offsets != usage.end_offsets;
            usage.end_offsets = end_offsets;
        }
    }
    Ok(used)
}

/// Who uses each of these topics, given with their partition counts, as far as one look tells.
pub(super) async fn seen(
    cluster: &Cluster,
    topics: &BTreeMap<String, u32>,
) -> Result<BTreeMap<String, Usage>, ReadError> {
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let readers = Readers::of(cluster).await?;
    let mut used = BTreeMap::new();
    for (topic, partitions) in topics {
        let usage = of(cluster, topic, *partitions, &readers).await?;
        used.insert(topic.clone(), usage);
    }
    Ok(used)
}

/// Reads the offsets of all partitions, and takes from `readers` who reads them.
async fn of(
    cluster: &Cluster,
    topic: &str,
    partitions: u32,
    readers: &Readers,
) -> Result<Usage, ReadError> {
    let all = partitions_of(topic, partitions);
    let start = cluster.list_offsets(&all, OffsetSpec::Earliest).await?;
    let end = cluster.list_offsets(&all, OffsetSpec::Latest).await?;
    let recently = OffsetSpec::Timestamp(millis_ago(QUIET));
    let recent = cluster.list_offsets(&all, recently).await?;
    let mut usage = Usage {
        active_groups: readers.on(topic),
        ..Usage::default()
    };
    for partition in &all {
        let start = offset(&start, partition)?.map_or(0, |it| it.offset);
        let end = offset(&end, partition)?.map_or(0, |it| it.offset);
        usage.end_offsets += end;
        usage.records += (end - start).max(0);
        let recent = offset(&recent, partition)?;
        usage.written_recently |= recent.is_some_and(|found| found.offset >= 0);
    }
    Ok(usage)
}

fn partitions_of(topic: &str, count: u32) -> Vec<TopicPartition> {
    (0..count)
        .map(|partition| TopicPartition::new(topic, partition as i32))
        .collect()
}

fn offset(listed: &Offsets, partition: &TopicPartition) -> Result<Option<ListedOffset>, ReadError> {
    let found = listed.get(partition).cloned().transpose();
    found.map_err(|source| ReadError::Topic {
        topic: partition.topic.clone(),
        request: "ListOffsets",
        source,
    })
}

/// That long ago, in milliseconds since 1970 UTC.
fn millis_ago(time: Duration) -> i64 {
    let then = SystemTime::now() - time;
    let since = then.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}
