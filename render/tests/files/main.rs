//! What is rendered, and what happens to the files of a folder. One file a behaviour.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

mod around;
mod ci;
mod complaints;
mod deployments;
mod engines;
mod examples;
mod folder;
mod nasty;
mod ports;
mod sharing;
mod support;
mod templates;
mod unique;
