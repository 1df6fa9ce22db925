//! Reads [`POSITIONS_TOPIC`].

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka::record::Record;
use kafka::{Cluster, Error};
use register::json_key;
use serde::de::DeserializeOwned;

use crate::compacted_topic;
use crate::leaders::Leaders;
use crate::owners::Owners;
use crate::position::{
    Beat, BeatKey, OwnerKey, POSITIONS_TOPIC, Position, PositionKey, Start, StartKey, VERSION,
    Worker, WorkerKey,
};
use crate::topic_reader::{Seen, TopicReader};

/// All positions of one mirror from one source cluster, the newest a key. Empty where the topic
/// does not exist.
pub async fn load(
    target: &Cluster,
    mirror: &str,
    source_cluster_id: &str,
) -> Result<BTreeMap<PositionKey, Position>, Error> {
    if !compacted_topic::exists(target, POSITIONS_TOPIC).await? {
        return Ok(BTreeMap::new());
    }
    let leaders = Arc::new(Leaders::tracking(target.clone(), POSITIONS_TOPIC));
    let mut reader = PositionReader::new(leaders, mirror, source_cluster_id);
    reader.read_to_end().await?;
    Ok(reader.known.positions)
}

/// Reads the positions topic on from where it stopped the last time.
#[derive(Debug)]
pub(crate) struct PositionReader {
    reader: TopicReader,
    known: Known,
}

/// What the log says of one mirror and source cluster.
#[derive(Debug)]
struct Known {
    mirror: String,
    source_cluster_id: String,
    owners: Owners,
    /// The last signs of life by task.
    beats: BTreeMap<u32, Beat>,
    workers: BTreeMap<String, Worker>,
    starts: BTreeMap<PositionKey, Start>,
    positions: BTreeMap<PositionKey, Position>,
    /// Positions that are there and cannot be understood, with the reason: their partitions must not begin anew.
    unreadable: BTreeMap<PositionKey, String>,
}

impl PositionReader {
    /// `leaders` must track the topic.
    pub(crate) fn new(leaders: Arc<Leaders>, mirror: &str, source_cluster_id: &str) -> Self {
        Self {
            reader: TopicReader::new(leaders, POSITIONS_TOPIC),
            known: Known::nothing(mirror, source_cluster_id),
        }
    }

    /// The newest position of each partition, as of the last reading.
    pub(crate) fn positions(&self) -> &BTreeMap<PositionKey, Position> {
        &self.known.positions
    }

    /// Where partitions begin that have no position, as of the last reading.
    pub(crate) fn starts(&self) -> &BTreeMap<PositionKey, Start> {
        &self.known.starts
    }

    /// Whom the mirror belongs to, as of the last reading.
    pub(crate) fn owners(&self) -> &Owners {
        &self.known.owners
    }

    /// The last sign of life of any run of that task, as of the last reading.
    pub(crate) fn beat(&self, task: u32) -> Option<&Beat> {
        self.known.beats.get(&task)
    }

    /// The last signs of life of those that share the mirror, by their ids.
    pub(crate) fn workers(&self) -> &BTreeMap<String, Worker> {
        &self.known.workers
    }

    /// Reads to the end that the topic had when the call began. After an error the next call goes on where this one
    /// stopped. Cancel safe in the same way.
    pub(crate) async fn read_to_end(&mut self) -> Result<(), Error> {
        let known = &mut self.known;
        self.reader
            .read_to_end(|seen| match seen {
                Seen::Anew => {
                    *known = Known::nothing(&known.mirror, &known.source_cluster_id);
                }
                Seen::Record { offset, record } => known.keep(offset, record),
            })
            .await?;
        self.known.understood()
    }
}

impl Known {
    fn nothing(mirror: &str, source_cluster_id: &str) -> Self {
        Self {
            mirror: mirror.to_owned(),
            source_cluster_id: source_cluster_id.to_owned(),
            owners: Owners::default(),
            beats: BTreeMap::new(),
            workers: BTreeMap::new(),
            starts: BTreeMap::new(),
            positions: BTreeMap::new(),
            unreadable: BTreeMap::new(),
        }
    }

    /// A record that is not ours to understand (another mirror's) is left alone; a tombstone removes.
    fn keep(&mut self, offset: i64, record: &Record) {
        let Some(key) = &record.key else {
            return;
        };
        if let Some(key) = json_key::<PositionKey>(key) {
            if self.is_ours(&key.mirror, &key.source_cluster_id) {
                self.keep_position(key, record);
            }
        } else if let Some(key) = json_key::<OwnerKey>(key) {
            if self.is_ours(&key.owner_of_mirror, &key.source_cluster_id)
                && let Some(owner) = value(record)
            {
                self.owners.keep(key.task.unwrap_or(0), offset, owner);
            }
        } else if let Some(key) = json_key::<BeatKey>(key) {
            if self.is_ours(&key.beat_of_mirror, &key.source_cluster_id)
                && let Some(beat) = value(record)
            {
                self.beats.insert(key.task.unwrap_or(0), beat);
            }
        } else if let Some(key) = json_key::<WorkerKey>(key) {
            if self.is_ours(&key.worker_of_mirror, &key.source_cluster_id) {
                set(&mut self.workers, key.worker, value(record));
            }
        } else if let Some(key) = json_key::<StartKey>(key)
            && self.is_ours(&key.start_of_mirror, &key.source_cluster_id)
        {
            let place = PositionKey {
                mirror: key.start_of_mirror,
                source_cluster_id: key.source_cluster_id,
                topic: key.topic,
                partition: key.partition,
            };
            set(&mut self.starts, place, value(record));
        }
    }

    fn is_ours(&self, mirror: &str, source_cluster_id: &str) -> bool {
        mirror == self.mirror && source_cluster_id == self.source_cluster_id
    }

    fn keep_position(&mut self, key: PositionKey, record: &Record) {
        self.unreadable.remove(&key);
        let Some(value) = &record.value else {
            self.positions.remove(&key);
            return;
        };
        match serde_json::from_slice::<Position>(value) {
            Ok(position) if position.version > VERSION => {
                let newer = format!("its format {} is of a newer version", position.version);
                self.unreadable.insert(key, newer);
            }
            Ok(position) => {
                if !self.owners.is_late(&key, &position) {
                    self.positions.insert(key, position);
                }
            }
            Err(error) => {
                self.unreadable.insert(key, error.to_string());
            }
        }
    }

    /// Whoever goes on without a position that is there copies everything twice.
    fn understood(&self) -> Result<(), Error> {
        let Some((key, reason)) = self.unreadable.iter().next() else {
            return Ok(());
        };
        Err(Error::Malformed {
            address: "the target".to_owned(),
            what: "position",
            detail: format!(
                "{}-{}: {reason}; a record with the same key and no value takes it away",
                key.topic, key.partition
            ),
        })
    }
}

/// No value takes away what was there.
fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

fn value<T: DeserializeOwned>(record: &Record) -> Option<T> {
    serde_json::from_slice(record.value.as_ref()?).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn known() -> Known {
        Known::nothing("m", "abc")
    }

    fn record(mirror: &str, value: Option<&str>) -> Record {
        let key =
            format!(r#"{{"mirror":"{mirror}","sourceClusterId":"abc","topic":"t","partition":3}}"#);
        Record {
            offset_delta: 0,
            timestamp: 0,
            key: Some(Bytes::from(key)),
            value: value.map(|value| Bytes::from(value.to_owned())),
            headers: Vec::new(),
        }
    }

    fn position(version: u32) -> String {
        format!(
            r#"{{"version":{version},"offset":7,"targetTopic":"t","sourceTopicId":"a","targetTopicId":"b","committedAtMs":5}}"#
        )
    }

    #[test]
    fn a_position_that_cannot_be_understood_is_an_error_until_it_is_replaced() {
        for unreadable in ["{}", "", &position(VERSION + 1)] {
            let mut known = known();
            known.keep(0, &record("m", Some(&position(VERSION))));
            assert!(known.understood().is_ok());
            known.keep(0, &record("m", Some(unreadable)));
            let error = known.understood().expect_err("it is not left out");
            assert!(error.to_string().contains("t-3"), "{error}");
            let mut replaced = known;
            replaced.keep(0, &record("m", None));
            assert!(replaced.understood().is_ok() && replaced.positions.is_empty());
        }
    }

    #[test]
    fn those_of_other_mirrors_are_left_alone() {
        let mut known = known();
        known.keep(0, &record("other", Some("{}")));
        assert!(known.understood().is_ok());
    }
}
