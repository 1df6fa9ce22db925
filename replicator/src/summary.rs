use serde::Serialize;

use crate::progress::PartitionFailure;

/// What a run did, once it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Name of the mirror.
    pub mirror: String,
    /// Alias of the source cluster.
    pub source: String,
    /// Alias of the target cluster.
    pub target: String,
    /// Records acknowledged by the target.
    pub records: u64,
    /// Bytes of record batches acknowledged by the target.
    pub bytes: u64,
    /// Batches sent byte for byte.
    pub batches_passed: u64,
    /// Batches that left as a part of a larger one, their records as they were.
    pub batches_merged: u64,
    /// Batches that had to be written anew (compacted, append time, a start inside a batch).
    pub batches_rebuilt: u64,
    /// Batches left out: transaction markers and aborted data.
    pub batches_filtered: u64,
    /// Gaps noted in the ledger.
    pub gaps: u64,
    /// Sums a topic.
    pub topics: Vec<TopicSummary>,
    /// Partitions that stopped before their end.
    pub failures: Vec<PartitionFailure>,
    /// Wall time, preparation included.
    pub elapsed_ms: u64,
    /// Stopped from outside before the end.
    pub interrupted: bool,
}

/// One topic's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicSummary {
    /// Topic on the source.
    pub source_topic: String,
    /// Topic on the target.
    pub target_topic: String,
    /// Partitions copied.
    pub partitions: usize,
    /// Records acknowledged by the target.
    pub records: u64,
    /// Bytes of record batches acknowledged by the target.
    pub bytes: u64,
}
