//! The way of a partition's records: the brokers on it, what is under way, and what stands in it.

use std::sync::atomic::{AtomicI32, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::position_writer::now_ms;
use crate::traffic::Side;

/// Written by the partition's task, read by whoever wants to know where it hangs.
#[derive(Debug)]
pub(crate) struct Way {
    /// Batches that are sent and not acknowledged.
    in_flight: AtomicUsize,
    /// Node ids of the leaders on both sides, as last seen; negative before.
    leaders: [AtomicI32; 2],
    /// Since when there is something to copy, ms since the epoch.
    behind_since_ms: AtomicI64,
}

/// What keeps a partition from going on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hindrance {
    /// In words.
    pub(crate) reason: String,
    /// The cluster at whose broker it lies, where it lies at one.
    pub(crate) side: Option<Side>,
}

impl Way {
    /// Nothing is known of it yet.
    pub(crate) fn new() -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            leaders: [AtomicI32::new(-1), AtomicI32::new(-1)],
            behind_since_ms: AtomicI64::new(now_ms()),
        }
    }

    /// So many batches are sent and not acknowledged.
    pub(crate) fn awaits(&self, batches: usize) {
        self.in_flight.store(batches, Ordering::Relaxed);
    }

    /// This broker of the cluster leads the partition.
    pub(crate) fn led_by(&self, side: Side, broker: i32) {
        self.leaders[side as usize].store(broker, Ordering::Relaxed);
    }

    /// The broker that leads it, as last seen.
    pub(crate) fn leader(&self, side: Side) -> Option<i32> {
        let leader = self.leaders[side as usize].load(Ordering::Relaxed);
        (leader >= 0).then_some(leader)
    }

    /// There is something to copy, and was nothing before `now_ms`.
    pub(crate) fn falls_behind(&self, now_ms: i64) {
        self.behind_since_ms.store(now_ms, Ordering::Relaxed);
    }

    /// For how long there has been something to copy, where there is.
    pub(crate) fn behind_for(&self) -> Duration {
        let since = self.behind_since_ms.load(Ordering::Relaxed);
        Duration::from_millis(u64::try_from(now_ms() - since).unwrap_or(0))
    }

    /// What can be told where nothing moves and nobody has reported an error.
    pub(crate) fn silence(&self) -> Hindrance {
        let (reason, side) = if self.in_flight.load(Ordering::Relaxed) > 0 {
            ("what was sent is not acknowledged", Side::Target)
        } else {
            (
                "nothing comes from the source, or what others read and have not got rid of fills the byte budget",
                Side::Source,
            )
        };
        Hindrance {
            reason: format!("no error was reported: {reason}"),
            side: Some(side),
        }
    }
}
