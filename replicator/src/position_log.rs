//! Reads and writes [`POSITIONS_TOPIC`].

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kafka::batch::RawBatch;
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::produce::ProduceBatch;
use kafka::record::{self, Record};
use kafka::{
    Cluster, Compression, Connection, Error, NewTopic, OffsetSpec, ProducerIdentity, TopicPartition,
};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::leaders::Leaders;
use crate::position::{POSITIONS_TOPIC, Position, PositionKey};

/// Positions are written this often while they move, sooner where a partition's replay window
/// fills. Each write is one small request.
const COMMIT_INTERVAL: Duration = Duration::from_millis(25);
/// Positions in one batch: about 300 bytes each, well below the default `message.max.bytes`.
const POSITIONS_A_BATCH: usize = 1000;
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Metadata knows a topic that was just created within this time, or something is wrong.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);
/// Positions are not idempotent: the last one wins, whoever wrote it.
const NO_PRODUCER: ProducerIdentity = ProducerIdentity { id: -1, epoch: -1 };

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
    let mut positions = BTreeMap::new();
    if !exists(target).await? {
        return Ok(positions);
    }
    let partition = TopicPartition::new(POSITIONS_TOPIC, 0);
    let leaders = Leaders::new(target.clone());
    leaders.track([POSITIONS_TOPIC.to_owned()]).await;
    let only = std::slice::from_ref(&partition);
    let mut at = listed(target, only, OffsetSpec::Earliest).await?;
    let end = listed(target, only, OffsetSpec::Latest).await?;
    let limits = FetchLimits {
        max_wait: Duration::from_millis(500),
        min_bytes: 1,
        max_bytes: 4 << 20,
        partition_max_bytes: 4 << 20,
    };
    let leader = leaders.of(POSITIONS_TOPIC, 0, None).await?;
    let connection = target.open(&leader.node).await?;
    while at < end {
        let from = FetchFrom {
            topic: POSITIONS_TOPIC.into(),
            topic_id: leader.topic_id,
            partition: 0,
            offset: at,
            leader_epoch: -1,
        };
        let fetched = kafka::fetch::send(&connection, limits, &[from])
            .await?
            .receive()
            .await?;
        let Some(fetched) = fetched.into_iter().next() else {
            continue;
        };
        if let Some(error) = fetched.error {
            return Err(Error::Broker {
                api: format!("Fetch {partition}"),
                error,
            });
        }
        let mut records = fetched.records;
        let malformed = |error: kafka::batch::BatchError| Error::Malformed {
            address: connection.address().to_owned(),
            what: "positions batch",
            detail: error.to_string(),
        };
        while let Some(batch) = RawBatch::split_from(&mut records).map_err(malformed)? {
            at = at.max(batch.header.next_offset());
            if batch.header.is_control() {
                continue;
            }
            for record in record::decode(&batch).map_err(malformed)? {
                keep(&mut positions, &record, mirror, source_cluster_id);
            }
        }
    }
    Ok(positions)
}

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

/// A record that is not ours to understand (another mirror's, or from a newer version) is left
/// alone; a tombstone removes.
fn keep(
    positions: &mut BTreeMap<PositionKey, Position>,
    record: &Record,
    mirror: &str,
    source_cluster_id: &str,
) {
    let Some(key) = record
        .key
        .as_ref()
        .and_then(|key| serde_json::from_slice::<PositionKey>(key).ok())
    else {
        return;
    };
    if key.mirror != mirror || key.source_cluster_id != source_cluster_id {
        return;
    }
    match record
        .value
        .as_ref()
        .map(|value| serde_json::from_slice::<Position>(value))
    {
        Some(Ok(position)) => {
            positions.insert(key, position);
        }
        Some(Err(error)) => tracing::warn!(?key, %error, "position is not readable; ignored"),
        None => {
            positions.remove(&key);
        }
    }
}

/// One partition's place in the writer.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    shared: Arc<Shared>,
    key: PositionKey,
}

#[derive(Debug)]
struct Pending {
    position: Position,
    acknowledged: u64,
    committed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<HashMap<PositionKey, Pending>>,
    moved: Notify,
    urgent: Notify,
}

impl Slot {
    /// Hands in a newer position; it replaces one that is not written yet. `committed` is sent
    /// `acknowledged` once the position is durable.
    pub(crate) fn update(
        &self,
        position: Position,
        acknowledged: u64,
        committed: watch::Sender<u64>,
        urgent: bool,
    ) {
        let pending = Pending {
            position,
            acknowledged,
            committed,
        };
        lock(&self.shared.pending).insert(self.key.clone(), pending);
        self.shared.moved.notify_one();
        if urgent {
            self.shared.urgent.notify_one();
        }
    }
}

/// Hands out [`Slot`]s of one writer.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    shared: Arc<Shared>,
}

impl Slots {
    pub(crate) fn of(&self, key: PositionKey) -> Slot {
        Slot {
            shared: self.shared.clone(),
            key,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes positions, one request at a time, so that an older one never lands after a newer one.
#[derive(Debug)]
pub(crate) struct PositionWriter {
    shared: Arc<Shared>,
    leaders: Arc<Leaders>,
    connection: Option<Connection>,
    /// When metadata was last found wanting.
    stale: Option<Instant>,
}

impl PositionWriter {
    pub(crate) fn new(leaders: Arc<Leaders>) -> Self {
        Self {
            shared: Arc::default(),
            leaders,
            connection: None,
            stale: None,
        }
    }

    /// Places for partitions, also once the writer runs.
    pub(crate) fn slots(&self) -> Slots {
        Slots {
            shared: self.shared.clone(),
        }
    }

    /// Runs until `finish` is cancelled, then writes what is left, giving up at `deadline` after
    /// that. Returns the error that kept the last positions from being written.
    pub(crate) async fn run(
        mut self,
        finish: CancellationToken,
        deadline: Duration,
    ) -> Result<(), Error> {
        let shared = self.shared.clone();
        loop {
            tokio::select! {
                () = finish.cancelled() => break,
                () = shared.moved.notified() => {}
            }
            tokio::select! {
                () = tokio::time::sleep(COMMIT_INTERVAL) => {}
                () = shared.urgent.notified() => {}
                () = finish.cancelled() => {}
            }
            let result = tokio::select! {
                result = self.write_pending() => result,
                () = finish.cancelled() => break,
            };
            if let Err(error) = result {
                tracing::warn!(%error, "positions could not be written; trying again");
                shared.moved.notify_one();
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        let until = Instant::now() + deadline;
        loop {
            match tokio::time::timeout_at(until, self.write_pending()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if Instant::now() + RETRY_PAUSE >= until => return Err(error),
                Ok(Err(_)) => tokio::time::sleep(RETRY_PAUSE).await,
                Err(_) => {
                    return Err(Error::Timeout {
                        api: "positions",
                        address: POSITIONS_TOPIC.to_owned(),
                        timeout: deadline,
                    });
                }
            }
        }
    }

    /// Writes everything that is pending. What fails stays pending, unless a newer one came.
    /// Cancelled in the middle, a position is written or still pending.
    async fn write_pending(&mut self) -> Result<(), Error> {
        loop {
            let batch: Vec<(PositionKey, Position, u64)> = lock(&self.shared.pending)
                .iter()
                .take(POSITIONS_A_BATCH)
                .map(|(key, pending)| (key.clone(), pending.position.clone(), pending.acknowledged))
                .collect();
            if batch.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.write(&batch).await {
                self.connection = None;
                self.stale = Some(Instant::now());
                return Err(error);
            }
            let mut pending = lock(&self.shared.pending);
            for (key, _, acknowledged) in batch {
                let Some(entry) = pending.get(&key) else {
                    continue;
                };
                entry.committed.send_replace(acknowledged);
                if entry.acknowledged == acknowledged {
                    pending.remove(&key);
                }
            }
        }
    }

    async fn write(&mut self, positions: &[(PositionKey, Position, u64)]) -> Result<(), Error> {
        let now = now_ms();
        let encode = |error: &dyn std::fmt::Display| Error::Malformed {
            address: "this client".to_owned(),
            what: "position",
            detail: error.to_string(),
        };
        let mut records = Vec::with_capacity(positions.len());
        for (key, position, _) in positions {
            let position = Position {
                committed_at_ms: now,
                ..position.clone()
            };
            records.push(Record {
                offset_delta: 0,
                timestamp: now,
                key: Some(Bytes::from(
                    serde_json::to_vec(key).map_err(|error| encode(&error))?,
                )),
                value: Some(Bytes::from(
                    serde_json::to_vec(&position).map_err(|error| encode(&error))?,
                )),
                headers: Vec::new(),
            });
        }
        let batch = record::encode(&records, Compression::None).map_err(|error| encode(&error))?;
        let leader = self.leaders.of(POSITIONS_TOPIC, 0, self.stale).await?;
        let cluster = self.leaders.cluster();
        let connection = cluster
            .reuse_or_open(self.connection.take(), &leader.node)
            .await?;
        let batch = ProduceBatch {
            topic: POSITIONS_TOPIC.into(),
            partition: 0,
            header: batch.stamped(NO_PRODUCER, -1),
            payload: batch.payload(),
        };
        let timeout = connection.request_timeout();
        let produced = kafka::produce::send(&connection, &[batch], timeout)
            .await?
            .receive()
            .await?;
        for produced in produced {
            if let Err(error) = produced.outcome {
                return Err(Error::Broker {
                    api: format!("Produce {POSITIONS_TOPIC}"),
                    error,
                });
            }
        }
        self.connection = Some(connection);
        Ok(())
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}
