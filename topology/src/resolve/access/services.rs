//! `services`: rules that are derived from what an application does.

use super::names;
use super::wish::Wish;
use crate::access::{Acl, AclBinding, AclOperation, AclPermission, PatternType, ResourceType};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolve::scope::Scope;
use crate::resolved::Topic;
use crate::spec::{self, NameOrPrefix};

/// Something the service works with, and what it does to it.
struct Need {
    kind: ResourceType,
    pattern: PatternType,
    name: String,
    operations: &'static [AclOperation],
    place: Path,
}

/// `write` includes what idempotent producers need since Kafka 3.0 (KIP-679).
const PRODUCE: &[AclOperation] = &[AclOperation::Write, AclOperation::Describe];
const CONSUME: &[AclOperation] = &[AclOperation::Read, AclOperation::Describe];
const JOIN: &[AclOperation] = &[AclOperation::Read];
const TRANSACT: &[AclOperation] = &[AclOperation::Write, AclOperation::Describe];

/// What one service asks for: a rule for each operation on each thing it works with, on each of its clusters.
pub(in crate::resolve) fn wishes(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::Service,
    topics: &[Topic],
) -> Vec<Wish> {
    let known = scope.clusters(&path.key("clusters"), &spec.clusters);
    let principal = names::principal(scope, &path.key("principal"), &spec.principal);
    let host = names::host(scope, &path.key("host"), spec.host.as_deref());
    let needs = needs(scope, path, spec);
    if known {
        elsewhere(scope, path, spec, topics);
    }
    let (Some(principal), Some(host), Some(needs), true) = (principal, host, needs, known) else {
        return Vec::new();
    };
    let origin = format!("services.{}", spec.name.0);
    let mut wishes = Vec::new();
    for cluster in &spec.clusters {
        for need in &needs {
            wishes.extend(need.operations.iter().map(|operation| Wish {
                acl: Acl {
                    cluster: cluster.clone(),
                    binding: AclBinding {
                        resource_type: need.kind,
                        resource_name: need.name.clone(),
                        pattern: need.pattern,
                        principal: principal.clone(),
                        host: host.clone(),
                        operation: *operation,
                        permission: AclPermission::Allow,
                    },
                    origin: origin.clone(),
                },
                place: need.place.clone(),
            }));
        }
    }
    wishes
}

/// Nothing when one of the names is wrong.
fn needs(scope: &mut Scope<'_>, path: &Path, spec: &spec::Service) -> Option<Vec<Need>> {
    let mut needs = Vec::new();
    for (key, list, operations) in [
        ("produces", &spec.produces, PRODUCE),
        ("consumes", &spec.consumes, CONSUME),
    ] {
        for (at, topic) in list.iter().enumerate() {
            let place = path.key(key).index(at);
            needs.push(need(scope, place, ResourceType::Topic, topic, operations));
        }
    }
    match &spec.group {
        Some(group) if !spec.consumes.is_empty() => {
            let place = path.key("group");
            needs.push(need(scope, place, ResourceType::Group, group, JOIN));
        }
        Some(_) => group_without_topics(scope, path),
        None if spec.consumes.is_empty() => {}
        None => needs.push(Some(Need {
            kind: ResourceType::Group,
            pattern: PatternType::Prefixed,
            name: spec.name.0.clone(),
            operations: JOIN,
            place: path.key("consumes"),
        })),
    }
    if let Some(id) = &spec.transactional_id {
        let place = path.key("transactionalId");
        needs.push(need(
            scope,
            place,
            ResourceType::TransactionalId,
            id,
            TRANSACT,
        ));
    }
    if needs.is_empty() {
        idle(scope, path, spec);
    }
    needs.into_iter().collect()
}

fn need(
    scope: &mut Scope<'_>,
    place: Path,
    kind: ResourceType,
    written: &NameOrPrefix,
    operations: &'static [AclOperation],
) -> Option<Need> {
    let (pattern, name, written_at) = match written {
        NameOrPrefix::Name(name) => (PatternType::Literal, name, place.clone()),
        NameOrPrefix::Prefix(prefix) => {
            (PatternType::Prefixed, &prefix.prefix, place.key("prefix"))
        }
    };
    let name = names::resource(scope, &written_at, kind, pattern, name)?;
    Some(Need {
        kind,
        pattern,
        name,
        operations,
        place,
    })
}

fn group_without_topics(scope: &mut Scope<'_>, path: &Path) {
    if scope.was_removed(&path.key("consumes")) {
        return;
    }
    let span = scope.key_span(&path.key("group"));
    scope.add(
        Finding::new(
            Code::UnusedKey,
            span,
            "`group` means something with `consumes` only",
            "not used",
        )
        .hint("leave it out, or add the topics under `consumes`"),
    );
}

fn idle(scope: &mut Scope<'_>, path: &Path, spec: &spec::Service) {
    let removed = ["produces", "consumes", "transactionalId"]
        .iter()
        .any(|key| scope.was_removed(&path.key(key)));
    if removed {
        return;
    }
    let span = scope.span(&path.key("name"));
    scope.add(
        Finding::new(
            Code::MissingKey,
            span,
            format!("the service `{}` does nothing", spec.name.0),
            "neither `produces` nor `consumes`",
        )
        .hint("add `produces: [topic]` or `consumes: [topic]`"),
    );
}

/// Says which declared topics are written to on clusters that do not have them.
fn elsewhere(scope: &mut Scope<'_>, path: &Path, spec: &spec::Service, topics: &[Topic]) {
    for (at, written) in spec.produces.iter().enumerate() {
        let meant = |topic: &&Topic| match written {
            NameOrPrefix::Name(name) => topic.name == *name,
            NameOrPrefix::Prefix(prefix) => topic.name.starts_with(&prefix.prefix),
        };
        let mut declared = topics.iter().filter(meant).peekable();
        let Some(first) = declared.peek().copied() else {
            continue;
        };
        let here = |topic: &Topic| topic.clusters.iter().any(|it| spec.clusters.contains(it));
        if declared.any(here) {
            continue;
        }
        let span = scope.span(&path.key("produces").index(at));
        scope.add(
            Finding::new(
                Code::TopicElsewhere,
                span,
                format!(
                    "`{}` produces to `{}`, which is declared on {} only",
                    spec.name.0,
                    first.name,
                    quoted(&first.clusters)
                ),
                format!("not declared on {}", quoted(&spec.clusters)),
            )
            .hint("add a cluster that has the topic to `clusters`, or declare the topic there"),
        );
    }
}

fn quoted(aliases: &[String]) -> String {
    let quoted: Vec<String> = aliases.iter().map(|it| format!("`{it}`")).collect();
    quoted.join(", ")
}
