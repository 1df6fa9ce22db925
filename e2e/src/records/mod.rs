//! The independent reader: what is really in a topic, through librdkafka and nothing of ours.

mod compare;
mod difference;
mod partition;
mod record;

pub use compare::{AtLeastOnce, TopicAt, at_least_once, identical};
pub use difference::Difference;
pub use partition::{end_offsets, read_partition, record_count};
pub use record::Record;
