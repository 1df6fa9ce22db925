//! `topics`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::ConfigValue;
use crate::choices::Placement;

/// A topic that shall exist.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Topic {
    /// Its name.
    pub(crate) name: String,
    /// The aliases of the clusters that shall have it.
    #[schemars(length(min = 1))]
    pub(crate) clusters: Vec<String>,
    /// How many partitions; the broker's default when absent.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) partitions: Option<u32>,
    /// How many replicas; the broker's default when absent.
    #[schemars(range(min = 1, max = 32_767))]
    pub(crate) replication_factor: Option<u16>,
    /// Which brokers hold the replicas. `any` unless written.
    #[serde(default)]
    pub(crate) placement: Placement,
    /// A block of `configs`, by name.
    pub(crate) config: Option<String>,
    /// Configuration of this topic, over that of the block.
    #[serde(default)]
    pub(crate) configs: BTreeMap<String, ConfigValue>,
    /// Never delete it, whatever else is allowed.
    #[serde(default)]
    pub(crate) prevent_destroy: bool,
}
