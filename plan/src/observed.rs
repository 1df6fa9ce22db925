//! What was read from the live clusters: plain values without any connection.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::{AclBinding, ScramMechanism};

use crate::client_quota::QuotaState;
use crate::journal::Recorded;

/// Everything [`observe`](crate::observe) read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// By cluster alias.
    pub clusters: BTreeMap<String, ObservedCluster>,
}

/// A live cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedCluster {
    /// The id that the cluster calls itself.
    pub cluster_id: String,
    /// Bootstrap servers that it was reached through, `host:port`.
    pub bootstrap: Vec<String>,
    /// Number of brokers alive.
    pub brokers: usize,
    /// The declared topics that exist, and those that the record names, by name. Others are not read.
    pub topics: BTreeMap<String, ObservedTopic>,
    /// Every topic configuration key that the brokers know; empty when no topic exists to ask.
    pub known_configs: BTreeSet<String>,
    /// The declared ACLs that exist, and those that the record names, by label. Others are not kept.
    pub acls: BTreeMap<String, AclBinding>,
    /// Whether the cluster keeps no ACLs. Asked for only where any is declared or recorded.
    pub no_authorizer: bool,
    /// The declared quotas that exist, and those that the record names, by label, with all of their limits.
    pub quotas: BTreeMap<String, QuotaState>,
    /// The declared SCRAM users that exist, and those that the record names, by label: iterations by mechanism.
    pub users: BTreeMap<String, BTreeMap<ScramMechanism, u32>>,
    /// What was declared at the last apply, by address.
    pub recorded: BTreeMap<String, Recorded>,
}

/// A live topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedTopic {
    /// The topic id, as text.
    pub id: String,
    /// Whether the brokers call the topic internal.
    pub internal: bool,
    /// Number of partitions.
    pub partitions: u32,
    /// Replicas of each partition; where partitions differ, the smallest count.
    pub replication_factor: u16,
    /// Every configuration key with its effective value.
    pub configs: BTreeMap<String, ObservedConfig>,
    /// Who uses it: read for topics that are declared no longer.
    pub usage: Option<Usage>,
}

/// Whether anybody would miss a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// The end offsets of all partitions together: another number is another record.
    pub end_offsets: i64,
    /// Records that are there, at most: compacted ones are counted.
    pub records: i64,
    /// Whether a record has a timestamp of the last ten minutes.
    pub written_recently: bool,
    /// Consumer groups with members that have offsets for it.
    pub active_groups: Vec<String>,
}

/// A live configuration value of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObservedConfig {
    /// The effective value; `None` when the brokers give none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: ConfigOrigin,
    /// Whether the brokers hide the value.
    pub sensitive: bool,
    /// Whether the key cannot be changed.
    pub read_only: bool,
}

/// Where the effective value of a topic's configuration key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigOrigin {
    /// Set on the topic itself.
    Topic,
    /// Set on the brokers, statically or dynamically.
    Broker,
    /// Kafka's built-in default.
    Default,
    /// Another source, from a broker newer than this program.
    Other,
}
