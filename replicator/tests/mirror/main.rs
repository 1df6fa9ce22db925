//! Whole mirrors between two embedded clusters.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod copy;
mod crash_points;
mod exactly_once;
mod faults;
mod hand_over;
mod leaderless;
mod losses;
mod refused;
mod resets;
mod rig;
mod shared;
mod standby;
mod steering;
mod topics;
