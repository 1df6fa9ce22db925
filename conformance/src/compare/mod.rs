//! Comparing two existing topics, record by record, without stamps.

mod align;
mod entry;
mod judge;
mod recent;
mod run;
mod side;

pub use entry::TimestampRule;
pub use run::{CompareOptions, compare};
