//! A topic of one partition that a tool keeps its own records in: made, read whole, appended to.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::Compression;
use crate::admin::{NewTopic, OffsetSpec};
use crate::batch::{BatchError, RawBatch};
use crate::cluster::{Cluster, retried};
use crate::connection::Connection;
use crate::error::{BrokerError, Error};
use crate::fetch::{self, FetchFrom, FetchLimits};
use crate::metadata::{TopicMetadata, TopicPartition};
use crate::produce::{self, ProduceBatch};
use crate::producer_id::ProducerIdentity;
use crate::record::{self, Record};
use crate::retry::RetryClass;

/// The last record of a key wins, whoever wrote it: nothing to de-duplicate.
const NO_PRODUCER: ProducerIdentity = ProducerIdentity { id: -1, epoch: -1 };
/// Metadata knows a topic that was just created within this time, or something is wrong.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);
/// So many empty answers in a row, each after [`LIMITS`]' wait, mean that nothing is left before the end. One alone can
/// come from a leader that does not know yet how far its followers are.
const EMPTY_ANSWERS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(500),
    min_bytes: 1,
    max_bytes: 4 << 20,
    partition_max_bytes: 4 << 20,
};

/// How far such a topic was written: another mark, another content. Nothing where there is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(Option<(Uuid, i64)>);

/// A topic of one partition, for a tool's own records.
#[derive(Debug, Clone)]
pub struct KeyedLog {
    cluster: Cluster,
    topic: String,
}

impl KeyedLog {
    /// The topic `topic` of `cluster`, which need not exist yet.
    pub fn new(cluster: Cluster, topic: impl Into<String>) -> Self {
        Self {
            cluster,
            topic: topic.into(),
        }
    }

    /// Creates the topic where it is missing, with up to three replicas and these configurations, and returns once
    /// metadata shows its leader. Cancel safe: what was asked for happens or not.
    pub async fn ensure(&self, configs: &[(&str, &str)]) -> Result<(), Error> {
        if self.exists().await? {
            return Ok(());
        }
        let brokers = self.cluster.metadata_of(&[]).await?.brokers.len();
        let topic = NewTopic {
            name: self.topic.clone(),
            partitions: Some(1),
            replication_factor: Some(brokers.clamp(1, 3) as i16),
            configs: configs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        for (name, outcome) in self.cluster.create_topics(&[topic]).await? {
            match outcome {
                Ok(()) => {}
                Err(error) if error.name() == "TOPIC_ALREADY_EXISTS" => {}
                Err(error) => return Err(Error::broker(format!("CreateTopics {name}"), error)),
            }
        }
        let deadline = Instant::now() + APPEARS_WITHIN;
        loop {
            match self.described().await {
                Ok(Some(topic)) if topic.partitions.iter().all(|it| it.leader.is_some()) => {
                    return Ok(());
                }
                Err(error) if error.class() == RetryClass::Fatal || Instant::now() >= deadline => {
                    return Err(error);
                }
                Ok(_) if Instant::now() >= deadline => {
                    return Err(Error::NoLeader {
                        topic: self.topic.clone(),
                        partition: 0,
                    });
                }
                Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Whether there is such a topic. Any other answer than that it is unknown is an error: who takes it for a missing
    /// topic takes what it holds for nothing.
    pub async fn exists(&self) -> Result<bool, Error> {
        Ok(self.described().await?.is_some())
    }

    /// Which topic it is and how far it was written: two small requests, to decide whether reading it is worth while.
    /// Cancel safe.
    pub async fn mark(&self) -> Result<Mark, Error> {
        let Some(topic) = self.described().await? else {
            return Ok(Mark(None));
        };
        let end = self.listed(OffsetSpec::Latest).await?;
        Ok(Mark(Some((topic.id, end))))
    }

    /// Hands every record to `visit`, the oldest first, up to the end as it is now; none where the topic does not
    /// exist. A record may be handed over twice when the leader changes meanwhile. Cancel safe.
    pub async fn read(&self, mut visit: impl FnMut(&Record)) -> Result<(), Error> {
        if !self.exists().await? {
            return Ok(());
        }
        let mut at = self.listed(OffsetSpec::Earliest).await?;
        let end = self.listed(OffsetSpec::Latest).await?;
        let mut empty = 0;
        while at < end && empty < EMPTY_ANSWERS {
            let (next, records) = retried(|| self.fetch(at)).await?;
            // the last records before the end can be tombstones that the cleaner took away
            empty = if next > at { 0 } else { empty + 1 };
            at = next;
            for record in &records {
                visit(record);
            }
        }
        Ok(())
    }

    /// Appends one batch with `acks=all`: durable once this returns `Ok`. After an error it may be there or not, and
    /// while leaders change it may be there twice.
    pub async fn append(&self, records: &[Record]) -> Result<(), Error> {
        let batch = record::encode(records, Compression::None)
            .map_err(|error| malformed("this client", &error))?;
        retried(|| async {
            let (_, connection) = self.leader().await?;
            let batch = ProduceBatch {
                topic: self.topic.as_str().into(),
                partition: 0,
                header: batch.stamped(NO_PRODUCER, -1),
                payload: batch.payload(),
            };
            let timeout = connection.request_timeout();
            let produced = produce::send(&connection, &[batch], timeout)
                .await?
                .receive()
                .await?;
            for produced in produced {
                if let Err(error) = produced.outcome {
                    return Err(self.refused("Produce", error));
                }
            }
            Ok(())
        })
        .await
    }

    /// The records from `at` on that one answer holds, and the offset after them.
    async fn fetch(&self, at: i64) -> Result<(i64, Vec<Record>), Error> {
        let (topic, connection) = self.leader().await?;
        let from = FetchFrom {
            topic: self.topic.as_str().into(),
            topic_id: topic.id,
            partition: 0,
            offset: at,
            leader_epoch: -1,
        };
        let fetched = fetch::send(&connection, LIMITS, &[from])
            .await?
            .receive()
            .await?;
        let (mut next, mut records) = (at, Vec::new());
        for fetched in fetched {
            if let Some(error) = fetched.error {
                return Err(self.refused("Fetch", error));
            }
            let mut bytes = fetched.records;
            let address = connection.address();
            while let Some(batch) =
                RawBatch::split_from(&mut bytes).map_err(|error| malformed(address, &error))?
            {
                next = next.max(batch.header.next_offset());
                if !batch.header.is_control() {
                    records.extend(
                        record::decode(&batch).map_err(|error| malformed(address, &error))?,
                    );
                }
            }
        }
        Ok((next, records))
    }

    async fn leader(&self) -> Result<(TopicMetadata, Connection), Error> {
        let mut metadata = self
            .cluster
            .metadata_of(std::slice::from_ref(&self.topic))
            .await?;
        let no_leader = || Error::NoLeader {
            topic: self.topic.clone(),
            partition: 0,
        };
        let node = metadata
            .leader(&self.topic, 0)
            .cloned()
            .ok_or_else(no_leader)?;
        let topic = metadata.topics.remove(&self.topic).ok_or_else(no_leader)?;
        Ok((topic, self.cluster.connection_to(&node).await?))
    }

    async fn described(&self) -> Result<Option<TopicMetadata>, Error> {
        let mut found = self
            .cluster
            .topic_metadata(std::slice::from_ref(&self.topic))
            .await?;
        match found.remove(&self.topic) {
            Some(Ok(topic)) => Ok(Some(topic)),
            Some(Err(error)) if error.name() != "UNKNOWN_TOPIC_OR_PARTITION" => {
                Err(self.refused("Metadata", error))
            }
            Some(Err(_)) | None => Ok(None),
        }
    }

    async fn listed(&self, at: OffsetSpec) -> Result<i64, Error> {
        let partition = TopicPartition::new(self.topic.as_str(), 0);
        let listed: BTreeMap<_, _> = self
            .cluster
            .list_offsets(std::slice::from_ref(&partition), at)
            .await?;
        match listed.into_values().next() {
            Some(Ok(listed)) => Ok(listed.offset),
            Some(Err(error)) => Err(self.refused("ListOffsets", error)),
            None => Ok(0),
        }
    }

    fn refused(&self, api: &str, error: BrokerError) -> Error {
        Error::broker(format!("{api} {}", self.topic), error)
    }
}

fn malformed(address: &str, error: &BatchError) -> Error {
    Error::Malformed {
        address: address.to_owned(),
        what: "batch of a topic of our own",
        detail: error.to_string(),
    }
}
