//! Topologies written from what there already is: a live cluster, or the settings of another engine.

mod mm2;
mod yaml;

pub use mm2::{Mm2Error, mm2};

use crate::choices::Delivery;

/// What was found, before it is YAML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Clusters, in the order found.
    pub clusters: Vec<ImportedCluster>,
    /// Topics, in the order found.
    pub topics: Vec<ImportedTopic>,
    /// Mirrors, in the order found.
    pub mirrors: Vec<ImportedMirror>,
    /// What could not be taken over, or has to be known: comments at the top of the file.
    pub remarks: Vec<String>,
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
    /// Whether connections are encrypted, with the certificates that the system trusts.
    pub tls: bool,
    /// How connections are authenticated.
    pub login: Option<ImportedLogin>,
}

/// A login whose password is in an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedLogin {
    /// `plain`, `scram-sha-256` or `scram-sha-512`.
    pub mechanism: &'static str,
    /// Who logs in.
    pub username: String,
    /// The variable that has to hold the password.
    pub password_variable: String,
}

/// A topic as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedTopic {
    /// Its name.
    pub name: String,
    /// Alias of the cluster that has it.
    pub cluster: String,
    /// How many partitions.
    pub partitions: u32,
    /// How many replicas.
    pub replication_factor: u16,
    /// What is set on the topic itself.
    pub configs: std::collections::BTreeMap<String, String>,
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
    /// How often a record may arrive.
    pub delivery: Delivery,
}

/// How topics are named on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedNaming {
    /// As on the source.
    Identity,
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
