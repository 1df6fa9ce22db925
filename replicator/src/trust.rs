//! How long a run takes a mirror for its own without having looked again.
//!
//! With one producer a partition the target takes each sequence once, whoever sends it, as long as it remembers the
//! producer. It forgets one by the time of its records (`producer.id.expiration.ms`): of old records at every check, also
//! while they are copied. From then on it takes any sequence, also one that it has had. So two runs must not send at the
//! same time: a run sends only while it has seen within the last [`Trust::lasts`] that the mirror is its own, and a run
//! that finds itself forgotten waits until whoever had the mirror before cannot send any more.
//!
//! That is a lease, by each run's own clocks, which have to go equally fast and nothing more. What it leaves open: bytes
//! that a network holds back for longer than that, and delivers to a target that has forgotten us.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// Looks within the time that trust lasts.
const LOOKS: u32 = 5;
/// By how much a new run waits longer than the trust of the one before lasts.
const MARGIN: f64 = 1.25;

/// A moment by both clocks: the monotonic one stands still while a machine sleeps, the other may be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(Instant, SystemTime);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    /// By the clock that says more. A clock that was set back says nothing.
    fn elapsed(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

/// Shared by everybody who sends for a run.
#[derive(Debug)]
pub(crate) struct Trust {
    lasts: Duration,
    /// At-least-once needs none: duplicates are within its promise.
    needed: bool,
    /// When the mirror was taken over: whoever had it before may have looked until then.
    taken: Mutex<Instant>,
    confirmed: Mutex<Moment>,
    renewed: watch::Sender<()>,
}

impl Trust {
    /// Of a run that took the mirror over before this call; `began` is from before it asked.
    pub(crate) fn new(lasts: Duration, needed: bool, began: Moment) -> Arc<Self> {
        Arc::new(Self {
            lasts,
            needed,
            taken: Mutex::new(Instant::now()),
            confirmed: Mutex::new(began),
            renewed: watch::Sender::new(()),
        })
    }

    /// How often to look, so that trust does not lapse when one look is slow.
    pub(crate) fn look_every(&self) -> Duration {
        self.lasts / LOOKS
    }

    /// The mirror was ours when somebody looked who began to look at `asked`.
    pub(crate) fn confirm(&self, asked: Moment) {
        *lock(&self.confirmed) = asked;
        self.renewed.send_replace(());
    }

    /// The mirror was another run's for a moment, and is ours again.
    pub(crate) fn taken_again(&self) {
        *lock(&self.taken) = Instant::now();
    }

    /// Waits until there is trust. Cancel safe.
    pub(crate) async fn regained(&self) {
        let mut renewed = self.renewed.subscribe();
        while !self.holds() {
            // The sender lives as long as `self`.
            let _ = renewed.changed().await;
        }
    }

    /// How long a run that had the mirror before this one may still send.
    pub(crate) fn alone_in(&self) -> Duration {
        let after = self.lasts.mul_f64(MARGIN);
        after.saturating_sub(lock(&self.taken).elapsed())
    }

    pub(crate) fn holds(&self) -> bool {
        let confirmed = *lock(&self.confirmed);
        !self.needed || confirmed.elapsed() < self.lasts
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl kafka::Gate for Trust {
    fn is_open(&self) -> bool {
        self.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_millis(200);

    fn ago(before: Duration) -> Moment {
        let Moment(monotonic, wall) = Moment::now();
        Moment(monotonic.checked_sub(before).expect("up for longer"), wall)
    }

    #[test]
    fn trust_ends_and_only_a_look_that_began_later_renews_it() {
        let trust = Trust::new(LASTS, true, ago(LASTS));
        assert!(!trust.holds());
        trust.confirm(ago(LASTS * 2));
        assert!(!trust.holds(), "it looked too long ago");
        trust.confirm(ago(LASTS / 10));
        assert!(trust.holds());
    }

    #[test]
    fn either_clock_ends_it() {
        let Moment(monotonic, wall) = Moment::now();
        let slept = Moment(monotonic, wall.checked_sub(LASTS).expect("after 1970"));
        assert!(!Trust::new(LASTS, true, slept).holds());
        let set_back = Moment(monotonic, wall + Duration::from_hours(1));
        assert!(Trust::new(LASTS, true, set_back).holds());
    }

    #[test]
    fn a_run_is_alone_once_the_trust_of_the_one_before_has_ended() {
        let trust = Trust::new(LASTS, true, Moment::now());
        assert!(trust.alone_in() > LASTS);
        *lock(&trust.taken) -= LASTS * 2;
        assert_eq!(trust.alone_in(), Duration::ZERO);
        trust.taken_again();
        assert!(trust.alone_in() > LASTS);
    }

    #[test]
    fn at_least_once_needs_none() {
        assert!(Trust::new(LASTS, false, ago(LASTS * 2)).holds());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_trust_goes_on_when_it_is_back() {
        let trust = Trust::new(LASTS, true, ago(LASTS));
        let waited = tokio::time::timeout(LASTS, trust.regained()).await;
        assert!(waited.is_err(), "nobody has looked");
        trust.confirm(Moment::now());
        trust.regained().await;
    }
}
