//! Comparing two existing topics, record by record, without stamps.

mod aborted;
mod align;
mod compaction;
mod count;
mod declared;
mod entry;
mod growth;
mod judge;
mod latest;
#[cfg(test)]
mod mutations;
mod options;
mod pair;
mod recent;
mod reset;
mod run;
mod side;
mod start;
mod whole;

pub use entry::TimestampRule;
pub use options::{CompareOptions, Sample, Since};
pub use run::compare;
