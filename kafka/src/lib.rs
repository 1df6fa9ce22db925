//! The Kafka wire, as far as mirroring needs it: raw record batches in, raw record batches out.
//!
//! No client library hands out record batches as they lie on the broker, so this crate is our own
//! connection layer over the message types of `kafka-protocol`:
//!
//! - [`Cluster`] is the entry: bootstrap, metadata with leaders, admin calls.
//! - [`Connection`] is one pipelined connection; [`Transport`] decides what bytes run over ([`Plaintext`], or TLS and
//!   SASL: [`security::SecureTransport`]), without change to anything above.
//! - [`fetch`] and [`produce`] are the raw data path, [`batch`] and [`record`] the format of what
//!   travels on it.
//! - [`Error::class`] is the one place that says what may be retried, and how.

mod admin;
pub mod batch;
mod cluster;
mod connection;
mod controller;
mod crc_shift;
mod error;
pub mod fetch;
mod gate;
mod keyed_log;
mod metadata;
mod permission;
pub mod produce;
mod producer_id;
pub mod record;
mod retry;
pub mod security;
mod shared_connections;
mod transport;
mod versions;
mod writer;

pub use admin::{
    AclBinding, AclFilter, AclOperation, AclPermission, ActiveProducer, BrokerThrottle,
    CLUSTER_RESOURCE, ClusterDescription, CommittedOffset, CommittedOffsets, ConfigChange,
    ConfigEntry, ConfigSource, DescribedGroup, EpochEnd, GroupMember, ListedGroup, ListedOffset,
    LogDir, NewTopic, OffsetSpec, PatternFilter, PatternType, PermittedTopics, QuotaChange,
    QuotaEntity, QuotaName, Reassignment, ReassignmentTarget, ReplicaLog, ResourceType, Rights,
    ScramChange, ThrottledReplicas, UnknownWord, WILDCARD,
};
pub use cluster::{ClientOptions, Cluster};
pub use codec::{Compression, CompressionError};
pub use connection::{Connection, Frame, PendingResponse};
pub use error::{BrokerError, Error};
pub use gate::Gate;
pub use keyed_log::{KeyedLog, Mark};
pub use metadata::{BrokerNode, ClusterMetadata, PartitionMetadata, TopicMetadata, TopicPartition};
pub use producer_id::ProducerIdentity;
pub use retry::RetryClass;
pub use transport::{Plaintext, Stream, Transport};
pub use uuid::Uuid;
