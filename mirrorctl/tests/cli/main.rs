//! The binary as its users run it, against clusters in memory. One file a behaviour.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

mod bad_input;
mod bed;
mod demo;
mod files;
mod help;
#[cfg(target_os = "linux")]
mod image;
mod import;
mod late;
mod plan_apply;
mod reach;
mod reload;
mod render;
mod replicate;
mod sharing;
mod states;
mod streams;
mod support;
mod validate;
mod verify;
mod verify_checks;
mod verify_workload;
mod way_back;
