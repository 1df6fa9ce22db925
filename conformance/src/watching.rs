//! Writes a workload and looks at the target meanwhile.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::asker::{Asker, Span};
use crate::endpoint::Endpoint;
use crate::first_looks::Looker;
use crate::history::Sighting;
use crate::journal::Journal;
use crate::observer::Observer;
use crate::ranges::RangeSet;
use crate::reader::{Reader, Step};
use crate::watched::{Board, Watched};
use crate::workload::WorkloadSpec;
use crate::write::{now_ms, planned, write};

/// librdkafka holds at most this much ahead of the one who looks.
const QUEUED_KIB: u32 = 8 * 1024;
/// Between two looks at what is not there, or away.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Between two looks at a topic that holds nothing yet; each makes connections of its own.
const LOOK_AT_THE_TOPIC_AGAIN: Duration = Duration::from_millis(500);

/// Where the workload is expected, and for how long after it was written.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// The topic on the target.
    pub target_topic: String,
    /// How long to wait for the next record after the last write.
    pub patience: Duration,
}

/// As [`crate::write_workload`], or [`crate::write_supplied`] with a file, and keeps in the journal what was seen on the target
/// meanwhile. The target may be away now and then: it is looked at again.
///
/// Blocks the calling thread until everything acknowledged was seen, or nothing more came for the declared patience.
pub fn write_watched(
    source: &Endpoint,
    target: &Endpoint,
    (spec, own_records): (&WorkloadSpec, Option<&Path>),
    options: &WatchOptions,
    observer: &dyn Observer,
) -> Result<Journal, Error> {
    let journal = planned(source, spec, own_records, observer)?;
    let board = Arc::new(Board::new(journal.streams.len()));
    // whose records are whose: everything that is planned counts as written by who looks
    let mut all = journal.clone();
    for stream in 0..all.streams.len() {
        all.streams[stream].written = all.stream_length(stream as u32);
    }
    let is_over = AtomicBool::new(false);
    let unheard = Unheard(observer);
    let mut looker = Looker::new(
        (source, &spec.topic),
        (target, &options.target_topic),
        &unheard,
    );
    // a mirror that has made the topic already is seen to have done so before anything is written
    looker.look();
    let (written, looks) = thread::scope(|scope| {
        let looker = scope.spawn(|| {
            while !looker.is_done() && !is_over.load(Ordering::Acquire) {
                thread::park_timeout(LOOK_AT_THE_TOPIC_AGAIN);
                looker.look();
            }
            looker.end()
        });
        let sampler = scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                thread::park_timeout(board.sample(now_ms()));
            }
        });
        let watcher = scope.spawn(|| {
            Watcher {
                target,
                journal: &all,
                board: &board,
                options,
                observer: &unheard,
                nexts: BTreeMap::new(),
                seen: vec![RangeSet::new(); all.streams.len()],
                heard: Instant::now(),
            }
            .watch();
        });
        let written = write(source, journal, Some(&board), observer);
        board.ends_writing();
        // a panic of who looks is no reason to lose the journal
        let _ = watcher.join();
        is_over.store(true, Ordering::Release);
        sampler.thread().unpark();
        looker.thread().unpark();
        (written, looker.join().unwrap_or_default())
    });
    let mut journal = written?;
    journal.watched = Some(Watched {
        looks,
        ..board.end()
    });
    Ok(journal)
}

/// The writer tells the progress; who looks tells none.
struct Unheard<'o>(&'o dyn Observer);

impl Observer for Unheard<'_> {
    fn progress(&self, _done: u64, _total: u64, _what: &str) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

struct Watcher<'w> {
    target: &'w Endpoint,
    journal: &'w Journal,
    board: &'w Board,
    options: &'w WatchOptions,
    observer: &'w dyn Observer,
    /// Where reading goes on after an interruption.
    nexts: BTreeMap<i32, i64>,
    seen: Vec<RangeSet>,
    heard: Instant,
}

impl Watcher<'_> {
    fn watch(&mut self) {
        loop {
            match self.follow() {
                Ok(()) | Err(Error::Cancelled) => return,
                Err(error) => tracing::warn!(%error, "the target is looked at again"),
            }
            if self.is_done() {
                return;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn follow(&mut self) -> Result<(), Error> {
        let topic = self.options.target_topic.as_str();
        let asker = Asker::open(self.target, self.observer)?;
        let partitions = loop {
            if let Some(partitions) = asker.partition_counts(Some(topic))?.remove(topic) {
                break partitions;
            }
            if self.is_done() {
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        };
        let all: Vec<i32> = (0..partitions).collect();
        let spans = asker.spans(topic, &all)?.into_iter();
        let spans: Vec<Span> = spans
            .map(|(partition, first, end)| {
                let next = self.nexts.get(&partition).copied().unwrap_or(first);
                (partition, next.max(first), end)
            })
            .collect();
        let mut reader = Reader::open(&asker, QUEUED_KIB);
        reader.assign(topic, &spans)?;
        while !self.is_done() {
            // beyond the end of that moment, too: what comes is shown
            let step = reader.poll(|partition, offset, record| {
                self.nexts.insert(partition, offset + 1);
                let sighting = Sighting::new(self.journal, partition, offset, record);
                if let Some(id) = sighting.id()
                    && self.seen[id.stream as usize].insert(id.sequence)
                {
                    self.board.sees(id, now_ms());
                }
                Ok(())
            })?;
            if step == Step::Record {
                self.heard = Instant::now();
            }
        }
        Ok(())
    }

    fn is_done(&mut self) -> bool {
        if self.observer.cancelled() {
            return true;
        }
        if !self.board.is_written() {
            self.heard = Instant::now();
            return false;
        }
        self.board.behind() == 0 || self.heard.elapsed() >= self.options.patience
    }
}
