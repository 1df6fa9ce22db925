//! Comparing two existing topics, record by record, without stamps.

mod align;
mod entry;
mod judge;
#[cfg(test)]
mod mutations;
mod recent;
mod run;
mod side;

pub use entry::TimestampRule;
pub use run::{CompareOptions, compare};
