//! What tests write to a source: every codec, and every shape of a record.

mod java;
mod mixed;
mod producer;
mod sized;
mod stream;
mod transactions;

pub use java::{console_producer, producer_performance, producer_performance_of};
pub use mixed::{CODECS, write_mixed};
pub use sized::write_batch;
pub use stream::Stream;
pub use transactions::{Transacted, Transactions};
