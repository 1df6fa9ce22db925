//! Live figures on stderr: bars on a terminal, a log line every ten seconds elsewhere.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::IsTerminal;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use conformance::Observer;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use replicator::{Phase, Progress, Snapshot};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::output::figures::{bytes, count, counted, elapsed, rate};
use crate::output::json_log;

const REDRAW: Duration = Duration::from_millis(150);
const LOG_EVERY: Duration = Duration::from_secs(10);
/// Rates are taken over this much time, so that they neither jump nor lag.
const WINDOW: Duration = Duration::from_secs(3);

static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// All bars of the process; whoever prints makes them step aside.
pub(crate) fn bars() -> &'static MultiProgress {
    &BARS
}

/// Shows runs of the replicator.
#[derive(Debug)]
pub(crate) struct CopyDisplay {
    list: watch::Receiver<Vec<WatchedRun>>,
    runs: Vec<Watched>,
}

/// A run and its live figures.
#[derive(Debug, Clone)]
pub(crate) struct WatchedRun {
    /// What its lines begin with.
    pub(crate) label: String,
    /// Name of the mirror.
    pub(crate) mirror: String,
    /// Alias of the source.
    pub(crate) source: String,
    /// Alias of the target.
    pub(crate) target: String,
    /// The figures.
    pub(crate) progress: Arc<Progress>,
}

#[derive(Debug)]
struct Watched {
    run: WatchedRun,
    meter: Meter,
    bar: ProgressBar,
    beginning: Beginning,
}

impl CopyDisplay {
    /// A line a run, each with its label; runs come and go with the list.
    pub(crate) fn new(list: watch::Receiver<Vec<WatchedRun>>) -> Self {
        let mut display = Self {
            list,
            runs: Vec::new(),
        };
        display.follow_list();
        display
    }

    /// Takes up runs that are new in the list and lets go of those that are no longer in it.
    fn follow_list(&mut self) {
        let list = self.list.borrow_and_update().clone();
        let is_listed = |watched: &Watched| {
            list.iter()
                .any(|run| Arc::ptr_eq(&run.progress, &watched.run.progress))
        };
        self.runs.retain(is_listed);
        let style = style("{prefix:.bold} {bar:20.green} {msg}");
        for run in list {
            let known = |watched: &Watched| Arc::ptr_eq(&run.progress, &watched.run.progress);
            if self.runs.iter().any(known) {
                continue;
            }
            let bar = bars().add(ProgressBar::new(1)).with_style(style.clone());
            bar.set_prefix(run.label.clone());
            self.runs.push(Watched {
                run,
                meter: Meter::default(),
                bar,
                beginning: Beginning::default(),
            });
        }
    }

    /// Keeps the figures fresh until it is dropped, which takes the bars away. Cancel safe.
    pub(crate) async fn show(mut self) -> Infallible {
        let terminal = std::io::stderr().is_terminal() && !json_log::speaks_json();
        let mut ticks = tokio::time::interval(REDRAW);
        let mut logged = Instant::now();
        loop {
            ticks.tick().await;
            // an error only says that the list is final
            if self.list.has_changed().unwrap_or(false) {
                self.follow_list();
            }
            let now = Instant::now();
            let due = now - logged >= LOG_EVERY;
            for run in &mut self.runs {
                let snapshot = run.run.progress.snapshot();
                run.meter.note(now, &snapshot);
                if terminal {
                    run.draw(&snapshot);
                    continue;
                }
                if run.beginning.is_now(&snapshot) {
                    run.log_beginning(&snapshot);
                }
                if due {
                    run.log(&snapshot);
                }
            }
            if due {
                logged = now;
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        bars().remove(&self.bar);
    }
}

impl Watched {
    fn draw(&self, snapshot: &Snapshot) {
        self.bar
            .set_length((snapshot.records + snapshot.remaining).max(1));
        self.bar.set_position(snapshot.records);
        self.bar.set_message(self.meter.line(snapshot));
    }

    fn log_beginning(&self, snapshot: &Snapshot) {
        let WatchedRun {
            mirror,
            source,
            target,
            ..
        } = &self.run;
        tracing::info!(
            %mirror,
            %source,
            %target,
            partitions = snapshot.partitions,
            failed = snapshot.failed.len(),
            "copying begins: {source} → {target}"
        );
    }

    fn log(&self, snapshot: &Snapshot) {
        let some = |count: usize| (count > 0).then_some(count);
        tracing::info!(
            mirror = %self.run.mirror,
            source = %self.run.source,
            target = %self.run.target,
            phase = phase(snapshot),
            records = snapshot.records,
            records_per_second = self.meter.records_per_second() as u64,
            bytes = snapshot.bytes,
            bytes_per_second = self.meter.bytes_per_second() as u64,
            lag = snapshot.remaining,
            lag_seconds = snapshot.lag_seconds,
            throttle = snapshot.throttle,
            partitions = snapshot.partitions,
            waiting = some(snapshot.waiting),
            stalled = some(snapshot.stalled),
            paused = some(snapshot.paused),
            failed = snapshot.failed.len(),
            "progress{}",
            aside(snapshot)
        );
    }
}

/// Notices once that a run has found its partitions, which it starts one after the other.
#[derive(Debug, Default)]
struct Beginning {
    partitions: usize,
    over: bool,
}

impl Beginning {
    fn is_now(&mut self, snapshot: &Snapshot) -> bool {
        let settled = snapshot.partitions > 0 && snapshot.partitions == self.partitions;
        self.partitions = snapshot.partitions;
        let now = settled && !self.over;
        self.over |= settled;
        now
    }
}

/// When, records, bytes.
type Seen = (Instant, u64, u64);

/// Rates over the last moments.
#[derive(Debug, Default)]
struct Meter {
    seen: VecDeque<Seen>,
}

impl Meter {
    fn note(&mut self, now: Instant, snapshot: &Snapshot) {
        self.seen.push_back((now, snapshot.records, snapshot.bytes));
        while self.seen.len() > 2 && self.seen.get(1).is_some_and(|(at, ..)| now - *at >= WINDOW) {
            self.seen.pop_front();
        }
    }

    fn records_per_second(&self) -> f64 {
        self.ends().map_or(0.0, |(old, new)| {
            rate(new.1.saturating_sub(old.1), new.0 - old.0)
        })
    }

    fn bytes_per_second(&self) -> f64 {
        self.ends().map_or(0.0, |(old, new)| {
            rate(new.2.saturating_sub(old.2), new.0 - old.0)
        })
    }

    fn ends(&self) -> Option<(&Seen, &Seen)> {
        Some((self.seen.front()?, self.seen.back()?))
    }

    fn line(&self, snapshot: &Snapshot) -> String {
        // a topic that is refused counts as one until its partitions are shown
        let stopped = snapshot.stopped.max(snapshot.failed.len());
        let mut line = format!(
            "{}  {}  {}/s  {}/s  lag {}{}  {}/{}",
            phase(snapshot),
            counted(snapshot.records as usize, "record"),
            count(self.records_per_second() as u64),
            bytes(self.bytes_per_second()),
            count(snapshot.remaining),
            self.time_left(snapshot),
            snapshot.partitions.saturating_sub(stopped),
            counted(snapshot.partitions, "partition"),
        );
        if stopped > 0 {
            line.push_str(&format!("  {stopped} stopped"));
        }
        line.push_str(&aside(snapshot));
        line
    }

    /// How late the oldest record is, and when the mirror will have caught up at this rate, where
    /// there is something worth saying.
    fn time_left(&self, snapshot: &Snapshot) -> String {
        if snapshot.remaining == 0 {
            return String::new();
        }
        let mut words = Vec::new();
        if snapshot.lag_seconds > 0 {
            words.push(elapsed(Duration::from_secs(snapshot.lag_seconds)));
        }
        let rate = self.records_per_second();
        if rate >= 1.0 {
            let left = Duration::from_secs_f64(snapshot.remaining as f64 / rate);
            if left >= Duration::from_secs(2) {
                words.push(format!("done in {}", elapsed(left)));
            }
        }
        if words.is_empty() {
            return String::new();
        }
        format!(" ({})", words.join(", "))
    }
}

/// What keeps the figures from being better.
fn aside(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for (partitions, what) in [
        (snapshot.waiting, "waiting for a cluster"),
        (snapshot.stalled, "stalled"),
        (snapshot.paused, "paused"),
    ] {
        if partitions > 0 {
            text.push_str(&format!("; {} {what}", counted(partitions, "partition")));
        }
    }
    if let Some(limit) = snapshot.throttle {
        text.push_str(&format!("; limited to {}/s", bytes(limit as f64)));
    }
    text
}

fn phase(snapshot: &Snapshot) -> &'static str {
    match snapshot.phase {
        // while no partition is left that copies
        Phase::Copying
            if snapshot.waiting > 0
                && snapshot.waiting + snapshot.partitions_done >= snapshot.partitions =>
        {
            "waiting"
        }
        other => other.name(),
    }
}

/// Follows the judge, and passes the wish to stop on to it.
#[derive(Debug)]
pub(crate) struct JudgeDisplay {
    stop: CancellationToken,
    bar: ProgressBar,
    told: Mutex<Option<Instant>>,
}

impl JudgeDisplay {
    /// A bar that shows what the judge is doing.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        let bar = bars().add(ProgressBar::new(1));
        bar.set_style(style("{msg:.bold} {bar:20.cyan} {human_pos}/{human_len}"));
        Self {
            stop,
            bar,
            told: Mutex::new(None),
        }
    }
}

impl Observer for JudgeDisplay {
    fn progress(&self, done: u64, total: u64, what: &str) {
        if self.bar.message() != what {
            self.bar.reset();
            self.bar.set_message(what.to_owned());
        }
        self.bar.set_length(total.max(done).max(1));
        self.bar.set_position(done);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            *told = Some(Instant::now());
            tracing::info!(done, total, "{what}");
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}

impl Drop for JudgeDisplay {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        bars().remove(&self.bar);
    }
}

fn style(template: &str) -> ProgressStyle {
    // the templates are constants; were one wrong, the default bar would still show the figures
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(records: u64, bytes: u64) -> Snapshot {
        Snapshot {
            phase: Phase::Copying,
            partitions: 8,
            partitions_done: 0,
            waiting: 0,
            stalled: 0,
            paused: 0,
            stopped: 0,
            lag_seconds: 0,
            throttle: None,
            records,
            bytes,
            remaining: 1_500,
            gaps: 0,
            gap_offsets: 0,
            quarantined: 0,
            failed: Vec::new(),
        }
    }

    #[test]
    fn rates_forget_what_is_long_ago() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.note(start, &snapshot(0, 0));
        meter.note(start + Duration::from_secs(1), &snapshot(1_000, 5_000));
        assert!((meter.records_per_second() - 1_000.0).abs() < 1.0);
        for second in 2..=20 {
            meter.note(start + Duration::from_secs(second), &snapshot(1_000, 5_000));
        }
        assert!(meter.records_per_second() < 1.0, "idle by now");
        assert_eq!(
            meter.line(&snapshot(1_000, 5_000)),
            "copying  1,000 records  0/s  0 B/s  lag 1,500  8/8 partitions"
        );
    }

    #[test]
    fn one_of_a_kind_is_said_as_one() {
        let one = Snapshot {
            partitions: 1,
            remaining: 0,
            ..snapshot(1, 10)
        };
        assert_eq!(
            Meter::default().line(&one),
            "copying  1 record  0/s  0 B/s  lag 0  1/1 partition"
        );
    }

    #[test]
    fn an_outage_is_said_in_the_line() {
        let some = Snapshot {
            waiting: 3,
            ..snapshot(0, 0)
        };
        assert_eq!(
            Meter::default().line(&some),
            "copying  0 records  0/s  0 B/s  lag 1,500  8/8 partitions; \
             3 partitions waiting for a cluster"
        );
        let all = Snapshot {
            waiting: 7,
            partitions_done: 1,
            ..snapshot(0, 0)
        };
        assert!(Meter::default().line(&all).starts_with("waiting  "));
    }

    #[test]
    fn a_phase_is_named_as_on_every_page() {
        let standing_by = Snapshot {
            phase: Phase::StandingBy,
            ..snapshot(0, 0)
        };
        assert_eq!(phase(&standing_by), "standing-by");
    }

    #[test]
    fn lateness_and_the_time_left_are_said_while_something_is_missing() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.note(start, &snapshot(0, 0));
        meter.note(start + Duration::from_secs(1), &snapshot(100, 0));
        let late = Snapshot {
            lag_seconds: 95,
            stalled: 1,
            throttle: Some(2_000_000),
            ..snapshot(100, 0)
        };
        assert_eq!(
            meter.line(&late),
            "copying  100 records  100/s  0 B/s  lag 1,500 (95 s, done in 15 s)  8/8 partitions; \
             1 partition stalled; limited to 2.0 MB/s"
        );
    }

    #[test]
    fn the_beginning_is_noticed_once_and_not_before_all_partitions_are_there() {
        let mut beginning = Beginning::default();
        let mut with = |partitions| {
            beginning.is_now(&Snapshot {
                partitions,
                ..snapshot(0, 0)
            })
        };
        assert_eq!(
            [0, 0, 3, 8, 8, 8, 9, 9].map(&mut with),
            [false, false, false, false, true, false, false, false]
        );
    }

    #[test]
    fn templates_are_legal() {
        for template in [
            "{prefix:.bold} {bar:20.green} {msg}",
            "{msg:.bold} {bar:20.cyan} {human_pos}/{human_len}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
