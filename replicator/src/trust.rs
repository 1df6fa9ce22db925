//! How long a run takes a mirror for its own without having looked again.
//!
//! **Exactly-once.** With one producer a partition the target takes each sequence once, whoever sends it, as long as it
//! remembers the producer. It forgets one by the time of its records (`producer.id.expiration.ms`): of old records at every
//! check, also while they are copied. From then on it takes any sequence, also one that it has had. So two runs must not send
//! at the same time: a run sends only while it has seen within the last [`Trust::lasts`] that the mirror is its own, and a run
//! that finds itself forgotten waits until whoever had the mirror before cannot send any more.
//!
//! That is a lease, by each run's own clocks, which have to go equally fast and nothing more. What it leaves open: bytes
//! that a network holds back for longer than that, and delivers to a target that has forgotten us.
//!
//! **At-least-once.** Duplicates are within the promise, so what a run saw last counts for as long as its process does not
//! stand still. One that was frozen (SIGSTOP, a virtual machine that was moved) does not know what became of the mirror
//! meanwhile: another run may have promoted it, and applications write to its topics. So it sends nothing before it has looked.
//! What that leaves open: a pause that is shorter than [`Trust::lasts`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use topology::Delivery;

/// Looks within the time that trust lasts.
const LOOKS: u32 = 5;
/// By how much a new run waits longer than the trust of the one before lasts.
const MARGIN: f64 = 1.25;

/// A moment by both clocks: the monotonic one stands still while a machine sleeps, the other may be set.
#[derive(Debug, Clone, Copy)]
pub struct Moment(Instant, SystemTime);

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    /// Since an earlier one, by the clock that says more. A clock that was set back says nothing.
    pub fn since(self, earlier: Self) -> Duration {
        let by_wall = self.1.duration_since(earlier.1).unwrap_or_default();
        self.0.saturating_duration_since(earlier.0).max(by_wall)
    }
}

/// Shared by everybody who sends for a run.
#[derive(Debug)]
pub(crate) struct Trust {
    lasts: Duration,
    /// What is promised decides what renews it.
    delivery: Delivery,
    /// When the mirror was taken over: whoever had it before may have looked until then.
    taken: Mutex<Instant>,
    confirmed: Mutex<Moment>,
    renewed: watch::Sender<()>,
}

impl Trust {
    /// Of a run that took the mirror over before this call; `began` is from before it asked.
    pub(crate) fn new(lasts: Duration, delivery: Delivery, began: Moment) -> Arc<Self> {
        Arc::new(Self {
            lasts,
            delivery,
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
        let mut confirmed = lock(&self.confirmed);
        // a slow look says less than having been awake since
        if asked.0 > confirmed.0 {
            *confirmed = asked;
        }
        drop(confirmed);
        self.renewed.send_replace(());
    }

    /// Keeps trust for as long as this process does not stand still, where that is enough. Returns at once where it is not, and
    /// never otherwise. Cancel safe.
    pub(crate) async fn stay_awake(self: Arc<Self>) {
        match self.delivery {
            Delivery::ExactlyOnce => {}
            Delivery::AtLeastOnce => loop {
                tokio::time::sleep(self.look_every()).await;
                self.awake_at(Moment::now());
            },
        }
    }

    /// Whoever wakes up asks too late: only a look helps then.
    fn awake_at(&self, now: Moment) {
        let mut confirmed = lock(&self.confirmed);
        if now.since(*confirmed) < self.lasts {
            *confirmed = now;
        }
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
        Moment::now().since(confirmed) < self.lasts
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
        let trust = Trust::new(LASTS, Delivery::ExactlyOnce, ago(LASTS));
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
        assert!(!Trust::new(LASTS, Delivery::ExactlyOnce, slept).holds());
        let set_back = Moment(monotonic, wall + Duration::from_hours(1));
        assert!(Trust::new(LASTS, Delivery::ExactlyOnce, set_back).holds());
    }

    #[test]
    fn a_run_is_alone_once_the_trust_of_the_one_before_has_ended() {
        let trust = Trust::new(LASTS, Delivery::ExactlyOnce, Moment::now());
        assert!(trust.alone_in() > LASTS);
        *lock(&trust.taken) -= LASTS * 2;
        assert_eq!(trust.alone_in(), Duration::ZERO);
        trust.taken_again();
        assert!(trust.alone_in() > LASTS);
    }

    #[test]
    fn at_least_once_keeps_it_while_awake_and_not_by_waking_up() {
        let lasts = Duration::from_mins(1);
        let trust = Trust::new(lasts, Delivery::AtLeastOnce, ago(lasts / 2));
        let now = Moment::now();
        trust.awake_at(now);
        trust.confirm(ago(lasts / 3));
        assert_eq!(
            lock(&trust.confirmed).0,
            now.0,
            "a slow look takes nothing back"
        );
        let stood_still = Trust::new(lasts, Delivery::AtLeastOnce, ago(lasts));
        stood_still.awake_at(Moment::now());
        assert!(!stood_still.holds());
        stood_still.confirm(Moment::now());
        assert!(stood_still.holds());
    }

    #[tokio::test]
    async fn only_at_least_once_is_renewed_without_a_look() {
        for (delivery, held) in [
            (Delivery::AtLeastOnce, true),
            (Delivery::ExactlyOnce, false),
        ] {
            let lasts = LASTS * 5;
            let trust = Trust::new(lasts, delivery, Moment::now());
            let beside = async {
                trust.clone().stay_awake().await;
                std::future::pending::<()>().await;
            };
            let _ = tokio::time::timeout(lasts * 2, beside).await;
            assert_eq!(trust.holds(), held, "{delivery:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_trust_goes_on_when_it_is_back() {
        let trust = Trust::new(LASTS, Delivery::ExactlyOnce, ago(LASTS));
        let waited = tokio::time::timeout(LASTS, trust.regained()).await;
        assert!(waited.is_err(), "nobody has looked");
        trust.confirm(Moment::now());
        trust.regained().await;
    }
}
