//! What each mirror says about the topics that it fills, in a compacted topic on its target.
//!
//! Three questions are answered from it, by others than the writer too: where do the records of a
//! topic come from (loops), who fills it (two sources in one topic), and which configuration keys
//! did the mirror set (so that only those are ever taken back).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use kafka::batch::{BatchError, RawBatch};
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::produce::ProduceBatch;
use kafka::record::{self, Record};
use kafka::{
    Cluster, Compression, Connection, Error, NewTopic, OffsetSpec, ProducerIdentity, RetryClass,
    TopicPartition,
};
use serde::{Deserialize, Serialize};

use crate::position_writer::now_ms;

/// Compacted topic on the target cluster with one record a mirrored topic.
pub const TOPICS_TOPIC: &str = "mirrorctl-topics.internal";

/// The last record of a key wins, whoever wrote it.
const NO_PRODUCER: ProducerIdentity = ProducerIdentity { id: -1, epoch: -1 };
/// Records in one batch: some hundred bytes each, well below the default `message.max.bytes`.
const RECORDS_A_BATCH: usize = 500;
/// How long a topic that was just made may take until it has a leader.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(100);
/// Tries of a read or a write that something passing kept from its end.
const ATTEMPTS: u32 = 20;

/// Record key. JSON, its fields in this order, because compaction compares bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TopicKey {
    /// Name of the mirror in the topology.
    pub(crate) mirror: String,
    /// Id of the source cluster.
    pub(crate) source_cluster_id: String,
    /// Topic on the source.
    pub(crate) topic: String,
}

/// Record value. JSON; unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TopicRecord {
    /// Format of this value.
    pub(crate) version: u32,
    /// Topic on the target.
    pub(crate) target_topic: String,
    /// Its id: a recreated topic has no history.
    pub(crate) target_topic_id: String,
    /// The clusters that its records come from, the nearest first.
    pub(crate) origins: Vec<Origin>,
    /// Configuration keys that the mirror keeps as on the source.
    pub(crate) synced_configs: BTreeSet<String>,
}

/// One hop of the way of a topic's records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin {
    /// Since when the hop exists, ms since the epoch, by the clock of the mirror that made it.
    pub(crate) since_ms: i64,
    /// The cluster that the hop reads from.
    pub(crate) cluster_id: String,
}

/// The records of one cluster's [`TOPICS_TOPIC`], as far as they were read.
#[derive(Debug)]
pub(crate) struct TopicLog {
    cluster: Cluster,
    /// Id of the topic that `next` speaks of.
    topic_id: Option<String>,
    next: i64,
    records: BTreeMap<TopicKey, TopicRecord>,
}

impl TopicLog {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            topic_id: None,
            next: 0,
            records: BTreeMap::new(),
        }
    }

    pub(crate) fn records(&self) -> &BTreeMap<TopicKey, TopicRecord> {
        &self.records
    }

    /// Creates the topic where it is missing.
    pub(crate) async fn ensure(&self) -> Result<(), Error> {
        if self.leader().await?.is_some() {
            return Ok(());
        }
        let brokers = self.cluster.metadata_of(&[]).await?.brokers.len();
        let topic = NewTopic {
            name: TOPICS_TOPIC.to_owned(),
            partitions: Some(1),
            replication_factor: Some(brokers.clamp(1, 3) as i16),
            configs: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
        };
        for (name, outcome) in self.cluster.create_topics(&[topic]).await? {
            match outcome {
                Ok(()) => {}
                Err(error) if error.name() == "TOPIC_ALREADY_EXISTS" => {}
                Err(error) => return Err(broker_error(format!("CreateTopics {name}"), error)),
            }
        }
        let deadline = tokio::time::Instant::now() + APPEARS_WITHIN;
        while self.leader().await?.is_none() {
            if tokio::time::Instant::now() >= deadline {
                return Err(Error::NoLeader {
                    topic: TOPICS_TOPIC.to_owned(),
                    partition: 0,
                });
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// Reads what was written since the last time. A cluster without the topic has no records.
    pub(crate) async fn refresh(&mut self) -> Result<(), Error> {
        let mut attempts = 1;
        loop {
            match self.refresh_once().await {
                Err(error) if attempts < ATTEMPTS && error.class() != RetryClass::Fatal => {
                    attempts += 1;
                    tokio::time::sleep(AGAIN).await;
                }
                ended => return ended,
            }
        }
    }

    async fn refresh_once(&mut self) -> Result<(), Error> {
        let Some((connection, topic_id)) = self.leader().await? else {
            self.records.clear();
            self.topic_id = None;
            return Ok(());
        };
        if self.topic_id.as_deref() != Some(topic_id.to_string().as_str()) {
            self.records.clear();
            self.next = self.listed(OffsetSpec::Earliest).await?;
            self.topic_id = Some(topic_id.to_string());
        }
        let end = self.listed(OffsetSpec::Latest).await?;
        let limits = FetchLimits {
            max_wait: Duration::from_millis(500),
            min_bytes: 1,
            max_bytes: 1 << 20,
            partition_max_bytes: 1 << 20,
        };
        while self.next < end {
            let from = FetchFrom {
                topic: TOPICS_TOPIC.into(),
                topic_id,
                partition: 0,
                offset: self.next,
                leader_epoch: -1,
            };
            let fetched = kafka::fetch::send(&connection, limits, &[from])
                .await?
                .receive()
                .await?;
            for fetched in fetched {
                if let Some(error) = fetched.error {
                    return Err(broker_error(format!("Fetch {TOPICS_TOPIC}"), error));
                }
                self.take_in(fetched.records)
                    .map_err(|error| Error::Malformed {
                        address: connection.address().to_owned(),
                        what: "topics batch",
                        detail: error.to_string(),
                    })?;
            }
        }
        Ok(())
    }

    /// Writes records, or tombstones, with acks=all, then reads up to them and what others wrote
    /// meanwhile. Cancelled in the middle, any of them may be written.
    pub(crate) async fn write(
        &mut self,
        changes: &[(TopicKey, Option<TopicRecord>)],
    ) -> Result<(), Error> {
        let records = changes
            .iter()
            .map(|(key, value)| Ok((json(key)?, value.as_ref().map(json).transpose()?)))
            .collect::<Result<Vec<_>, Error>>()?;
        for records in records.chunks(RECORDS_A_BATCH) {
            produce(&self.cluster, TOPICS_TOPIC, records).await?;
        }
        self.refresh().await
    }

    fn take_in(&mut self, mut bytes: Bytes) -> Result<(), BatchError> {
        while let Some(batch) = RawBatch::split_from(&mut bytes)? {
            self.next = self.next.max(batch.header.next_offset());
            if batch.header.is_control() {
                continue;
            }
            for record in record::decode(&batch)? {
                let key = record.key.as_ref();
                let Some(key) = key.and_then(|key| serde_json::from_slice(key).ok()) else {
                    continue;
                };
                match record.value.map(|value| serde_json::from_slice(&value)) {
                    Some(Ok(value)) => {
                        self.records.insert(key, value);
                    }
                    Some(Err(error)) => {
                        tracing::warn!(?key, %error, "a record of {TOPICS_TOPIC} is not readable");
                    }
                    None => {
                        self.records.remove(&key);
                    }
                }
            }
        }
        Ok(())
    }

    /// A connection to the leader; `None` where there is no such topic.
    async fn leader(&self) -> Result<Option<(Connection, kafka::Uuid)>, Error> {
        leader(&self.cluster, TOPICS_TOPIC).await
    }

    async fn listed(&self, at: OffsetSpec) -> Result<i64, Error> {
        let partition = TopicPartition::new(TOPICS_TOPIC, 0);
        let listed = self.cluster.list_offsets(&[partition], at).await?;
        match listed.into_values().next() {
            Some(Ok(listed)) => Ok(listed.offset),
            Some(Err(error)) => Err(broker_error(format!("ListOffsets {TOPICS_TOPIC}"), error)),
            None => Ok(0),
        }
    }
}

/// A connection to the leader of a topic of one partition; `None` where there is no such topic.
async fn leader(
    cluster: &Cluster,
    topic: &str,
) -> Result<Option<(Connection, kafka::Uuid)>, Error> {
    let metadata = cluster.metadata_of(&[topic.to_owned()]).await?;
    if let Some(error) = metadata.failed.get(topic) {
        if error.name() == "UNKNOWN_TOPIC_OR_PARTITION" {
            return Ok(None);
        }
        return Err(broker_error(format!("Metadata {topic}"), error.clone()));
    }
    let Some(found) = metadata.topics.get(topic) else {
        return Ok(None);
    };
    let node = metadata.leader(topic, 0).ok_or_else(|| Error::NoLeader {
        topic: topic.to_owned(),
        partition: 0,
    })?;
    Ok(Some((cluster.open(node).await?, found.id)))
}

/// Keys with values, or without for tombstones, into a compacted topic of one partition. Written
/// again where the answer is lost: the last record of a key wins, and both say the same.
pub(crate) async fn produce(
    cluster: &Cluster,
    topic: &str,
    records: &[(Bytes, Option<Bytes>)],
) -> Result<(), Error> {
    let mut attempts = 1;
    loop {
        match produce_once(cluster, topic, records).await {
            Err(error) if attempts < ATTEMPTS && error.class() != RetryClass::Fatal => {
                attempts += 1;
                tokio::time::sleep(AGAIN).await;
            }
            ended => return ended,
        }
    }
}

async fn produce_once(
    cluster: &Cluster,
    topic: &str,
    records: &[(Bytes, Option<Bytes>)],
) -> Result<(), Error> {
    let now = now_ms();
    let records: Vec<Record> = records
        .iter()
        .map(|(key, value)| Record {
            offset_delta: 0,
            timestamp: now,
            key: Some(key.clone()),
            value: value.clone(),
            headers: Vec::new(),
        })
        .collect();
    if records.is_empty() {
        return Ok(());
    }
    let batch = record::encode(&records, Compression::None).map_err(|error| encoding(&error))?;
    let (connection, _) = leader(cluster, topic)
        .await?
        .ok_or_else(|| Error::NoLeader {
            topic: topic.to_owned(),
            partition: 0,
        })?;
    let batch = ProduceBatch {
        topic: topic.into(),
        partition: 0,
        header: batch.stamped(NO_PRODUCER, -1),
        payload: batch.payload(),
    };
    let timeout = connection.request_timeout();
    let produced = kafka::produce::send(&connection, &[batch], timeout).await?;
    for produced in produced.receive().await? {
        if let Err(error) = produced.outcome {
            return Err(broker_error(format!("Produce {topic}"), error));
        }
    }
    Ok(())
}

/// A value as JSON bytes.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Bytes, Error> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| encoding(&error))
}

fn encoding(error: &dyn std::fmt::Display) -> Error {
    Error::Malformed {
        address: "this client".to_owned(),
        what: "record",
        detail: error.to_string(),
    }
}

fn broker_error(api: String, error: kafka::BrokerError) -> Error {
    Error::Broker { api, error }
}
