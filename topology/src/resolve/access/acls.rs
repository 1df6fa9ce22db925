//! `acls`.

use super::names;
use super::wish::Wish;
use crate::access::{Acl, AclBinding, AclOperation, CLUSTER_RESOURCE, ResourceType};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolve::scope::Scope;
use crate::spec;

/// What one entry asks for: a rule for each operation on each cluster.
pub(in crate::resolve) fn wishes(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::Acl,
) -> Vec<Wish> {
    let known = scope.clusters(&path.key("clusters"), &spec.clusters);
    let principal = names::principal(scope, &path.key("principal"), &spec.principal);
    let host = names::host(scope, &path.key("host"), spec.host.as_deref());
    let resource = &spec.resource;
    let name = resource_name(scope, &path.key("resource"), resource);
    let legal = operations(scope, path, resource.kind, &spec.operations);
    let (Some(principal), Some(host), Some(name), true, true) =
        (principal, host, name, known, legal)
    else {
        return Vec::new();
    };
    let place = path.key("operations");
    let for_cluster = |alias: &String| -> Vec<Wish> {
        let operations = spec.operations.iter();
        operations
            .map(|operation| Wish {
                acl: Acl {
                    cluster: alias.clone(),
                    binding: AclBinding {
                        resource_type: resource.kind,
                        resource_name: name.clone(),
                        pattern: resource.pattern,
                        principal: principal.clone(),
                        host: host.clone(),
                        operation: *operation,
                        permission: spec.permission,
                    },
                    origin: path.to_string(),
                },
                place: place.clone(),
            })
            .collect()
    };
    spec.clusters.iter().flat_map(for_cluster).collect()
}

fn resource_name(scope: &mut Scope<'_>, path: &Path, resource: &spec::Resource) -> Option<String> {
    let place = path.key("name");
    match &resource.name {
        Some(name) => names::resource(scope, &place, resource.kind, resource.pattern, name),
        None if resource.kind == ResourceType::Cluster => {
            let place = path.key("pattern");
            let name = CLUSTER_RESOURCE;
            names::resource(scope, &place, resource.kind, resource.pattern, name)
        }
        None => {
            if !scope.was_removed(&place) {
                let span = scope.span(&path.key("type"));
                let thing = names::thing(resource.kind);
                scope.add(
                    Finding::new(
                        Code::MissingKey,
                        span,
                        format!("the key `name` is missing in `{path}`"),
                        format!("which {thing}?"),
                    )
                    .hint("add `name: …`; `name: \"*\"` means all"),
                );
            }
            None
        }
    }
}

/// Kafka stores operations that it never asks for, without a word.
fn operations(
    scope: &mut Scope<'_>,
    path: &Path,
    kind: ResourceType,
    written: &[AclOperation],
) -> bool {
    let mut legal = true;
    for (at, operation) in written.iter().enumerate() {
        if *operation == AclOperation::All || kind.operations().contains(operation) {
            continue;
        }
        legal = false;
        let span = scope.span(&path.key("operations").index(at));
        let known: Vec<String> = kind
            .operations()
            .iter()
            .chain([&AclOperation::All])
            .map(|it| format!("`{}`", word(*it)))
            .collect();
        scope.add(
            Finding::new(
                Code::InvalidOperation,
                span,
                format!(
                    "a {} cannot be asked for `{}`",
                    names::thing(kind),
                    word(*operation)
                ),
                "Kafka never asks for it",
            )
            .hint(format!("operations here: {}", known.join(", "))),
        );
    }
    legal
}

/// The word of the file.
fn word(operation: AclOperation) -> String {
    operation.kafka_word().to_lowercase().replace('_', "-")
}
