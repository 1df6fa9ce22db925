//! Whether somebody else has written to the topics that a mirror fills, as the ends of those topics tell.
//!
//! A promotion that nobody carried out can be carried out later, as long as what is copied then lands behind the mirror's own
//! records, and not behind those of applications: of a mirror that never ran there is nothing to finish. So the last record of
//! each target partition is looked for on the source, around the mirror's position. What this does not see: records of others
//! that lie before the last one of the mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kafka::batch::BatchHeader;
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::record::{self, Record};
use kafka::{Cluster, Connection, Error, OffsetSpec, TopicPartition};
use topology::Mirror;

use crate::error::RunError;
use crate::leaders::Leaders;
use crate::options::Source;
use crate::status::{Condition, PartitionStatus, status};
use crate::topic_reader::{fetch_batches, malformed};

/// Offsets before a position that may hold nothing: markers of transactions, and what was compacted.
const HOLES: i64 = 1_000;
const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(500),
    min_bytes: 1,
    max_bytes: 1 << 20,
    partition_max_bytes: 1 << 20,
};

/// The first partition, in words, that does not end with a record of the source, or of which that cannot be told; nothing where
/// all of them do, or are empty. Where the mirror never ran, what is there is not its own, and that is said instead. Cancel
/// safe: nothing but reads.
pub async fn stranger(
    mirror: &Mirror,
    source: &Source,
    target: &Cluster,
) -> Result<Option<String>, RunError> {
    let on_target = |error| RunError::Target {
        alias: mirror.target.clone(),
        error,
    };
    let mut partitions = status(mirror, source, target).await?;
    let on_source = |error| RunError::Source {
        alias: source.alias.clone(),
        error,
    };
    let leaderless: Vec<TopicPartition> = partitions
        .iter()
        .filter(|it| it.source_end.is_none())
        .map(|it| TopicPartition::new(it.source_topic.clone(), it.partition))
        .collect();
    if !leaderless.is_empty() {
        // this waits for an election that is under way; what cannot be read is no answer
        let listed = source
            .cluster
            .list_offsets(&leaderless, OffsetSpec::Earliest);
        listed.await.map_err(on_source)?;
        partitions = status(mirror, source, target).await?;
    }
    if partitions.iter().all(|it| it.position.is_none()) {
        return Ok(Some("no replicator of it has run before".to_owned()));
    }
    let there = there(&partitions, target).await.map_err(on_target)?;
    let mut source_side = Side::of(
        &source.cluster,
        partitions.iter().map(|it| &it.source_topic),
    )
    .await;
    let mut target_side = Side::of(target, there.keys().map(|it| &it.topic)).await;
    // what is refused is another mirror's, and not copied anyway
    let filled = |it: &&PartitionStatus| it.condition != Condition::Refused;
    for partition in partitions.iter().filter(filled) {
        let place = TopicPartition::new(partition.target_topic.clone(), partition.partition);
        let Some(end) = there.get(&place) else {
            continue;
        };
        let last = target_side.last(&place, *end).await.map_err(on_target)?;
        let Some(last) = last else {
            return Ok(Some(format!(
                "the end of `{place}` is no record that a mirror writes"
            )));
        };
        let window = i64::from(mirror.replay_window);
        let known = source_side.holds(partition, window, &last).await;
        let known = known.map_err(on_source)?;
        if !known {
            return Ok(Some(format!(
                "the last record of `{place}` is not one of the source's"
            )));
        }
    }
    Ok(None)
}

/// Where the target's partitions end that are there and hold something.
async fn there(
    partitions: &[PartitionStatus],
    target: &Cluster,
) -> Result<BTreeMap<TopicPartition, i64>, Error> {
    let names: BTreeSet<String> = partitions
        .iter()
        .map(|it| it.target_topic.clone())
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let topics = target.metadata_of(&names).await?.topics;
    let places: Vec<TopicPartition> = partitions
        .iter()
        .filter(|it| {
            let topic = topics.get(&it.target_topic);
            topic.is_some_and(|topic| (it.partition as usize) < topic.partitions.len())
        })
        .map(|it| TopicPartition::new(it.target_topic.clone(), it.partition))
        .collect();
    let starts = target.list_offsets(&places, OffsetSpec::Earliest).await?;
    let ends = target.list_offsets(&places, OffsetSpec::Latest).await?;
    let mut there = BTreeMap::new();
    for (place, end) in ends {
        let listed = |outcome: Result<kafka::ListedOffset, kafka::BrokerError>| match outcome {
            Ok(listed) => Ok(listed.offset),
            Err(error) => Err(Error::Broker {
                api: format!("ListOffsets {place}"),
                error,
            }),
        };
        let end = listed(end)?;
        let start = starts.get(&place).cloned().map(listed).transpose()?;
        if start.is_none_or(|start| start < end) {
            there.insert(place, end);
        }
    }
    Ok(there)
}

/// The last record of a partition.
struct Last {
    record: Record,
    /// What the broker's clock stamped says nothing about where a record comes from.
    stamped: bool,
}

impl Last {
    fn is(&self, other: &Record) -> bool {
        let Record {
            offset_delta: _,
            timestamp,
            key,
            value,
            headers,
        } = other;
        let mine = &self.record;
        (self.stamped || mine.timestamp == *timestamp)
            && (&mine.key, &mine.value, &mine.headers) == (key, value, headers)
    }
}

/// One cluster, with a connection to each leader that was asked.
struct Side {
    leaders: Leaders,
    open: BTreeMap<i32, Connection>,
}

impl Side {
    async fn of(cluster: &Cluster, topics: impl Iterator<Item = &String>) -> Self {
        let leaders = Leaders::new(cluster.clone());
        leaders.track(topics.cloned()).await;
        Self {
            leaders,
            open: BTreeMap::new(),
        }
    }

    /// The record before `end`; nothing where that is none, such as the marker of a transaction.
    async fn last(&mut self, place: &TopicPartition, end: i64) -> Result<Option<Last>, Error> {
        let batches = self.read(place, end - 1).await?;
        let last = batches
            .into_iter()
            .rfind(|(header, _)| header.base_offset < end);
        Ok(last.and_then(|(header, records)| {
            let before = i32::try_from(end - header.base_offset).unwrap_or(i32::MAX);
            let mut records = records.into_iter();
            let record = records.rfind(|record| record.offset_delta < before)?;
            Some(Last {
                record,
                stamped: header.is_log_append_time(),
            })
        }))
    }

    /// Whether this source partition has such a record around the mirror's position, up to what may have been copied beyond it:
    /// twice the `window`, because offsets have holes.
    async fn holds(
        &mut self,
        partition: &PartitionStatus,
        window: i64,
        last: &Last,
    ) -> Result<bool, Error> {
        let place = TopicPartition::new(partition.source_topic.clone(), partition.partition);
        let (Some(start), Some(end)) = (partition.source_start, partition.source_end) else {
            return Err(Error::NoLeader {
                topic: place.topic,
                partition: place.partition,
            });
        };
        let near = partition.position.unwrap_or(start);
        let mut at = (near - HOLES).max(start);
        let until = (near + 2 * window + HOLES).min(end);
        let committed = partition.committed_at_ms;
        // what was copied is gone from the source: all that is left to tell by is the time
        if at >= near && committed.is_some_and(|committed| last.record.timestamp <= committed) {
            return Ok(true);
        }
        while at < until {
            let batches = self.read(&place, at).await?;
            if batches.is_empty() {
                break;
            }
            for (header, records) in batches {
                if records.iter().any(|record| last.is(record)) {
                    return Ok(true);
                }
                at = header.next_offset();
            }
        }
        Ok(false)
    }

    /// What one answer holds from this offset on; of batches that are the brokers' own no records.
    async fn read(
        &mut self,
        place: &TopicPartition,
        offset: i64,
    ) -> Result<Vec<(BatchHeader, Vec<Record>)>, Error> {
        let leader = self.leaders.of(&place.topic, place.partition, None).await?;
        let before = self.open.remove(&leader.node.id);
        let cluster = self.leaders.cluster();
        let connection = cluster.reuse_or_open(before, &leader.node).await?;
        let from = FetchFrom {
            topic: place.topic.as_str().into(),
            topic_id: leader.topic_id,
            partition: place.partition,
            offset,
            leader_epoch: -1,
        };
        let answer = fetch_batches(&connection, LIMITS, from).await?;
        let mut read = Vec::with_capacity(answer.batches.len());
        for batch in answer.batches {
            let records = if batch.header.is_control() {
                Vec::new()
            } else {
                let decoded = record::decode(&batch);
                decoded.map_err(|error| malformed(&connection, &place.topic, &error))?
            };
            read.push((batch.header, records));
        }
        self.open.insert(leader.node.id, connection);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_record_is_known_by_all_that_a_mirror_keeps() {
        let record = |timestamp, key: &'static str| Record {
            offset_delta: 0,
            timestamp,
            key: Some(Bytes::from_static(key.as_bytes())),
            value: None,
            headers: Vec::new(),
        };
        let mut last = Last {
            record: record(5, "a"),
            stamped: false,
        };
        let elsewhere = Record {
            offset_delta: 7,
            ..record(5, "a")
        };
        assert!(last.is(&elsewhere));
        assert!(!last.is(&record(6, "a")));
        assert!(!last.is(&record(5, "b")));
        last.stamped = true;
        assert!(last.is(&record(6, "a")));
        assert!(!last.is(&record(6, "b")));
    }
}
