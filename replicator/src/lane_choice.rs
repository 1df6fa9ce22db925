//! Several produce connections to a broker, or one for all partitions: what is faster is found out by trying.
//!
//! A broker handles one request of a connection at a time, so several connections are needed to use several of its
//! cores: on four, eight brought 2.6 times what one did (1 KiB, zstd). Where it has only one core to give, eight threads take
//! it from each other, and one connection whose requests carry a batch of every partition brought four percent more. How
//! many cores a broker has for us nobody says, so where batches wait for it, both ways are tried by turns for a moment,
//! again and again at growing intervals.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::link::Link;
use crate::traffic::Traffic;

/// Answers that come this soon after a change still belong to requests from before.
const SETTLING: Duration = Duration::from_millis(30);
/// How long a rate is measured.
const WINDOW: Duration = Duration::from_millis(150);
/// Fewer answers in a window say nothing.
const ENOUGH_ANSWERS: u32 = 8;
/// From the first answer to the first trial.
const FIRST_TRIAL: Duration = Duration::from_millis(250);
/// From a trial to the next one: at first, and at most. It doubles while trials confirm what is done.
const NEXT_TRIAL: Duration = Duration::from_secs(10);
const RAREST_TRIAL: Duration = Duration::from_mins(5);
/// One connection is taken when it brings this part of what several do. On one core it brought 0.97 to 1.1 times as much,
/// on two half to two thirds.
const AS_GOOD: f64 = 1.0;
/// The rates of single windows differ by fifteen percent, and a broker that stops for a moment can halve one: so the first
/// pair of windows decides little, the second nearly all. More pairs would find more out, and every change costs: lanes wait
/// until what is under way is settled.
const FAR_WORSE: f64 = 0.65;
const CLEARLY_BETTER: f64 = 1.05;
const PAIRS: u8 = 4;

/// How partitions are spread over the connections to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Over all of them.
    Apart,
    /// All on one.
    Together,
}

impl Spread {
    fn other(self) -> Self {
        match self {
            Self::Apart => Self::Together,
            Self::Together => Self::Apart,
        }
    }
}

/// One broker's choice, shared by the lanes to it.
#[derive(Debug)]
pub(crate) struct LaneChoice {
    broker: i32,
    traffic: Arc<Traffic>,
    /// `None` where it is no question.
    trials: Option<Mutex<Trials>>,
    spread: watch::Sender<Spread>,
}

impl LaneChoice {
    /// On a long link one connection is never enough.
    pub(crate) fn new(broker: i32, link: Link, traffic: Arc<Traffic>) -> Self {
        Self {
            broker,
            traffic,
            trials: (!link.is_long()).then(|| Mutex::new(Trials::new())),
            spread: watch::Sender::new(Spread::Apart),
        }
    }

    pub(crate) fn spread(&self) -> watch::Receiver<Spread> {
        self.spread.subscribe()
    }

    /// A request of so many bytes was answered; `more`: its lane has batches that wait, or are under way.
    pub(crate) fn answered(&self, bytes: usize, more: bool) {
        let Some(trials) = &self.trials else {
            return;
        };
        // what a throttle lets through says nothing about the broker
        let more = more && !self.traffic.is_limited();
        let mut trials = trials.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(trials.answered(Instant::now(), bytes, more));
    }

    /// Tells the lanes, if it is news.
    pub(crate) fn take(&self, spread: Spread) {
        let changed = self.spread.send_if_modified(|now| {
            let differs = *now != spread;
            *now = spread;
            differs
        });
        if changed {
            let connections = match spread {
                Spread::Together => {
                    self.traffic.joined();
                    "one"
                }
                Spread::Apart => {
                    self.traffic.parted();
                    "several"
                }
            };
            tracing::debug!(
                broker = self.broker,
                connections,
                "produce connections chosen"
            );
        }
    }
}

impl Drop for LaneChoice {
    fn drop(&mut self) {
        self.take(Spread::Apart);
    }
}

/// What was answered in a while.
#[derive(Debug, Clone, Copy)]
struct Window {
    opened: Instant,
    bytes: u64,
    answers: u32,
    /// Answers after which more was waiting: the broker is what the copy waits for.
    awaited: u32,
}

impl Window {
    fn at(opened: Instant) -> Self {
        Self {
            opened,
            bytes: 0,
            answers: 0,
            awaited: 0,
        }
    }

    fn count(&mut self, bytes: usize, more: bool) {
        self.bytes += bytes as u64;
        self.answers += 1;
        self.awaited += u32::from(more);
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.opened) >= WINDOW
    }

    /// Bytes a second, where the broker was what the copy waited for.
    fn rate(&self, now: Instant) -> Option<f64> {
        let waited_for = self.answers >= ENOUGH_ANSWERS && self.awaited * 4 >= self.answers * 3;
        let seconds = now.saturating_duration_since(self.opened).as_secs_f64();
        waited_for.then(|| self.bytes as f64 / seconds)
    }
}

/// The best rates of a trial's windows: what disturbs a broker for a moment only makes a window worse.
#[derive(Debug, Clone, Copy, Default)]
struct Rates {
    apart: f64,
    together: f64,
}

impl Rates {
    fn take_in(&mut self, spread: Spread, rate: f64) {
        let best = match spread {
            Spread::Apart => &mut self.apart,
            Spread::Together => &mut self.together,
        };
        *best = best.max(rate);
    }

    /// `None` where the two are so near that another pair is worth its time.
    fn verdict(&self, pairs: u8) -> Option<Spread> {
        let ratio = self.together / self.apart;
        match pairs {
            ..2 => (ratio < FAR_WORSE).then_some(Spread::Apart),
            2.. if ratio < AS_GOOD => Some(Spread::Apart),
            2..PAIRS => (ratio >= CLEARLY_BETTER).then_some(Spread::Together),
            PAIRS.. => Some(Spread::Together),
        }
    }
}

/// A trial under way.
#[derive(Debug, Clone, Copy, Default)]
struct Trial {
    rates: Rates,
    windows: u8,
}

/// When to try, what to measure, and what follows from it. Knows no clock and no connections.
#[derive(Debug)]
struct Trials {
    /// Outside of trials.
    usual: Spread,
    now: Spread,
    window: Option<Window>,
    trial: Option<Trial>,
    due: Option<Instant>,
    interval: Duration,
}

impl Trials {
    fn new() -> Self {
        Self {
            usual: Spread::Apart,
            now: Spread::Apart,
            window: None,
            trial: None,
            due: None,
            interval: NEXT_TRIAL,
        }
    }

    /// Takes an answer in and says how partitions are to be spread from now on.
    fn answered(&mut self, now: Instant, bytes: usize, more: bool) -> Spread {
        let due = *self.due.get_or_insert(now + FIRST_TRIAL);
        let window = self.window.get_or_insert(Window::at(now));
        if now < window.opened {
            return self.now;
        }
        window.count(bytes, more);
        if !window.is_over(now) {
            return self.now;
        }
        let rate = window.rate(now);
        match (rate, self.trial) {
            (Some(rate), Some(trial)) => self.measured(now, trial, rate),
            (Some(rate), None) if now >= due => self.measured(now, Trial::default(), rate),
            (Some(_), None) => self.window = Some(Window::at(now)),
            // the broker waits for us: several connections do no harm, and are there when it is busy again
            (None, trial) => {
                if trial.is_some() {
                    self.due = Some(now + self.interval);
                }
                self.settle_for(Spread::Apart, now);
            }
        }
        self.now
    }

    fn measured(&mut self, now: Instant, mut trial: Trial, rate: f64) {
        trial.rates.take_in(self.now, rate);
        trial.windows += 1;
        let pairs = trial.windows / 2;
        let verdict = trial
            .windows
            .is_multiple_of(2)
            .then(|| trial.rates.verdict(pairs))
            .flatten();
        if let Some(spread) = verdict {
            self.interval = if spread == self.usual {
                (self.interval * 2).min(RAREST_TRIAL)
            } else {
                NEXT_TRIAL
            };
            self.due = Some(now + self.interval);
            self.settle_for(spread, now);
        } else {
            self.trial = Some(trial);
            let next = if trial.windows.is_multiple_of(2) {
                // the second pair goes the other way round, and so on: a broker that gets faster all the time does no way
                // a favour
                self.now
            } else {
                self.now.other()
            };
            self.change_to(next, now);
        }
    }

    fn settle_for(&mut self, spread: Spread, now: Instant) {
        self.usual = spread;
        self.trial = None;
        self.change_to(spread, now);
    }

    fn change_to(&mut self, spread: Spread, now: Instant) {
        let settling = if spread == self.now {
            Duration::ZERO
        } else {
            SETTLING
        };
        self.now = spread;
        self.window = Some(Window::at(now + settling));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker that answers a request of `bytes(spread)` every millisecond, for so long.
    struct Broker {
        trials: Trials,
        now: Instant,
        together_ms: u32,
    }

    impl Broker {
        fn new() -> Self {
            Self {
                trials: Trials::new(),
                now: Instant::now(),
                together_ms: 0,
            }
        }

        fn run(&mut self, duration: Duration, apart: usize, together: usize, more: bool) {
            let end = self.now + duration;
            self.together_ms = 0;
            while self.now < end {
                self.now += Duration::from_millis(1);
                let bytes = match self.trials.now {
                    Spread::Apart => apart,
                    Spread::Together => together,
                };
                if self.trials.answered(self.now, bytes, more) == Spread::Together {
                    self.together_ms += 1;
                }
            }
        }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn where_one_connection_brings_as_much_one_is_used() {
        let mut broker = Broker::new();
        broker.run(Duration::from_secs(2), 1000, 1040, true);
        assert_eq!(broker.trials.usual, Spread::Together);
        broker.run(MINUTE, 1000, 1040, true);
        assert!(broker.together_ms > 58_000, "{}", broker.together_ms);
    }

    #[test]
    fn where_several_bring_more_trying_one_costs_little() {
        let mut broker = Broker::new();
        broker.run(MINUTE, 1000, 600, true);
        assert_eq!(broker.trials.usual, Spread::Apart);
        // three trials of a window each: at half a second, and 20 and 60 seconds later
        let trial = (SETTLING + WINDOW).as_millis() as u32 + 1;
        assert!(broker.together_ms <= 3 * trial, "{}", broker.together_ms);
        assert!(broker.together_ms >= trial, "{}", broker.together_ms);
        broker.run(MINUTE * 60, 1000, 600, true);
        assert!(broker.together_ms <= 15 * trial, "{}", broker.together_ms);
    }

    #[test]
    fn a_broker_that_gets_more_cores_gets_more_connections() {
        let mut broker = Broker::new();
        broker.run(MINUTE, 1000, 1040, true);
        assert_eq!(broker.trials.usual, Spread::Together);
        broker.run(MINUTE * 2, 1000, 500, true);
        assert_eq!(broker.trials.usual, Spread::Apart);
    }

    #[test]
    fn where_nothing_waits_for_the_broker_nothing_is_tried() {
        let mut broker = Broker::new();
        broker.run(MINUTE, 1000, 2000, false);
        assert_eq!(broker.together_ms, 0);
    }

    #[test]
    fn a_copy_that_caught_up_goes_back_to_several() {
        let mut broker = Broker::new();
        broker.run(Duration::from_secs(2), 1000, 1040, true);
        assert_eq!(broker.trials.now, Spread::Together);
        broker.run(Duration::from_millis(400), 1000, 1040, false);
        assert_eq!(broker.trials.now, Spread::Apart);
    }

    #[test]
    fn a_little_slower_is_not_as_good() {
        let mut broker = Broker::new();
        broker.run(MINUTE, 1000, 950, true);
        assert_eq!(broker.trials.usual, Spread::Apart);
    }

    #[test]
    fn a_broker_that_gets_faster_all_the_time_does_one_connection_no_favour() {
        let mut broker = Broker::new();
        for second in 0..200 {
            let bytes = 1000 + 20 * second;
            broker.run(Duration::from_millis(50), bytes, bytes * 97 / 100, true);
        }
        assert_eq!(broker.trials.usual, Spread::Apart);
    }

    #[test]
    fn brokers_with_one_connection_are_counted() {
        let traffic = Arc::new(Traffic::default());
        let choice = |broker| LaneChoice {
            broker,
            traffic: traffic.clone(),
            trials: None,
            spread: watch::Sender::new(Spread::Apart),
        };
        let (one, two) = (choice(1), choice(2));
        one.take(Spread::Together);
        one.take(Spread::Together);
        two.take(Spread::Together);
        assert_eq!(traffic.read().joined_brokers, 2);
        one.take(Spread::Apart);
        assert_eq!(traffic.read().joined_brokers, 1);
        drop(two);
        assert_eq!(traffic.read().joined_brokers, 0);
    }

    #[test]
    fn under_a_throttle_nothing_is_tried() {
        // the next answer ends a window, after which a trial is due
        let tried_with = |limit| {
            let traffic = Arc::new(Traffic::default());
            traffic.limit(limit);
            let opened = Instant::now().checked_sub(WINDOW).expect("later than boot");
            let trials = Trials {
                due: Some(opened),
                window: Some(Window {
                    opened,
                    bytes: 31_000,
                    answers: 31,
                    awaited: 23,
                }),
                ..Trials::new()
            };
            let choice = LaneChoice {
                broker: 1,
                traffic,
                trials: Some(Mutex::new(trials)),
                spread: watch::Sender::new(Spread::Apart),
            };
            choice.answered(1000, true);
            *choice.spread.borrow()
        };
        assert_eq!(tried_with(0), Spread::Together);
        assert_eq!(tried_with(1 << 20), Spread::Apart);
    }

    #[test]
    fn one_bad_window_does_not_decide() {
        let mut broker = Broker::new();
        broker.run(FIRST_TRIAL, 1000, 1020, true);
        // the window that is measured first, and a pause of the broker within
        broker.run(WINDOW, 1000, 1020, true);
        broker.now += Duration::from_millis(30);
        broker.run(Duration::from_secs(3), 1000, 1020, true);
        assert_eq!(broker.trials.usual, Spread::Together);
    }
}
