//! Reads live ACLs, and turns them from the words of the wire into those of a topology and back.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{AclFilter, Cluster, PatternFilter};
use topology::AclBinding;

use super::label;
use crate::topic::ReadError;

/// All ACLs of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those whose words this version knows.
    pub(crate) rules: BTreeSet<AclBinding>,
    /// How many others there are.
    pub(crate) unknown: usize,
}

/// All ACLs; none where the cluster keeps none at all.
pub(crate) async fn read_with_unknown(cluster: &Cluster) -> Result<Found, ReadError> {
    let found = match cluster.describe_acls(&AclFilter::default()).await {
        Ok(found) => found,
        Err(kafka::Error::NoAuthorizer { .. }) => return Ok(Found::default()),
        Err(error) => return Err(error.into()),
    };
    let rules: BTreeSet<AclBinding> = found.iter().filter_map(from_wire).collect();
    Ok(Found {
        unknown: found.len() - rules.len(),
        rules,
    })
}

/// The live ACLs by label, as far as this version knows all of their words; nothing where the cluster keeps no ACLs at all.
pub(crate) async fn read(
    cluster: &Cluster,
) -> Result<Option<BTreeMap<String, AclBinding>>, ReadError> {
    match cluster.describe_acls(&AclFilter::default()).await {
        Ok(found) => Ok(Some(
            found
                .iter()
                .filter_map(from_wire)
                .map(|rule| (label(&rule), rule))
                .collect(),
        )),
        Err(kafka::Error::NoAuthorizer { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether this very ACL is there.
pub(super) async fn exists(cluster: &Cluster, rule: &AclBinding) -> Result<bool, ReadError> {
    let acl = to_wire(rule);
    let filter = AclFilter {
        resource_type: Some(acl.resource_type),
        resource_name: Some(acl.resource_name.clone()),
        pattern: match acl.pattern_type {
            kafka::PatternType::Prefixed => PatternFilter::Prefixed,
            // `to_wire` makes no other
            kafka::PatternType::Literal | kafka::PatternType::Other(_) => PatternFilter::Literal,
        },
        principal: Some(acl.principal.clone()),
        host: Some(acl.host.clone()),
        operation: Some(acl.operation),
        permission: Some(acl.permission),
    };
    Ok(cluster.describe_acls(&filter).await?.contains(&acl))
}

/// Two enumerations with the same names on both sides.
macro_rules! same_words {
    ($to:ident, $from:ident, $name:ident: $($value:ident)+) => {
        fn $to(word: topology::$name) -> kafka::$name {
            match word { $(topology::$name::$value => kafka::$name::$value),+ }
        }

        fn $from(word: kafka::$name) -> Option<topology::$name> {
            match word {
                $(kafka::$name::$value => Some(topology::$name::$value),)+
                kafka::$name::Other(_) => None,
            }
        }
    };
}

same_words!(type_to_wire, type_from_wire, ResourceType:
    Topic Group Cluster TransactionalId DelegationToken User);
same_words!(pattern_to_wire, pattern_from_wire, PatternType: Literal Prefixed);
same_words!(operation_to_wire, operation_from_wire, AclOperation:
    All Read Write Create Delete Alter Describe ClusterAction DescribeConfigs AlterConfigs IdempotentWrite CreateTokens
    DescribeTokens TwoPhaseCommit);
same_words!(permission_to_wire, permission_from_wire, AclPermission: Deny Allow);

/// The rule as requests carry it.
pub(super) fn to_wire(rule: &AclBinding) -> kafka::AclBinding {
    kafka::AclBinding {
        resource_type: type_to_wire(rule.resource_type),
        resource_name: rule.resource_name.clone(),
        pattern_type: pattern_to_wire(rule.pattern),
        principal: rule.principal.clone(),
        host: rule.host.clone(),
        operation: operation_to_wire(rule.operation),
        permission: permission_to_wire(rule.permission),
    }
}

fn from_wire(acl: &kafka::AclBinding) -> Option<AclBinding> {
    Some(AclBinding {
        resource_type: type_from_wire(acl.resource_type)?,
        resource_name: acl.resource_name.clone(),
        pattern: pattern_from_wire(acl.pattern_type)?,
        principal: acl.principal.clone(),
        host: acl.host.clone(),
        operation: operation_from_wire(acl.operation)?,
        permission: permission_from_wire(acl.permission)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_survive_the_wire_and_unknown_words_are_nobodys() {
        for operation in topology::AclOperation::ALL {
            for resource_type in topology::ResourceType::ALL {
                let rule = AclBinding {
                    resource_type: *resource_type,
                    resource_name: "a".to_owned(),
                    pattern: topology::PatternType::Prefixed,
                    principal: "User:a".to_owned(),
                    host: "*".to_owned(),
                    operation: *operation,
                    permission: topology::AclPermission::Deny,
                };
                assert_eq!(from_wire(&to_wire(&rule)), Some(rule.clone()));
                let mut newer = to_wire(&rule);
                newer.operation = kafka::AclOperation::Other(99);
                assert_eq!(from_wire(&newer), None);
            }
        }
    }
}
