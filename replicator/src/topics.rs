//! Which topics a mirror copies, and making sure that they exist on the target first.

mod compacted;
mod config_sync;
mod handed_over;
mod obstacles;
mod provenance;
mod source_delete;
mod upkeep;

pub(crate) use obstacles::obstacles;
pub(crate) use register::Begin;
pub(crate) use upkeep::{Discovered, Upkeep};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kafka::{Cluster, ConfigSource, Error, NewTopic, RetryClass, TopicMetadata};
use topology::{Mirror, QUARANTINE_SUFFIX};

use crate::error::RunError;
use crate::gap::GAPS_TOPIC;
use crate::position::POSITIONS_TOPIC;
use crate::words::counted;

/// How long a created topic may take until the target's metadata shows it with leaders.
const APPEAR_WITHIN: Duration = Duration::from_secs(30);

const GUARDED: &str = "the topology protects it, or does not list it among the managed topics";

/// A topic on both sides, ready to be copied.
#[derive(Debug, Clone)]
pub(crate) struct MirroredTopic {
    pub(crate) source: Arc<TopicMetadata>,
    pub(crate) source_name: Arc<str>,
    pub(crate) target: Arc<TopicMetadata>,
    pub(crate) target_name: Arc<str>,
}

/// A topic that is selected and not copied. The others do not wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// On the source.
    pub(crate) topic: Arc<TopicMetadata>,
    /// Its name on the target.
    pub(crate) target: Arc<str>,
    /// What stands against it.
    pub(crate) reason: String,
}

impl MirroredTopic {
    /// Not to be copied after all.
    pub(crate) fn refused(&self, reason: String) -> Refused {
        Refused {
            topic: self.source.clone(),
            target: self.target_name.clone(),
            reason,
        }
    }
}

/// One end of a mirror.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) alias: &'a str,
    pub(crate) cluster: &'a Cluster,
}

/// The patterns that select the mirror's topics, in words.
pub fn selection(mirror: &Mirror) -> String {
    let include = format!("`{}`", mirror.topics.include);
    match &mirror.topics.exclude {
        Some(exclude) => format!("{include} without `{exclude}`"),
        None => include,
    }
}

/// Source topics that the mirror selects, with their names on the target. Internal topics, the
/// brokers' and ours, are never selected.
pub(crate) fn select(
    mirror: &Mirror,
    source_alias: &str,
    topics: BTreeMap<String, TopicMetadata>,
) -> Vec<(TopicMetadata, String)> {
    topics
        .into_values()
        .filter(is_selectable)
        .filter_map(|topic| {
            let target = mirror.target_topic(source_alias, &topic.name)?;
            Some((topic, target))
        })
        .collect()
}

fn is_selectable(topic: &TopicMetadata) -> bool {
    !topic.internal && !is_ours(&topic.name)
}

/// Topics that this program writes for itself, on whatever cluster they are found.
fn is_ours(topic: &str) -> bool {
    topic == POSITIONS_TOPIC || topic == GAPS_TOPIC || topic.ends_with(QUARANTINE_SUFFIX)
}

/// What [`prepare`] made of the selected topics.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// On the target with all their partitions.
    pub(crate) ready: Vec<MirroredTopic>,
    pub(crate) refused: Vec<Refused>,
    /// Target topics that were made now, with the configuration keys that they were given.
    pub(crate) created: BTreeMap<String, BTreeSet<String>>,
}

/// Makes the selected topics ready on the target: created with the source's
/// partitions and configuration, or grown to as many partitions. Returns once the target's
/// metadata shows all of them but those that failed; those that were made or grown now with
/// leaders. Partitions that lost theirs are no reason to wait.
pub(crate) async fn prepare(
    mirror: &Mirror,
    source: End<'_>,
    target: End<'_>,
    selected: Vec<(TopicMetadata, String)>,
) -> Result<Prepared, RunError> {
    let on_target = |error| RunError::Target {
        alias: target.alias.to_owned(),
        error,
    };
    let names: Vec<String> = selected.iter().map(|(_, target)| target.clone()).collect();
    let existing = target
        .cluster
        .metadata_of(&names)
        .await
        .map_err(on_target)?;
    let mut failures = Failures::new();
    let missing: Vec<&(TopicMetadata, String)> = selected
        .iter()
        .filter(|(_, name)| !existing.topics.contains_key(name))
        .filter(|(_, name)| {
            let permitted = mirror.rails.topics.permits(name);
            if !permitted {
                let reason = format!("`{name}` is not on the target, and {GUARDED}");
                failures.insert(name.clone(), reason);
            }
            permitted
        })
        .collect();
    let mut created = BTreeMap::new();
    if !missing.is_empty() {
        let brokers = existing.brokers.len();
        let new = new_topics(mirror, source, brokers, &missing, &mut failures).await?;
        create(target, &new, &mut failures)
            .await
            .map_err(on_target)?;
        created.extend(
            new.into_iter()
                .map(|topic| (topic.name, topic.configs.into_keys().collect())),
        );
    }
    let mut as_it_was = BTreeSet::new();
    for (topic, name) in &selected {
        let Some(there) = existing.topics.get(name) else {
            continue;
        };
        if there.partitions.len() >= topic.partitions.len() {
            as_it_was.insert(name.clone());
        } else if let Err(reason) = grow(mirror, target, topic, name, there.partitions.len()).await
        {
            failures.insert(name.clone(), reason);
        }
    }
    let ready = wait_until_ready(target, selected, &as_it_was, failures).await;
    Ok(Prepared {
        created,
        ..ready.map_err(on_target)?
    })
}

/// Why a target topic is not ready, by its name.
type Failures = BTreeMap<String, String>;

async fn new_topics(
    mirror: &Mirror,
    source: End<'_>,
    target_brokers: usize,
    missing: &[&(TopicMetadata, String)],
    failures: &mut Failures,
) -> Result<Vec<NewTopic>, RunError> {
    let names: Vec<String> = missing
        .iter()
        .map(|(topic, _)| topic.name.clone())
        .collect();
    let mut described = source
        .cluster
        .describe_topic_configs(&names)
        .await
        .map_err(|error| RunError::Source {
            alias: source.alias.to_owned(),
            error,
        })?;
    let mut new = Vec::with_capacity(missing.len());
    for (topic, target_name) in missing {
        let configs = match described.remove(&topic.name) {
            Some(Ok(entries)) => entries,
            // One topic that may not be described holds up no other.
            Some(Err(error)) => {
                let reason = format!(
                    "the configuration of `{}` on the source cannot be read: {}",
                    topic.name,
                    error.to("DescribeConfigs")
                );
                failures.insert(target_name.clone(), reason);
                continue;
            }
            None => BTreeMap::new(),
        };
        let configs = configs
            .into_iter()
            // What the source's brokers default to is theirs, not the topic's.
            .filter(|(key, entry)| {
                entry.source == ConfigSource::Topic && mirror.topic_sync.syncs_config(key)
            })
            .filter_map(|(key, entry)| Some((key, entry.value?)))
            .collect();
        new.push(NewTopic {
            name: target_name.clone(),
            partitions: Some(topic.partitions.len() as i32),
            replication_factor: Some(replication_factor(mirror, topic, target_brokers)),
            configs: if mirror.topic_sync.config {
                configs
            } else {
                BTreeMap::new()
            },
        });
    }
    Ok(new)
}

/// As declared, or as on the source, but never more than the target has brokers.
fn replication_factor(mirror: &Mirror, topic: &TopicMetadata, target_brokers: usize) -> i16 {
    let wanted = mirror.topic_sync.replication_factor.map_or_else(
        || {
            topic
                .partitions
                .first()
                .map_or(1, |partition| partition.replicas.len())
        },
        usize::from,
    );
    let possible = wanted.min(target_brokers).max(1);
    if possible < wanted {
        tracing::warn!(
            topic = topic.name,
            wanted,
            brokers = target_brokers,
            "the target has fewer brokers than the topic has replicas on the source"
        );
    }
    possible as i16
}

async fn create(target: End<'_>, new: &[NewTopic], failures: &mut Failures) -> Result<(), Error> {
    let outcomes = target.cluster.create_topics(new).await?;
    for topic in new {
        let reason = match outcomes.get(&topic.name) {
            Some(Ok(())) => {
                tracing::info!(
                    topic = topic.name,
                    partitions = topic.partitions,
                    cluster = target.alias,
                    "created target topic"
                );
                continue;
            }
            // Somebody else was faster, or an answer was lost and the call repeated.
            Some(Err(error)) if error.name() == "TOPIC_ALREADY_EXISTS" => continue,
            Some(Err(error)) => {
                let error = error.to("CreateTopics");
                format!("it cannot be created on the target: {error}")
            }
            None => "the target did not say what became of its creation".to_owned(),
        };
        failures.insert(topic.name.clone(), reason);
    }
    Ok(())
}

async fn grow(
    mirror: &Mirror,
    target: End<'_>,
    topic: &TopicMetadata,
    target_name: &str,
    there: usize,
) -> Result<(), String> {
    let here = topic.partitions.len();
    let found = || {
        let there = counted(there as u64, "partition");
        format!("`{target_name}` has {there} on the target and {here} on the source")
    };
    if !mirror.rails.topics.permits(target_name) {
        return Err(format!("{}, and {GUARDED}", found()));
    }
    if !mirror.topic_sync.partitions {
        return Err(format!(
            "{}; topicSync.partitions is off, so it is not grown",
            found()
        ));
    }
    tracing::info!(
        topic = target_name,
        from = there,
        to = here,
        "growing target topic"
    );
    target
        .cluster
        .create_partitions(target_name, here as i32)
        .await
        .map_err(|error| format!("`{target_name}` cannot be grown to {here} partitions: {error}"))
}

async fn wait_until_ready(
    target: End<'_>,
    selected: Vec<(TopicMetadata, String)>,
    as_it_was: &BTreeSet<String>,
    mut failures: Failures,
) -> Result<Prepared, Error> {
    let names: Vec<String> = selected.iter().map(|(_, name)| name.clone()).collect();
    let give_up = tokio::time::Instant::now() + APPEAR_WITHIN;
    let mut metadata = loop {
        let metadata = target.cluster.metadata_of(&names).await?;
        for (name, error) in &metadata.failed {
            // What may not be seen now will not be seen by waiting.
            if error.class() == RetryClass::Fatal && !failures.contains_key(name) {
                let reason = format!("the target does not show it: {}", error.to("Metadata"));
                failures.insert(name.clone(), reason);
            }
        }
        let unready = selected.iter().filter(|(topic, name)| {
            !failures.contains_key(name)
                && metadata.topics.get(name).is_none_or(|there| {
                    there.partitions.len() < topic.partitions.len()
                        || !as_it_was.contains(name)
                            && there.partitions.iter().any(|it| it.leader.is_none())
                })
        });
        let unready: Vec<String> = unready.map(|(_, name)| name.clone()).collect();
        if unready.is_empty() {
            break metadata;
        }
        if tokio::time::Instant::now() >= give_up {
            let seconds = APPEAR_WITHIN.as_secs();
            let reason = format!("not all of its partitions had a leader within {seconds} s");
            failures.extend(unready.into_iter().map(|name| (name, reason.clone())));
            break metadata;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut prepared = Prepared {
        ready: Vec::new(),
        refused: Vec::new(),
        created: BTreeMap::new(),
    };
    for (source, name) in selected {
        if let Some(reason) = failures.remove(&name) {
            prepared.refused.push(Refused {
                topic: Arc::new(source),
                target: name.into(),
                reason,
            });
        } else if let Some(there) = metadata.topics.remove(&name) {
            prepared.ready.push(MirroredTopic {
                source_name: source.name.as_str().into(),
                target_name: name.as_str().into(),
                target: Arc::new(there),
                source: Arc::new(source),
            });
        }
    }
    Ok(prepared)
}
