//! Observe, diff and apply against embedded clusters.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod acls;
mod bench;
mod everywhere;
mod examples;
mod failures;
mod guards;
mod import;
mod locks;
mod managed;
mod mirrors;
mod moves;
mod proof;
mod racks;
mod rails;
mod rehearsal;
mod resume;
mod stale;
mod steady;
