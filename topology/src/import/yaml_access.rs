//! Users, access rules and quotas in the file that an import writes.

use super::yaml::quoted;
use super::{ImportedAcl, ImportedQuota, ImportedUser};
use crate::access::{AclPermission, EntityName, PatternType, ScramMechanism};

pub(super) fn user_line(user: &ImportedUser) -> String {
    let mechanism = match user.mechanism {
        ScramMechanism::Sha512 => "",
        ScramMechanism::Sha256 => ", mechanism: scram-sha-256",
    };
    format!(
        "- {{name: {}, clusters: [{}]{mechanism}, iterations: {}, password: {{env: {}}}}}",
        quoted(&user.name),
        quoted(&user.cluster),
        user.iterations,
        user.password_variable
    )
}

pub(super) fn acl_line(acl: &ImportedAcl) -> String {
    let mut resource = vec![format!("type: {}", word(acl.resource_type.kafka_word()))];
    let name = acl.resource_name.as_ref();
    resource.extend(name.map(|name| format!("name: {}", quoted(name))));
    match acl.pattern {
        PatternType::Literal => {}
        PatternType::Prefixed => resource.push("pattern: prefixed".to_owned()),
    }
    let operations: Vec<String> = acl
        .operations
        .iter()
        .map(|operation| word(operation.kafka_word()))
        .collect();
    let permission = match acl.permission {
        AclPermission::Allow => "",
        AclPermission::Deny => ", permission: deny",
    };
    let host = acl
        .host
        .as_ref()
        .map(|host| format!(", host: {}", quoted(host)));
    format!(
        "- {{principal: {}, clusters: [{}], resource: {{{}}}, operations: [{}]{permission}{}}}",
        quoted(&acl.principal),
        quoted(&acl.cluster),
        resource.join(", "),
        operations.join(", "),
        host.unwrap_or_default()
    )
}

pub(super) fn quota_line(quota: &ImportedQuota) -> String {
    let mut keys = vec![format!("clusters: [{}]", quoted(&quota.cluster))];
    let entity = &quota.entity;
    for (key, name) in [
        ("user", &entity.user),
        ("clientId", &entity.client_id),
        ("ip", &entity.ip),
    ] {
        keys.extend(name.as_ref().map(|name| match name {
            EntityName::Default => format!("{key}: <default>"),
            EntityName::Named(name) => format!("{key}: {}", quoted(name)),
        }));
    }
    let limits = quota.limits.iter();
    keys.extend(limits.map(|(key, value)| format!("{key}: {value}")));
    format!("- {{{}}}", keys.join(", "))
}

/// The word of the file for a word of Kafka's tools.
fn word(kafka: &str) -> String {
    kafka.to_lowercase().replace('_', "-")
}
