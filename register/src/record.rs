//! What the records look like.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use topology::MirrorState;

/// Compacted topic of one partition on the target cluster.
pub const MIRRORS_TOPIC: &str = "mirrorctl-mirrors.internal";

/// Version of both values. Raised when a reader of the old form could misunderstand the new one.
pub const VERSION: u32 = 1;

/// Partitions whose final position an [`EndRecord`] holds at most, so that it stays below the brokers' limit of 1 MiB; all
/// of them are in the topic of positions.
pub const POSITIONS_KEPT: usize = 5_000;

/// The time of a promotion that the topology file alone asked for: no [`StateRecord`] said so yet.
pub const BY_FILE: i64 = 0;

/// Key of a [`StateRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StateKey {
    /// Name of the mirror.
    pub(crate) mirror: String,
}

/// Which state a mirror is meant to be in. Since when is the record's own time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateRecord {
    /// Version of this form.
    pub version: u32,
    /// The state.
    pub state: MirrorState,
    /// The clusters that it copies from: alias and, where it was known, cluster id.
    #[serde(default)]
    pub sources: BTreeMap<String, Option<String>>,
    /// Who set it: `user@host`; empty where nobody said.
    #[serde(default)]
    pub by: String,
}

/// Key of an [`EndRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EndKey {
    /// Name of the mirror.
    pub(crate) end_of_mirror: String,
    /// Id of the source cluster.
    pub(crate) source_cluster_id: String,
}

/// How far the promotion of a mirror is, as whoever carries it out says. One a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndRecord {
    /// Version of this form.
    pub version: u32,
    /// Time of the [`StateRecord`] that it answers, ms since the epoch; [`BY_FILE`] where there was none.
    pub promoted_at_ms: i64,
    /// Alias of the source.
    pub source: String,
    /// Whether copying is over. Until then it is on its way to the end of the source as it was when the promotion was seen.
    pub ended: bool,
    /// Whether everything up to there is on the target.
    #[serde(default)]
    pub complete: bool,
    /// Why it is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Partitions that have a position.
    #[serde(default)]
    pub partitions: usize,
    /// By topic of the source and partition: every record before this offset is on the target. [`POSITIONS_KEPT`] at most.
    #[serde(default)]
    pub positions: BTreeMap<String, BTreeMap<i32, i64>>,
}
