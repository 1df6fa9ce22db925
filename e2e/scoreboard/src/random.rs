//! Outages at times that a seed decides.

use std::time::Duration;

use e2e::Api;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::scenario::{PATIENCE, Scenario, Workload};
use crate::step::{Action, FailPoint, Lasts, Link, Process, Side, Step};

/// Each begins with one of the faults and is over after a while.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Random {
    pub(crate) outages: u32,
    /// Seconds from the first write to the first outage, and between the end of one and the next.
    pub(crate) pause: (f64, f64),
    /// Seconds that one lasts.
    pub(crate) lasts: (f64, f64),
    pub(crate) faults: Vec<Action>,
}

impl Random {
    /// The same seed gives the same steps.
    pub(crate) fn steps(&self, seed: u64) -> Vec<Step> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut steps = Vec::new();
        let mut now = 0.0;
        for _ in 0..self.outages {
            let pause = random.random_range(self.pause.0..=self.pause.1);
            let lasts = random.random_range(self.lasts.0..=self.lasts.1);
            let Some(action) = self.faults.choose(&mut random).copied() else {
                return steps;
            };
            let (at, over) = (now + pause, now + pause + lasts);
            steps.push(Step { at, action });
            if let Lasts::Until(end) = action.lasts() {
                steps.push(Step {
                    at: over,
                    action: end,
                });
            }
            now = over;
        }
        steps
    }
}

/// A scenario of which the seed decides everything that goes wrong.
pub(crate) fn anything(seed: u64) -> Scenario {
    let mut faults = Vec::new();
    for process in [Process::Kill, Process::Terminate, Process::Freeze] {
        faults.push(Action::Engine(process));
        faults.extend([Side::Source, Side::Target].map(|side| Action::Broker(side, 1, process)));
    }
    faults.extend(FailPoint::ALL.map(|point| Action::FailPoint { point, pass: 20 }));
    for side in [Side::Source, Side::Target] {
        let links = [
            Link::Cut,
            Link::HalfOpen,
            Link::Delay(Duration::from_millis(40)),
            Link::Throttle(500_000),
        ];
        faults.extend(links.map(|link| Action::Link(side, link)));
    }
    for (side, apis) in [
        (Side::Source, [Api::FETCH, Api::METADATA]),
        (Side::Target, [Api::PRODUCE, Api::METADATA]),
    ] {
        faults.extend(apis.map(|api| Action::Link(side, Link::DropResponse(api))));
    }
    Scenario {
        name: format!("random-{seed}"),
        says: "Whatever this seed decides, six times.".to_owned(),
        engines: Vec::new(),
        brokers: 1,
        both_ways: false,
        beside: Vec::new(),
        workload: Workload {
            records: 300_000,
            partitions: 4,
            rate: Some(10_000),
        },
        patience: PATIENCE,
        steps: Vec::new(),
        random: Some(Random {
            outages: 6,
            pause: (2.0, 4.0),
            lasts: (0.5, 2.5),
            faults,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_steps_again_and_another_seed_others() {
        let of = |seed: u64| anything(7).steps(seed);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert!(of(7).is_sorted_by(|one, other| one.at <= other.at));
    }

    #[test]
    fn every_outage_ends_before_the_next_begins_and_every_fault_comes_up() {
        let scenario = anything(1);
        let random = scenario.random.as_ref().expect("random");
        let mut met = Vec::new();
        for seed in 0..400 {
            let mut open = None;
            for step in random.steps(seed) {
                match step.action.lasts() {
                    Lasts::Until(end) => {
                        assert_eq!(open, None, "seed {seed}");
                        open = Some(end);
                    }
                    Lasts::Ends => assert_eq!(open.take(), Some(step.action), "seed {seed}"),
                    Lasts::NoTime => assert_eq!(open, None, "seed {seed}"),
                }
                met.push(step.action);
            }
            assert_eq!(open, None, "seed {seed}");
        }
        for fault in &random.faults {
            assert!(met.contains(fault), "{fault}");
        }
    }
}
