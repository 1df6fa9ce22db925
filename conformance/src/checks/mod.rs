//! The promises of a mirror: one file a check, ids as in SPEC.md.

mod complete;
mod duplicates;
mod key_order;
mod no_phantom;
mod order;
mod panel;
mod partition_map;
mod payload;
mod replay_shape;
mod timestamp;
mod topic_creation;

pub use complete::Complete;
pub use duplicates::{Delivery, Duplicates, ReplayBound};
pub use key_order::KeyOrder;
pub use no_phantom::NoPhantom;
pub use order::Order;
pub use panel::{Check, Finding, Panel, Scope};
pub use partition_map::{PartitionMap, PartitionRule};
pub use payload::Payload;
pub use replay_shape::ReplayShape;
pub use timestamp::TimestampKept;
pub use topic_creation::{ConfigFact, TopicFacts, default_config_exclusions, topic_creation};
