//! Prometheus metrics of runs, read from their figures at the moment of a scrape.
//!
//! The data path counts in atomics of its own ([`crate::Progress`]) and knows nothing of names and
//! labels; a scrape reads each partition once and writes text. `METRICS.md` is made from
//! [`families`], and a test compares them.

mod collect;
mod families;
mod reading;
mod text;
mod watchlist;

pub use collect::{Metrics, PartitionMetrics};
pub use text::{OPEN_METRICS, PROMETHEUS_TEXT};
pub use watchlist::{Held, Watched, Watchlist};
