//! `KafkaUser`: who it is to Kafka, what it may do, and how much of it.

use std::collections::BTreeMap;

use super::clusters::Clusters;
use super::part::Part;
use super::resource::Resource;
use crate::access::{
    AclOperation, AclPermission, EntityName, PatternType, QuotaEntity, ResourceType, ScramMechanism,
};
use crate::import::{Imported, ImportedAcl, ImportedQuota, ImportedUser};

/// How often Strimzi's user operator hashes each password (`ScramCredentialsOperator.ITERATIONS`); a resource cannot say it.
const ITERATIONS: u32 = 4096;

/// The limits of the resource, and the keys of a topology.
const LIMITS: [(&str, &str); 4] = [
    ("producerByteRate", "producerBytesPerSecond"),
    ("consumerByteRate", "consumerBytesPerSecond"),
    ("requestPercentage", "requestPercentage"),
    ("controllerMutationRate", "controllerMutationsPerSecond"),
];

pub(super) fn read(
    resource: Resource,
    known: &mut Clusters,
    imported: &mut Imported,
    left: &mut Vec<String>,
) {
    let cluster = known.of(&resource, imported);
    let label = resource.label();
    let mut spec = resource.spec;
    let mut authentication = spec.part("authentication");
    let kind = authentication.as_mut().and_then(|it| it.text("type"));
    let user = match kind.as_deref() {
        Some("tls" | "tls-external") => format!("CN={}", resource.name),
        Some(_) | None => resource.name.clone(),
    };
    if kind.as_deref() == Some("scram-sha-512") {
        let (secret, entry) = authentication
            .as_mut()
            .and_then(declared_password)
            .unwrap_or_else(|| (resource.name.clone(), "password".to_owned()));
        let password_variable = imported.password_variable(&format!("{cluster}_{user}"));
        imported.remarks.push(format!(
            "put `{entry}` of the secret {secret} into the variable {password_variable}"
        ));
        imported.users.push(ImportedUser {
            name: user.clone(),
            cluster: cluster.clone(),
            mechanism: ScramMechanism::Sha512,
            iterations: ITERATIONS,
            password_variable,
        });
    }
    if let Some(authentication) = authentication {
        authentication.end(left);
    }
    if let Some(mut authorization) = spec.part("authorization") {
        authorization.text("type");
        for part in authorization.list("acls") {
            let acl = rule(
                part,
                &format!("User:{user}"),
                &cluster,
                &label,
                imported,
                left,
            );
            imported.acls.extend(acl);
        }
        authorization.end(left);
    }
    if let Some(mut quotas) = spec.part("quotas") {
        let limits: BTreeMap<&'static str, serde_json::Number> = LIMITS
            .into_iter()
            .filter_map(|(key, name)| Some((name, quotas.number(key)?)))
            .collect();
        if !limits.is_empty() {
            imported.quotas.push(ImportedQuota {
                cluster,
                entity: QuotaEntity {
                    user: Some(EntityName::Named(user)),
                    ..QuotaEntity::default()
                },
                limits,
            });
        }
        quotas.end(left);
    }
    spec.end(left);
}

/// The secret and its key that hold a password of one's own choice.
fn declared_password(authentication: &mut Part) -> Option<(String, String)> {
    let mut from = authentication
        .part("password")?
        .part("valueFrom")?
        .part("secretKeyRef")?;
    Some((from.text("name")?, from.text("key")?))
}

fn rule(
    mut part: Part,
    principal: &str,
    cluster: &str,
    label: &str,
    imported: &mut Imported,
    left: &mut Vec<String>,
) -> Option<ImportedAcl> {
    let mut resource = part.part("resource")?;
    let kind = resource.text("type").unwrap_or_default();
    let Some(resource_type) = resource_type(&kind) else {
        imported
            .remarks
            .push(format!("{label}: rules for a `{kind}` are not taken over"));
        return None;
    };
    let pattern = match resource.text("patternType").as_deref() {
        Some("prefix") => PatternType::Prefixed,
        Some(_) | None => PatternType::Literal,
    };
    let resource_name = resource.text("name");
    resource.end(left);
    let mut words = part.texts("operations");
    // the older form has one operation
    words.extend(part.text("operation"));
    let mut operations = Vec::new();
    for word in words {
        let operation = AclOperation::ALL
            .iter()
            .find(|it| it.kafka_word().replace('_', "") == word.to_uppercase());
        let asked =
            |it: &AclOperation| *it == AclOperation::All || resource_type.operations().contains(it);
        match operation.copied().filter(asked) {
            Some(operation) => operations.push(operation),
            None => imported.remarks.push(format!(
                "{label}: Kafka never asks for {word} on a {kind}, so it is not taken over"
            )),
        }
    }
    let permission = match part.text("type").as_deref() {
        Some("deny") => AclPermission::Deny,
        Some(_) | None => AclPermission::Allow,
    };
    let host = part.text("host").filter(|host| host != "*");
    part.end(left);
    (!operations.is_empty()).then(|| ImportedAcl {
        cluster: cluster.to_owned(),
        principal: principal.to_owned(),
        resource_type,
        resource_name,
        pattern,
        operations,
        permission,
        host,
    })
}

fn resource_type(word: &str) -> Option<ResourceType> {
    match word {
        "topic" => Some(ResourceType::Topic),
        "group" => Some(ResourceType::Group),
        "cluster" => Some(ResourceType::Cluster),
        "transactionalId" => Some(ResourceType::TransactionalId),
        _ => None,
    }
}
