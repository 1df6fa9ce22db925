//! `delivery: exactly-once` over three brokers a side, of which some are killed and leaders move.

#[path = "support/exact.rs"]
mod exact;

#[test]
fn two_rounds() {
    exact::survives_brokers(2);
}
