//! `topics` and `configs`.

use std::collections::BTreeMap;

use super::{config_value, scope::Scope};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::pattern::LONGEST_TOPIC_NAME;
use crate::resolved::{Cluster, Topic};
use crate::spec::{self, ConfigValue};
use crate::suggest;

/// The named blocks; a block that could not be read is known by name.
pub(super) type Blocks = BTreeMap<String, Option<BTreeMap<String, ConfigValue>>>;

const MIN_ISR: &str = "min.insync.replicas";

pub(super) fn resolve(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: spec::Topic,
    clusters: &[Cluster],
    blocks: &Blocks,
) -> Option<Topic> {
    let before = scope.findings.len();
    name(scope, path, &spec.name);
    scope.clusters(&path.key("clusters"), &spec.clusters);
    let block = block(scope, path, spec.config.as_deref(), blocks);
    config_value::check(scope, &path.key("configs"), &spec.configs);
    let topic = Topic {
        configs: block
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .chain(spec.configs)
            .map(|(key, value)| (key, value.into_text()))
            .collect(),
        name: spec.name,
        clusters: spec.clusters,
        partitions: spec.partitions,
        replication_factor: spec.replication_factor,
        placement: spec.placement,
        prevent_destroy: spec.prevent_destroy,
    };
    replication(scope, path, &topic, clusters);
    guards(scope, path, &topic, clusters);
    (scope.findings.len() == before).then_some(topic)
}

/// Whether Kafka takes the name for a topic.
pub(super) fn is_legal_name(name: &str) -> bool {
    name_problem(name).is_none()
}

fn name(scope: &mut Scope<'_>, path: &Path, name: &str) {
    let Some(problem) = name_problem(name) else {
        return;
    };
    let span = scope.span(&path.key("name"));
    scope.add(
        Finding::new(
            Code::InvalidTopicName,
            span,
            format!("Kafka refuses the topic name `{name}`"),
            problem,
        )
        .hint(LEGAL_NAMES),
    );
}

/// What topic names are made of; the number is [`LONGEST_TOPIC_NAME`].
pub(super) const LEGAL_NAMES: &str = "letters, digits, `.`, `_` and `-`, at most 249";

/// Kafka's rule for topic names (`org.apache.kafka.common.internals.Topic`): what is wrong with this one.
pub(super) fn name_problem(name: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        Some("it is empty".to_owned())
    } else if name == "." || name == ".." {
        Some("it is a path".to_owned())
    } else if name.len() > LONGEST_TOPIC_NAME {
        Some(format!("it has {} characters", name.chars().count()))
    } else {
        name.chars()
            .find(|c| !legal(*c))
            .map(|wrong| format!("`{wrong}` is not allowed"))
    }
}

fn block<'a>(
    scope: &mut Scope<'_>,
    path: &Path,
    name: Option<&str>,
    blocks: &'a Blocks,
) -> Option<&'a BTreeMap<String, ConfigValue>> {
    let name = name?;
    if let Some(block) = blocks.get(name) {
        return block.as_ref();
    }
    let span = scope.span(&path.key("config"));
    scope.add(
        Finding::new(
            Code::UnknownConfigBlock,
            span,
            format!("no configuration block is called `{name}`"),
            "not declared under `configs`",
        )
        .hint(suggest::hint(
            name,
            "declared blocks",
            blocks.keys().map(String::as_str),
        )),
    );
    None
}

fn replication(scope: &mut Scope<'_>, path: &Path, topic: &Topic, clusters: &[Cluster]) {
    let Some(factor) = topic.replication_factor else {
        return;
    };
    for cluster in on(topic, clusters) {
        let Some(brokers) = cluster
            .brokers
            .filter(|brokers| u32::from(factor) > *brokers)
        else {
            continue;
        };
        let span = scope.span(&path.key("replicationFactor"));
        scope.add(
            Finding::new(
                Code::ReplicationFactorTooHigh,
                span,
                format!(
                    "`{}` wants {factor} replicas and `{}` has {brokers} {}",
                    topic.name,
                    cluster.alias,
                    if brokers == 1 { "broker" } else { "brokers" }
                ),
                "more replicas than brokers",
            )
            .hint(format!("at most {brokers} here, or more brokers there")),
        );
    }
    let Some(least) = topic.configs.get(MIN_ISR) else {
        return;
    };
    let Ok(least) = least.trim().parse::<u32>() else {
        return;
    };
    if least > u32::from(factor) || (least == u32::from(factor) && factor > 1) {
        let inline = path.key("configs").key(MIN_ISR);
        let span = if scope.is_written(&inline) {
            scope.span(&inline)
        } else {
            scope.span(&path.key("config"))
        };
        scope.add(
            Finding::new(
                Code::MinInsyncReplicasTooHigh,
                span,
                format!(
                    "`{}` has {factor} {} and needs {least} in sync",
                    topic.name,
                    if factor == 1 { "replica" } else { "replicas" }
                ),
                if least > u32::from(factor) {
                    "no write can ever succeed"
                } else {
                    "one broker down stops every write"
                },
            )
            .hint(format!(
                "`{MIN_ISR}` below the replication factor: {} here",
                (factor - 1).max(1)
            )),
        );
    }
}

fn guards(scope: &mut Scope<'_>, path: &Path, topic: &Topic, clusters: &[Cluster]) {
    for cluster in on(topic, clusters) {
        let guard = &cluster.topics;
        let (code, label, hint) = if let Some(protected) = guard
            .protected
            .as_ref()
            .filter(|it| it.matches(&topic.name))
        {
            (
                Code::ProtectedTopic,
                format!("`{protected}` protects it"),
                "a topic is either protected or declared: narrow `protected`, or leave the topic out",
            )
        } else if let Some(managed) = guard.managed.as_ref().filter(|it| !it.matches(&topic.name)) {
            (
                Code::UnmanagedTopic,
                format!("`{managed}` does not match it"),
                "widen `managed`, or leave the topic out",
            )
        } else {
            continue;
        };
        let span = scope.span(&path.key("name"));
        scope.add(
            Finding::new(
                code,
                span,
                format!(
                    "the guard of `{}` forbids touching `{}`",
                    cluster.alias, topic.name
                ),
                label,
            )
            .hint(hint),
        );
    }
}

fn on<'a>(topic: &'a Topic, clusters: &'a [Cluster]) -> impl Iterator<Item = &'a Cluster> {
    clusters
        .iter()
        .filter(|cluster| topic.clusters.contains(&cluster.alias))
}
