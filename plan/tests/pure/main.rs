//! Everything that needs no cluster: the diff, the saved file, and both renderings.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod diff;
mod file;
mod files;
mod fixture;
mod infrastructure;
mod json;
mod mirrored;
mod text;
