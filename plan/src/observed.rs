//! What was read from the live clusters: plain values without any connection.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::{AclBinding, ScramMechanism};

use crate::client_quota::QuotaState;
use crate::journal::{Recorded, Underway};
use crate::mirror::ObservedMirror;
use crate::rendered_file::ObservedFolder;

/// Everything [`observe`](crate::observe) read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// By cluster alias.
    pub clusters: BTreeMap<String, ObservedCluster>,
    /// The folder of rendered files, where the topology has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<ObservedFolder>,
    /// Ids of clusters that nothing is declared on and that were reached all the same, by alias: mirrors copy from them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub neighbours: BTreeMap<String, String>,
}

impl Observed {
    /// With the ids of these clusters, where they were not observed anyway.
    #[must_use]
    pub fn knowing(mut self, ids: impl IntoIterator<Item = (String, String)>) -> Self {
        let Self {
            clusters,
            neighbours,
            ..
        } = &mut self;
        neighbours.extend(
            ids.into_iter()
                .filter(|(alias, _)| !clusters.contains_key(alias)),
        );
        self
    }

    /// The id of the cluster with this alias, where it was reached.
    pub fn id_of(&self, alias: &str) -> Option<&String> {
        let observed = self.clusters.get(alias).map(|it| &it.cluster_id);
        observed.or_else(|| self.neighbours.get(alias))
    }
}

/// A live cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedCluster {
    /// The id that the cluster calls itself.
    pub cluster_id: String,
    /// Bootstrap servers that it was reached through, `host:port`.
    pub bootstrap: Vec<String>,
    /// Brokers alive, each with its rack where it has one.
    pub brokers: BTreeMap<i32, Option<String>>,
    /// The declared topics that exist, and those that the record names, by name. Others are not read.
    pub topics: BTreeMap<String, ObservedTopic>,
    /// For declared topics that do not exist: the live topic whose name differs in `.` and `_` alone, beside which Kafka
    /// creates none. Asked for only where a name that is to be created has one of the two.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub colliding: BTreeMap<String, String>,
    /// Every topic configuration key that the brokers know; empty when no topic exists to ask.
    pub known_configs: BTreeSet<String>,
    /// How many replicas a topic gets that declares none. Asked for only where such a topic is to be created; `None` where
    /// the brokers do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_replication_factor: Option<u16>,
    /// The declared ACLs that exist, and those that the record names, by label. Others are not kept.
    pub acls: BTreeMap<String, AclBinding>,
    /// Whether the cluster keeps no ACLs. Asked for only where any is declared or recorded.
    pub no_authorizer: bool,
    /// The declared quotas that exist, and those that the record names, by label, with all of their limits.
    pub quotas: BTreeMap<String, QuotaState>,
    /// The declared SCRAM users that exist, and those that the record names, by label: iterations by mechanism.
    pub users: BTreeMap<String, BTreeMap<ScramMechanism, u32>>,
    /// The records of declared mirrors, and of those that the cluster's own record names, by name.
    pub mirrors: BTreeMap<String, ObservedMirror>,
    /// What was declared at the last apply of the same topology, by address.
    pub recorded: BTreeMap<String, Recorded>,
    /// What other topologies declared, by address.
    pub elsewhere: BTreeMap<String, Elsewhere>,
    /// Moves that an apply began and did not end, by address of the topic.
    pub underway: BTreeMap<String, Underway>,
}

/// What another topology declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// Its name, where it has one.
    pub topology: Option<String>,
    /// Whether it declared `preventDestroy`.
    pub prevent_destroy: bool,
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
    /// Where each partition is, by index.
    pub placement: Vec<ObservedPartition>,
    /// Every configuration key with its effective value.
    pub configs: BTreeMap<String, ObservedConfig>,
    /// Who uses it: read for topics that are declared no longer.
    pub usage: Option<Usage>,
    /// What a move would be about: read for topics that are to have another replication factor.
    pub extent: Option<Extent>,
}

/// Where one partition of a live topic is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedPartition {
    /// Brokers that hold it, the preferred leader first; without those that it is only being copied to.
    pub replicas: Vec<i32>,
    /// Brokers whose replica is in sync.
    pub in_sync: Vec<i32>,
    /// Brokers that will hold it, while it is being reassigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving_to: Option<Vec<i32>>,
}

impl ObservedPartition {
    /// Brokers that hold it or, while it is being reassigned, will hold it.
    pub fn destination(&self) -> &[i32] {
        self.moving_to.as_ref().unwrap_or(&self.replicas)
    }
}

/// What there is to move of a topic, and who would notice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Bytes of one replica, by partition; empty where the brokers do not tell.
    pub bytes: BTreeMap<u32, u64>,
    /// Consumer groups with members that read it.
    pub active_groups: Vec<String>,
}

/// Whether anybody would miss a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// The end offsets of all partitions together: another number is another record.
    pub end_offsets: i64,
    /// Records that are there, at most: compacted ones are counted.
    pub records: i64,
    /// Whether a record has a timestamp of the last ten minutes, or one arrived while the topic was looked at.
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
