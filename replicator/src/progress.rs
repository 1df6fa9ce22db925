use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::identity::PartitionId;
use crate::summary::TopicSummary;

/// Live figures of a run, for displays and metrics. Reading never disturbs the data path.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<Phase>,
    partitions: Mutex<Vec<Arc<PartitionProgress>>>,
    failures: Mutex<Vec<PartitionFailure>>,
}

/// Where a run stands as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Discovering topics, creating them on the target, reading positions.
    #[default]
    Preparing,
    /// Copying.
    Copying,
    /// No more fetching; waiting for acknowledgements and the last positions.
    Draining,
    /// Over.
    Done,
}

/// A partition, or a whole topic, that stopped while its neighbours went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionFailure {
    /// Topic on the source.
    pub topic: String,
    /// Partition index; `None` where the topic as a whole could not be made ready.
    pub partition: Option<i32>,
    /// Source offset of the first record that is not on the target, where copying had begun.
    pub position: Option<i64>,
    /// What stopped it.
    pub reason: String,
}

/// A moment of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Where the run stands.
    pub phase: Phase,
    /// Partitions being copied, finished ones included.
    pub partitions: usize,
    /// Partitions that have reached their end (`--once`) or stopped.
    pub partitions_done: usize,
    /// Records acknowledged by the target in this run.
    pub records: u64,
    /// Bytes of record batches acknowledged by the target in this run.
    pub bytes: u64,
    /// Partitions between attempts, because a cluster refuses or cannot be reached; what they have
    /// remaining is then the last known.
    pub waiting: usize,
    /// Source offsets between the positions and the ends (captured or live).
    pub remaining: u64,
    /// Partitions that stopped.
    pub failed: Vec<PartitionFailure>,
}

/// One partition's figures, written by its own task and its fetch lane alone.
#[derive(Debug)]
pub(crate) struct PartitionProgress {
    pub(crate) id: PartitionId,
    /// Where this run must get to; `i64::MAX` where it never ends.
    pub(crate) until: i64,
    records: AtomicU64,
    bytes: AtomicU64,
    passed: AtomicU64,
    merged: AtomicU64,
    rebuilt: AtomicU64,
    filtered: AtomicU64,
    position: AtomicI64,
    end: AtomicI64,
    waiting: AtomicBool,
    done: AtomicBool,
}

/// Counts of batches by what was done with them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BatchCounts {
    pub(crate) passed: u64,
    pub(crate) merged: u64,
    pub(crate) rebuilt: u64,
    pub(crate) filtered: u64,
}

impl PartitionProgress {
    pub(crate) fn new(id: PartitionId, position: i64, until: i64) -> Self {
        Self {
            id,
            until,
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            merged: AtomicU64::new(0),
            rebuilt: AtomicU64::new(0),
            filtered: AtomicU64::new(0),
            position: AtomicI64::new(position),
            end: AtomicI64::new(position),
            waiting: AtomicBool::new(false),
            done: AtomicBool::new(false),
        }
    }

    pub(crate) fn acknowledged(&self, records: u64, bytes: u64, position: i64) {
        self.records.store(records, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        self.position.store(position, Ordering::Relaxed);
    }

    /// A batch is on its way that is `parts` source batches merged, one where it is none.
    pub(crate) fn sent(&self, rebuilt: bool, parts: usize) {
        let counter = match (rebuilt, parts) {
            (true, _) => &self.rebuilt,
            (false, 1) => &self.passed,
            (false, _) => &self.merged,
        };
        counter.fetch_add(parts as u64, Ordering::Relaxed);
    }

    pub(crate) fn filtered(&self) {
        self.filtered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn saw_end(&self, end: i64) {
        self.end.fetch_max(end, Ordering::Relaxed);
    }

    pub(crate) fn waits(&self, waits: bool) {
        self.waiting.store(waits, Ordering::Relaxed);
    }

    pub(crate) fn finish(&self) {
        self.waits(false);
        self.done.store(true, Ordering::Relaxed);
    }

    fn remaining(&self) -> u64 {
        let end = match self.until {
            i64::MAX => self.end.load(Ordering::Relaxed),
            until => until,
        };
        u64::try_from(end - self.position.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

impl Progress {
    /// Nothing yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The figures now. Consistent enough to show, not to settle accounts by.
    pub fn snapshot(&self) -> Snapshot {
        let partitions = lock(&self.partitions);
        let sum =
            |figure: fn(&PartitionProgress) -> u64| partitions.iter().map(|p| figure(p)).sum();
        let how_many = |state: fn(&PartitionProgress) -> &AtomicBool| {
            partitions
                .iter()
                .filter(|p| state(p).load(Ordering::Relaxed))
                .count()
        };
        Snapshot {
            phase: *lock(&self.phase),
            partitions: partitions.len(),
            partitions_done: how_many(|p| &p.done),
            waiting: how_many(|p| &p.waiting),
            records: sum(|p| p.records.load(Ordering::Relaxed)),
            bytes: sum(|p| p.bytes.load(Ordering::Relaxed)),
            remaining: sum(PartitionProgress::remaining),
            failed: lock(&self.failures).clone(),
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        *lock(&self.phase) = phase;
    }

    pub(crate) fn add(&self, partition: Arc<PartitionProgress>) {
        lock(&self.partitions).push(partition);
    }

    pub(crate) fn fail(&self, failure: PartitionFailure) {
        lock(&self.failures).push(failure);
    }

    pub(crate) fn failures(&self) -> Vec<PartitionFailure> {
        lock(&self.failures).clone()
    }

    pub(crate) fn batch_counts(&self) -> BatchCounts {
        let partitions = lock(&self.partitions);
        let mut counts = BatchCounts::default();
        for partition in partitions.iter() {
            counts.passed += partition.passed.load(Ordering::Relaxed);
            counts.merged += partition.merged.load(Ordering::Relaxed);
            counts.rebuilt += partition.rebuilt.load(Ordering::Relaxed);
            counts.filtered += partition.filtered.load(Ordering::Relaxed);
        }
        counts
    }

    /// Sums a topic, sorted by name.
    pub(crate) fn topics(&self) -> Vec<TopicSummary> {
        let mut topics = std::collections::BTreeMap::new();
        for partition in lock(&self.partitions).iter() {
            let topic = topics
                .entry(partition.id.source_topic.clone())
                .or_insert_with(|| TopicSummary {
                    source_topic: partition.id.source_topic.to_string(),
                    target_topic: partition.id.target_topic.to_string(),
                    partitions: 0,
                    records: 0,
                    bytes: 0,
                });
            topic.partitions += 1;
            topic.records += partition.records.load(Ordering::Relaxed);
            topic.bytes += partition.bytes.load(Ordering::Relaxed);
        }
        topics.into_values().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
