//! What the end-to-end tests and the benchmark stand on: real Kafka clusters, the `mirrorctl` binary as a
//! child process, workloads and an independent reader.
//!
//! Nothing here uses a crate of ours: clusters are driven through Kafka's own tools and librdkafka, the product
//! through its command line.
//!
//! - [`KafkaCluster`]: Apache Kafka as JVM processes from the Maven jars, or (feature `deep`) in containers.
//! - [`Security`]: what makes a cluster a secured one, and [`Access`] a client's way into it.
//! - [`Workspace`]: a directory outside the checkout that is removed even when the test run was killed.
//! - [`KafkaProxy`]: what goes wrong on the way to a cluster.
//! - [`Guarded`]: a child process that cannot outlive the test process.

mod binary;
mod clock;
mod cluster;
mod delay;
mod disk;
mod engines;
mod error;
mod forwarding;
mod guarded;
mod installation;
mod pair;
mod ports;
mod proxy;
mod records;
mod security;
mod topic_admin;
mod workload;
mod workspace;

pub use binary::{mirrorctl, mirrorctl_binary, start_mirrorctl, start_mirrorctl_with};
pub use clock::Clock;
pub use cluster::{ClusterSpec, KafkaCluster, Provider};
pub use delay::DelayedLink;
pub use engines::{ConnectWorker, ENGINE_HEAP_MEGABYTES, start_java};
pub use error::{Error, Result};
pub use guarded::Guarded;
pub use installation::{KAFKA_VERSION, KafkaInstallation, MIRUS_VERSION};
pub use pair::{Pair, Side};
pub use ports::ReservedPort;
pub use proxy::{Api, Harm, KafkaProxy};
pub use records::{
    AtLeastOnce, Difference, Record, TopicAt, at_least_once, end_offsets, identical,
    read_partition, record_count,
};
pub use security::{ADMIN, Access, Authority, Identity, Security, TokenServer, Way};
pub use topic_admin::TopicAdmin;
pub use workload::{
    CODECS, Stream, Transacted, Transactions, console_producer, producer_performance,
    producer_performance_of, write_batch, write_mixed,
};
pub use workspace::Workspace;
