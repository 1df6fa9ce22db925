//! Waiting for what a process does, with an end.
#![allow(dead_code, reason = "not every test program waits for both")]

use std::thread;
use std::time::{Duration, Instant};

use e2e::Guarded;

pub(crate) const LIMIT: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(50);

/// Waits until a condition holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LIMIT, "{what} within {LIMIT:?}");
        thread::sleep(LOOK);
    }
}

/// Waits until a run's log has these words so many times.
pub(crate) fn until_it_says(process: &Guarded, words: &str, times: usize) {
    let started = Instant::now();
    while process.stderr().matches(words).count() < times {
        assert!(
            started.elapsed() < LIMIT,
            "no {words:?} in\n{}",
            process.stderr()
        );
        thread::sleep(LOOK);
    }
}
