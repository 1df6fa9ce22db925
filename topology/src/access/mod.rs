//! Who may do what and how much of it: SCRAM users, ACLs and client quotas, in Kafka's terms.

mod acl;
mod quota;
mod user;

pub use acl::{
    Acl, AclBinding, AclOperation, AclPermission, CLUSTER_RESOURCE, PatternType, ResourceType,
    WILDCARD,
};
pub use quota::{EntityName, Quota, QuotaEntity, QuotaValue};
pub use user::{ScramMechanism, ScramUser};
