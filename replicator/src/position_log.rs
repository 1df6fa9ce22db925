//! Reads [`POSITIONS_TOPIC`].

use std::collections::BTreeMap;

use kafka::batch::{BatchError, RawBatch};
use kafka::fetch::FetchFrom;
use kafka::record::{self, Record};
use kafka::{Cluster, Connection, Error, OffsetSpec, TopicPartition};

use crate::compacted_topic::{self, LIMITS, listed};
use crate::leaders::Leaders;
use crate::position::{Owner, OwnerKey, POSITIONS_TOPIC, Position, PositionKey};

/// All positions of one mirror from one source cluster, the newest a key. Empty where the topic
/// does not exist.
pub(crate) async fn load(
    target: &Cluster,
    mirror: &str,
    source_cluster_id: &str,
) -> Result<BTreeMap<PositionKey, Position>, Error> {
    if !compacted_topic::exists(target, POSITIONS_TOPIC).await? {
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
        let mut at = match self.next {
            Some(next) => next,
            None => listed(&target, &partition, OffsetSpec::Earliest).await?,
        };
        let end = listed(&target, &partition, OffsetSpec::Latest).await?;
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
