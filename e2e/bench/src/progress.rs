//! What is going on, on standard error.
#![expect(clippy::print_stderr, reason = "the one file that prints progress")]

use std::time::{Duration, Instant};

use crate::error::Error;

/// Steps to come, and about how long each takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) steps: u32,
    pub(crate) each: Duration,
}

/// Counts steps and tells how many are left.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    steps: u32,
    step: u32,
    expected: Duration,
    spent: Duration,
    current: Duration,
}

impl Progress {
    pub(crate) fn new(plans: impl Iterator<Item = Plan>) -> Self {
        let (mut steps, mut expected) = (0, Duration::ZERO);
        for plan in plans {
            steps += plan.steps;
            expected += plan.each * plan.steps;
        }
        Self {
            started: Instant::now(),
            steps,
            step: 0,
            expected,
            spent: Duration::ZERO,
            current: Duration::ZERO,
        }
    }

    /// Begins the next step, which is one of this plan.
    pub(crate) fn step(&mut self, plan: Plan, what: &str) {
        self.step += 1;
        self.spent += self.current;
        self.current = plan.each;
        let left = self.expected.saturating_sub(self.spent).as_secs_f64();
        // what was spent says how well the expectation fits this machine
        let pace = if self.spent > Duration::from_secs(30) {
            self.started.elapsed().as_secs_f64() / self.spent.as_secs_f64()
        } else {
            1.0
        };
        let minutes = (left * pace / 60.0).ceil();
        eprintln!(
            "bench: {} of {}, about {minutes} min left: {what}",
            self.step,
            self.steps.max(self.step)
        );
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Tells what a step gave.
pub(crate) fn result(what: &str) {
    eprintln!("bench:   {what}");
}

/// Tells on standard error what went wrong.
pub(crate) fn failed(error: &Error) {
    eprintln!("bench: error: {error}");
}

/// Tells where a file is.
pub(crate) fn written(path: &std::path::Path) {
    eprintln!("bench: wrote {}", path.display());
}
