//! Mirrors between secured clusters: every way in, what is said when one is wrong, secrets that stay secret, sessions
//! that are renewed, and access rights.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_control;
mod bed;
mod hidden;
mod mistakes;
mod secrets;
mod sessions;
mod ways;
