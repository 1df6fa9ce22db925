//! `delivery: exactly-once` on real brokers: an independent reader finds both sides identical, without a duplicate.

#[path = "support/exact.rs"]
mod exact;

use std::time::Duration;

#[test]
fn eight_kills() {
    exact::survives_kills(8);
}

#[test]
fn an_expired_producer_id() {
    exact::survives_expiry(1);
}

#[test]
fn a_twin_that_was_frozen_for_seconds() {
    exact::survives_a_frozen_twin(Duration::from_secs(3), 1);
}
