//! The top of the file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::access::{Acl, Quota, Service, User};
use super::cluster::Cluster;
use super::mirror::Mirror;
use super::rendering::{Metadata, Render};
use super::scalar::{ConfigValue, Name};
use super::topic::Topic;
use super::verify::Verify;

/// A topology of Kafka clusters and the mirrors between them.
///
/// The schema is generated from this type. A file is read part by part instead (see `Parts`), so that a mistake in one
/// part does not hide mistakes in the others.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    title = "mirrorctl topology",
    description = "A topology of Kafka clusters and the mirrors between them."
)]
pub(crate) struct File {
    /// The version of this format.
    api_version: ApiVersion,
    /// Always `Topology`.
    kind: Kind,
    /// What the topology is called.
    pub(crate) metadata: Option<Metadata>,
    /// The clusters.
    #[schemars(length(min = 1))]
    pub(crate) clusters: Vec<Cluster>,
    /// Named blocks of topic configuration, for `topics[].config`.
    #[serde(default)]
    pub(crate) configs: BTreeMap<String, BTreeMap<String, ConfigValue>>,
    /// Topics that shall exist.
    #[serde(default)]
    pub(crate) topics: Vec<Topic>,
    /// SCRAM users that shall exist.
    #[serde(default)]
    pub(crate) users: Vec<User>,
    /// Access rules that shall exist.
    #[serde(default)]
    pub(crate) acls: Vec<Acl>,
    /// Client quotas that shall exist.
    #[serde(default)]
    pub(crate) quotas: Vec<Quota>,
    /// What applications need: their access rules are derived from it.
    #[serde(default)]
    pub(crate) services: Vec<Service>,
    /// Flows of records between the clusters.
    #[serde(default)]
    pub(crate) mirrors: Vec<Mirror>,
    /// Files for other tools that `plan` and `apply` keep as rendered.
    pub(crate) render: Option<Render>,
    /// What `mirrorctl verify` judges.
    pub(crate) verify: Option<Verify>,
    /// One-shot migrations.
    #[serde(default)]
    pub(crate) migrations: Vec<Declared>,
    /// Ingest and archive pipelines.
    #[serde(default)]
    pub(crate) pipelines: Vec<Declared>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
enum ApiVersion {
    #[serde(rename = "mirrorctl.io/v1")]
    V1,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
enum Kind {
    Topology,
}

/// A named block whose further keys this version does not read.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Declared {
    /// Its name.
    name: Name,
    #[serde(flatten)]
    rest: Map<String, Value>,
}
