//! What each mirror says about the topics that it fills, in a compacted topic on its target.
//!
//! Three questions are answered from it, by others than the writer too: where do the records of a
//! topic come from (loops), who fills it (two sources in one topic), and which configuration keys
//! did the mirror set (so that only those are ever taken back).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kafka::record::Record;
use kafka::{Cluster, Error, RetryClass};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::appender::{Appender, RETRY_PAUSE, json_record, tombstone};
use crate::compacted_topic;
use crate::leaders::Leaders;
use crate::position_writer::now_ms;
use crate::topic_reader::{Seen, TopicReader};

/// Compacted topic on the target cluster with one record a mirrored topic.
pub const TOPICS_TOPIC: &str = "mirrorctl-topics.internal";

/// Records in one batch: some hundred bytes each, well below the default `message.max.bytes`.
const RECORDS_A_BATCH: usize = 500;
/// How long a read or a write may be kept from its end by something passing.
const PATIENCE: Duration = Duration::from_secs(30);

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
    reader: TopicReader,
    appender: Appender,
    records: BTreeMap<TopicKey, TopicRecord>,
}

impl TopicLog {
    pub(crate) fn new(cluster: Cluster) -> Self {
        let leaders = Arc::new(Leaders::tracking(cluster.clone(), TOPICS_TOPIC));
        Self {
            cluster,
            reader: TopicReader::new(leaders.clone(), TOPICS_TOPIC),
            appender: Appender::new(leaders, TOPICS_TOPIC),
            records: BTreeMap::new(),
        }
    }

    pub(crate) fn records(&self) -> &BTreeMap<TopicKey, TopicRecord> {
        &self.records
    }

    /// Creates the topic where it is missing.
    pub(crate) async fn ensure(&self) -> Result<(), Error> {
        compacted_topic::ensure(&self.cluster, TOPICS_TOPIC).await
    }

    /// Reads what was written since the last time. A cluster without the topic has no records.
    pub(crate) async fn refresh(&mut self) -> Result<(), Error> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.refresh_once().await {
                Err(error) if error.class() != RetryClass::Fatal && Instant::now() < give_up => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    async fn refresh_once(&mut self) -> Result<(), Error> {
        if !compacted_topic::exists(&self.cluster, TOPICS_TOPIC).await? {
            self.records.clear();
            self.reader.forget();
            return Ok(());
        }
        let records = &mut self.records;
        self.reader
            .read_to_end(|seen| match seen {
                Seen::Anew => records.clear(),
                Seen::Record(record) => keep(records, record),
            })
            .await
    }

    /// Writes records, or tombstones, with acks=all, then reads up to them and what others wrote
    /// meanwhile. Cancelled in the middle, any of them may be written. Written again where the
    /// answer is lost: the last record of a key wins, and both say the same.
    pub(crate) async fn write(
        &mut self,
        changes: &[(TopicKey, Option<TopicRecord>)],
    ) -> Result<(), Error> {
        let now = now_ms();
        let records = changes
            .iter()
            .map(|(key, value)| match value {
                Some(value) => json_record(key, value, now),
                None => tombstone(key, now),
            })
            .collect::<Result<Vec<_>, Error>>()?;
        for records in records.chunks(RECORDS_A_BATCH) {
            self.appender.append_within(PATIENCE, records).await?;
        }
        self.refresh().await
    }
}

/// What is not ours to understand is left alone.
fn keep(records: &mut BTreeMap<TopicKey, TopicRecord>, record: &Record) {
    let key = record.key.as_ref();
    let Some(key) = key.and_then(|key| serde_json::from_slice(key).ok()) else {
        return;
    };
    match record
        .value
        .as_ref()
        .map(|value| serde_json::from_slice(value))
    {
        Some(Ok(value)) => {
            records.insert(key, value);
        }
        Some(Err(error)) => {
            tracing::warn!(?key, %error, "a record of {TOPICS_TOPIC} is not readable");
        }
        None => {
            records.remove(&key);
        }
    }
}
