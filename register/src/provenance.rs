//! Where the records of a topic come from, as the mirrors that fill it say on their target.
//!
//! One record a mirrored topic, in [`TOPICS_TOPIC`]. The replicator writes it before the first record, and ends loops by what
//! others wrote. When a mirror is promoted its topics belong to the applications: its last run marks the records as
//! [`Released`], so that they no longer count for loops, and writes down where the way back begins.

use std::collections::{BTreeMap, BTreeSet};

use kafka::record::Record;
use kafka::{Cluster, Error, KeyedLog};
use serde::{Deserialize, Serialize};

use crate::json_key::json_key;

/// Compacted topic on the target cluster with one record a mirrored topic.
pub const TOPICS_TOPIC: &str = "mirrorctl-topics.internal";

/// Record key. JSON, its fields in this order, because compaction compares bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicKey {
    /// Name of the mirror in the topology.
    pub mirror: String,
    /// Id of the source cluster.
    pub source_cluster_id: String,
    /// Topic on the source.
    pub topic: String,
}

/// Record value. JSON; unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicRecord {
    /// Format of this value.
    pub version: u32,
    /// Topic on the target.
    pub target_topic: String,
    /// Its id: a recreated topic has no history.
    pub target_topic_id: String,
    /// The clusters that its records come from, the nearest first.
    pub origins: Vec<Origin>,
    /// Configuration keys that the mirror keeps as on the source.
    pub synced_configs: BTreeSet<String>,
    /// The mirror was promoted, and no longer fills the topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
}

/// One hop of the way of a topic's records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Since when the hop exists, ms since the epoch, by the clock of the mirror that made it.
    pub since_ms: i64,
    /// The cluster that the hop reads from.
    pub cluster_id: String,
}

/// The promotion of a mirror is over, and a topic that it filled belongs to the applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// When, ms since the epoch, by the clock of who wrote it.
    pub at_ms: i64,
    /// Id of the topic on the source; empty where it was not known.
    #[serde(default)]
    pub source_topic_id: String,
    /// Each partition that was copied; nothing where nobody was there to see how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<BTreeMap<i32, HandedOver>>,
}

/// Where the last copy of a partition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedOver {
    /// Every record of the source before this offset is on the target, and no later one.
    pub source_offset: i64,
    /// The end of the target partition right after that; nothing where somebody else wrote there meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_offset: Option<i64>,
}

/// What a record of the topic says: a value, none where it was taken back, or one that cannot be understood. Nothing where
/// its key is not one of ours.
pub fn topic_entry(
    record: &Record,
) -> Option<(TopicKey, Result<Option<TopicRecord>, serde_json::Error>)> {
    let key = json_key(record.key.as_deref()?)?;
    let value = record.value.as_deref().map(serde_json::from_slice);
    Some((key, value.transpose()))
}

/// All that the mirrors into a cluster say; nothing where there is no such topic. Records that cannot be understood are
/// left out. Cancel safe: nothing but reads.
pub async fn provenance(cluster: &Cluster) -> Result<BTreeMap<TopicKey, TopicRecord>, Error> {
    let mut records = BTreeMap::new();
    let log = KeyedLog::new(cluster.clone(), TOPICS_TOPIC);
    log.read(|record| match topic_entry(record) {
        Some((key, Ok(Some(value)))) => {
            records.insert(key, value);
        }
        Some((key, Ok(None))) => {
            records.remove(&key);
        }
        Some((_, Err(_))) | None => {}
    })
    .await?;
    Ok(records)
}

/// Whether a replicator brought the last copy of a mirror from this source to its end: it noted where partitions ended, and
/// nothing was claimed again since. Whether anything was left behind is not said here.
pub fn is_handed_over(
    records: &BTreeMap<TopicKey, TopicRecord>,
    mirror: &str,
    source_cluster_id: &str,
) -> bool {
    let own = records
        .iter()
        .filter(|(key, _)| key.mirror == mirror && key.source_cluster_id == source_cluster_id);
    let mut seen = false;
    for (_, record) in own {
        let Some(released) = &record.released else {
            return false;
        };
        seen |= released.partitions.is_some();
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_handed_over_by_whoever_saw_its_end() {
        let record = |topic: &str, released: Option<Option<i64>>| {
            let key = TopicKey {
                mirror: "m".to_owned(),
                source_cluster_id: "a".to_owned(),
                topic: topic.to_owned(),
            };
            let ended = |source_offset| HandedOver {
                source_offset,
                target_offset: None,
            };
            let value = TopicRecord {
                version: 1,
                target_topic: topic.to_owned(),
                target_topic_id: "i".to_owned(),
                origins: Vec::new(),
                synced_configs: BTreeSet::new(),
                released: released.map(|end| Released {
                    at_ms: 5,
                    source_topic_id: String::new(),
                    partitions: end.map(|end| [(0, ended(end))].into()),
                }),
            };
            (key, value)
        };
        let (seen, unseen) = (record("t", Some(Some(7))), record("u", Some(None)));
        for (records, expected) in [
            (vec![], false),
            (vec![seen.clone()], true),
            (vec![seen.clone(), unseen.clone()], true),
            (vec![unseen], false),
            (vec![seen, record("v", None)], false),
        ] {
            let records = BTreeMap::from_iter(records);
            assert_eq!(is_handed_over(&records, "m", "a"), expected, "{records:?}");
            assert!(!is_handed_over(&records, "m", "b"));
            assert!(!is_handed_over(&records, "n", "a"));
        }
    }

    /// What earlier versions wrote is understood, and what they read is as they wrote it.
    #[test]
    fn the_format_on_the_wire_is_stable() {
        let old = r#"{"version":1,"targetTopic":"t","targetTopicId":"i","origins":[{"sinceMs":3,"clusterId":"a"}],"syncedConfigs":[]}"#;
        let mut record: TopicRecord = serde_json::from_str(old).expect("json");
        assert_eq!(record.released, None);
        assert_eq!(serde_json::to_string(&record).expect("json"), old);
        let ended = HandedOver {
            source_offset: 7,
            target_offset: None,
        };
        record.released = Some(Released {
            at_ms: 5,
            source_topic_id: "s".to_owned(),
            partitions: Some([(0, ended)].into()),
        });
        let text = serde_json::to_string(&record).expect("json");
        let released =
            r#""released":{"atMs":5,"sourceTopicId":"s","partitions":{"0":{"sourceOffset":7}}}}"#;
        assert!(text.ends_with(released), "{text}");
        let again: TopicRecord = serde_json::from_str(&text).expect("json");
        assert_eq!(again, record);
    }
}
