//! How one partition stands at a moment.

use serde::Serialize;

use crate::identity::PartitionId;

/// What a partition is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionState {
    /// Connected on both sides: copying, or caught up.
    Running,
    /// Between attempts, because a cluster refuses or cannot be reached.
    Waiting,
    /// Records are there and none moves; the watchdog has said why.
    Stalled,
    /// Held back on purpose.
    Paused,
    /// At its end (`--once`).
    Complete,
    /// Stopped for good; somebody has to act.
    Failed,
}

impl PartitionState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Running,
        Self::Waiting,
        Self::Stalled,
        Self::Paused,
        Self::Complete,
        Self::Failed,
    ];

    /// The state in one word, as metrics and pages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Stalled => "stalled",
            Self::Paused => "paused",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }
}

/// A moment of one partition.
#[derive(Debug, Clone)]
pub(crate) struct PartitionReading {
    pub(crate) id: PartitionId,
    pub(crate) state: PartitionState,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) passed: u64,
    pub(crate) rebuilt: u64,
    pub(crate) filtered: u64,
    pub(crate) merged: u64,
    pub(crate) interruptions: u64,
    pub(crate) gaps: u64,
    pub(crate) gap_offsets: u64,
    pub(crate) quarantined: u64,
    pub(crate) position: i64,
    pub(crate) end: i64,
    /// Offsets between position and last stable offset.
    pub(crate) lag: u64,
    /// 0 where caught up.
    pub(crate) lag_seconds: f64,
    /// 0 where every acknowledged record is covered by a committed position.
    pub(crate) commit_age_seconds: f64,
}

/// One partition's figures, for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionFigures {
    /// Topic on the source.
    pub topic: String,
    /// Topic on the target.
    pub target_topic: String,
    /// Partition index.
    pub partition: i32,
    /// What it is doing.
    pub state: PartitionState,
    /// Why it is not running, where that is known.
    pub reason: Option<String>,
    /// Source offset up to which everything is acknowledged by the target.
    pub position: i64,
    /// The source's last stable offset, as last heard of.
    pub source_end: i64,
    /// Offsets between the two.
    pub lag_records: u64,
    /// Age of the oldest record that is not on the target; 0 when caught up.
    pub lag_seconds: f64,
    /// Records acknowledged in this run.
    pub records: u64,
    /// Bytes of their batches.
    pub bytes: u64,
    /// Interrupted and begun again so often.
    pub interruptions: u64,
}
