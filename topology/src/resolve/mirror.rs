//! `mirrors`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};

use super::scope::Scope;
use super::topic_sync::{rails, topic_sync};
use crate::choices::Engine;
use crate::code::Code;
use crate::defaults;
use crate::finding::Finding;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::policy::{RenameRule, ReplicationPolicy};
use crate::resolved::{AclSync, Cluster, GroupOffsetSync, Mirror, Selection, StartOffset, Topic};
use crate::spec::{self, OneOrMany, PolicyType, Timestamp};
use crate::units;

pub(super) fn resolve(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: spec::Mirror,
    clusters: &[Cluster],
    declared_topics: &[Topic],
) -> Option<Mirror> {
    let rails = rails(&spec.target, clusters, declared_topics);
    let before = scope.findings.len();
    let declared = declared(scope, path, &spec);
    let warnings = scope.findings.len() - before;

    let sources = sources(scope, path, &spec);
    scope.knows_cluster(&path.key("target"), &spec.target);
    let topics = topics(scope, path, &spec);
    let groups = groups(scope, path, &spec);
    let policy = policy(scope, path, spec.replication_policy.as_ref());
    let paused_topics = paused_topics(scope, path, &spec);
    let start_offset = start_offset(scope, path, &spec.start_offset);
    let topic_sync = topic_sync(scope, path, &spec, clusters);
    let throttle_path = path.key("throttle").key("bytesPerSecond");
    let throttle = match &spec.throttle {
        Some(throttle) => Some(scope.size(&throttle_path, &throttle.bytes_per_second, 1)?),
        None => None,
    };
    let byte_budget = match &spec.byte_budget {
        Some(budget) => {
            // each part has its share
            let parts = u64::from(spec.tasks.unwrap_or(defaults::TASKS));
            let least = parts * defaults::LEAST_BYTE_BUDGET;
            Some(scope.size(&path.key("byteBudget"), budget, least)?)
        }
        None => None,
    };
    let interval = match &spec.group_offset_sync.interval {
        Some(text) => units::duration(&text.0)?,
        None => defaults::GROUP_SYNC_INTERVAL,
    };
    let stall_after = match &spec.stall_after {
        Some(text) => units::duration(&text.0)?,
        None => defaults::STALL_AFTER,
    };
    let mirror = Mirror {
        name: spec.name.0,
        sources,
        target: spec.target,
        engine: spec.engine,
        topics: topics?,
        groups: groups?,
        policy: policy?,
        start_offset: start_offset?,
        delivery: spec.delivery,
        topic_sync: topic_sync?,
        group_offset_sync: GroupOffsetSync {
            enabled: spec.group_offset_sync.enabled,
            interval,
        },
        acl_sync: AclSync {
            enabled: spec.acl_sync.enabled,
        },
        on_data_loss: spec.on_data_loss,
        on_topic_reset: spec.on_topic_reset,
        on_oversize: spec.on_oversize,
        throttle,
        slo_lag: objective(spec.slo.as_ref().and_then(|slo| slo.lag.as_ref())),
        slo_outage_budget: objective(spec.slo.as_ref().and_then(|slo| slo.outage_budget.as_ref())),
        state: spec.state,
        paused_topics: paused_topics.ok()?,
        stall_after,
        rails,
        tasks: spec.tasks,
        replay_window: spec.replay_window.unwrap_or(defaults::REPLAY_WINDOW),
        byte_budget,
        declared,
    };
    let errors = scope.findings[before + warnings..]
        .iter()
        .any(|finding| finding.code.severity() == crate::code::Severity::Error);
    (!errors).then_some(mirror)
}

fn objective(written: Option<&spec::DurationText>) -> Option<Duration> {
    units::duration(&written?.0)
}

fn sources(scope: &mut Scope<'_>, path: &Path, spec: &spec::Mirror) -> Vec<String> {
    let key = path.key("source");
    let places: Vec<(Path, String)> = match &spec.source {
        OneOrMany::One(one) => vec![(key, one.clone())],
        OneOrMany::Many(many) => many
            .iter()
            .enumerate()
            .map(|(at, alias)| (key.index(at), alias.clone()))
            .collect(),
    };
    for (at, (place, alias)) in places.iter().enumerate() {
        let known = scope.knows_cluster(place, alias);
        if places[..at].iter().any(|(_, earlier)| earlier == alias) {
            let span = scope.span(place);
            scope.add(Finding::new(
                Code::DuplicateReference,
                span,
                format!("`{alias}` is listed twice"),
                "listed again here",
            ));
        }
        if known && *alias == spec.target {
            let span = scope.span(place);
            scope.add(
                Finding::new(
                    Code::SourceIsTarget,
                    span,
                    format!("`{}` would mirror `{alias}` onto itself", spec.name.0),
                    "also the target",
                )
                .hint("a mirror goes from one cluster to another"),
            );
        }
    }
    places.into_iter().map(|(_, alias)| alias).collect()
}

fn topics(scope: &mut Scope<'_>, path: &Path, spec: &spec::Mirror) -> Option<Selection> {
    let include = scope.pattern(
        &path.key("topicsPattern"),
        spec.topics_pattern.as_deref().unwrap_or(defaults::TOPICS),
    );
    let mut exclude: Vec<&str> = match spec.topics_exclude_pattern.as_deref() {
        None => defaults::TOPICS_EXCLUDE.to_vec(),
        Some(written) if written.trim().is_empty() => Vec::new(),
        Some(written) => {
            // a broken pattern is reported on its own, before the internal ones are added to it
            scope.pattern(&path.key("topicsExcludePattern"), written)?;
            vec![written]
        }
    };
    exclude.extend(defaults::TOPICS_INTERNAL);
    let mut seen = Vec::new();
    exclude.retain(|it| {
        let new = !seen.contains(it);
        seen.push(*it);
        new
    });
    Some(Selection {
        include: include?,
        exclude: Some(scope.pattern(&path.key("topicsExcludePattern"), &exclude.join(", "))?),
    })
}

/// A pattern that cannot be read.
struct BrokenPattern;

/// An empty text pauses nothing.
fn paused_topics(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::Mirror,
) -> Result<Option<Pattern>, BrokenPattern> {
    match spec.paused_topics.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(written) => scope
            .pattern(&path.key("pausedTopics"), written)
            .map(Some)
            .ok_or(BrokenPattern),
    }
}

fn groups(scope: &mut Scope<'_>, path: &Path, spec: &spec::Mirror) -> Option<Selection> {
    let include = scope.pattern(
        &path.key("groupsPattern"),
        spec.groups_pattern.as_deref().unwrap_or(defaults::GROUPS),
    );
    let exclude = match spec.groups_exclude_pattern.as_deref() {
        Some(written) if written.trim().is_empty() => None,
        written => Some(scope.pattern(
            &path.key("groupsExcludePattern"),
            written.unwrap_or(defaults::GROUPS_EXCLUDE),
        )?),
    };
    Some(Selection {
        include: include?,
        exclude,
    })
}

fn policy(
    scope: &mut Scope<'_>,
    mirror: &Path,
    spec: Option<&spec::ReplicationPolicy>,
) -> Option<ReplicationPolicy> {
    let Some(spec) = spec else {
        return Some(ReplicationPolicy::Default {
            separator: defaults::SEPARATOR.to_owned(),
        });
    };
    let path = mirror.key("replicationPolicy");
    for (key, written, belongs_to, word) in [
        (
            "separator",
            spec.separator.is_some(),
            PolicyType::Default,
            "default",
        ),
        (
            "prefix",
            spec.prefix.is_some(),
            PolicyType::Prefix,
            "prefix",
        ),
        ("rules", spec.rules.is_some(), PolicyType::Rename, "rename"),
    ] {
        if written && spec.kind != belongs_to {
            let span = scope.key_span(&path.key(key));
            scope.add(
                Finding::new(
                    Code::UnusedKey,
                    span,
                    format!("`{key}` means something with `type: {word}` only"),
                    "not used",
                )
                .hint(format!("leave it out, or write `type: {word}`")),
            );
        }
    }
    match spec.kind {
        PolicyType::Identity => Some(ReplicationPolicy::Identity),
        PolicyType::Default => Some(ReplicationPolicy::Default {
            separator: spec
                .separator
                .clone()
                .unwrap_or_else(|| defaults::SEPARATOR.to_owned()),
        }),
        PolicyType::Prefix => match &spec.prefix {
            Some(prefix) => Some(ReplicationPolicy::Prefix {
                prefix: prefix.clone(),
            }),
            None => needs(scope, &path, "prefix", "prefix: dc1_"),
        },
        PolicyType::Rename => match &spec.rules {
            Some(rules) => Some(ReplicationPolicy::Rename {
                rules: rename_rules(scope, &path.key("rules"), rules)?,
            }),
            None => needs(
                scope,
                &path,
                "rules",
                "rules: [{from: 'old\\.(.*)', to: 'new.$1'}]",
            ),
        },
    }
}

fn needs<T>(scope: &mut Scope<'_>, path: &Path, key: &str, example: &str) -> Option<T> {
    if !scope.is_written(&path.key(key)) {
        let span = scope.span(&path.key("type"));
        scope.add(
            Finding::new(
                Code::MissingKey,
                span,
                format!("the key `{key}` is missing in `{path}`"),
                format!("this type needs `{key}`"),
            )
            .hint(format!("add `{example}`")),
        );
    }
    None
}

fn rename_rules(
    scope: &mut Scope<'_>,
    path: &Path,
    rules: &[spec::RenameRule],
) -> Option<Vec<RenameRule>> {
    let resolved: Vec<Option<RenameRule>> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| {
            let place = path.index(at).key("from");
            scope.pattern(&place, &rule.from)?;
            let built = RenameRule::new(&rule.from, &rule.to);
            if built.is_err() {
                // a comma made it a list for the check above; as one expression it is broken
                let span = scope.span(&place);
                scope.add(
                    Finding::new(
                        Code::InvalidPattern,
                        span,
                        format!("`{}` is not a usable pattern", rule.from),
                        "not one regular expression",
                    )
                    .hint("a rule takes one regular expression, not a list"),
                );
            }
            built.ok()
        })
        .collect();
    resolved.into_iter().collect()
}

fn start_offset(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::StartOffset,
) -> Option<StartOffset> {
    match spec {
        spec::StartOffset::Earliest => Some(StartOffset::Earliest),
        spec::StartOffset::Latest => Some(StartOffset::Latest),
        spec::StartOffset::Timestamp(Timestamp::Millis(millis)) => {
            warn_of_future(scope, path, *millis);
            Some(StartOffset::Timestamp(*millis))
        }
        spec::StartOffset::Timestamp(Timestamp::Text(text)) => {
            if let Some(time) = DateTime::parse_from_rfc3339(text)
                .ok()
                .filter(|time| time.timestamp_millis() >= 0)
            {
                warn_of_future(scope, path, time.timestamp_millis());
                return Some(StartOffset::Timestamp(time.timestamp_millis()));
            }
            let span = scope.span(&path.key("startOffset").key("timestamp"));
            scope.add(
                Finding::new(
                    Code::InvalidTimestamp,
                    span,
                    format!("`{text}` is not a time"),
                    "expected RFC 3339, with a time zone, since 1970",
                )
                .hint("write it as `2026-01-31T08:00:00Z`, or as milliseconds since 1970"),
            );
            None
        }
    }
}

/// Brokers know no record of a time that is yet to come: copying begins at the end, and does not wait for it.
fn warn_of_future(scope: &mut Scope<'_>, path: &Path, millis: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let is_ahead = now.is_ok_and(|now| i128::from(millis) > now.as_millis() as i128);
    let Some(time) = DateTime::from_timestamp_millis(millis).filter(|_| is_ahead) else {
        return;
    };
    let span = scope.span(&path.key("startOffset").key("timestamp"));
    scope.add(
        Finding::new(
            Code::StartInFuture,
            span,
            format!(
                "{} is yet to come",
                time.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            "as long as it is, this means `latest`",
        )
        .hint("a mirror begins at once, at the end of each partition; write a time that has passed, or `latest`"),
    );
}

/// What the file asks for and the built-in replicator cannot do yet.
fn declared(scope: &mut Scope<'_>, path: &Path, spec: &spec::Mirror) -> Vec<String> {
    const REFUSED: &str = "`replicate` refuses this mirror rather than ignore it";
    let mut declared = Vec::new();
    // other engines know their own business
    if spec.engine != Engine::Builtin {
        return declared;
    }
    let asks = [
        (spec.group_offset_sync.enabled, "groupOffsetSync"),
        (spec.acl_sync.enabled, "aclSync"),
    ];
    for (asked, key) in asks {
        if asked {
            scope.declared_only(&path.key(key), key, REFUSED);
            declared.push(key.to_owned());
        }
    }
    declared
}
