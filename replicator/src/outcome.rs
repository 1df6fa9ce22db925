//! How a partition's rounds and its whole task end.

use std::sync::Arc;
use std::time::Duration;

use kafka::{BrokerError, Error};

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

/// How a round ended.
#[derive(Debug)]
pub(crate) enum RoundEnd {
    /// The end offset is reached and everything acknowledged.
    Complete,
    /// Asked to stop; everything sent is acknowledged.
    Stopped,
    Trouble(Trouble),
}
