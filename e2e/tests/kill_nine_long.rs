//! The same as `kill_nine`, for long.

#[path = "support/kills.rs"]
mod kills;

#[test]
fn a_hundred_kills() {
    kills::survive(100);
}
