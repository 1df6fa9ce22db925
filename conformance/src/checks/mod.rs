//! The promises of a mirror: one file a check, ids as in SPEC.md.

mod complete;
mod config_sync;
mod delete_policy;
mod duplicates;
mod key_order;
mod no_phantom;
mod offset_map;
mod one_hop;
mod order;
mod oversize;
mod panel;
mod partition_map;
mod payload;
mod replay_shape;
mod retention_gap;
mod timestamp;
mod topic_creation;

pub use complete::Complete;
pub use config_sync::config_sync;
pub use delete_policy::{CopiedTopic, delete_policy};
pub use duplicates::{Delivery, Duplicates, ReplayBound};
pub use key_order::KeyOrder;
pub use no_phantom::NoPhantom;
pub use offset_map::{MappedOffset, offset_map};
pub use one_hop::one_hop;
pub use order::Order;
pub use oversize::{LostRecord, OversizeFacts, oversize};
pub use panel::{Check, Finding, Panel, Scope};
pub use partition_map::{PartitionMap, PartitionRule};
pub use payload::Payload;
pub use replay_shape::ReplayShape;
pub use retention_gap::{MissingFacts, retention_gap, retention_gap_of_missing};
pub use timestamp::TimestampKept;
pub use topic_creation::{ConfigFact, TopicFacts, default_config_exclusions, topic_creation};
