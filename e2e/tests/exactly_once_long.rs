//! The same as the `exactly_once` programs, for long. Two at a time, each with clusters of its own: more would only wait for
//! the processors, and limits are times.

#[path = "support/exact.rs"]
mod exact;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// About ten minutes each.
static FIRST: Mutex<()> = Mutex::new(());
static SECOND: Mutex<()> = Mutex::new(());

fn turn(lane: &'static Mutex<()>) -> MutexGuard<'static, ()> {
    lane.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn two_hundred_kills() {
    let _turn = turn(&FIRST);
    exact::survives_kills(200);
}

#[test]
fn a_twin_that_was_frozen_for_a_minute() {
    let _turn = turn(&FIRST);
    exact::survives_a_frozen_twin(Duration::from_mins(1), 1);
}

#[test]
fn twins_of_old_records_one_of_them_frozen_for_a_minute() {
    let _turn = turn(&FIRST);
    exact::survives_a_frozen_twin_of_old_records(Duration::from_mins(1), 2);
}

#[test]
fn twenty_rounds_over_three_brokers() {
    let _turn = turn(&SECOND);
    exact::survives_brokers(20);
}

#[test]
fn a_hundred_kills_among_transactions() {
    let _turn = turn(&SECOND);
    exact::survives_kills_among_transactions(100);
}

#[test]
fn producer_ids_that_expire_again_and_again() {
    let _turn = turn(&SECOND);
    exact::survives_expiry(3);
}

#[test]
fn old_records_that_are_forgotten_at_once() {
    let _turn = turn(&FIRST);
    exact::survives_old_records(6);
}
