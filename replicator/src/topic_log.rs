//! What each mirror says about the topics that it fills, in a compacted topic on its target.
//!
//! Three questions are answered from it, by others than the writer too: where do the records of a
//! topic come from (loops), who fills it (two sources in one topic), and which configuration keys
//! did the mirror set (so that only those are ever taken back).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka::record::Record;
use kafka::{Cluster, Error, RetryClass};
use register::{Released, TOPICS_TOPIC, TopicKey, TopicRecord, topic_entry};
use tokio::time::Instant;

use crate::appender::{Appender, RETRY_PAUSE, json_record, tombstone};
use crate::compacted_topic;
use crate::leaders::Leaders;
use crate::position_writer::now_ms;
use crate::topic_reader::{Seen, TopicReader};

/// Records in one batch: some hundred bytes each, well below the default `message.max.bytes`.
const RECORDS_A_BATCH: usize = 500;
/// How long a read or a write may be kept from its end by something passing.
const PATIENCE: Duration = Duration::from_secs(30);

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
                Seen::Record { record, .. } => keep(records, record),
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

/// Marks what a mirror said about the topics that it filled from a source as released, where that was not done yet, because
/// nobody was there to see how its promotion ended: nothing is said of where the way back begins. Returns how many there were.
pub async fn release(
    target: &Cluster,
    mirror: &str,
    source_cluster_id: &str,
) -> Result<usize, Error> {
    let mut log = TopicLog::new(target.clone());
    log.refresh().await?;
    let own = log.records().iter().filter(|(key, record)| {
        key.mirror == mirror
            && key.source_cluster_id == source_cluster_id
            && record.released.is_none()
    });
    let changes: Vec<(TopicKey, Option<TopicRecord>)> = own
        .map(|(key, record)| {
            let released = Some(Released {
                at_ms: now_ms(),
                source_topic_id: String::new(),
                partitions: None,
            });
            let record = TopicRecord {
                released,
                ..record.clone()
            };
            (key.clone(), Some(record))
        })
        .collect();
    if !changes.is_empty() {
        log.write(&changes).await?;
    }
    Ok(changes.len())
}

/// What is not ours to understand is left alone.
fn keep(records: &mut BTreeMap<TopicKey, TopicRecord>, record: &Record) {
    match topic_entry(record) {
        Some((key, Ok(Some(value)))) => {
            records.insert(key, value);
        }
        Some((key, Ok(None))) => {
            records.remove(&key);
        }
        Some((key, Err(error))) => {
            tracing::warn!(mirror = key.mirror, source_cluster_id = key.source_cluster_id,
                topic = key.topic, %error, "a record of {TOPICS_TOPIC} is not readable");
        }
        None => {}
    }
}
