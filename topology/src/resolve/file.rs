//! The whole file.

use std::collections::BTreeSet;

use super::{
    access, cluster, colliding, config_value, infrastructure, mirror, msk_replicator, naming,
    promises, rendering, scope::Scope, topic,
};
use crate::access::Acl;
use crate::code::{Code, Severity};
use crate::finding::Finding;
use crate::parts::Parts;
use crate::path::Path;
use crate::resolved::{Cluster, Mirror, Pipeline, Topic, Topology, Verify};
use crate::spec;
use crate::structure::Structure;
use crate::tree::Node;

/// Checks the meaning of what could be read; gives the topology when nothing is wrong.
pub(crate) fn resolve(
    text: &str,
    tree: &Node,
    structure: &Structure,
) -> (Option<Topology>, Vec<Finding>) {
    let file = tree.to_json();
    let parts = Parts::read(&file);
    let mut scope = Scope::new(text, tree, structure);
    scope.aliases = parts.aliases.iter().flatten().cloned().collect();

    names(&mut scope, &parts);
    let complete = parts.clusters.iter().all(Option::is_some)
        && parts.topics.iter().all(Option::is_some)
        && parts.mirrors.iter().all(Option::is_some)
        && parts.users.iter().all(Option::is_some)
        && parts.acls.iter().all(Option::is_some)
        && parts.quotas.iter().all(Option::is_some)
        && parts.services.iter().all(Option::is_some);
    unused_blocks(&mut scope, &parts);

    let root = Path::root();
    for (name, block) in &parts.configs {
        let Some(block) = block else { continue };
        let path = root.key("configs").key(name);
        config_value::check(&mut scope, &path, block);
    }
    let placed_clusters: Vec<(usize, Cluster)> = placed(parts.clusters)
        .filter_map(|(at, spec)| {
            let path = root.key("clusters").index(at);
            cluster::resolve(&mut scope, &path, spec).map(|cluster| (at, cluster))
        })
        .collect();
    infrastructure::check(&mut scope, &placed_clusters);
    let clusters: Vec<Cluster> = placed_clusters.iter().map(|(_, it)| it.clone()).collect();
    let topics: Vec<Topic> = placed(parts.topics)
        .filter_map(|(at, spec)| {
            let path = root.key("topics").index(at);
            topic::resolve(&mut scope, &path, spec, &clusters, &parts.configs)
        })
        .collect();
    let mirrors: Vec<(usize, Mirror)> = placed(parts.mirrors)
        .filter_map(|(at, spec)| {
            let path = root.key("mirrors").index(at);
            mirror::resolve(&mut scope, &path, spec, &clusters, &topics).map(|mirror| (at, mirror))
        })
        .collect();
    let borrowed: Vec<naming::Placed<'_>> =
        mirrors.iter().map(|(at, mirror)| (*at, mirror)).collect();
    naming::check(&mut scope, &borrowed, &topics);
    promises::check(&mut scope, &borrowed, &topics);
    infrastructure::check_links(&mut scope, &borrowed, &placed_clusters);
    infrastructure::check_ways_out(&mut scope, &borrowed, &placed_clusters);
    msk_replicator::check(&mut scope, &borrowed, &placed_clusters);

    let users = access::users(
        &mut scope,
        &root.key("users"),
        placed(parts.users),
        &clusters,
    );
    let acls = acls(&mut scope, parts.acls, parts.services, &topics);
    let quotas = access::quotas(&mut scope, &root.key("quotas"), placed(parts.quotas));

    let render = parts
        .render
        .map(|spec| rendering::resolve(&mut scope, spec));
    let declared = declared(&mut scope, &file);
    let verify = parts.verify.map_or_else(
        || Verify {
            checks: Vec::new(),
            profile: None,
        },
        |spec| Verify {
            checks: spec
                .checks
                .iter()
                .map(|check| check.id().to_owned())
                .collect(),
            profile: spec.profile,
        },
    );
    let sound = complete
        && scope
            .findings
            .iter()
            .all(|finding| finding.code.severity() == Severity::Warning);
    let topology = sound.then(|| Topology {
        name: parts.metadata.map(|metadata| metadata.name.0),
        clusters,
        topics,
        users,
        acls,
        quotas,
        mirrors: mirrors.into_iter().map(|(_, mirror)| mirror).collect(),
        pipelines: pipelines(&file),
        render,
        verify,
        declared,
    });
    (topology, scope.findings)
}

/// The rules that are written before those that services need.
fn acls(
    scope: &mut Scope<'_>,
    acls: Vec<Option<spec::Acl>>,
    services: Vec<Option<spec::Service>>,
    topics: &[Topic],
) -> Vec<Acl> {
    let root = Path::root();
    let mut wishes = Vec::new();
    for (at, spec) in placed(acls) {
        wishes.extend(access::acls(scope, &root.key("acls").index(at), &spec));
    }
    for (at, spec) in placed(services) {
        let path = root.key("services").index(at);
        wishes.extend(access::services(scope, &path, &spec, topics));
    }
    access::settle(scope, wishes)
}

fn placed<T>(list: Vec<Option<T>>) -> impl Iterator<Item = (usize, T)> {
    list.into_iter()
        .enumerate()
        .filter_map(|(at, item)| item.map(|item| (at, item)))
}

fn names(scope: &mut Scope<'_>, parts: &Parts) {
    let root = Path::root();
    scope.unique(
        Code::DuplicateAlias,
        &root.key("clusters"),
        "alias",
        &parts.aliases,
        "clusters",
    );
    let mirrors: Vec<Option<String>> = parts
        .mirrors
        .iter()
        .map(|mirror| mirror.as_ref().map(|it| it.name.0.clone()))
        .collect();
    scope.unique(
        Code::DuplicateMirror,
        &root.key("mirrors"),
        "name",
        &mirrors,
        "mirrors",
    );
    let services: Vec<Option<String>> = parts
        .services
        .iter()
        .map(|service| service.as_ref().map(|it| it.name.0.clone()))
        .collect();
    scope.unique(
        Code::DuplicateService,
        &root.key("services"),
        "name",
        &services,
        "services",
    );
    duplicate_topics(scope, parts);
    colliding::check(scope, &parts.topics);
}

/// A topic may be declared several times, for different clusters.
fn duplicate_topics(scope: &mut Scope<'_>, parts: &Parts) {
    let path = Path::root().key("topics");
    for (at, topic) in parts.topics.iter().enumerate() {
        let Some(topic) = topic else { continue };
        let twice = parts.topics[..at]
            .iter()
            .enumerate()
            .filter_map(|(first, other)| other.as_ref().map(|other| (first, other)))
            .filter(|(_, other)| other.name == topic.name)
            .find_map(|(first, other)| {
                let alias = topic
                    .clusters
                    .iter()
                    .find(|it| other.clusters.contains(it))?;
                Some((first, alias))
            });
        if let Some((first, alias)) = twice {
            let line = scope.line(&path.index(first).key("name"));
            let span = scope.span(&path.index(at).key("name"));
            scope.add(
                Finding::new(
                    Code::DuplicateTopic,
                    span,
                    format!("the topic `{}` is declared twice on `{alias}`", topic.name),
                    "declared again here",
                )
                .hint(format!("line {line} has it first; keep one of them")),
            );
        }
    }
}

fn unused_blocks(scope: &mut Scope<'_>, parts: &Parts) {
    let used: BTreeSet<&str> = parts
        .topics
        .iter()
        .flatten()
        .filter_map(|topic| topic.config.as_deref())
        .collect();
    // a topic that could not be read might use any of them
    if parts.topics.iter().any(Option::is_none) {
        return;
    }
    for name in parts
        .configs
        .keys()
        .filter(|name| !used.contains(name.as_str()))
    {
        let span = scope.key_span(&Path::root().key("configs").key(name));
        scope.add(
            Finding::new(
                Code::UnusedConfigBlock,
                span,
                format!("no topic uses the configuration block `{name}`"),
                "not used",
            )
            .hint(format!(
                "write `config: {name}` in a topic, or leave the block out"
            )),
        );
    }
}

fn pipelines(file: &serde_json::Value) -> Vec<Pipeline> {
    let list = file
        .get("pipelines")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten();
    let text = |item: &serde_json::Value, key: &str| item.get(key)?.as_str().map(str::to_owned);
    list.filter_map(|item| {
        Some(Pipeline {
            name: text(item, "name")?,
            // a topic goes into the names of files: what Kafka refuses is none
            topic: text(item, "topic").filter(|name| topic::is_legal_name(name)),
        })
    })
    .collect()
}

fn declared(scope: &mut Scope<'_>, file: &serde_json::Value) -> Vec<String> {
    let list = |key: &str| {
        file.get(key)
            .and_then(serde_json::Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let mut declared = Vec::new();
    if !list("migrations").is_empty() {
        let path = Path::root().key("migrations");
        scope.declared_only(&path, "migrations", "plan and apply leave it alone");
        declared.push("migrations".to_owned());
    }
    for (at, pipeline) in list("pipelines").iter().enumerate() {
        let path = Path::root().key("pipelines").index(at);
        for key in unread_keys(pipeline) {
            let what = format!("pipelines[].{key}");
            scope.declared_only(
                &path.key(key),
                &what,
                "`render --target pipelines` writes files for Flume, Spark, Hive and Redshift by the `topic` of a pipeline; \
                 nothing else of it is read",
            );
            declared.push(what);
        }
    }
    declared
}

/// What a pipeline says besides its name and topic.
fn unread_keys(pipeline: &serde_json::Value) -> impl Iterator<Item = &str> {
    pipeline
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .map(String::as_str)
        .filter(|key| !matches!(*key, "name" | "topic"))
}
