//! What a cluster's own record says of the resources that `apply` brought about.
//!
//! Brokers do not remember who set what. Without a record, a configuration key that is taken out of the topology looks
//! like one that somebody else set, and a topic that is taken out like one that was never ours: neither could be taken
//! back. So each cluster keeps, in a compacted topic, which resources were declared at the last apply and with which
//! keys. The record is not the truth about the resource (that is read live, always), only about whose it is.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka::KeyedLog;
use kafka::record::Record;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The topic of the record, one partition, compacted.
pub(crate) const JOURNAL: &str = "mirrorctl-state.internal";
/// The append time of the brokers is what leases are measured by.
const CONFIGS: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("message.timestamp.type", "LogAppendTime"),
    ("min.compaction.lag.ms", "600000"),
];
/// Before the address, in the key.
const RESOURCE: &str = "resource/";

/// What is remembered of a resource that was declared at the last apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// The partitions that were declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// The replication factor that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_factor: Option<u16>,
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

/// What is remembered of a rule, a limit or a login that was declared at the last apply.
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
}

/// The record on one cluster.
pub(crate) fn log(cluster: &kafka::Cluster) -> KeyedLog {
    KeyedLog::new(cluster.clone(), JOURNAL)
}

/// Creates the record where it is missing.
pub(crate) async fn ensure(log: &KeyedLog) -> Result<(), kafka::Error> {
    log.ensure(&CONFIGS).await
}

/// Every recorded resource, by address; none where nothing was ever applied.
pub(crate) async fn read(
    cluster: &kafka::Cluster,
) -> Result<BTreeMap<String, Recorded>, kafka::Error> {
    let mut recorded = BTreeMap::new();
    log(cluster)
        .read(|record| {
            let Some(address) = address(record) else {
                return;
            };
            match record.value.as_deref().map(serde_json::from_slice) {
                Some(Ok(value)) => {
                    recorded.insert(address, value);
                }
                // a tombstone, or a record of a later version: not ours to act on
                None | Some(Err(_)) => {
                    recorded.remove(&address);
                }
            }
        })
        .await?;
    Ok(recorded)
}

/// A record that says what was declared; `None` ends the management of the resource.
pub(crate) fn entry(address: &str, recorded: Option<&Recorded>) -> Record {
    Record {
        offset_delta: 0,
        timestamp: 0,
        key: Some(Bytes::from(format!("{RESOURCE}{address}"))),
        // plain sets and truth values: serialisation has no way to fail
        value: recorded.map(|it| Bytes::from(serde_json::to_vec(it).unwrap_or_default())),
        headers: Vec::new(),
    }
}

fn address(record: &Record) -> Option<String> {
    let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
    Some(key.strip_prefix(RESOURCE)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_other_keys_are_no_resources() {
        let recorded = Recorded {
            partitions: Some(3),
            replication_factor: None,
            configs: [("retention.ms".to_owned(), "1".to_owned())].into(),
            prevent_destroy: true,
            access: None,
        };
        let entry = entry("topic.aws.pay.orders", Some(&recorded));
        assert_eq!(address(&entry).as_deref(), Some("topic.aws.pay.orders"));
        let value: Recorded = serde_json::from_slice(&entry.value.unwrap_or_default())
            .expect("what was written can be read");
        assert_eq!(value, recorded);

        let other = Record {
            key: Some(Bytes::from_static(b"lock/1")),
            ..super::entry("x", None)
        };
        assert_eq!(address(&other), None);
    }
}
