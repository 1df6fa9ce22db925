//! How a partition's rounds and its whole task end.

use std::sync::Arc;
use std::time::Duration;

use kafka::{BrokerError, Error};

use crate::traffic::Interruption;

/// Why a partition stopped for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error(
        "the source no longer has offset {offset}: it was deleted before it was copied (retention or DeleteRecords), or the log was truncated"
    )]
    OutOfRange { offset: i64 },
    #[error("source topic `{topic}` was deleted or recreated (its topic id changed)")]
    SourceReset { topic: Arc<str> },
    #[error("target topic `{topic}` was deleted or recreated (its topic id changed)")]
    TargetReset { topic: Arc<str> },
    #[error(
        "the target refuses a batch: {error}; raise max.message.bytes of `{topic}` on the target"
    )]
    Oversize { topic: Arc<str>, error: BrokerError },
    #[error("the target refuses a batch: {}", .0.to("Produce"))]
    Refused(BrokerError),
    #[error("the source refuses to be read: {}", .0.to("Fetch"))]
    SourceRefused(BrokerError),
    #[error(transparent)]
    Unreadable(#[from] kafka::batch::BatchError),
    #[error(
        "another replicator writes this partition with a newer producer epoch ({theirs}, ours is {ours})"
    )]
    Superseded { ours: i16, theirs: i16 },
    #[error(
        "the target lost records that it had acknowledged: the last sequence of producer {producer_id} that it knows is {last}, \
         acknowledged was everything before {acknowledged}"
    )]
    TargetLost {
        producer_id: i64,
        last: i32,
        acknowledged: i32,
    },
    #[error(
        "the target's log ends before offset {offset}, where it had acknowledged our last record: it lost records"
    )]
    TargetTruncated { offset: i64 },
    #[error(
        "the target has forgotten our producer, and its log before offset {start} is deleted: what it has got of the source \
         cannot be told"
    )]
    TailDeleted { start: i64 },
    #[error(
        "the target's log has a hole: a batch at target offset {target_offset} begins with sequence {found}, expected was {expected}"
    )]
    Hole {
        target_offset: i64,
        expected: i32,
        found: i32,
    },
    #[error(
        "the target holds {ahead} records from source offset {from} on, which ends inside the source batch {batch_start} to \
         {batch_end}: what was copied is not what the source holds now"
    )]
    InsideBatch {
        ahead: u32,
        from: i64,
        batch_start: i64,
        batch_end: i64,
    },
    #[error(
        "source offset {offset} is gone, and with it the means to tell how much of what follows the target has already ({ahead} \
         records)"
    )]
    LostCount { offset: i64, ahead: u32 },
    #[error("no progress for {} s: {trouble}", after.as_secs())]
    GaveUp { after: Duration, trouble: Trouble },
    #[error(transparent)]
    Client(Error),
}

/// Why a round ended; the next one may do better.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("source: {0}")]
    Source(Error),
    #[error("source refused: {}", .0.to("Fetch"))]
    SourceRefused(BrokerError),
    #[error("target: {0}")]
    Target(Error),
    #[error("target refused: {}", .0.to("Produce"))]
    TargetRefused(BrokerError),
    #[error("the target lost track of our sequence numbers: {0}")]
    Sequence(BrokerError),
    #[error("the source connection's task ended")]
    LaneGone,
}

impl Trouble {
    /// What metrics count it as.
    pub(crate) fn class(&self) -> Interruption {
        match self {
            Self::Source(_) => Interruption::Source,
            Self::SourceRefused(_) => Interruption::SourceRefused,
            Self::Target(_) => Interruption::Target,
            Self::TargetRefused(_) => Interruption::TargetRefused,
            Self::Sequence(_) => Interruption::Sequence,
            Self::LaneGone => Interruption::Internal,
        }
    }
}

/// How a round ended.
#[derive(Debug)]
pub(crate) enum RoundEnd {
    /// The end offset is reached and everything acknowledged.
    Complete,
    /// Asked to stop; everything sent is acknowledged.
    Stopped,
    Trouble(Trouble),
}
