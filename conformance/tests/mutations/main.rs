//! A verifier that cannot fail is worthless: each mutant of a clean history has to be caught by
//! the checks it concerns and by no other, and clean histories raise no alarm.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clean;
mod content;
mod history;
mod mirror;
mod over_time;
mod places;
mod reference;
mod repeats;
mod replayed;
mod resets;
mod syncs;
mod tables;
mod topic;
