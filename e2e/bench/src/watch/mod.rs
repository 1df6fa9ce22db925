//! Watching an engine from outside.

mod copy;
mod end_offsets;
mod process;

pub(crate) use copy::{Goal, Measurement, watch};
pub(crate) use end_offsets::EndOffsets;
pub(crate) use process::{cpu_seconds, peak_rss};
