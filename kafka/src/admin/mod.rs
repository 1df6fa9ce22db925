//! The admin calls that plan and apply need; one file a family.

mod acl;
mod acls;
mod cluster_description;
mod configs;
mod coordinators;
mod epochs;
mod group_offsets;
mod groups;
mod log_dirs;
mod offsets;
mod producers;
mod quota;
mod quotas;
mod reassignments;
mod rights;
mod scram_users;
mod share_groups;
mod throttles;
mod topics;
mod wire_words;

pub use acl::{
    AclBinding, AclFilter, AclOperation, AclPermission, CLUSTER_RESOURCE, PatternFilter,
    PatternType, ResourceType, WILDCARD,
};
pub use cluster_description::ClusterDescription;
pub use configs::{ConfigChange, ConfigEntry, ConfigSource};
pub use epochs::EpochEnd;
pub use group_offsets::{CommittedOffset, CommittedOffsets};
pub use groups::{DescribedGroup, GroupMember, ListedGroup};
pub use log_dirs::{LogDir, ReplicaLog};
pub use offsets::{ListedOffset, OffsetSpec};
pub use producers::ActiveProducer;
pub use quota::{QuotaChange, QuotaEntity, QuotaName};
pub use reassignments::{Reassignment, ReassignmentTarget};
pub use rights::{PermittedTopics, Rights};
pub use scram_users::ScramChange;
pub use throttles::{BrokerThrottle, ThrottledReplicas};
pub use topics::NewTopic;
pub use wire_words::UnknownWord;

/// How long the controller may take before it answers `REQUEST_TIMED_OUT`.
const CONTROLLER_TIMEOUT_MS: i32 = 20_000;
