//! The same as `exactly_once` and `exactly_once_three`, for long.

#[path = "support/exact.rs"]
mod exact;

use std::time::Duration;

#[test]
fn two_hundred_kills() {
    exact::survives_kills(200);
}

#[test]
fn producer_ids_that_expire_again_and_again() {
    exact::survives_expiry(6);
}

#[test]
fn a_twin_that_was_frozen_for_a_minute() {
    exact::survives_a_frozen_twin(Duration::from_mins(1), 2);
}

#[test]
fn twenty_rounds_over_three_brokers() {
    exact::survives_brokers(20);
}

#[test]
fn a_hundred_kills_among_transactions() {
    exact::survives_kills_among_transactions(100);
}

#[test]
fn old_records_that_are_forgotten_at_once() {
    exact::survives_old_records(12);
}

#[test]
fn twins_of_old_records_one_of_them_frozen_for_a_minute() {
    exact::survives_a_frozen_twin_of_old_records(Duration::from_mins(1), 3);
}
