//! What lanes, rounds and the position writer count for a run as a whole.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kafka::batch::BatchHeader;

use crate::histogram::Histogram;
use crate::position_writer::now_ms;

/// Which cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Source,
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// Why rounds end before their time, as metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Interruption {
    /// The source, or the way to it, failed.
    Source,
    /// The source refused to be read, for a reason that may pass.
    SourceRefused,
    /// The target, or the way to it, failed.
    Target,
    /// The target refused a batch, for a reason that may pass.
    TargetRefused,
    /// The target lost track of our sequence numbers.
    Sequence,
    /// A task of our own ended.
    Internal,
}

impl Interruption {
    pub(crate) const ALL: [Self; 6] = [
        Self::Source,
        Self::SourceRefused,
        Self::Target,
        Self::TargetRefused,
        Self::Sequence,
        Self::Internal,
    ];

    /// The value of the label `class`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::SourceRefused => "source_refused",
            Self::Target => "target",
            Self::TargetRefused => "target_refused",
            Self::Sequence => "sequence",
            Self::Internal => "internal",
        }
    }
}

/// When the records of a batch were written, by their own timestamps: ms since the epoch, not
/// positive where they carry none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) oldest_ms: i64,
    pub(crate) newest_ms: i64,
}

impl Times {
    /// Of a batch as the source has it. Where the broker stamps records, theirs are not looked at.
    pub(crate) fn of(header: &BatchHeader) -> Self {
        let newest_ms = header.max_timestamp;
        Self {
            oldest_ms: if header.is_log_append_time() {
                newest_ms
            } else {
                header.base_timestamp
            },
            newest_ms,
        }
    }
}

/// Counters of a run that belong to no single partition. Counting touches atomics only.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    fetch_requests: AtomicU64,
    fetched_bytes: AtomicU64,
    produce_requests: AtomicU64,
    acknowledged_bytes: AtomicU64,
    connections: [AtomicU64; 2],
    /// Target brokers that get everything over one connection.
    joined_brokers: AtomicUsize,
    interruptions: [AtomicU64; Interruption::ALL.len()],
    positions_committed: AtomicU64,
    last_commit_ms: AtomicI64,
    throttle_limit: AtomicU64,
    throttled_us: AtomicU64,
    /// Lanes that wait for the throttle now.
    throttled_lanes: AtomicUsize,
    /// Oldest record of a batch → acknowledgement.
    pub(crate) latency: Histogram,
    /// Produce request written → answered.
    pub(crate) produce: Histogram,
}

impl Traffic {
    /// A fetch was answered.
    pub(crate) fn fetched(&self, bytes: usize) {
        self.fetch_requests.fetch_add(1, Ordering::Relaxed);
        self.fetched_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A produce request was answered.
    pub(crate) fn produced(&self, took: Duration) {
        self.produce_requests.fetch_add(1, Ordering::Relaxed);
        self.produce.observe(took);
    }

    /// The target has a batch of `bytes`.
    pub(crate) fn took(&self, bytes: usize) {
        self.acknowledged_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes of the batches that the target has, in this run.
    pub(crate) fn acknowledged_bytes(&self) -> u64 {
        self.acknowledged_bytes.load(Ordering::Relaxed)
    }

    /// The target has a batch. Clocks that run ahead of ours count as no time at all.
    pub(crate) fn acknowledged(&self, times: Times) {
        if times.oldest_ms > 0 {
            let age = u64::try_from(now_ms() - times.oldest_ms).unwrap_or(0);
            self.latency.observe(Duration::from_millis(age));
        }
    }

    /// A connection of the data path was opened.
    pub(crate) fn connected(&self, side: Side) {
        self.connections[side as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// All produce requests to a target broker take one connection from now on.
    pub(crate) fn joined(&self) {
        self.joined_brokers.fetch_add(1, Ordering::Relaxed);
    }

    /// They take several again.
    pub(crate) fn parted(&self) {
        self.joined_brokers.fetch_sub(1, Ordering::Relaxed);
    }

    /// A round ended before its time.
    pub(crate) fn interrupted(&self, class: Interruption) {
        self.interruptions[class as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Positions are durable.
    pub(crate) fn committed(&self, positions: usize) {
        self.positions_committed
            .fetch_add(positions as u64, Ordering::Relaxed);
        self.last_commit_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// How many bytes a second the run may copy; 0 where nothing limits it.
    pub(crate) fn limit(&self, bytes_per_second: u64) {
        self.throttle_limit
            .store(bytes_per_second, Ordering::Relaxed);
    }

    /// Whether there is a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.throttle_limit.load(Ordering::Relaxed) > 0
    }

    /// The limit makes a lane wait until what is returned is dropped.
    pub(crate) fn throttled(&self) -> Throttled<'_> {
        self.throttled_lanes.fetch_add(1, Ordering::Relaxed);
        Throttled {
            traffic: self,
            since: Instant::now(),
        }
    }

    /// Whether some lane waits for the throttle now.
    pub(crate) fn is_throttled(&self) -> bool {
        self.throttled_lanes.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn read(&self) -> TrafficReading {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TrafficReading {
            fetch_requests: load(&self.fetch_requests),
            fetched_bytes: load(&self.fetched_bytes),
            produce_requests: load(&self.produce_requests),
            source_connections: load(&self.connections[Side::Source as usize]),
            target_connections: load(&self.connections[Side::Target as usize]),
            joined_brokers: self.joined_brokers.load(Ordering::Relaxed),
            interruptions: Interruption::ALL
                .map(|class| (class, load(&self.interruptions[class as usize]))),
            positions_committed: load(&self.positions_committed),
            last_commit_ms: self.last_commit_ms.load(Ordering::Relaxed),
            throttle_limit: load(&self.throttle_limit),
            throttled: Duration::from_micros(load(&self.throttled_us)),
        }
    }
}

/// A lane that waits for the throttle.
#[derive(Debug)]
pub(crate) struct Throttled<'t> {
    traffic: &'t Traffic,
    /// What was waited before is counted.
    since: Instant,
}

impl Throttled<'_> {
    /// Counts what was waited since the last time.
    pub(crate) fn count(&mut self) {
        let now = Instant::now();
        let waited = now.duration_since(self.since);
        self.since = now;
        let us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.traffic.throttled_us.fetch_add(us, Ordering::Relaxed);
    }
}

impl Drop for Throttled<'_> {
    fn drop(&mut self) {
        self.count();
        self.traffic.throttled_lanes.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A moment of [`Traffic`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrafficReading {
    pub(crate) fetch_requests: u64,
    pub(crate) fetched_bytes: u64,
    pub(crate) produce_requests: u64,
    pub(crate) source_connections: u64,
    pub(crate) target_connections: u64,
    pub(crate) joined_brokers: usize,
    pub(crate) interruptions: [(Interruption, u64); Interruption::ALL.len()],
    pub(crate) positions_committed: u64,
    /// Ms since the epoch; 0 before the first.
    pub(crate) last_commit_ms: i64,
    /// Bytes a second; 0 where nothing limits.
    pub(crate) throttle_limit: u64,
    pub(crate) throttled: Duration,
}
