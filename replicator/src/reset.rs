//! Topics that were recreated since a position was written: by their ids, whatever their names.

use topology::{OnTopicReset, StartOffset};

use crate::gap::GapKind;
use crate::losses::Found;
use crate::position::Position;

/// What a position means for the topics as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// What it says.
    Valid,
    /// Nothing: its offsets are those of a source topic that is gone.
    SourceReset,
    /// Nothing: what it says was copied is gone with the target topic.
    TargetReset,
}

impl Standing {
    pub(crate) fn of(position: &Position, source_topic_id: &str, target_topic_id: &str) -> Self {
        if position.source_topic_id != source_topic_id {
            Self::SourceReset
        } else if position.target_topic_id != target_topic_id {
            Self::TargetReset
        } else {
            Self::Valid
        }
    }

    /// Whether the partition begins anew. A recreated target is always filled again: there is
    /// nothing on it that could be repeated.
    pub(crate) fn begins_anew(self, policy: OnTopicReset) -> bool {
        match self {
            Self::Valid => false,
            Self::SourceReset => policy == OnTopicReset::Restart,
            Self::TargetReset => true,
        }
    }
}

/// Where a partition begins anew: at the log's start, except where the mirror was told a time.
pub(crate) fn new_start(policy: StartOffset, earliest: i64, by_policy: i64) -> i64 {
    match policy {
        // Its end as it is now has nothing to do with where the mirror once began.
        StartOffset::Earliest | StartOffset::Latest => earliest,
        StartOffset::Timestamp(_) => by_policy,
    }
}

/// The ledger's entry for a partition that begins anew at `start`.
pub(crate) fn gap(standing: Standing, position: &Position, start: i64) -> Option<Found> {
    let (kind, to, reason, policy) = match standing {
        Standing::Valid => return None,
        Standing::SourceReset => (
            GapKind::TopicReset,
            None,
            "the source topic was recreated: what the old one still held from here on is gone; the \
             new one is copied from its beginning, behind what the target holds of the old one",
            "onTopicReset: restart",
        ),
        Standing::TargetReset => (
            GapKind::TargetReset,
            Some(position.offset),
            "the target topic was recreated: what the source still has is copied again",
            "recreated targets are filled again",
        ),
    };
    let from = match standing {
        Standing::TargetReset => start.min(position.offset),
        Standing::Valid | Standing::SourceReset => position.offset,
    };
    Some(Found {
        kind,
        source_topic_id: position.source_topic_id.clone(),
        lost_epoch: None,
        from,
        to,
        records: None,
        resumed_at: start,
        reason: reason.to_owned(),
        policy,
    })
}
