//! What a cluster's own record says of the resources that `apply` brought about.
//!
//! Brokers do not remember who set what. Without a record, a configuration key that is taken out of the topology looks
//! like one that somebody else set, and a topic that is taken out like one that was never ours: neither could be taken
//! back. So each cluster keeps, in a compacted topic, which resources were declared at the last apply and with which
//! keys. The record is not the truth about the resource (that is read live, always), only about whose it is.
//!
//! A topology calls a cluster by an alias of its own, and may call it by another one tomorrow. So no key of the record holds
//! an alias: all that is recorded on a cluster is about this cluster ([`Key`]).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kafka::KeyedLog;
use kafka::record::Record;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{draft, mirror};

/// The topic of the record, one partition, compacted.
pub(crate) const JOURNAL: &str = "mirrorctl-state.internal";
/// The append time of the brokers is what leases are measured by.
const CONFIGS: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("message.timestamp.type", "LogAppendTime"),
    ("min.compaction.lag.ms", "600000"),
];
/// Before the [`Key`], in the key of what was declared.
const DECLARED: &str = "declared/";
/// Before the [`Key`], in the key of a move.
const MOVED: &str = "moved/";

/// A resource as its own cluster calls it: its address without the alias of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(String);

impl Key {
    /// The key of the resource at this address, on its cluster.
    pub(crate) fn of(address: &str) -> Self {
        let key = match address.split_once('.') {
            Some((kind, rest)) if kind != mirror::KIND => {
                let label = rest.split_once('.').map_or(rest, |(_, label)| label);
                format!("{kind}.{label}")
            }
            Some(_) | None => address.to_owned(),
        };
        Self(key)
    }

    /// The address of the resource in a topology that calls the cluster so.
    pub(crate) fn at(&self, alias: &str) -> String {
        match self.0.split_once('.') {
            Some((kind, label)) => format!("{}{label}", draft::prefix(kind, alias)),
            None => self.0.clone(),
        }
    }
}

/// What is remembered of a resource that was declared at the last apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// The partitions that were declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// The replication factor that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_factor: Option<u16>,
    /// Which brokers were declared to hold the replicas.
    #[serde(default, skip_serializing_if = "topology::Placement::is_any")]
    pub placement: topology::Placement,
    /// The configuration that was declared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configs: BTreeMap<String, String>,
    /// Whether `preventDestroy` was declared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prevent_destroy: bool,
    /// What was declared, where it is no topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<RecordedAccess>,
}

/// What is remembered of a rule, a limit, a login or a mirror that was declared at the last apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedAccess {
    /// This rule.
    Acl(topology::AclBinding),
    /// These limits.
    Quota {
        /// By Kafka's keys.
        limits: BTreeMap<String, topology::QuotaValue>,
    },
    /// This login; of its password nothing but which one it is.
    User {
        /// The name to log in with.
        name: String,
        /// The mechanism that was declared.
        mechanism: topology::ScramMechanism,
        /// The iterations that were declared.
        iterations: u32,
        /// The generation of the password that was set.
        generation: u32,
    },
    /// A mirror in this state.
    Mirror {
        /// The state that was declared.
        state: topology::MirrorState,
        /// The sources that were declared: alias, and the cluster id that the topology names.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        sources: BTreeMap<String, Option<String>>,
    },
}

/// A move of a topic's replicas, written down before it begins and taken back when its throttles are gone: whoever finds
/// it knows that the limits and the reassignments that it names are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Underway {
    /// Brokers whose replication it limits.
    pub limited: BTreeSet<i32>,
    /// Where it takes partitions.
    pub assignment: BTreeMap<u32, Vec<i32>>,
}

/// What is remembered of a resource, and of which topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owned {
    /// The name of the topology that declared it; absent where it had none, as in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topology: Option<String>,
    /// What it declared.
    #[serde(flatten)]
    pub(crate) recorded: Recorded,
}

/// All that the record of a cluster says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Journal {
    /// What was declared.
    pub(crate) recorded: BTreeMap<Key, Owned>,
    /// Moves that did not end.
    pub(crate) underway: BTreeMap<Key, Underway>,
}

/// By address, for a topology that calls the cluster so.
pub(crate) fn addressed<T>(of: BTreeMap<Key, T>, alias: &str) -> BTreeMap<String, T> {
    let of = of.into_iter();
    of.map(|(key, value)| (key.at(alias), value)).collect()
}

/// The record on one cluster.
pub(crate) fn log(cluster: &kafka::Cluster) -> KeyedLog {
    KeyedLog::new(cluster.clone(), JOURNAL)
}

/// Creates the record where it is missing.
pub(crate) async fn ensure(log: &KeyedLog) -> Result<(), kafka::Error> {
    log.ensure(&CONFIGS).await
}

/// Everything that was recorded; nothing where nothing was ever applied.
pub(crate) async fn read(cluster: &kafka::Cluster) -> Result<Journal, kafka::Error> {
    let mut journal = Journal::default();
    log(cluster)
        .read(|record| {
            if let Some(key) = key(record, DECLARED) {
                note(&mut journal.recorded, key, record);
            } else if let Some(key) = key(record, MOVED) {
                note(&mut journal.underway, key, record);
            }
        })
        .await?;
    Ok(journal)
}

fn note<T: DeserializeOwned>(known: &mut BTreeMap<Key, T>, key: Key, record: &Record) {
    match record.value.as_deref().map(serde_json::from_slice) {
        Some(Ok(value)) => {
            known.insert(key, value);
        }
        // a tombstone, or a record of a later version: not ours to act on
        None | Some(Err(_)) => {
            known.remove(&key);
        }
    }
}

/// A record that says what was declared; `None` ends the management of the resource.
pub(crate) fn entry(address: &str, recorded: Option<&Owned>) -> Record {
    keyed(format!("{DECLARED}{}", Key::of(address).0), recorded)
}

/// A record that says that a move is under way; `None` says that it is over and left nothing behind.
pub(crate) fn move_entry(address: &str, underway: Option<&Underway>) -> Record {
    keyed(format!("{MOVED}{}", Key::of(address).0), underway)
}

fn keyed<T: Serialize>(key: String, value: Option<&T>) -> Record {
    Record {
        offset_delta: 0,
        timestamp: 0,
        key: Some(Bytes::from(key)),
        // plain sets and truth values: serialisation has no way to fail
        value: value.map(|it| Bytes::from(serde_json::to_vec(it).unwrap_or_default())),
        headers: Vec::new(),
    }
}

fn key(record: &Record, prefix: &str) -> Option<Key> {
    let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
    Some(Key(key.strip_prefix(prefix)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_other_keys_are_no_resources() {
        let recorded = Recorded {
            partitions: Some(3),
            replication_factor: None,
            placement: topology::Placement::Racks,
            configs: [("retention.ms".to_owned(), "1".to_owned())].into(),
            prevent_destroy: true,
            access: None,
        };
        let owned = Owned {
            topology: Some("pay".to_owned()),
            recorded,
        };
        let entry = entry("topic.aws.pay.orders", Some(&owned));
        assert_eq!(
            key(&entry, DECLARED),
            Some(Key("topic.pay.orders".to_owned()))
        );
        let value: Owned = serde_json::from_slice(&entry.value.unwrap_or_default())
            .expect("what was written can be read");
        assert_eq!(value, owned);
        let of_old: Owned = serde_json::from_str("{\"partitions\": 3}").expect("can be read");
        assert_eq!(
            (of_old.topology, of_old.recorded.partitions),
            (None, Some(3))
        );

        let other = Record {
            key: Some(Bytes::from_static(b"lock/1")),
            ..super::entry("x", None)
        };
        assert_eq!(key(&other, DECLARED), None);
        let moved = move_entry("topic.aws.a", Some(&Underway::default()));
        assert_eq!(key(&moved, MOVED), Some(Key("topic.a".to_owned())));
        assert_eq!(key(&moved, DECLARED), None);
    }

    #[test]
    fn a_key_is_the_same_whatever_the_cluster_is_called() {
        for (of_one, of_another) in [
            ("topic.aws.pay.orders", "topic.prod.pay.orders"),
            ("acl.aws.topic:a.b", "acl.prod.topic:a.b"),
            ("mirror.pay.back", "mirror.pay.back"),
        ] {
            assert_eq!(Key::of(of_one).at("prod"), of_another);
            assert_eq!(Key::of(of_one), Key::of(of_another));
        }
    }
}
