//! An embedded, in-memory Apache Kafka cluster.
//!
//! One process, one shared state, one loopback listener per broker. It exists for `mirrorctl demo`
//! and for tests: any client can talk to it, and every request can be made to fail in a chosen way.
//!
//! ```no_run
//! # async fn demo() -> Result<(), broker::StartError> {
//! use broker::{ClusterOptions, EmbeddedCluster, FaultAction, FaultRule};
//!
//! let cluster = EmbeddedCluster::start(ClusterOptions::default()).await?;
//! println!("bootstrap.servers={}", cluster.bootstrap_servers());
//! // the next response to a produce request is lost
//! let rule = FaultRule::new(FaultAction::DropResponse).api(broker::ApiKey::Produce).times(1);
//! let fault = cluster.faults().inject(rule);
//! assert_eq!(fault.hits(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! Two suites of tests, of raw requests (`tests/client_suite`) and of our admin client (`tests/admin_suite`), run the
//! same cases here and on real Apache Kafka.
//!
//! What it does not do:
//! - consumer groups that one can join (`FindCoordinator` answers that there is no coordinator, so
//!   consumers may assign partitions but not subscribe); a test can put groups there that look as if
//!   they had members; transactions, TLS and SASL;
//! - what ACLs, quotas, SCRAM users and the limits of replication say: they are kept and described, and nothing
//!   is refused or slowed down because of them;
//! - replication: replicas share one memory, so the high watermark is always the log's end and a
//!   leader move loses nothing;
//! - fetch sessions: every response says that there is none, and clients then send full requests;
//! - looking into compressed batches on produce, except where the topic is compacted or limits the
//!   age of records; the header and the checksum are always checked, and so is the number of
//!   records in an uncompressed batch;
//! - segments: retention works batch by batch, by size at every append, by time at the interval of
//!   `log.retention.check.interval.ms`. Compaction runs only when asked for, leaves tombstones,
//!   and sets no delete horizon;
//! - recompression: `compression.type` is accepted and described, batches stay as they came;
//! - anything on disk.

mod acls;
mod api;
mod batch;
mod cluster;
mod compaction;
mod configs;
mod counters;
mod dispatch;
mod dynamic_configs;
mod faults;
mod frame;
mod groups;
mod log;
mod partition;
mod producer_state;
mod quotas;
mod reassignment;
mod records;
mod server;
mod state;

pub use cluster::{
    BatchView, ClusterOptions, CompactionError, EmbeddedCluster, StartError, UnknownPartition,
};
pub use faults::{FaultAction, FaultHandle, FaultRule, Faults};
pub use groups::{GroupKind, GroupMemberView, GroupView};
pub use kafka_protocol::ResponseError;
pub use kafka_protocol::messages::ApiKey;
