//! Mutants through real reading and writing: a workload is written, copied with one thing wrong,
//! and both ways of judging have to name what is wrong.
//!
//! Runs on embedded clusters; `CONFORMANCE_TEST_BOOTSTRAP=host:port` runs it on that cluster, with `CONFORMANCE_TEST_TARGET` on two.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod comparing;
mod mutants;
mod replayed;
mod running;
mod syncs;
