//! Apache Kafka clusters for tests.

#[cfg(feature = "deep")]
mod container;
mod jvm;
mod properties;
mod provider;
mod ready;
mod running;
mod spec;

pub use running::KafkaCluster;
pub use spec::{ClusterSpec, Provider};
