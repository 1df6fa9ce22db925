//! Makes and reads [`POSITIONS_TOPIC`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka::batch::{BatchError, RawBatch};
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::record::{self, Record};
use kafka::{Cluster, Connection, Error, NewTopic, OffsetSpec, TopicPartition};

use crate::leaders::Leaders;
use crate::position::{Owner, OwnerKey, POSITIONS_TOPIC, Position, PositionKey};

/// Pause before metadata is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Metadata knows a topic that was just created within this time, or something is wrong.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);

/// Whether there is such a topic. Any other error than that it is unknown is an error here: a
/// mirror that takes it for a missing topic begins anew and copies everything twice.
async fn exists(target: &Cluster) -> Result<bool, Error> {
    let topic = POSITIONS_TOPIC.to_owned();
    let mut found = target.topic_metadata(std::slice::from_ref(&topic)).await?;
    match found.remove(&topic) {
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) if error.name() != "UNKNOWN_TOPIC_OR_PARTITION" => Err(Error::Broker {
            api: format!("Metadata {topic}"),
            error,
        }),
        Some(Err(_)) | None => Ok(false),
    }
}

/// Creates the topic where it is missing, and returns once metadata knows it: a broker that has
/// just started does not know all topics, and one that it does not know looks like an empty one.
pub(crate) async fn ensure_topic(target: &Cluster) -> Result<(), Error> {
    if exists(target).await? {
        return Ok(());
    }
    let brokers = target.metadata_of(&[]).await?.brokers.len();
    let topic = NewTopic {
        name: POSITIONS_TOPIC.to_owned(),
        partitions: Some(1),
        replication_factor: Some(brokers.clamp(1, 3) as i16),
        configs: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
    };
    for (name, outcome) in target.create_topics(&[topic]).await? {
        match outcome {
            Ok(()) => {}
            Err(error) if error.name() == "TOPIC_ALREADY_EXISTS" => {}
            Err(error) => {
                return Err(Error::Broker {
                    api: format!("CreateTopics {name}"),
                    error,
                });
            }
        }
    }
    let deadline = Instant::now() + APPEARS_WITHIN;
    while !exists(target).await? {
        if Instant::now() >= deadline {
            return Err(Error::NoLeader {
                topic: POSITIONS_TOPIC.to_owned(),
                partition: 0,
            });
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    Ok(())
}

/// All positions of one mirror from one source cluster, the newest a key. Empty where the topic
/// does not exist.
pub(crate) async fn load(
    target: &Cluster,
    mirror: &str,
    source_cluster_id: &str,
) -> Result<BTreeMap<PositionKey, Position>, Error> {
    if !exists(target).await? {
        return Ok(BTreeMap::new());
    }
    let mut reader = PositionReader::new(target.clone(), mirror, source_cluster_id).await;
    reader.read_to_end().await?;
    Ok(reader.positions)
}

/// Reads the positions topic on from where it stopped the last time.
#[derive(Debug)]
pub(crate) struct PositionReader {
    leaders: Leaders,
    mirror: String,
    source_cluster_id: String,
    /// Offset of the next record to read; `None` before the first reading.
    next: Option<i64>,
    owner: Option<Owner>,
    positions: BTreeMap<PositionKey, Position>,
}

impl PositionReader {
    pub(crate) async fn new(target: Cluster, mirror: &str, source_cluster_id: &str) -> Self {
        let leaders = Leaders::new(target);
        leaders.track([POSITIONS_TOPIC.to_owned()]).await;
        Self {
            leaders,
            mirror: mirror.to_owned(),
            source_cluster_id: source_cluster_id.to_owned(),
            next: None,
            owner: None,
            positions: BTreeMap::new(),
        }
    }

    /// The newest position of each partition, as of the last reading.
    pub(crate) fn positions(&self) -> &BTreeMap<PositionKey, Position> {
        &self.positions
    }

    /// Whom the mirror belongs to, as of the last reading.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// Reads to the end that the topic had when the call began. After an error the next call goes on where this one
    /// stopped. Cancel safe in the same way.
    pub(crate) async fn read_to_end(&mut self) -> Result<(), Error> {
        let target = self.leaders.cluster().clone();
        let partition = TopicPartition::new(POSITIONS_TOPIC, 0);
        let only = std::slice::from_ref(&partition);
        let mut at = match self.next {
            Some(next) => next,
            None => listed(&target, only, OffsetSpec::Earliest).await?,
        };
        let end = listed(&target, only, OffsetSpec::Latest).await?;
        if at >= end {
            self.next = Some(at);
            return Ok(());
        }
        let stale = Some(tokio::time::Instant::now());
        let leader = self.leaders.of(POSITIONS_TOPIC, 0, stale).await?;
        let connection = target.open(&leader.node).await?;
        while at < end {
            let from = FetchFrom {
                topic: POSITIONS_TOPIC.into(),
                topic_id: leader.topic_id,
                partition: 0,
                offset: at,
                leader_epoch: -1,
            };
            at = self.read_some(&connection, from).await?;
            self.next = Some(at);
        }
        Ok(())
    }

    /// One fetch; returns the offset after what it brought.
    async fn read_some(&mut self, connection: &Connection, from: FetchFrom) -> Result<i64, Error> {
        let mut at = from.offset;
        let fetched = kafka::fetch::send(connection, LIMITS, &[from])
            .await?
            .receive()
            .await?;
        let Some(fetched) = fetched.into_iter().next() else {
            return Ok(at);
        };
        if let Some(error) = fetched.error {
            return Err(Error::Broker {
                api: format!("Fetch {POSITIONS_TOPIC}-0"),
                error,
            });
        }
        let mut records = fetched.records;
        let malformed = |error: BatchError| Error::Malformed {
            address: connection.address().to_owned(),
            what: "positions batch",
            detail: error.to_string(),
        };
        while let Some(batch) = RawBatch::split_from(&mut records).map_err(malformed)? {
            if !batch.header.is_control() && batch.header.next_offset() > at {
                for record in record::decode(&batch).map_err(malformed)? {
                    self.keep(&record);
                }
            }
            at = at.max(batch.header.next_offset());
        }
        Ok(at)
    }

    /// A record that is not ours to understand (another mirror's, or from a newer version) is left
    /// alone; a tombstone removes.
    fn keep(&mut self, record: &Record) {
        let Some(key) = &record.key else {
            return;
        };
        if let Ok(key) = serde_json::from_slice::<PositionKey>(key) {
            if key.mirror == self.mirror && key.source_cluster_id == self.source_cluster_id {
                self.keep_position(key, record);
            }
        } else if let Ok(key) = serde_json::from_slice::<OwnerKey>(key)
            && key.owner_of_mirror == self.mirror
            && key.source_cluster_id == self.source_cluster_id
            && let Some(Ok(owner)) = record
                .value
                .as_ref()
                .map(|value| serde_json::from_slice::<Owner>(value))
        {
            self.owner = Some(owner);
        }
    }

    fn keep_position(&mut self, key: PositionKey, record: &Record) {
        let Some(value) = &record.value else {
            self.positions.remove(&key);
            return;
        };
        match serde_json::from_slice::<Position>(value) {
            Ok(position) => {
                // Written by a run that no longer owned the mirror when this landed, and did not know it yet.
                let foreign = matches!((&self.owner, &position.owner),
                    (Some(owner), Some(writer)) if owner.instance != *writer);
                if !foreign {
                    self.positions.insert(key, position);
                }
            }
            Err(error) => tracing::warn!(?key, %error, "position is not readable; ignored"),
        }
    }
}

const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(500),
    min_bytes: 1,
    max_bytes: 4 << 20,
    partition_max_bytes: 4 << 20,
};

async fn listed(
    target: &Cluster,
    partition: &[TopicPartition],
    at: OffsetSpec,
) -> Result<i64, Error> {
    let outcome = target
        .list_offsets(partition, at)
        .await?
        .into_values()
        .next();
    match outcome {
        Some(Ok(listed)) => Ok(listed.offset),
        Some(Err(error)) => Err(Error::Broker {
            api: format!("ListOffsets {POSITIONS_TOPIC}"),
            error,
        }),
        None => Ok(0),
    }
}
