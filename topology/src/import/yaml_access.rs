//! Users, access rules and quotas in the file that an import writes.

use super::yaml::{line, quoted};
use super::{Imported, ImportedAcl};
use crate::access::{AclPermission, PatternType};

pub(super) fn write_access(text: &mut String, imported: &Imported) {
    if !imported.users.is_empty() {
        line(text, "users:");
    }
    for user in &imported.users {
        line(
            text,
            &format!(
                "- {{name: {}, clusters: [{}], password: {{env: {}}}}}",
                quoted(&user.name),
                quoted(&user.cluster),
                user.password_variable
            ),
        );
    }
    if !imported.acls.is_empty() {
        line(text, "acls:");
    }
    for acl in &imported.acls {
        line(text, &acl_line(acl));
    }
    if !imported.quotas.is_empty() {
        line(text, "quotas:");
    }
    for quota in &imported.quotas {
        let limits = quota.limits.iter();
        let limits: Vec<String> = limits
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        line(
            text,
            &format!(
                "- {{clusters: [{}], user: {}, {}}}",
                quoted(&quota.cluster),
                quoted(&quota.user),
                limits.join(", ")
            ),
        );
    }
}

fn acl_line(acl: &ImportedAcl) -> String {
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

/// The word of the file for a word of Kafka's tools.
fn word(kafka: &str) -> String {
    kafka.to_lowercase().replace('_', "-")
}
