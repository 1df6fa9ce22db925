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
//! What it does not do: consumer groups, transactions, ACLs, quotas, TLS and SASL, replication lag
//! (replicas share one memory, so the high watermark is always the log's end), and anything on
//! disk. Compaction runs only when asked for.

mod api;
mod batch;
mod cluster;
mod compaction;
mod configs;
mod counters;
mod dispatch;
mod faults;
mod frame;
mod log;
mod partition;
mod producer_state;
mod records;
mod server;
mod state;

pub use cluster::{
    BatchView, ClusterOptions, CompactionError, EmbeddedCluster, StartError, UnknownPartition,
};
pub use faults::{FaultAction, FaultHandle, FaultRule, Faults};
pub use kafka_protocol::ResponseError;
pub use kafka_protocol::messages::ApiKey;
