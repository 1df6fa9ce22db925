use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kafka::TopicPartition;
use serde::Serialize;

use crate::budget::Budget;
use crate::partition_figures::{PartitionFigures, PartitionReading, PartitionState};
pub(crate) use crate::partition_progress::PartitionProgress;
use crate::position_writer::now_ms;
use crate::summary::TopicSummary;
use crate::traffic::Traffic;

/// Live figures of a run, for displays and metrics. Reading never disturbs the data path.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<Phase>,
    partitions: Mutex<Partitions>,
    failures: Mutex<Vec<PartitionFailure>>,
    /// As the last discovery found.
    left_out: Mutex<Vec<LeftOut>>,
    selected: Mutex<Option<usize>>,
    /// What keeps the run as a whole from being well.
    trouble: Mutex<Option<String>>,
    /// Partitions that could not begin yet.
    held_up: Mutex<Vec<Ailing>>,
    traffic: Arc<Traffic>,
    budget: Mutex<Option<Budget>>,
    /// Of the tasks that this process has, where processes share the mirror. What is read of this is theirs as well.
    parts: Mutex<Vec<Arc<Progress>>>,
}

/// By topic on the source, and partition.
type Partitions = BTreeMap<(Arc<str>, i32), Arc<PartitionProgress>>;

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
    /// Another replicator has the mirror; waiting for its end.
    StandingBy,
    /// Over.
    Done,
    /// The run as a whole could not go on.
    Failed,
}

impl Phase {
    /// The phase in one word, as pages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Copying => "copying",
            Self::Draining => "draining",
            Self::StandingBy => "standing-by",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
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

/// A topic that the mirror selects and does not copy, because its records come from the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Topic on the source.
    pub topic: String,
    /// How it comes from there, and what lets it be copied.
    pub reason: String,
}

/// A moment of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Where the run stands.
    pub phase: Phase,
    /// Partitions being copied, finished ones and those that are held back included.
    pub partitions: usize,
    /// Partitions that have reached their end (`--once`) or stopped.
    pub partitions_done: usize,
    /// Records acknowledged by the target in this run.
    pub records: u64,
    /// Bytes of record batches acknowledged by the target in this run.
    pub bytes: u64,
    /// Partitions between attempts, because a cluster refuses or cannot be reached.
    pub waiting: usize,
    /// Partitions without progress although there are records, as the watchdog says.
    pub stalled: usize,
    /// Partitions that are held back on purpose.
    pub paused: usize,
    /// Partitions that have stopped for good; those of refused topics are among them as soon as they are shown.
    pub stopped: usize,
    /// Source offsets between the positions and the ends (captured or live).
    pub remaining: u64,
    /// Age of the oldest record that is not on the target, over all partitions, in whole seconds.
    pub lag_seconds: u64,
    /// Bytes a second that the run may copy, where it is limited.
    pub throttle: Option<u64>,
    /// Gaps noted in this run; `replicator::gaps` reads them all.
    pub gaps: u64,
    /// Source offsets that these gaps cover, as far as known.
    pub gap_offsets: u64,
    /// Records put into quarantine topics in this run; each is a gap too.
    pub quarantined: u64,
    /// Partitions that stopped.
    pub failed: Vec<PartitionFailure>,
}

/// A partition, or a run as a whole, that is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ailing {
    /// Topic on the source; absent where the run as a whole is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Partition index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<i32>,
    /// `preparing`, `waiting`, `stalled`, `failed` or `unreachable`.
    pub state: &'static str,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Counts of batches by what was done with them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BatchCounts {
    pub(crate) passed: u64,
    pub(crate) merged: u64,
    pub(crate) rebuilt: u64,
    pub(crate) filtered: u64,
}

impl Progress {
    /// Nothing yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Of one task from now on.
    pub(crate) fn part(&self) -> Arc<Self> {
        let part = Arc::new(Self {
            traffic: self.traffic.clone(),
            ..Self::default()
        });
        lock(&self.parts).push(part.clone());
        part
    }

    /// The task is another's.
    pub(crate) fn leave(&self, part: &Arc<Self>) {
        lock(&self.parts).retain(|it| !Arc::ptr_eq(it, part));
    }

    fn parts(&self) -> Vec<Arc<Self>> {
        lock(&self.parts).clone()
    }

    /// The run cannot even begin, for this reason; whoever tries again says [`Self::awaited`] once it can.
    pub fn cannot_begin(&self, reason: String) {
        self.trouble(Some(reason));
        self.enter(Phase::Failed);
    }

    /// What kept the run from beginning is over; it did not begin yet.
    pub fn awaited(&self) {
        self.trouble(None);
        self.enter(Phase::Preparing);
    }

    /// The figures now. Consistent enough to show, not to settle accounts by.
    pub fn snapshot(&self) -> Snapshot {
        let readings = self.readings();
        let sum = |figure: fn(&PartitionReading) -> u64| readings.iter().map(figure).sum();
        let how_many = |state| -> usize {
            readings
                .iter()
                .filter(|reading| reading.state == state)
                .count()
        };
        let traffic = self.traffic.read();
        let partitions = self.partitions();
        Snapshot {
            phase: self.phase(),
            partitions: partitions.len(),
            partitions_done: partitions.iter().filter(|p| p.is_done()).count(),
            waiting: how_many(PartitionState::Waiting),
            stalled: how_many(PartitionState::Stalled),
            paused: how_many(PartitionState::Paused),
            stopped: how_many(PartitionState::Failed),
            records: sum(|p| p.records),
            bytes: sum(|p| p.bytes),
            remaining: partitions.iter().map(|p| p.remaining()).sum(),
            lag_seconds: readings
                .iter()
                .map(|p| p.lag_seconds as u64)
                .max()
                .unwrap_or(0),
            gaps: sum(|p| p.gaps),
            gap_offsets: sum(|p| p.gap_offsets),
            quarantined: sum(|p| p.quarantined),
            throttle: Some(traffic.throttle_limit).filter(|limit| *limit > 0),
            failed: self.failures(),
        }
    }

    /// Whatever keeps the run from being ready: it is where every partition is running, complete or
    /// paused, and nothing the matter with the run as a whole. Empty where it is ready.
    pub fn ailing(&self) -> Vec<Ailing> {
        let mut ailing = Vec::new();
        let trouble = lock(&self.trouble).clone();
        let whole = match *lock(&self.phase) {
            Phase::Preparing => Some("preparing"),
            Phase::Failed => Some("failed"),
            Phase::Copying | Phase::Draining | Phase::StandingBy | Phase::Done => {
                trouble.as_ref().map(|_| "unreachable")
            }
        };
        ailing.extend(whole.map(|state| Ailing {
            topic: None,
            partition: None,
            state,
            reason: trouble,
        }));
        ailing.extend(lock(&self.held_up).iter().cloned());
        for partition in lock(&self.partitions).values() {
            let state = partition.state();
            match state {
                // Those that failed are named below, with those that never began; what is held back
                // on purpose is as it should be.
                PartitionState::Running
                | PartitionState::Complete
                | PartitionState::Failed
                | PartitionState::Paused => {}
                PartitionState::Waiting | PartitionState::Stalled => {
                    ailing.push(Ailing {
                        topic: Some(partition.id.source_topic.to_string()),
                        partition: Some(partition.id.partition),
                        state: state.name(),
                        reason: partition.reason(),
                    });
                }
            }
        }
        ailing.extend(lock(&self.failures).iter().map(|failure| Ailing {
            topic: Some(failure.topic.clone()),
            partition: failure.partition,
            state: "failed",
            reason: Some(failure.reason.clone()),
        }));
        ailing.extend(self.parts().iter().flat_map(|part| part.ailing()));
        ailing
    }

    /// Every partition's figures now.
    pub fn figures(&self) -> Vec<PartitionFigures> {
        let now = now_ms();
        let partitions = self.partitions();
        partitions
            .iter()
            .map(|partition| partition.figures(now))
            .collect()
    }

    pub(crate) fn readings(&self) -> Vec<PartitionReading> {
        let now = now_ms();
        self.partitions().iter().map(|p| p.read(now)).collect()
    }

    pub(crate) fn partitions(&self) -> Vec<Arc<PartitionProgress>> {
        let mut all: Vec<Arc<PartitionProgress>> =
            lock(&self.partitions).values().cloned().collect();
        for part in self.parts() {
            all.extend(part.partitions());
        }
        all
    }

    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// The budget whose use is shown.
    pub(crate) fn watch_budget(&self, budget: &Budget) {
        *lock(&self.budget) = Some(budget.clone());
    }

    /// Bytes in use and bytes in all; zeros before there is a budget.
    pub(crate) fn budget(&self) -> (u64, u64) {
        let own = lock(&self.budget).as_ref().map_or((0, 0), Budget::usage);
        let parts = self.parts().into_iter().map(|part| part.budget());
        parts.fold(own, |sum, part| (sum.0 + part.0, sum.1 + part.1))
    }

    /// Why the run as a whole is not well; `None` once it is again.
    pub(crate) fn trouble(&self, reason: Option<String>) {
        *lock(&self.trouble) = reason;
    }

    /// The partitions that cannot begin yet, in place of those named before.
    pub(crate) fn hold_up(&self, partitions: Vec<Ailing>) {
        *lock(&self.held_up) = partitions;
    }

    pub(crate) fn phase(&self) -> Phase {
        let own = *lock(&self.phase);
        let beginning = || {
            let parts = self.parts();
            !parts.is_empty() && parts.iter().all(|part| part.phase() == Phase::Preparing)
        };
        if own == Phase::Copying && beginning() {
            Phase::Preparing
        } else {
            own
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        *lock(&self.phase) = phase;
    }

    /// Shows a partition from now on; in place of what was shown of it, where it begins anew.
    pub(crate) fn add(&self, mut partition: PartitionProgress) -> Arc<PartitionProgress> {
        let key = (partition.id.source_topic.clone(), partition.id.partition);
        let mut partitions = lock(&self.partitions);
        if let Some(earlier) = partitions.get(&key) {
            partition.counts_on_from(earlier);
        }
        let partition = Arc::new(partition);
        partitions.insert(key, partition.clone());
        partition
    }

    /// Partitions of topics that are no longer copied wait for nothing any more.
    pub(crate) fn forget(&self, topics: &[String]) {
        for partition in lock(&self.partitions).values() {
            if topics
                .iter()
                .any(|topic| **topic == *partition.id.source_topic)
            {
                partition.finish();
            }
        }
    }

    /// Partitions that were only shown and are gone.
    pub(crate) fn take_away(&self, gone: &[TopicPartition]) {
        lock(&self.partitions).retain(|(topic, partition), _| {
            gone.iter()
                .all(|it| *it.topic != **topic || it.partition != *partition)
        });
    }

    /// Shows a partition that is no longer copied as failed, at its position; false where none of it is shown.
    pub(crate) fn refuse(&self, partition: &TopicPartition, reason: &str) -> bool {
        let key = (Arc::from(&*partition.topic), partition.partition);
        let partitions = lock(&self.partitions);
        let shown = partitions.get(&key);
        if let Some(shown) = shown {
            shown.fail(reason);
        }
        shown.is_some()
    }

    /// A topic that is refused no longer and not copied either: it is gone, or left out for another reason.
    pub(crate) fn let_go(&self, topic: &str) {
        lock(&self.partitions).retain(|(name, _), partition| {
            let is_its = **name == *topic;
            if is_its {
                partition.settle();
            }
            !is_its || !partition.is_only_shown()
        });
    }

    /// The same of one partition, which cannot begin yet.
    pub(crate) fn let_go_of(&self, partition: &TopicPartition) {
        let key = (Arc::from(&*partition.topic), partition.partition);
        let mut partitions = lock(&self.partitions);
        let Some(shown) = partitions.get(&key) else {
            return;
        };
        shown.settle();
        if shown.is_only_shown() {
            partitions.remove(&key);
        }
    }

    /// As a new run has it: what the last one did is over.
    pub(crate) fn begin_again(&self, phase: Phase) {
        lock(&self.partitions).clear();
        lock(&self.failures).clear();
        lock(&self.left_out).clear();
        self.trouble(None);
        self.enter(phase);
    }

    pub(crate) fn fail(&self, failure: PartitionFailure) {
        lock(&self.failures).push(failure);
    }

    /// Nothing stands against a topic as a whole any more, or something else does.
    pub(crate) fn allow(&self, topic: &str) {
        lock(&self.failures).retain(|it| it.partition.is_some() || it.topic != topic);
    }

    /// How many topics of the source are selected now.
    pub(crate) fn select(&self, topics: usize) {
        *lock(&self.selected) = Some(topics);
    }

    pub(crate) fn selected(&self) -> Option<usize> {
        let own = *lock(&self.selected);
        own.or_else(|| self.parts().iter().find_map(|part| part.selected()))
    }

    /// The topics that are left out now.
    pub(crate) fn leave_out(&self, topics: Vec<LeftOut>) {
        *lock(&self.left_out) = topics;
    }

    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        let mut all = lock(&self.left_out).clone();
        all.extend(self.parts().iter().flat_map(|part| part.left_out()));
        all
    }

    pub(crate) fn failures(&self) -> Vec<PartitionFailure> {
        let mut all = lock(&self.failures).clone();
        all.extend(self.parts().iter().flat_map(|part| part.failures()));
        all
    }

    pub(crate) fn batch_counts(&self) -> BatchCounts {
        let mut counts = BatchCounts::default();
        for partition in self.readings() {
            counts.passed += partition.passed;
            counts.merged += partition.merged;
            counts.rebuilt += partition.rebuilt;
            counts.filtered += partition.filtered;
        }
        counts
    }

    /// Sums a topic, sorted by name; without those that are only shown.
    pub(crate) fn topics(&self) -> Vec<TopicSummary> {
        let now = now_ms();
        let mut topics = BTreeMap::new();
        let partitions = self.partitions();
        for partition in partitions.iter().filter(|it| !it.is_only_shown()) {
            let partition = partition.read(now);
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
            topic.records += partition.records;
            topic.bytes += partition.bytes;
        }
        topics.into_values().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
