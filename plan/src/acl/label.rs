//! How an ACL is called in addresses, and how it reads.

use topology::{AclBinding, AclOperation, AclPermission, PatternType, ResourceType, WILDCARD};

use crate::label::escaped;

/// `<principal>/<permission>/<operation>/<resource type>/<pattern>/<name>`, with `/<host>` after it where the rule is not
/// about every host. The whole rule is in it, so different rules have different labels.
pub(crate) fn label(rule: &AclBinding) -> String {
    let mut parts = vec![
        escaped(&rule.principal),
        word(rule.permission.kafka_word()),
        word(rule.operation.kafka_word()),
        word(rule.resource_type.kafka_word()),
        word(rule.pattern.kafka_word()),
        escaped(&rule.resource_name),
    ];
    if rule.host != WILDCARD {
        parts.push(escaped(&rule.host));
    }
    parts.join("/")
}

/// Kafka's word as a topology has it.
fn word(kafkas: &str) -> String {
    kafkas.to_lowercase().replace('_', "-")
}

/// `User:orders may read topics that begin with pay.`
pub(super) fn sentence(rule: &AclBinding) -> String {
    let may = match rule.permission {
        AclPermission::Allow => "may",
        AclPermission::Deny => "may not",
    };
    let operation = match rule.operation {
        AclOperation::All if rule.permission == AclPermission::Deny => {
            "do anything with".to_owned()
        }
        AclOperation::All => "do everything with".to_owned(),
        other => word(other.kafka_word()),
    };
    let from = if rule.host == WILDCARD {
        String::new()
    } else {
        format!(", from {}", rule.host)
    };
    format!(
        "{} {may} {operation} {}{from}",
        rule.principal,
        resource(rule)
    )
}

fn resource(rule: &AclBinding) -> String {
    let kind = match rule.resource_type {
        ResourceType::Topic => "topic",
        ResourceType::Group => "group",
        ResourceType::Cluster => return "the cluster".to_owned(),
        ResourceType::TransactionalId => "transactional id",
        ResourceType::DelegationToken => "delegation token",
        ResourceType::User => "user",
    };
    match (rule.pattern, rule.resource_name.as_str()) {
        (PatternType::Literal, WILDCARD) => format!("every {kind}"),
        (PatternType::Literal, name) => format!("{kind} {name}"),
        (PatternType::Prefixed, prefix) => format!("{kind}s that begin with {prefix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> AclBinding {
        AclBinding {
            resource_type: ResourceType::Topic,
            resource_name: "pay.".to_owned(),
            pattern: PatternType::Prefixed,
            principal: "User:orders".to_owned(),
            host: WILDCARD.to_owned(),
            operation: AclOperation::DescribeConfigs,
            permission: AclPermission::Allow,
        }
    }

    #[test]
    fn the_whole_rule_is_in_its_label() {
        assert_eq!(
            label(&rule()),
            "User:orders/allow/describe-configs/topic/prefixed/pay."
        );
        let odd = AclBinding {
            principal: "User:CN=a/b c".to_owned(),
            host: "10.0.0.1".to_owned(),
            permission: AclPermission::Deny,
            resource_type: ResourceType::TransactionalId,
            ..rule()
        };
        assert_eq!(
            label(&odd),
            "User:CN=a%2Fb%20c/deny/describe-configs/transactional-id/prefixed/pay./10.0.0.1"
        );
    }

    #[test]
    fn rules_read_as_sentences() {
        assert_eq!(
            sentence(&rule()),
            "User:orders may describe-configs topics that begin with pay."
        );
        let all = AclBinding {
            operation: AclOperation::All,
            permission: AclPermission::Deny,
            pattern: PatternType::Literal,
            resource_name: "*".to_owned(),
            host: "10.0.0.1".to_owned(),
            ..rule()
        };
        assert_eq!(
            sentence(&all),
            "User:orders may not do anything with every topic, from 10.0.0.1"
        );
        let cluster = AclBinding {
            operation: AclOperation::Alter,
            resource_type: ResourceType::Cluster,
            resource_name: topology::CLUSTER_RESOURCE.to_owned(),
            ..rule()
        };
        assert_eq!(sentence(&cluster), "User:orders may alter the cluster");
    }
}
