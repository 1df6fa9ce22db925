//! kill -9 at random moments, restarted each time: nothing lost, order kept, duplicates within the bound that
//! `verify` prints.

#[path = "support/kills.rs"]
mod kills;

#[test]
fn ten_kills() {
    kills::survive(10);
}
