//! Raw fetch: record batches as the broker stores them (KIP-74 size limits, KIP-516 topic ids).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::connection::{Connection, PendingResponse};
use crate::error::{BrokerError, Error};

/// From this version on requests name topics by id alone.
const TOPIC_IDS_FROM: i16 = 13;

/// Limits of one fetch.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// How long the broker may wait for `min_bytes`.
    pub max_wait: Duration,
    /// The broker answers as soon as it has this many bytes.
    pub min_bytes: i32,
    /// Soft limit over all partitions: one batch is always returned whole.
    pub max_bytes: i32,
    /// Soft limit a partition.
    pub partition_max_bytes: i32,
}

/// Where to read one partition from.
#[derive(Debug, Clone)]
pub struct FetchFrom {
    /// Topic name.
    pub topic: Arc<str>,
    /// Topic id, so that a recreated topic is an error and not other data.
    pub topic_id: Uuid,
    /// Partition index.
    pub partition: i32,
    /// First offset wanted. The answer begins with the whole batch that holds it.
    pub offset: i64,
    /// Leader epoch from metadata, −1 to skip the check (KIP-320).
    pub leader_epoch: i32,
}

/// One partition's part of a fetch response.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition index.
    pub partition: i32,
    /// The broker's refusal; then the other fields mean nothing.
    pub error: Option<BrokerError>,
    /// End of what is replicated.
    pub high_watermark: i64,
    /// End of what no open transaction can still take back.
    pub last_stable_offset: i64,
    /// Start of what is still there.
    pub log_start_offset: i64,
    /// Batches back to back, the last one perhaps cut short; shares the response's buffer.
    pub records: Bytes,
    /// Aborted transactions that touch `records`: producer id and first offset.
    pub aborted: Vec<(i64, i64)>,
}

/// A fetch on its way.
#[derive(Debug)]
pub struct PendingFetch {
    response: PendingResponse,
    connection: Connection,
    version: i16,
    names: HashMap<Uuid, Arc<str>>,
    timeout: Duration,
}

/// Sends a read-committed fetch. Waits only while the connection's write queue is full.
pub async fn send(
    connection: &Connection,
    limits: FetchLimits,
    partitions: &[FetchFrom],
) -> Result<PendingFetch, Error> {
    let version = connection.version_of::<FetchRequest>()?;
    let frame = connection.encode(&request(limits, partitions, version), version)?;
    let names = partitions
        .iter()
        .map(|p| (p.topic_id, p.topic.clone()))
        .collect();
    Ok(PendingFetch {
        response: connection.send(frame).await?,
        connection: connection.clone(),
        version,
        names,
        timeout: limits.max_wait + connection.request_timeout(),
    })
}

impl PendingFetch {
    /// Waits for the response and takes it apart; batches are not copied.
    pub async fn receive(self) -> Result<Vec<Fetched>, Error> {
        let body = self.response.within("Fetch", self.timeout).await?;
        let response = self.connection.decode::<FetchRequest>(body, self.version)?;
        if let Some(error) = BrokerError::from_code(response.error_code, None) {
            return Err(Error::broker("Fetch", error));
        }
        let mut fetched = Vec::new();
        for topic in response.responses {
            let name = if self.version >= TOPIC_IDS_FROM {
                self.names.get(&topic.topic_id).cloned()
            } else {
                Some(Arc::from(topic.topic.0.as_str()))
            };
            let Some(name) = name else {
                return Err(Error::Malformed {
                    address: self.connection.address().to_owned(),
                    what: "Fetch",
                    detail: format!("topic id {} was not asked for", topic.topic_id),
                });
            };
            for partition in topic.partitions {
                let aborted = partition.aborted_transactions.unwrap_or_default();
                fetched.push(Fetched {
                    topic: name.clone(),
                    partition: partition.partition_index,
                    error: BrokerError::from_code(partition.error_code, None),
                    high_watermark: partition.high_watermark,
                    last_stable_offset: partition.last_stable_offset,
                    log_start_offset: partition.log_start_offset,
                    records: partition.records.unwrap_or_default(),
                    aborted: aborted
                        .iter()
                        .map(|a| (a.producer_id.0, a.first_offset))
                        .collect(),
                });
            }
        }
        Ok(fetched)
    }
}

fn request(limits: FetchLimits, partitions: &[FetchFrom], version: i16) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for from in partitions {
        let index = *at.entry(&from.topic).or_insert_with(|| {
            let mut topic = FetchTopic::default();
            if version >= TOPIC_IDS_FROM {
                topic.topic_id = from.topic_id;
            } else {
                topic.topic = TopicName(StrBytes::from_string(from.topic.to_string()));
            }
            topics.push(topic);
            topics.len() - 1
        });
        topics[index].partitions.push(
            FetchPartition::default()
                .with_partition(from.partition)
                .with_current_leader_epoch(from.leader_epoch)
                .with_fetch_offset(from.offset)
                .with_last_fetched_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(limits.partition_max_bytes),
        );
    }
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(limits.max_wait.as_millis() as i32)
        .with_min_bytes(limits.min_bytes)
        .with_max_bytes(limits.max_bytes)
        .with_isolation_level(1)
        // No fetch session (KIP-227): every request names its partitions.
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(topics)
}
