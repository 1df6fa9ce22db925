//! Exactly once from a source that is written in transactions, through kills.

#[path = "support/exact.rs"]
mod exact;

#[test]
fn twelve_kills_among_transactions() {
    exact::survives_kills_among_transactions(12);
}
