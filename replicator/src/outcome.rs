//! How a partition's rounds and its whole task end.

use std::sync::Arc;
use std::time::Duration;

use kafka::{BrokerError, Error};

use crate::traffic::{Interruption, Side};
use crate::words::counted;

/// Why a partition stopped for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// Not yet looked into; [`crate::losses`] finds out what it is.
    #[error("the source does not have offset {offset}")]
    OutOfRange { offset: i64 },
    /// As above: the source's log is another one from this offset on.
    #[error("the source's log is another one from offset {at} on")]
    Diverged { at: i64 },
    #[error(
        "the source's log begins at {log_start}: it deleted {} from {position} on that had not been copied (retention or DeleteRecords); `onDataLoss: continue` notes the gap and goes on there",
        counted((log_start - position).unsigned_abs(), "offset")
    )]
    DataLost { position: i64, log_start: i64 },
    #[error(
        "the source lost {} from {diverged} on that had been copied (unclean leader election), and other records may come in their place; `onDataLoss: continue` notes it and goes on there",
        counted((position - diverged).unsigned_abs(), "offset")
    )]
    Truncated { position: i64, diverged: i64 },
    #[error("a gap cannot be noted on the target, so nothing is skipped: {0}")]
    Ledger(Error),
    #[error(
        "source topic `{topic}` was recreated (its topic id changed): the position means nothing in the new one; `onTopicReset: restart` notes it and copies the new topic from its beginning"
    )]
    SourceReset { topic: Arc<str> },
    #[error("target topic `{topic}` was deleted or recreated (its topic id changed)")]
    TargetReset { topic: Arc<str> },
    /// Not yet looked into: a batch may be cut, a record may go to quarantine.
    #[error("the target refuses a batch of {} bytes: {}", .0.bytes, .0.error)]
    TooLarge(TooLarge),
    #[error(
        "the record at offset {offset} is too large for `{topic}` on the target: its batch has {bytes} bytes, {}; raise max.message.bytes there, or set `onOversize: quarantine` ({error})",
        limit.map_or_else(|| "the limit is not known".to_owned(), |limit| format!("the limit is {limit}"))
    )]
    Oversize {
        topic: Arc<str>,
        offset: i64,
        bytes: u64,
        limit: Option<usize>,
        error: BrokerError,
    },
    #[error(
        "the record at offset {offset} is too large for the target and cannot be quarantined in `{topic}`: {error}"
    )]
    Quarantine {
        topic: String,
        offset: i64,
        error: Box<Error>,
    },
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
        "the target holds {} from source offset {from} on, which ends inside the source batch {batch_start} to {batch_end}: what \
         was copied is not what the source holds now",
        counted(u64::from(*ahead), "record")
    )]
    InsideBatch {
        ahead: u32,
        from: i64,
        batch_start: i64,
        batch_end: i64,
        bytes: usize,
    },
    #[error(
        "source offset {offset} is gone, and with it the means to tell how much of what follows the target has already ({})",
        counted(u64::from(*ahead), "record")
    )]
    LostCount { offset: i64, ahead: u32 },
    #[error("no progress for {} s: {trouble}", after.as_secs())]
    GaveUp { after: Duration, trouble: Trouble },
    #[error(transparent)]
    Client(Error),
}

/// A batch that the target refused because of its size.
#[derive(Debug, Clone)]
pub(crate) struct TooLarge {
    /// Source offsets that it covers: first, and after the last.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) records: u32,
    pub(crate) bytes: u64,
    pub(crate) error: BrokerError,
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
    #[error("the source refused offset {position} although it has it")]
    OutOfRange { position: i64 },
    #[error("a topic was recreated")]
    LookAgain,
    #[error("the source connection's task ended")]
    LaneGone,
}

impl Trouble {
    /// The cluster at whose broker it lies, where it lies at one.
    pub(crate) fn side(&self) -> Option<Side> {
        match self {
            Self::Source(_) | Self::SourceRefused(_) | Self::OutOfRange { .. } => {
                Some(Side::Source)
            }
            Self::Target(_) | Self::TargetRefused(_) | Self::Sequence(_) => Some(Side::Target),
            Self::LookAgain | Self::LaneGone => None,
        }
    }

    /// Nobody answered: the time that it took was spent waiting.
    pub(crate) fn is_silence(&self) -> bool {
        match self {
            Self::Source(error) | Self::Target(error) => matches!(
                error,
                Error::Timeout { .. } | Error::Connect { .. } | Error::Unreachable { .. }
            ),
            Self::SourceRefused(_)
            | Self::TargetRefused(_)
            | Self::Sequence(_)
            | Self::OutOfRange { .. }
            | Self::LookAgain
            | Self::LaneGone => false,
        }
    }

    /// What metrics count it as.
    pub(crate) fn class(&self) -> Interruption {
        match self {
            Self::Source(_) => Interruption::Source,
            Self::SourceRefused(_) | Self::OutOfRange { .. } => Interruption::SourceRefused,
            Self::Target(_) => Interruption::Target,
            Self::TargetRefused(_) => Interruption::TargetRefused,
            Self::Sequence(_) => Interruption::Sequence,
            Self::LaneGone | Self::LookAgain => Interruption::Internal,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_offset_is_one() {
        let lost = |position, log_start| {
            Stopped::DataLost {
                position,
                log_start,
            }
            .to_string()
        };
        assert!(lost(4, 5).contains("it deleted 1 offset from 4 on that"));
        assert!(lost(4, 6).contains("it deleted 2 offsets from 4 on that"));
    }
}
