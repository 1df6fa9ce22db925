//! What an ACL says (KIP-11, KIP-290), in Kafka's words.

use std::fmt;

use super::wire_words::wire_words;

/// `ResourcePattern.WILDCARD_RESOURCE`: as the name of a literal pattern it stands for every resource of the type.
pub const WILDCARD: &str = "*";

/// The only name that the cluster has as a resource.
pub const CLUSTER_RESOURCE: &str = "kafka-cluster";

wire_words! {
    /// What is protected (`org.apache.kafka.common.resource.ResourceType`).
    ResourceType, "resource type":
    /// Topics.
    Topic = 2 "TOPIC",
    /// Consumer groups.
    Group = 3 "GROUP",
    /// The cluster itself, by the name `kafka-cluster`.
    Cluster = 4 "CLUSTER",
    /// Transactional ids.
    TransactionalId = 5 "TRANSACTIONAL_ID",
    /// Delegation tokens.
    DelegationToken = 6 "DELEGATION_TOKEN",
    /// Users, for who may make delegation tokens for whom.
    User = 7 "USER",
}

wire_words! {
    /// How a resource name is meant (`org.apache.kafka.common.resource.PatternType`).
    PatternType, "pattern type":
    /// The name itself; `*` is every name.
    Literal = 3 "LITERAL",
    /// Every name that begins with it.
    Prefixed = 4 "PREFIXED",
}

wire_words! {
    /// What may or may not be done (`org.apache.kafka.common.acl.AclOperation`).
    AclOperation, "ACL operation":
    /// All operations.
    All = 2 "ALL",
    /// Read.
    Read = 3 "READ",
    /// Write.
    Write = 4 "WRITE",
    /// Create.
    Create = 5 "CREATE",
    /// Delete.
    Delete = 6 "DELETE",
    /// Alter.
    Alter = 7 "ALTER",
    /// Describe.
    Describe = 8 "DESCRIBE",
    /// What brokers do among themselves.
    ClusterAction = 9 "CLUSTER_ACTION",
    /// Read configurations.
    DescribeConfigs = 10 "DESCRIBE_CONFIGS",
    /// Change configurations.
    AlterConfigs = 11 "ALTER_CONFIGS",
    /// Produce with sequence numbers; included in `WRITE` since Kafka 2.8.
    IdempotentWrite = 12 "IDEMPOTENT_WRITE",
    /// Make delegation tokens.
    CreateTokens = 13 "CREATE_TOKENS",
    /// See delegation tokens.
    DescribeTokens = 14 "DESCRIBE_TOKENS",
    /// Take part in two-phase commits (KIP-939).
    TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
}

wire_words! {
    /// Whether an ACL gives or takes (`org.apache.kafka.common.acl.AclPermissionType`).
    AclPermission, "ACL permission":
    /// Wins over every `ALLOW`.
    Deny = 2 "DENY",
    /// Gives a right.
    Allow = 3 "ALLOW",
}

/// One ACL. Kafka keeps them as a set: the whole value is the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclBinding {
    /// What is protected.
    pub resource_type: ResourceType,
    /// Its name or prefix; [`WILDCARD`] with a literal pattern means all.
    pub resource_name: String,
    /// How the name is meant.
    pub pattern_type: PatternType,
    /// Whom it is about, `User:orders`; `User:*` is everybody.
    pub principal: String,
    /// Where from: an IP address, or `*`.
    pub host: String,
    /// What may or may not be done.
    pub operation: AclOperation,
    /// Given or taken.
    pub permission: AclPermission,
}

/// `User:orders ALLOW READ on TOPIC PREFIXED pay. from *`.
impl fmt::Display for AclBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} on {} {} {} from {}",
            self.principal,
            self.permission,
            self.operation,
            self.resource_type,
            self.pattern_type,
            self.resource_name,
            self.host
        )
    }
}

/// Which patterns a filter looks at, together with its name (`org.apache.kafka.common.resource.PatternType`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PatternFilter {
    /// Patterns of both types that have this very name.
    #[default]
    Any,
    /// Patterns that apply to a resource of this name: the name itself, `*`, and its prefixes.
    Match,
    /// Literal patterns of this name.
    Literal,
    /// Prefixed patterns of this name.
    Prefixed,
}

impl PatternFilter {
    fn to_wire(self) -> i8 {
        match self {
            Self::Any => 1,
            Self::Match => 2,
            Self::Literal => PatternType::Literal.to_wire(),
            Self::Prefixed => PatternType::Prefixed.to_wire(),
        }
    }
}

/// Which ACLs are meant: each part that is given must fit. The default fits every ACL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AclFilter {
    /// What is protected.
    pub resource_type: Option<ResourceType>,
    /// Its name; what it means depends on `pattern`.
    pub resource_name: Option<String>,
    /// Which patterns.
    pub pattern: PatternFilter,
    /// Whom it is about.
    pub principal: Option<String>,
    /// Where from.
    pub host: Option<String>,
    /// What may or may not be done; [`AclOperation::All`] finds only ACLs that say `ALL`.
    pub operation: Option<AclOperation>,
    /// Given or taken.
    pub permission: Option<AclPermission>,
}

/// `ANY` of every enumeration.
const ANY: i8 = 1;

/// A filter as messages carry it.
pub(super) struct FilterOnWire {
    pub(super) resource_type: i8,
    pub(super) resource_name: Option<String>,
    pub(super) pattern: i8,
    pub(super) principal: Option<String>,
    pub(super) host: Option<String>,
    pub(super) operation: i8,
    pub(super) permission: i8,
}

impl From<&AclFilter> for FilterOnWire {
    fn from(filter: &AclFilter) -> Self {
        Self {
            resource_type: filter.resource_type.map_or(ANY, ResourceType::to_wire),
            resource_name: filter.resource_name.clone(),
            pattern: filter.pattern.to_wire(),
            principal: filter.principal.clone(),
            host: filter.host.clone(),
            operation: filter.operation.map_or(ANY, AclOperation::to_wire),
            permission: filter.permission.map_or(ANY, AclPermission::to_wire),
        }
    }
}

/// Fits this ACL and no other.
impl From<&AclBinding> for FilterOnWire {
    fn from(acl: &AclBinding) -> Self {
        Self {
            resource_type: acl.resource_type.to_wire(),
            resource_name: Some(acl.resource_name.clone()),
            pattern: acl.pattern_type.to_wire(),
            principal: Some(acl.principal.clone()),
            host: Some(acl.host.clone()),
            operation: acl.operation.to_wire(),
            permission: acl.permission.to_wire(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kafkas_and_are_read_as_people_write_them() {
        for (text, meant) in [
            ("transactionalId", ResourceType::TransactionalId),
            ("DELEGATION_TOKEN", ResourceType::DelegationToken),
            ("topic", ResourceType::Topic),
        ] {
            assert_eq!(text.parse(), Ok(meant));
        }
        for operation in AclOperation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(*operation));
            assert_eq!(AclOperation::from_wire(operation.to_wire()), *operation);
        }
        let unknown = "burn".parse::<AclOperation>().expect_err("no such word");
        assert_eq!(unknown.to_string(), "`burn` is no ACL operation");
    }

    #[test]
    fn what_a_newer_broker_says_is_kept() {
        assert_eq!(ResourceType::from_wire(99), ResourceType::Other(99));
        assert_eq!(ResourceType::Other(99).to_wire(), 99);
        assert_eq!(ResourceType::Other(99).to_string(), "UNKNOWN(99)");
    }

    #[test]
    fn an_acl_reads_as_a_sentence() {
        let acl = AclBinding {
            resource_type: ResourceType::Topic,
            resource_name: "pay.".to_owned(),
            pattern_type: PatternType::Prefixed,
            principal: "User:orders".to_owned(),
            host: "*".to_owned(),
            operation: AclOperation::DescribeConfigs,
            permission: AclPermission::Deny,
        };
        assert_eq!(
            acl.to_string(),
            "User:orders DENY DESCRIBE_CONFIGS on TOPIC PREFIXED pay. from *"
        );
    }
}
