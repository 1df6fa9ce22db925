//! A mirror as the plan sees it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::MirrorState;

/// The part of a mirror's record that the plan manages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MirrorRecord {
    /// The state that its replicators follow; absent where the record cannot be understood.
    pub state: Option<MirrorState>,
    /// The clusters that it copies from: alias and, where it is known, cluster id.
    pub sources: BTreeMap<String, Option<String>>,
}

/// A mirror's record as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedMirror {
    /// What it says.
    pub record: MirrorRecord,
    /// Why it cannot be understood, where it cannot.
    pub unreadable: Option<String>,
    /// Whether a later version of this program wrote it.
    pub newer: bool,
}
