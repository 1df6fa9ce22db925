//! Exactly once for records that are older than the target remembers producers.

#[path = "support/exact.rs"]
mod exact;

use std::time::Duration;

#[test]
fn old_records_under_a_mirror_that_runs_and_restarts() {
    exact::survives_old_records(1);
}

#[test]
fn a_twin_of_old_records_that_was_frozen_for_seconds() {
    exact::survives_a_frozen_twin_of_old_records(Duration::from_secs(5), 1);
}
