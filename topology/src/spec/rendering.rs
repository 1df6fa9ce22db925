//! `render`, and `metadata`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{ConfigValue, Name};
use crate::choices::RenderTarget;

/// What the topology is called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Metadata {
    /// The name of the topology. Clusters remember what `apply` brought about under it, so that several topologies can
    /// share a cluster: each takes back only what itself declared.
    pub(crate) name: Name,
}

/// Files for other tools that `plan` and `apply` keep as rendered.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Render {
    /// The folder they are in, below the folder of this file. Topologies with names can share one: each takes back only what
    /// itself rendered. What lies in another folder stays there, and `plan` names it: before `out` changes or `render` goes,
    /// `mirrorctl destroy --target 'file\..*'` takes the files away.
    pub(crate) out: String,
    /// What is rendered.
    #[schemars(length(min = 1))]
    pub(crate) targets: Vec<RenderTarget>,
    /// Settings of the targets, `TARGET.NAME`; `mirrorctl render --list` shows them.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, ConfigValue>,
}
