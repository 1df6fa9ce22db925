//! `topicSync` of a mirror, and what it may do to the target's topics.

use std::time::Duration;

use super::scope::Scope;
use crate::choices::OnSourceDelete;
use crate::code::Code;
use crate::defaults;
use crate::finding::Finding;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::resolved::{Cluster, TargetRails, Topic, TopicSync};
use crate::spec::{self, DurationText};
use crate::units;

pub(super) fn topic_sync(
    scope: &mut Scope<'_>,
    mirror: &Path,
    spec: &spec::Mirror,
    clusters: &[Cluster],
) -> Option<TopicSync> {
    let path = mirror.key("topicSync");
    let exclude: Vec<Option<Pattern>> = match &spec.topic_sync.config_exclude {
        None => defaults::CONFIG_EXCLUDE
            .iter()
            .map(|it| scope.pattern(&path, it))
            .collect(),
        Some(written) => written
            .iter()
            .enumerate()
            .map(|(at, it)| scope.pattern(&path.key("configExclude").index(at), it))
            .collect(),
    };
    if let Some(factor) = spec.topic_sync.replication_factor {
        let brokers = clusters
            .iter()
            .find(|cluster| cluster.alias == spec.target)
            .and_then(|cluster| cluster.brokers)
            .filter(|brokers| u32::from(factor) > *brokers);
        if let Some(brokers) = brokers {
            let span = scope.span(&path.key("replicationFactor"));
            scope.add(
                Finding::new(
                    Code::ReplicationFactorTooHigh,
                    span,
                    format!(
                        "`{}` wants {factor} replicas and `{}` has {brokers} {}",
                        spec.name.0,
                        spec.target,
                        if brokers == 1 { "broker" } else { "brokers" }
                    ),
                    "more replicas than brokers",
                )
                .hint(format!("at most {brokers} here, or more brokers there")),
            );
        }
    }
    let may_delete = clusters
        .iter()
        .find(|cluster| cluster.alias == spec.target)
        .is_none_or(|cluster| cluster.allow.delete_topics);
    if spec.topic_sync.on_source_delete == OnSourceDelete::Delete && !may_delete {
        let span = scope.span(&path.key("onSourceDelete"));
        scope.add(
            Finding::new(
                Code::DeleteNotAllowed,
                span,
                format!(
                    "`{}` would delete topics of `{}`, which does not allow it",
                    spec.name.0, spec.target
                ),
                "topics stay",
            )
            .hint(format!(
                "write `allow: {{deleteTopics: true}}` in the cluster `{}`, or `onSourceDelete: keep`",
                spec.target
            )),
        );
    }
    let interval = pause_between(
        scope,
        &path.key("interval"),
        spec.topic_sync.interval.as_ref(),
        defaults::TOPIC_SYNC_INTERVAL,
    );
    let config_interval = pause_between(
        scope,
        &path.key("configInterval"),
        spec.topic_sync.config_interval.as_ref(),
        defaults::CONFIG_SYNC_INTERVAL,
    );
    Some(TopicSync {
        interval: interval?,
        config_interval: config_interval?,
        partitions: spec.topic_sync.partitions,
        config: spec.topic_sync.config,
        config_exclude: exclude.into_iter().collect::<Option<Vec<_>>>()?,
        replication_factor: spec.topic_sync.replication_factor,
        on_source_delete: spec.topic_sync.on_source_delete,
    })
}

/// A pause between two looks at a cluster: never so short that looking is all that is done.
fn pause_between(
    scope: &mut Scope<'_>,
    path: &Path,
    written: Option<&DurationText>,
    default: Duration,
) -> Option<Duration> {
    let Some(written) = written else {
        return Some(default);
    };
    let interval = units::duration(&written.0)?;
    if interval >= defaults::LEAST_INTERVAL {
        return Some(interval);
    }
    let least = defaults::LEAST_INTERVAL.as_millis();
    let span = scope.span(path);
    scope.add(
        Finding::new(
            Code::OutOfRange,
            span,
            format!("`{path}` has to be {least}ms or more"),
            "too short",
        )
        .hint("new topics are looked for this often; `10s` is usual"),
    );
    None
}

/// What the file says about the target cluster's topics.
pub(super) fn rails(target: &str, clusters: &[Cluster], topics: &[Topic]) -> TargetRails {
    let cluster = clusters.iter().find(|cluster| cluster.alias == target);
    TargetRails {
        topics: cluster.map(|it| it.topics.clone()).unwrap_or_default(),
        delete_topics: cluster.is_some_and(|it| it.allow.delete_topics),
        declared: topics
            .iter()
            .filter(|topic| topic.clusters.iter().any(|alias| alias == target))
            .map(|topic| (topic.name.clone(), topic.configs.keys().cloned().collect()))
            .collect(),
    }
}
