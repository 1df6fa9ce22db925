//! Access rules (KIP-11, KIP-290, KIP-373).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// As the name of a literal resource it stands for all of the type; as a host for everywhere.
pub const WILDCARD: &str = "*";

/// The one name that the cluster has as a resource.
pub const CLUSTER_RESOURCE: &str = "kafka-cluster";

/// An access rule that shall exist on a cluster.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    /// The alias of the cluster.
    pub cluster: String,
    /// The rule.
    pub binding: AclBinding,
    /// Where the file asks for it, first: `acls[3]` or `services.orders`.
    pub origin: String,
}

/// One rule, as Kafka keeps it: the whole value is its key.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AclBinding {
    /// What is protected.
    pub resource_type: ResourceType,
    /// Its name or prefix; [`WILDCARD`] with a literal pattern means all.
    pub resource_name: String,
    /// How the name is meant.
    pub pattern: PatternType,
    /// Whom it is about, `User:orders`; `User:*` is everybody.
    pub principal: String,
    /// Where from: an IP address as brokers write it (IPv6 in full, `0:0:0:0:0:0:0:1`), or [`WILDCARD`].
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
            self.pattern,
            self.resource_name,
            self.host
        )
    }
}

/// An enumeration whose words are kebab-case in a topology and upper case in Kafka's tools.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $kafka:literal,)+ }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value, in Kafka's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of Kafka's tools.
            pub const fn kafka_word(self) -> &'static str {
                match self { $(Self::$variant => $kafka),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.kafka_word())
            }
        }
    };
}

words! {
    /// What is protected (`org.apache.kafka.common.resource.ResourceType`).
    ResourceType {
        /// Topics.
        Topic "TOPIC",
        /// Consumer groups.
        Group "GROUP",
        /// The cluster itself.
        Cluster "CLUSTER",
        /// Transactional ids of producers.
        TransactionalId "TRANSACTIONAL_ID",
        /// Delegation tokens, by their ids.
        DelegationToken "DELEGATION_TOKEN",
        /// Principals, for who may make delegation tokens for whom.
        User "USER",
    }
}

words! {
    /// How the name of a resource is meant (`org.apache.kafka.common.resource.PatternType`).
    PatternType {
        /// The name itself; `*` is every name.
        Literal "LITERAL",
        /// Every name that begins with it.
        Prefixed "PREFIXED",
    }
}

words! {
    /// What may or may not be done (`org.apache.kafka.common.acl.AclOperation`).
    AclOperation {
        /// Everything.
        All "ALL",
        /// Read records, commit offsets.
        Read "READ",
        /// Write records.
        Write "WRITE",
        /// Create.
        Create "CREATE",
        /// Delete, records too.
        Delete "DELETE",
        /// Change, such as the number of partitions.
        Alter "ALTER",
        /// See that it exists, and its state.
        Describe "DESCRIBE",
        /// What brokers do among themselves.
        ClusterAction "CLUSTER_ACTION",
        /// See configuration.
        DescribeConfigs "DESCRIBE_CONFIGS",
        /// Change configuration.
        AlterConfigs "ALTER_CONFIGS",
        /// Write idempotently; a part of `write` since Kafka 3.0.
        IdempotentWrite "IDEMPOTENT_WRITE",
        /// Make delegation tokens.
        CreateTokens "CREATE_TOKENS",
        /// See delegation tokens.
        DescribeTokens "DESCRIBE_TOKENS",
        /// Take part in two-phase commits (KIP-939).
        TwoPhaseCommit "TWO_PHASE_COMMIT",
    }
}

words! {
    /// Whether a rule gives or takes (`org.apache.kafka.common.acl.AclPermissionType`).
    AclPermission {
        /// Wins over every `allow`.
        Deny "DENY",
        /// Gives a right.
        Allow "ALLOW",
    }
}

impl ResourceType {
    /// The operations that Kafka checks for resources of this type, besides [`AclOperation::All`]
    /// (`org.apache.kafka.security.authorizer.AclEntry.supportedOperations` of Kafka 4.3).
    pub const fn operations(self) -> &'static [AclOperation] {
        use AclOperation::{
            Alter, AlterConfigs, ClusterAction, Create, CreateTokens, Delete, Describe,
            DescribeConfigs, DescribeTokens, IdempotentWrite, Read, TwoPhaseCommit, Write,
        };
        match self {
            Self::Topic => &[
                Read,
                Write,
                Create,
                Delete,
                Alter,
                Describe,
                DescribeConfigs,
                AlterConfigs,
            ],
            Self::Group => &[Read, Delete, Describe, DescribeConfigs, AlterConfigs],
            Self::Cluster => &[
                Create,
                Alter,
                Describe,
                ClusterAction,
                DescribeConfigs,
                AlterConfigs,
                IdempotentWrite,
            ],
            Self::TransactionalId => &[Write, Describe, TwoPhaseCommit],
            Self::DelegationToken => &[Describe],
            Self::User => &[CreateTokens, DescribeTokens],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> AclBinding {
        AclBinding {
            resource_type: ResourceType::TransactionalId,
            resource_name: "pay.".to_owned(),
            pattern: PatternType::Prefixed,
            principal: "User:orders".to_owned(),
            host: WILDCARD.to_owned(),
            operation: AclOperation::TwoPhaseCommit,
            permission: AclPermission::Deny,
        }
    }

    #[test]
    fn reads_as_kafka_s_tools_write() {
        assert_eq!(
            binding().to_string(),
            "User:orders DENY TWO_PHASE_COMMIT on TRANSACTIONAL_ID PREFIXED pay. from *"
        );
    }

    /// What `AclEntry.supportedOperations` of Kafka 4.3.1 prints.
    #[test]
    fn operations_are_those_that_kafka_asks_for() {
        for (resource, operations) in [
            (
                ResourceType::Topic,
                "ALTER_CONFIGS, WRITE, DESCRIBE_CONFIGS, READ, DESCRIBE, CREATE, DELETE, ALTER",
            ),
            (
                ResourceType::Group,
                "ALTER_CONFIGS, DESCRIBE, DESCRIBE_CONFIGS, READ, DELETE",
            ),
            (
                ResourceType::Cluster,
                "CREATE, IDEMPOTENT_WRITE, ALTER_CONFIGS, CLUSTER_ACTION, DESCRIBE, DESCRIBE_CONFIGS, ALTER",
            ),
            (
                ResourceType::TransactionalId,
                "DESCRIBE, WRITE, TWO_PHASE_COMMIT",
            ),
            (ResourceType::DelegationToken, "DESCRIBE"),
            (ResourceType::User, "DESCRIBE_TOKENS, CREATE_TOKENS"),
        ] {
            let mut ours: Vec<&str> = resource
                .operations()
                .iter()
                .map(|it| it.kafka_word())
                .collect();
            let mut kafkas: Vec<&str> = operations.split(", ").collect();
            ours.sort_unstable();
            kafkas.sort_unstable();
            assert_eq!(ours, kafkas, "{resource}");
        }
    }

    #[test]
    fn is_the_same_after_json() {
        let json = serde_json::to_value(binding()).unwrap();
        assert_eq!(json["resource_type"], "transactional-id");
        assert_eq!(json["operation"], "two-phase-commit");
        assert_eq!(
            serde_json::from_value::<AclBinding>(json).unwrap(),
            binding()
        );
    }

    #[test]
    fn both_spellings_are_one_word() {
        for operation in AclOperation::ALL {
            let written = serde_json::to_value(operation).unwrap();
            assert_eq!(
                written.as_str().unwrap().replace('-', "_").to_uppercase(),
                operation.kafka_word()
            );
        }
        for resource in ResourceType::ALL {
            let written = serde_json::to_value(resource).unwrap();
            assert_eq!(
                written.as_str().unwrap().replace('-', "_").to_uppercase(),
                resource.kafka_word()
            );
            assert!(!resource.operations().contains(&AclOperation::All));
        }
        assert_eq!(AclOperation::ALL.len(), 14);
    }
}
