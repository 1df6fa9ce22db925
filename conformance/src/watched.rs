//! What is seen of a mirror while a workload is written: when some of its records were written and when they were on the target,
//! and how far the target was behind. Bounded, however long that takes: what is kept gets sparser.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::first_looks::FirstLooks;
use crate::stamp::RecordId;

/// As many marks, open or seen, are kept.
const MOST_MARKS: usize = 65_536;
/// As many samples.
const MOST_SAMPLES: usize = 16_384;

/// A record whose way was timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which record.
    pub id: RecordId,
    /// When the writer gave it to its producer, in milliseconds since the epoch.
    pub written_ms: i64,
    /// When it was read from the target for the first time; `None` when it was not.
    pub seen_ms: Option<i64>,
}

/// How far the target was behind at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LagSample {
    /// The moment, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Records that the source had acknowledged and nobody had read from the target.
    pub records: u64,
    /// Age of the oldest of them, in milliseconds; 0 when there was none.
    pub late_ms: u64,
}

/// All that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Some of the records, those that were seen first.
    pub marks: Vec<Mark>,
    /// In the order of time.
    pub samples: Vec<LagSample>,
    /// At the target's topic, until it held a record.
    #[serde(default)]
    pub looks: FirstLooks,
}

/// Where the writer and the reader of the target say what they did.
#[derive(Debug)]
pub(crate) struct Board {
    acknowledged: AtomicU64,
    seen: AtomicU64,
    is_written: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Of each stream: the sequences that were not seen yet, with the time they were written.
    open: Vec<BTreeMap<u64, i64>>,
    /// Of each stream: when a record was marked last.
    marked_ms: Vec<i64>,
    /// Least time between two marks of a stream, in milliseconds.
    mark_every_ms: i64,
    sample_every: Duration,
    watched: Watched,
}

impl Board {
    pub(crate) fn new(streams: usize) -> Self {
        Self {
            acknowledged: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            is_written: AtomicBool::new(false),
            kept: Mutex::new(Kept {
                open: vec![BTreeMap::new(); streams],
                marked_ms: vec![i64::MIN; streams],
                mark_every_ms: 20,
                sample_every: Duration::from_millis(250),
                watched: Watched::default(),
            }),
        }
    }

    /// A record is about to be written. Until the source has acknowledged a first one, the writer's producer is still
    /// connecting, and that is no time that the mirror takes.
    pub(crate) fn writes(&self, id: RecordId, now_ms: i64) {
        if self.acknowledged.load(Ordering::Relaxed) > 0 {
            self.kept().mark(id, now_ms);
        }
    }

    /// The source has acknowledged a record.
    pub(crate) fn acknowledges(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    /// A record was not written, or nobody knows: nobody is late with it.
    pub(crate) fn gives_up(&self, id: RecordId) {
        if let Some(open) = self.kept().open.get_mut(id.stream as usize) {
            open.remove(&id.sequence);
        }
    }

    /// Nothing more is written.
    pub(crate) fn ends_writing(&self) {
        self.is_written.store(true, Ordering::Release);
    }

    pub(crate) fn is_written(&self) -> bool {
        self.is_written.load(Ordering::Acquire)
    }

    /// A record was read from the target for the first time.
    pub(crate) fn sees(&self, id: RecordId, now_ms: i64) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        self.kept().see(id, now_ms);
    }

    /// Records that were acknowledged and not seen.
    pub(crate) fn behind(&self) -> u64 {
        // read first what is counted last
        let seen = self.seen.load(Ordering::Relaxed);
        self.acknowledged
            .load(Ordering::Relaxed)
            .saturating_sub(seen)
    }

    /// Notes how far the target is behind; how long it is until the next time.
    pub(crate) fn sample(&self, now_ms: i64) -> Duration {
        let records = self.behind();
        self.kept().sample(records, now_ms)
    }

    /// What was seen; records that were not seen come last.
    pub(crate) fn end(&self) -> Watched {
        let mut kept = self.kept();
        let mut watched = std::mem::take(&mut kept.watched);
        for (stream, open) in (0_u32..).zip(std::mem::take(&mut kept.open)) {
            watched
                .marks
                .extend(open.into_iter().map(|(sequence, written_ms)| Mark {
                    id: RecordId { stream, sequence },
                    written_ms,
                    seen_ms: None,
                }));
        }
        watched
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn mark(&mut self, id: RecordId, now_ms: i64) {
        let stream = id.stream as usize;
        let (Some(open), Some(marked_ms)) =
            (self.open.get_mut(stream), self.marked_ms.get_mut(stream))
        else {
            return;
        };
        if now_ms.saturating_sub(*marked_ms) < self.mark_every_ms {
            return;
        }
        *marked_ms = now_ms;
        open.insert(id.sequence, now_ms);
        // most of what is open is in the streams that are behind; each is thinned out alike
        if open.len() * self.marked_ms.len() > MOST_MARKS {
            let mut keep = false;
            open.retain(|_, _| {
                keep = !keep;
                keep
            });
            self.mark_every_ms *= 2;
        }
    }

    fn see(&mut self, id: RecordId, now_ms: i64) {
        let open = self.open.get_mut(id.stream as usize);
        let Some(written_ms) = open.and_then(|open| open.remove(&id.sequence)) else {
            return;
        };
        let marks = &mut self.watched.marks;
        marks.push(Mark {
            id,
            written_ms,
            // clocks go back now and then
            seen_ms: Some(now_ms.max(written_ms)),
        });
        if marks.len() > MOST_MARKS {
            every_second(marks);
            self.mark_every_ms *= 2;
        }
    }

    fn sample(&mut self, records: u64, now_ms: i64) -> Duration {
        let firsts = self.open.iter().filter_map(|open| open.first_key_value());
        let oldest = firsts.map(|(_, written_ms)| *written_ms).min();
        let late_ms = match oldest {
            Some(written_ms) if records > 0 => now_ms.saturating_sub(written_ms).max(0) as u64,
            Some(_) | None => 0,
        };
        let samples = &mut self.watched.samples;
        samples.push(LagSample {
            at_ms: now_ms,
            records,
            late_ms,
        });
        if samples.len() > MOST_SAMPLES {
            every_second(samples);
            self.sample_every *= 2;
        }
        self.sample_every
    }
}

fn every_second<T>(kept: &mut Vec<T>) {
    let mut keep = false;
    kept.retain(|_| {
        keep = !keep;
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(stream: u32, sequence: u64) -> RecordId {
        RecordId { stream, sequence }
    }

    #[test]
    fn lag_is_the_age_of_what_was_acknowledged_and_not_seen() {
        let board = Board::new(2);
        board.writes(id(1, 7), 400); // while the producer connects
        board.acknowledges();
        board.writes(id(0, 0), 1_000);
        board.writes(id(0, 1), 1_005); // too soon after the one before to be marked
        board.writes(id(1, 0), 1_100);
        for _ in 0..2 {
            board.acknowledges();
        }
        board.sample(1_200);
        board.sees(id(0, 0), 1_250);
        board.sample(1_300);
        board.sees(id(0, 1), 1_301);
        board.sees(id(1, 0), 1_302);
        board.sample(1_400);
        assert_eq!(board.behind(), 0);
        let watched = board.end();
        let lags: Vec<(u64, u64)> = watched
            .samples
            .iter()
            .map(|it| (it.records, it.late_ms))
            .collect();
        assert_eq!(lags, [(3, 200), (2, 200), (0, 0)]);
        let seen: Vec<_> = watched.marks.iter().map(|it| (it.id, it.seen_ms)).collect();
        assert_eq!(seen, [(id(0, 0), Some(1_250)), (id(1, 0), Some(1_302))]);
    }

    #[test]
    fn what_was_not_written_is_not_late_and_what_was_not_seen_comes_last() {
        let board = Board::new(1);
        board.acknowledges();
        board.writes(id(0, 0), 1_000);
        board.writes(id(0, 1), 2_000);
        board.gives_up(id(0, 0));
        board.sample(2_500);
        let watched = board.end();
        assert_eq!(watched.samples[0].late_ms, 500);
        assert_eq!(watched.marks.len(), 1);
        assert_eq!(
            (watched.marks[0].id, watched.marks[0].seen_ms),
            (id(0, 1), None)
        );
    }

    #[test]
    fn memory_is_bounded_and_what_is_kept_gets_sparser() {
        let board = Board::new(1);
        board.acknowledges();
        for number in 0..400_000 {
            board.writes(id(0, number), number as i64 * 20);
            if number.is_multiple_of(2) {
                board.sees(id(0, number), number as i64 * 20 + 5);
            }
            board.sample(number as i64 * 20);
        }
        let watched = board.end();
        assert!(
            watched.marks.len() <= 2 * MOST_MARKS + 1,
            "{}",
            watched.marks.len()
        );
        assert!(
            watched.samples.len() <= MOST_SAMPLES + 1,
            "{}",
            watched.samples.len()
        );
        let last = watched.samples.last().expect("samples");
        assert!(last.at_ms > 7_900_000, "to the end: {last:?}");
    }
}
