//! How much of the byte budget may be under way, by what the target takes.
//!
//! What is under way beyond throughput × round trip only waits. It waits at a target that is throttled, and where that
//! lasts longer than an answer may take, everything is sent again. So the window follows what was acknowledged lately:
//! it begins small, and doubles for as long as the target takes twice as much.

use std::time::Duration;

use kafka::Cluster;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::link::Link;
use crate::traffic::Traffic;

/// Whatever the target takes, and before anything is known of it: as much as the whole budget on a LAN, so that there a
/// target that stands still takes no more from its neighbours than the budget lets it.
const LEAST: u64 = 16 << 20;
/// So much more than the link holds: a target answers when it has written and replicated, and rates waver.
const HEADROOM: u64 = 2;
const AT_THE_TARGET: Duration = Duration::from_millis(250);
/// Looks at what was acknowledged.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The best of so many looks counts: acknowledgements come in bursts.
const LOOKS: usize = 8;
/// The round trips are measured again.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// The window of one run. Pure.
#[derive(Debug)]
pub(crate) struct Window {
    /// The budget.
    whole: u64,
    bytes: u64,
    /// Bytes a second, the latest last.
    rates: [u64; LOOKS],
}

impl Window {
    pub(crate) fn new(whole: u64) -> Self {
        Self {
            whole,
            bytes: LEAST.min(whole),
            rates: [0; LOOKS],
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes in that `acknowledged` bytes came back within `elapsed`, that `carried` are under way, and how long the way
    /// from the source to the target and back is.
    pub(crate) fn look(
        &mut self,
        acknowledged: u64,
        elapsed: Duration,
        carried: u64,
        round_trip: Duration,
    ) {
        let milliseconds = (elapsed.as_millis() as u64).max(1);
        self.rates.rotate_left(1);
        self.rates[LOOKS - 1] = acknowledged.saturating_mul(1000) / milliseconds;
        let rate = self.rates.into_iter().max().unwrap_or(0);
        let way = (round_trip + AT_THE_TARGET).as_millis() as u64;
        let useful = (rate.saturating_mul(way) / 1000)
            .saturating_mul(HEADROOM)
            .clamp(LEAST, self.whole.max(LEAST));
        self.bytes = if carried > useful {
            useful
        } else if carried < LEAST && useful == LEAST {
            // Next to nothing is copied: begin as if nothing was known.
            LEAST
        } else {
            self.bytes.max(useful)
        }
        .min(self.whole);
    }
}

/// Keeps the budget's window as wide as is useful, until dropped.
pub(crate) async fn follow(
    budget: Budget,
    traffic: std::sync::Arc<Traffic>,
    (source, mut source_link): (Cluster, Link),
    (target, mut target_link): (Cluster, Link),
) {
    let mut window = Window::new(budget.total());
    budget.open(window.bytes());
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut measured = Instant::now();
    let mut looked = Instant::now();
    let mut before = traffic.acknowledged_bytes();
    loop {
        looks.tick().await;
        if measured.elapsed() >= MEASURE_EVERY {
            let again = tokio::time::timeout(MEASURE_EVERY, async {
                tokio::join!(Link::measure(&source), Link::measure(&target))
            });
            // What cannot be reached now is as far away as it was.
            if let Ok((from_source, from_target)) = again.await {
                source_link = from_source.unwrap_or(source_link);
                target_link = from_target.unwrap_or(target_link);
            }
            measured = Instant::now();
        }
        let acknowledged = traffic.acknowledged_bytes();
        let round_trip = source_link.round_trip() * 2 + target_link.round_trip();
        window.look(
            acknowledged - before,
            looked.elapsed(),
            budget.carried(),
            round_trip,
        );
        (before, looked) = (acknowledged, Instant::now());
        budget.open(window.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: u64 = 192 << 20;
    const FAR: Duration = Duration::from_millis(150);

    /// A target that takes so many bytes a second, behind a link; returns the most that was under way after the first
    /// seconds, and the window.
    fn at(rate: u64, seconds: u64) -> (u64, u64) {
        let mut window = Window::new(WHOLE);
        let mut most = 0;
        for look in 0..seconds * 4 {
            let carried = window.bytes();
            // What is under way comes back after the round trip, or when the target gets round to it.
            let within_round_trip = carried * 250 / (FAR.as_millis() as u64 + 50);
            let acknowledged = (rate / 4).min(within_round_trip);
            window.look(acknowledged, LOOK_EVERY, carried, FAR);
            if look >= 12 {
                most = most.max(carried);
            }
        }
        (most, window.bytes())
    }

    #[test]
    fn a_slow_target_has_no_more_under_way_than_it_takes_in_a_few_seconds() {
        for rate in [1 << 20, 4 << 20, 20 << 20] {
            let (most, _) = at(rate, 20);
            assert!(most <= LEAST.max(rate * 2), "{rate}: {most}");
        }
    }

    #[test]
    fn a_fast_target_gets_the_whole_budget_within_two_seconds() {
        assert_eq!(at(1 << 30, 2).1, WHOLE);
    }

    #[test]
    fn a_target_that_becomes_slow_narrows_the_window_and_one_that_recovers_widens_it() {
        let mut window = Window::new(WHOLE);
        let look = |window: &mut Window, rate: u64, looks: usize| {
            for _ in 0..looks {
                let carried = window.bytes();
                window.look(rate / 4, LOOK_EVERY, carried, FAR);
            }
            window.bytes()
        };
        assert_eq!(look(&mut window, 1 << 30, 12), WHOLE);
        assert_eq!(look(&mut window, 1 << 20, 12), LEAST);
        assert_eq!(look(&mut window, 1 << 30, 12), WHOLE);
    }

    #[test]
    fn an_idle_mirror_begins_again_with_the_least_window() {
        let mut window = Window::new(WHOLE);
        window.look(1 << 30, LOOK_EVERY, WHOLE, FAR);
        assert_eq!(window.bytes(), WHOLE);
        for _ in 0..LOOKS {
            window.look(0, LOOK_EVERY, 0, FAR);
        }
        assert_eq!(window.bytes(), LEAST);
    }

    #[test]
    fn a_small_declared_budget_is_kept() {
        let mut window = Window::new(1 << 20);
        window.look(1 << 30, LOOK_EVERY, 1 << 20, FAR);
        assert_eq!(window.bytes(), 1 << 20);
    }
}
