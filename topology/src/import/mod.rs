//! Topologies written from what there already is: a live cluster, or the settings of another engine.

mod addition;
mod connect;
mod engine;
mod jaas;
mod live;
mod mm2;
mod settings;
mod strimzi;
mod yaml;
mod yaml_access;

pub use addition::Unaddable;
pub use connect::{ConnectError, connect};
pub use mm2::{Mm2Error, mm2};
pub use strimzi::{StrimziError, strimzi};

use std::collections::BTreeMap;

use crate::access::{
    AclOperation, AclPermission, PatternType, QuotaEntity, ResourceType, ScramMechanism,
};
use crate::choices::Delivery;

/// A file to import from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFile {
    /// What messages call it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What was found, before it is YAML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Clusters, in the order found.
    pub clusters: Vec<ImportedCluster>,
    /// Topics, in the order found.
    pub topics: Vec<ImportedTopic>,
    /// Users, in the order found.
    pub users: Vec<ImportedUser>,
    /// Access rules, in the order found.
    pub acls: Vec<ImportedAcl>,
    /// Client quotas, in the order found.
    pub quotas: Vec<ImportedQuota>,
    /// Mirrors, in the order found.
    pub mirrors: Vec<ImportedMirror>,
    /// What could not be taken over, or has to be known: comments at the top of the file.
    pub remarks: Vec<String>,
}

/// What became of a cluster that was found.
enum Taken {
    /// It is the first of its alias.
    New,
    /// It was found before.
    Known,
    /// Another one with its alias was found before, at other addresses than these.
    Elsewhere(Vec<String>),
}

impl Imported {
    /// A variable for the password of `owner` that no other user has.
    fn password_variable(&self, owner: &str) -> String {
        let wanted = settings::variable(owner);
        let taken = |name: &String| {
            let mut users = self.users.iter();
            users.any(|user| user.password_variable == *name)
        };
        let further = (2..).map(|number| format!("{wanted}_{number}"));
        std::iter::once(wanted.clone())
            .chain(further)
            .find(|name| !taken(name))
            .unwrap_or(wanted)
    }

    /// Adds a cluster, unless there is one with its alias.
    fn take_cluster(&mut self, cluster: ImportedCluster) -> Taken {
        match self.clusters.iter().find(|it| it.alias == cluster.alias) {
            Some(known) if known.bootstrap_servers == cluster.bootstrap_servers => Taken::Known,
            Some(_) => Taken::Elsewhere(cluster.bootstrap_servers),
            None => {
                self.clusters.push(cluster);
                Taken::New
            }
        }
    }
}

/// A cluster with what is needed to reach it. Secrets are references that somebody has to fill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedCluster {
    /// Its alias.
    pub alias: String,
    /// `host:port` of brokers.
    pub bootstrap_servers: Vec<String>,
    /// The only cluster id that may be touched.
    pub cluster_id: Option<String>,
    /// How connections are encrypted, where they are.
    pub tls: Option<ImportedTls>,
    /// How connections are authenticated.
    pub sasl: Option<ImportedSasl>,
}

/// Encrypted connections, with the certificates that the system trusts unless a file is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedTls {
    /// PEM file with the certificates to trust.
    pub ca_file: Option<String>,
    /// PEM file with the client certificate.
    pub cert_file: Option<String>,
    /// PEM file with the key of the client certificate.
    pub key_file: Option<String>,
}

/// A login whose secret is in an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedSasl {
    /// By name and password.
    Password {
        /// `plain`, `scram-sha-256` or `scram-sha-512`.
        mechanism: &'static str,
        /// Who logs in.
        username: String,
        /// The variable that has to hold the password.
        password_variable: String,
    },
    /// By tokens.
    OAuth {
        /// The address that gives tokens.
        token_endpoint: String,
        /// Who asks.
        client_id: String,
        /// The variable that has to hold the client's secret.
        secret_variable: String,
        /// The scope to ask for.
        scope: Option<String>,
    },
    /// IAM access control of Amazon MSK.
    AwsMskIam {
        /// The region of the cluster.
        region: String,
    },
}

/// A topic as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedTopic {
    /// Its name.
    pub name: String,
    /// Alias of the cluster that has it.
    pub cluster: String,
    /// How many partitions; the brokers' default where that is not said.
    pub partitions: Option<u32>,
    /// How many replicas; the brokers' default where that is not said.
    pub replication_factor: Option<u16>,
    /// What is set on the topic itself.
    pub configs: BTreeMap<String, String>,
}

/// A user that logs in with SCRAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedUser {
    /// The name to log in with.
    pub name: String,
    /// Alias of the cluster that has it.
    pub cluster: String,
    /// The mechanism of the credential.
    pub mechanism: ScramMechanism,
    /// How often the password is hashed. It is written always: another number than the cluster's sets the password anew.
    pub iterations: u32,
    /// The variable that has to hold the password.
    pub password_variable: String,
}

/// An access rule, for several operations at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedAcl {
    /// Alias of the cluster that has it.
    pub cluster: String,
    /// Whom it is about: `User:name`.
    pub principal: String,
    /// What is protected.
    pub resource_type: ResourceType,
    /// Its name; the cluster has none.
    pub resource_name: Option<String>,
    /// How the name is meant.
    pub pattern: PatternType,
    /// What may or may not be done.
    pub operations: Vec<AclOperation>,
    /// Whether the rule gives or takes.
    pub permission: AclPermission,
    /// The address that it is about, where that is not everywhere.
    pub host: Option<String>,
}

/// The limits of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedQuota {
    /// Alias of the cluster that has it.
    pub cluster: String,
    /// Which clients.
    pub entity: QuotaEntity,
    /// The limits by the keys of a topology, as numbers.
    pub limits: BTreeMap<&'static str, serde_json::Number>,
}

/// A mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedMirror {
    /// Its name.
    pub name: String,
    /// Alias of the source.
    pub source: String,
    /// Alias of the target.
    pub target: String,
    /// Which topics, where that is said.
    pub topics: Option<String>,
    /// Which topics not, where that is said.
    pub topics_exclude: Option<String>,
    /// Which consumer groups, where that is said.
    pub groups: Option<String>,
    /// Which consumer groups not, where that is said.
    pub groups_exclude: Option<String>,
    /// How topics are named on the target.
    pub naming: ImportedNaming,
    /// Whether a partition without a position begins at its end.
    pub from_latest: bool,
    /// Replicas of created topics, where that is said.
    pub replication_factor: Option<u16>,
    /// Whether topic configuration does not follow.
    pub without_configs: bool,
    /// How often new topics are looked for, with its unit.
    pub interval: Option<String>,
    /// How often configuration is compared, with its unit.
    pub config_interval: Option<String>,
    /// Configuration keys that do not follow.
    pub config_exclude: Option<Vec<String>>,
    /// Whether nothing is copied for now.
    pub paused: bool,
    /// How often a record may arrive.
    pub delivery: Delivery,
}

/// How topics are named on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedNaming {
    /// As on the source.
    Identity,
    /// With a text before the name.
    Prefix(String),
    /// With the source's alias before the name.
    Default {
        /// What stands between alias and name, where that is not a dot.
        separator: Option<String>,
    },
}

impl Default for ImportedNaming {
    fn default() -> Self {
        Self::Default { separator: None }
    }
}
