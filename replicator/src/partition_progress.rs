//! One partition's figures: written by its own task and its fetch lane, read by whoever shows them.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::identity::PartitionId;
use crate::partition_figures::{PartitionFigures, PartitionReading, PartitionState};
use crate::position_writer::now_ms;
use crate::traffic::{Side, Times};
use crate::way::{Hindrance, Way};

/// Live figures of one partition. Writing touches atomics only, except for the reasons of trouble.
#[derive(Debug)]
pub(crate) struct PartitionProgress {
    pub(crate) id: PartitionId,
    /// Where this run must get to; `i64::MAX` where it never ends.
    pub(crate) until: i64,
    /// Never copied by this run: it is there for those who look at the figures.
    is_only_shown: bool,
    /// Acknowledged in this run before the partition began anew.
    records_before: u64,
    bytes_before: u64,
    records: AtomicU64,
    bytes: AtomicU64,
    passed: AtomicU64,
    rebuilt: AtomicU64,
    filtered: AtomicU64,
    merged: AtomicU64,
    interruptions: AtomicU64,
    gaps: AtomicU64,
    gap_offsets: AtomicU64,
    quarantined: AtomicU64,
    position: AtomicI64,
    end: AtomicI64,
    /// When `end` was last heard of.
    end_seen_ms: AtomicI64,
    /// Timestamp of the oldest record that is not on the target, as well as it is known.
    oldest_missing_ms: AtomicI64,
    /// Since when there is something acknowledged that no position covers; 0 where there is not.
    uncommitted_ms: AtomicI64,
    waiting: AtomicBool,
    paused: AtomicBool,
    done: AtomicBool,
    failed: AtomicBool,
    stalled: AtomicBool,
    pub(crate) way: Way,
    /// Why it waits or stalls.
    hindrance: Mutex<Option<Hindrance>>,
}

impl PartitionProgress {
    pub(crate) fn new(id: PartitionId, position: i64, until: i64) -> Self {
        Self {
            id,
            until,
            is_only_shown: false,
            records_before: 0,
            bytes_before: 0,
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            rebuilt: AtomicU64::new(0),
            filtered: AtomicU64::new(0),
            merged: AtomicU64::new(0),
            interruptions: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            gap_offsets: AtomicU64::new(0),
            quarantined: AtomicU64::new(0),
            position: AtomicI64::new(position),
            end: AtomicI64::new(position),
            end_seen_ms: AtomicI64::new(0),
            oldest_missing_ms: AtomicI64::new(now_ms()),
            uncommitted_ms: AtomicI64::new(0),
            waiting: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            done: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            way: Way::new(),
            hindrance: Mutex::new(None),
        }
    }

    /// One that is not copied, and stands at this position all the same.
    pub(crate) fn only_shown(id: PartitionId, position: i64) -> Self {
        Self {
            is_only_shown: true,
            ..Self::new(id, position, i64::MAX)
        }
    }

    /// Counts on from where an earlier one of the same partition ended: a counter that fell would be taken for a new run.
    pub(crate) fn counts_on_from(&mut self, earlier: &Self) {
        self.records_before = earlier.records();
        self.bytes_before = earlier.bytes();
        for (counter, before) in [
            (&mut self.passed, &earlier.passed),
            (&mut self.rebuilt, &earlier.rebuilt),
            (&mut self.filtered, &earlier.filtered),
            (&mut self.merged, &earlier.merged),
            (&mut self.interruptions, &earlier.interruptions),
            (&mut self.gaps, &earlier.gaps),
            (&mut self.gap_offsets, &earlier.gap_offsets),
            (&mut self.quarantined, &earlier.quarantined),
        ] {
            *counter.get_mut() += before.load(Ordering::Relaxed);
        }
    }

    /// The watermark moved; sums since it began.
    pub(crate) fn acknowledged(&self, records: u64, bytes: u64, position: i64) {
        self.records.store(records, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        if self.position.swap(position, Ordering::Relaxed) != position {
            let now = now_ms();
            // Only where nothing was uncommitted before: the age is that of the oldest.
            let _ =
                self.uncommitted_ms
                    .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// A position that covers `acknowledged` records of this run is durable.
    pub(crate) fn committed(&self, acknowledged: u64) {
        let all = acknowledged == self.records.load(Ordering::Relaxed);
        let since = if all { 0 } else { now_ms() };
        self.uncommitted_ms.store(since, Ordering::Relaxed);
    }

    /// A batch is on its way that is `parts` source batches merged, one where it is none.
    pub(crate) fn sent(&self, rebuilt: bool, parts: usize, times: Times) {
        let counter = match (rebuilt, parts) {
            (true, _) => &self.rebuilt,
            (false, 1) => &self.passed,
            (false, _) => &self.merged,
        };
        counter.fetch_add(parts as u64, Ordering::Relaxed);
        if times.oldest_ms > 0 {
            self.oldest_missing_ms
                .fetch_min(times.oldest_ms, Ordering::Relaxed);
        }
    }

    /// The target has a batch: what is missing now is not older than its newest record.
    pub(crate) fn copied(&self, times: Times) {
        if times.newest_ms > 0 {
            self.oldest_missing_ms
                .store(times.newest_ms, Ordering::Relaxed);
        }
    }

    pub(crate) fn filtered(&self) {
        self.filtered.fetch_add(1, Ordering::Relaxed);
    }

    /// The source's last stable offset.
    pub(crate) fn saw_end(&self, end: i64) {
        let now = now_ms();
        self.end_seen_ms.store(now, Ordering::Relaxed);
        let before = self.end.fetch_max(end, Ordering::Relaxed);
        if before <= self.position.load(Ordering::Relaxed) {
            // Nothing was missing until now.
            self.oldest_missing_ms.store(now, Ordering::Relaxed);
            self.way.falls_behind(now);
        }
    }

    /// How long nobody has heard of the end, and whether that matters: it does where fetching,
    /// which tells it, does not go on.
    pub(crate) fn end_is_stale(&self, after_ms: i64) -> bool {
        let fetching = !self.waiting.load(Ordering::Relaxed)
            && !self.done.load(Ordering::Relaxed)
            && !self.paused.load(Ordering::Relaxed)
            && self.end.load(Ordering::Relaxed) <= self.position.load(Ordering::Relaxed);
        !fetching && self.end_is_unheard(after_ms)
    }

    /// Nobody has heard of the end for so long, and it is not over.
    pub(crate) fn end_is_unheard(&self, after_ms: i64) -> bool {
        let silent = now_ms() - self.end_seen_ms.load(Ordering::Relaxed) >= after_ms;
        let complete = self.done.load(Ordering::Relaxed) && !self.failed.load(Ordering::Relaxed);
        silent && !complete
    }

    pub(crate) fn waits(&self, waits: bool) {
        self.waiting.store(waits, Ordering::Relaxed);
        // one that stands still keeps its reason from attempt to attempt
        if !waits && !self.stalled.load(Ordering::Relaxed) {
            self.say(None);
        }
    }

    /// A round ended before its time, for this reason; the next one comes after a pause.
    pub(crate) fn interrupted(&self, reason: &dyn std::fmt::Display, side: Option<Side>) {
        self.interruptions.fetch_add(1, Ordering::Relaxed);
        self.way.awaits(0);
        self.say(Some(Hindrance {
            reason: reason.to_string(),
            side,
        }));
        self.waiting.store(true, Ordering::Relaxed);
    }

    /// Records are there and none moves, because of this; `None` once they move again.
    pub(crate) fn stalled(&self, hindrance: Option<Hindrance>) {
        let was = self.stalled.swap(hindrance.is_some(), Ordering::Relaxed);
        if was || hindrance.is_some() {
            self.say(hindrance);
        }
    }

    /// Held back on purpose.
    pub(crate) fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Source offsets that will never be on the target, as the declared policy allows.
    pub(crate) fn gap(&self, offsets: u64) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
        self.gap_offsets.fetch_add(offsets, Ordering::Relaxed);
    }

    /// Nothing went to the dead-letter topic in this run so far.
    pub(crate) fn has_quarantined_none(&self) -> bool {
        self.quarantined.load(Ordering::Relaxed) == 0
    }

    /// Records that went to the dead-letter topic instead.
    pub(crate) fn quarantined(&self, records: u64) {
        self.quarantined.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn finish(&self) {
        self.waits(false);
        self.stalled(None);
        self.done.store(true, Ordering::Relaxed);
    }

    /// Stopped for good.
    pub(crate) fn fail(&self, reason: &str) {
        self.finish();
        self.say(Some(Hindrance {
            reason: reason.to_owned(),
            side: None,
        }));
        self.failed.store(true, Ordering::Relaxed);
    }

    /// What had stopped it is nobody's concern any more.
    pub(crate) fn settle(&self) {
        self.failed.store(false, Ordering::Relaxed);
        self.say(None);
    }

    /// The source topic is another one now: what is copied of it ends where it begins, and no end is heard of yet.
    pub(crate) fn lies_before(&self, start: i64) {
        self.position.store(start, Ordering::Relaxed);
        self.end.store(start, Ordering::Relaxed);
        self.end_seen_ms.store(0, Ordering::Relaxed);
    }

    /// Why it is not running, where that is known.
    pub(crate) fn reason(&self) -> Option<String> {
        self.hindrance().map(|hindrance| hindrance.reason)
    }

    /// What keeps it from going on, where that is known.
    pub(crate) fn hindrance(&self) -> Option<Hindrance> {
        self.lock().clone()
    }

    fn say(&self, hindrance: Option<Hindrance>) {
        *self.lock() = hindrance;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Hindrance>> {
        self.hindrance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> PartitionState {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        if is(&self.failed) {
            PartitionState::Failed
        } else if is(&self.done) {
            PartitionState::Complete
        } else if is(&self.paused) {
            PartitionState::Paused
        } else if is(&self.stalled) {
            PartitionState::Stalled
        } else if is(&self.waiting) {
            PartitionState::Waiting
        } else {
            PartitionState::Running
        }
    }

    /// Source offset up to which everything is acknowledged by the target.
    pub(crate) fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Records that the target acknowledged in this run.
    pub(crate) fn records(&self) -> u64 {
        self.records_before + self.records.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.bytes_before + self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn is_only_shown(&self) -> bool {
        self.is_only_shown
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// Offsets to this run's end, or to the source's where the run has none.
    pub(crate) fn remaining(&self) -> u64 {
        let end = match self.until {
            i64::MAX => self.end.load(Ordering::Relaxed),
            until => until,
        };
        u64::try_from(end - self.position.load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub(crate) fn figures(&self, now_ms: i64) -> PartitionFigures {
        let reading = self.read(now_ms);
        PartitionFigures {
            topic: self.id.source_topic.to_string(),
            target_topic: self.id.target_topic.to_string(),
            partition: self.id.partition,
            state: reading.state,
            reason: self.reason(),
            position: reading.position,
            source_end: reading.end,
            lag_records: reading.lag,
            lag_seconds: reading.lag_seconds,
            records: reading.records,
            bytes: reading.bytes,
            interruptions: reading.interruptions,
        }
    }

    pub(crate) fn read(&self, now_ms: i64) -> PartitionReading {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // The position first: it never passes an end that was read after it.
        let position = self.position.load(Ordering::Relaxed);
        let end = self.end.load(Ordering::Relaxed);
        let lag = u64::try_from(end - position).unwrap_or(0);
        let age = |since_ms: i64| (now_ms - since_ms).max(0) as f64 / 1e3;
        let uncommitted = self.uncommitted_ms.load(Ordering::Relaxed);
        PartitionReading {
            id: self.id.clone(),
            state: self.state(),
            records: self.records(),
            bytes: self.bytes(),
            passed: load(&self.passed),
            rebuilt: load(&self.rebuilt),
            filtered: load(&self.filtered),
            merged: load(&self.merged),
            interruptions: load(&self.interruptions),
            gaps: load(&self.gaps),
            gap_offsets: load(&self.gap_offsets),
            quarantined: load(&self.quarantined),
            position,
            end,
            lag,
            lag_seconds: if lag == 0 {
                0.0
            } else {
                age(self.oldest_missing_ms.load(Ordering::Relaxed))
            },
            commit_age_seconds: if uncommitted == 0 {
                0.0
            } else {
                age(uncommitted)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> PartitionProgress {
        let id = PartitionId {
            source_topic: "t".into(),
            target_topic: "t".into(),
            partition: 0,
        };
        PartitionProgress::new(id, 100, i64::MAX)
    }

    fn at(oldest_ms: i64, newest_ms: i64) -> Times {
        Times {
            oldest_ms,
            newest_ms,
        }
    }

    #[test]
    fn lag_in_seconds_is_the_age_of_the_oldest_record_that_is_missing() {
        let partition = partition();
        let now = now_ms();
        partition.saw_end(130);
        assert!(
            partition.read(now_ms()).lag_seconds < 1.0,
            "it only just came"
        );
        // what came turns out to be an hour old
        partition.sent(false, 1, at(now - 3_600_000, now - 3_000_000));
        let reading = partition.read(now);
        assert_eq!(reading.lag, 30);
        assert!((reading.lag_seconds - 3_600.0).abs() < 1.0);
        partition.sent(false, 1, at(now - 3_000_000, now - 2_000_000));
        partition.copied(at(now - 3_600_000, now - 3_000_000));
        partition.acknowledged(10, 1000, 110);
        assert!((partition.read(now).lag_seconds - 3_000.0).abs() < 1.0);
        partition.copied(at(now - 3_000_000, now - 2_000_000));
        partition.acknowledged(30, 3000, 130);
        assert!(
            partition.read(now).lag_seconds.abs() < f64::EPSILON,
            "caught up"
        );
        // the next record is new, however old the last one was
        partition.saw_end(131);
        assert!(partition.read(now_ms()).lag_seconds < 1.0);
    }

    #[test]
    fn records_without_a_timestamp_or_from_the_future_are_not_late() {
        let partition = partition();
        partition.saw_end(101);
        partition.sent(false, 1, at(-1, -1));
        assert!(partition.read(now_ms()).lag_seconds < 1.0);
        partition.copied(at(now_ms() + 60_000, now_ms() + 60_000));
        assert!(partition.read(now_ms()).lag_seconds.abs() < f64::EPSILON);
    }

    #[test]
    fn the_gravest_state_is_shown_with_its_reason() {
        let partition = partition();
        assert_eq!(partition.state(), PartitionState::Running);
        partition.interrupted(&"no leader", None);
        assert_eq!(partition.state(), PartitionState::Waiting);
        partition.stalled(Some(Hindrance {
            reason: "nothing moves".to_owned(),
            side: None,
        }));
        assert_eq!(partition.state(), PartitionState::Stalled);
        assert_eq!(partition.reason().as_deref(), Some("nothing moves"));
        partition.stalled(None);
        partition.waits(false);
        assert_eq!(
            (partition.state(), partition.reason()),
            (PartitionState::Running, None)
        );
        partition.pause();
        assert_eq!(partition.state(), PartitionState::Paused);
        partition.fail("recreated");
        assert_eq!(partition.state(), PartitionState::Failed);
        assert_eq!(partition.reason().as_deref(), Some("recreated"));
    }

    #[test]
    fn the_commit_age_is_that_of_the_oldest_uncommitted_record() {
        let partition = partition();
        let age =
            |partition: &PartitionProgress| partition.read(now_ms() + 5_000).commit_age_seconds;
        assert!(age(&partition).abs() < f64::EPSILON);
        partition.acknowledged(5, 50, 105);
        assert!(age(&partition) >= 5.0);
        partition.committed(5);
        assert!(age(&partition).abs() < f64::EPSILON);
    }

    #[test]
    fn the_end_is_asked_for_only_where_fetching_does_not_tell_it() {
        let partition = partition();
        assert!(
            !partition.end_is_stale(0),
            "idle and connected: a fetch is waiting there"
        );
        partition.waits(true);
        assert!(partition.end_is_stale(0));
        partition.saw_end(110);
        assert!(!partition.end_is_stale(5_000), "heard of just now");
        partition.waits(false);
        assert!(partition.end_is_stale(0), "behind: nobody may be reading");
        partition.finish();
        assert!(!partition.end_is_stale(0), "at its end");
    }
}
