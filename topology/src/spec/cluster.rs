//! `clusters`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::platform::{Access, Brokers, Dns, Kubernetes, Network, Storage};
use super::scalar::{Alias, OneOrMany};
use super::security::{Sasl, Tls};
use crate::choices::Platform;

/// A Kafka cluster.
#[expect(clippy::struct_field_names, reason = "the names are those of the file")]
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cluster {
    /// The MirrorMaker 2 cluster alias.
    pub(crate) alias: Alias,
    /// Where the cluster runs. `existing` unless written.
    #[serde(default = "existing")]
    pub(crate) platform: Platform,
    /// `host:port` of brokers to begin with, as a list or separated by commas.
    pub(crate) bootstrap_servers: Option<OneOrMany>,
    /// A guard: refuse to touch any other cluster under this alias.
    #[schemars(length(min = 1))]
    pub(crate) cluster_id: Option<String>,
    /// The region or site.
    pub(crate) region: Option<String>,
    /// Encryption of connections.
    pub(crate) tls: Option<Tls>,
    /// Authentication of connections.
    pub(crate) sasl: Option<Sasl>,
    /// Which topics may be touched.
    #[serde(default)]
    pub(crate) topics: TopicGuard,
    /// Permissions for what cannot be undone.
    #[serde(default)]
    pub(crate) allow: Allow,
    /// The brokers.
    pub(crate) brokers: Option<Brokers>,
    /// The network that the cluster lives in.
    pub(crate) network: Option<Network>,
    /// The disks of the brokers.
    pub(crate) storage: Option<Storage>,
    /// Name resolution between networks.
    pub(crate) dns: Option<Dns>,
    /// How operators log in to machines and consoles of the platform.
    pub(crate) access: Option<Access>,
    /// Where on Kubernetes.
    pub(crate) kubernetes: Option<Kubernetes>,
    /// Tags on everything that is created.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

fn existing() -> Platform {
    Platform::Existing
}

/// Which topics of the cluster may be touched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TopicGuard {
    /// Only topics that match. A regular expression, or several separated by commas.
    pub(crate) managed: Option<String>,
    /// Never topics that match. A regular expression, or several separated by commas.
    pub(crate) protected: Option<String>,
}

/// Permissions for what cannot be undone.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a permission of its own"
)]
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Allow {
    /// Topics may be deleted.
    pub(crate) delete_topics: bool,
    /// ACLs may be deleted.
    pub(crate) delete_acls: bool,
    /// Client quotas may be deleted.
    pub(crate) delete_quotas: bool,
    /// SCRAM users may be deleted.
    pub(crate) delete_users: bool,
    /// Records of mirrors into the cluster may be deleted; what was copied stays.
    pub(crate) delete_mirrors: bool,
    /// Machines, disks and networks may be replaced.
    pub(crate) replace_infrastructure: bool,
}
