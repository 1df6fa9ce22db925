//! Reads [`POSITIONS_TOPIC`].

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka::record::Record;
use kafka::{Cluster, Error};
use register::json_key;
use serde::de::DeserializeOwned;

use crate::compacted_topic;
use crate::leaders::Leaders;
use crate::position::{
    Beat, BeatKey, Owner, OwnerKey, POSITIONS_TOPIC, Position, PositionKey, VERSION,
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
    owner: Option<Owner>,
    beat: Option<Beat>,
    positions: BTreeMap<PositionKey, Position>,
    /// Positions that are there and cannot be understood, with the reason: their partitions must not begin anew.
    unreadable: BTreeMap<PositionKey, String>,
}

impl PositionReader {
    /// `leaders` must track the topic.
    pub(crate) fn new(leaders: Arc<Leaders>, mirror: &str, source_cluster_id: &str) -> Self {
        Self {
            reader: TopicReader::new(leaders, POSITIONS_TOPIC),
            known: Known {
                mirror: mirror.to_owned(),
                source_cluster_id: source_cluster_id.to_owned(),
                owner: None,
                beat: None,
                positions: BTreeMap::new(),
                unreadable: BTreeMap::new(),
            },
        }
    }

    /// The newest position of each partition, as of the last reading.
    pub(crate) fn positions(&self) -> &BTreeMap<PositionKey, Position> {
        &self.known.positions
    }

    /// Whom the mirror belongs to, as of the last reading.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        self.known.owner.as_ref()
    }

    /// The last sign of life of any run of the mirror, as of the last reading.
    pub(crate) fn beat(&self) -> Option<&Beat> {
        self.known.beat.as_ref()
    }

    /// Reads to the end that the topic had when the call began. After an error the next call goes on where this one
    /// stopped. Cancel safe in the same way.
    pub(crate) async fn read_to_end(&mut self) -> Result<(), Error> {
        let known = &mut self.known;
        self.reader
            .read_to_end(|seen| match seen {
                Seen::Anew => {
                    known.owner = None;
                    known.beat = None;
                    known.positions.clear();
                    known.unreadable.clear();
                }
                Seen::Record(record) => known.keep(record),
            })
            .await?;
        self.known.understood()
    }
}

impl Known {
    /// A record that is not ours to understand (another mirror's) is left alone; a tombstone removes.
    fn keep(&mut self, record: &Record) {
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
                self.owner = Some(owner);
            }
        } else if let Some(key) = json_key::<BeatKey>(key)
            && self.is_ours(&key.beat_of_mirror, &key.source_cluster_id)
            && let Some(beat) = value(record)
        {
            self.beat = Some(beat);
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
                // Written by a run that no longer owned the mirror when this landed, and did not know it yet.
                let foreign = matches!((&self.owner, &position.owner),
                    (Some(owner), Some(writer)) if owner.instance != *writer);
                if !foreign {
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

fn value<T: DeserializeOwned>(record: &Record) -> Option<T> {
    serde_json::from_slice(record.value.as_ref()?).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn known() -> Known {
        Known {
            mirror: "m".to_owned(),
            source_cluster_id: "abc".to_owned(),
            owner: None,
            beat: None,
            positions: BTreeMap::new(),
            unreadable: BTreeMap::new(),
        }
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
            known.keep(&record("m", Some(&position(VERSION))));
            assert!(known.understood().is_ok());
            known.keep(&record("m", Some(unreadable)));
            let error = known.understood().expect_err("it is not left out");
            assert!(error.to_string().contains("t-3"), "{error}");
            let mut replaced = known;
            replaced.keep(&record("m", None));
            assert!(replaced.understood().is_ok() && replaced.positions.is_empty());
        }
    }

    #[test]
    fn those_of_other_mirrors_are_left_alone() {
        let mut known = known();
        known.keep(&record("other", Some("{}")));
        assert!(known.understood().is_ok());
    }
}
