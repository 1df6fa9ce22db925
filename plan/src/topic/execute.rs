//! Executes one change: recheck, requests, and waiting until the cluster shows the result.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::{Cluster, ConfigChange, NewTopic};
use tokio::time::{Instant, sleep};

use super::TopicState;
use super::live::{self, LiveTopic, ReadError};
use super::reassign::reassign;
use super::recheck::{Recheck, Step, reached, recheck, unmoved};
use super::throttle::clear_left;
use super::usage;
use crate::apply::ApplyOptions;
use crate::apply::execute::{ChangeError, Done};
use crate::apply::surroundings::Surroundings;
use crate::apply::work::Outlook;
use crate::change::{Change, ResourceChange};

/// Rechecks `change` against the live topic `name` and carries out what is left of it, as
/// [`execute`](crate::apply::execute::execute) says.
pub(crate) async fn execute(
    around: &Surroundings<'_>,
    resource: &ResourceChange,
    change: &Change<TopicState>,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let (cluster, options, name) = (around.cluster, around.options, resource.name.as_str());
    let live = read_for(cluster, &[(resource, change)]).await?.remove(name);
    let steps = match recheck(change, live.as_ref().map(|live| &live.topic)) {
        Recheck::AlreadyDone => Vec::new(),
        Recheck::Stale(differences) => return Err(ChangeError::Stale(differences)),
        Recheck::Remaining(steps) => steps,
    };
    let planned = change.after().map_or(0, |after| after.assignment.len());
    let moves = steps.iter().any(|step| matches!(step, Step::Reassign(_)));
    if planned > 0 && !moves {
        // everything has arrived, and whoever saw to that may have been killed before its throttles were gone
        clear_left(cluster, &resource.address, name)
            .await
            .map_err(|source| ChangeError::ThrottleLeft {
                because: String::new(),
                source,
            })?;
    }
    if steps.is_empty() {
        return Ok(Done::Already);
    }
    let existing = live.map_or(0, |live| live.topic.partitions);
    for step in steps {
        if let Step::Reassign(targets) = &step {
            let named = (resource.address.as_str(), name);
            let outcome = reassign(around, named, targets, planned).await;
            if outcome.is_err() {
                steps_done.extend(arrived(cluster, name, targets).await);
            }
            outcome?;
            steps_done.push(step.to_string());
            continue;
        }
        match request(cluster, name, &step).await {
            Ok(()) => steps_done.push(step.to_string()),
            Err(source) => {
                // a request whose answer was lost is sent again and then refused because its
                // effect is there: the live state decides, not the answer
                match read(cluster, name).await {
                    Ok(Some(live)) if took_effect(&step, &live) => {
                        steps_done.push(step.to_string());
                    }
                    Ok(None) if matches!(step, Step::Delete { .. }) => {
                        steps_done.push(step.to_string());
                    }
                    Ok(Some(_) | None) => {
                        return Err(ChangeError::Request {
                            step: step.to_string(),
                            source,
                        });
                    }
                    Err(read) => {
                        return Err(ChangeError::InDoubt {
                            step: step.to_string(),
                            source,
                            read,
                        });
                    }
                }
            }
        }
    }
    await_visible(cluster, name, change, existing, options).await?;
    Ok(Done::Applied)
}

/// What came of moves that did not come to their end; nothing where no partition arrived.
async fn arrived(
    cluster: &Cluster,
    name: &str,
    targets: &BTreeMap<u32, Vec<i32>>,
) -> Option<String> {
    let wanted = TopicState {
        assignment: targets.clone(),
        ..TopicState::default()
    };
    let of = targets.len();
    match read(cluster, name).await {
        Ok(live) => {
            let arrived = of - unmoved(&wanted, &live?.topic).len();
            (arrived > 0).then(|| format!("move {arrived} of {of} partitions"))
        }
        Err(_) => Some(format!("move partitions, of {of}: how many cannot be read")),
    }
}

/// What the live topics mean for each of these changes; all are read at once.
pub(crate) async fn outlooks<'a>(
    cluster: &Cluster,
    changes: &[(&'a ResourceChange, &'a Change<TopicState>)],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, ReadError> {
    let live = read_for(cluster, changes).await?;
    let changes = changes.iter();
    Ok(changes
        .map(|(resource, change)| {
            let live = live.get(&resource.name).map(|live| &live.topic);
            let outlook = match recheck(change, live) {
                Recheck::AlreadyDone => Outlook::AlreadyDone,
                Recheck::Remaining(_) => Outlook::Remaining,
                Recheck::Stale(differences) => Outlook::Stale(differences),
            };
            (*resource, outlook)
        })
        .collect())
}

/// The live topics of these changes; of those that are to be deleted also who uses them.
async fn read_for(
    cluster: &Cluster,
    changes: &[(&ResourceChange, &Change<TopicState>)],
) -> Result<BTreeMap<String, LiveTopic>, ReadError> {
    let names = changes.iter().map(|(resource, _)| resource.name.clone());
    let names: Vec<String> = names.collect();
    let mut live = live::topics(cluster, &names).await?;
    let deleted = changes
        .iter()
        .filter(|(_, change)| matches!(change, Change::Delete { .. }))
        .filter_map(|(resource, _)| {
            let live = live.get(&resource.name)?;
            Some((resource.name.clone(), live.topic.partitions))
        })
        .collect();
    for (name, usage) in usage::seen(cluster, &deleted).await? {
        if let Some(live) = live.get_mut(&name) {
            live.topic.usage = Some(usage);
        }
    }
    Ok(live)
}

async fn read(cluster: &Cluster, topic: &str) -> Result<Option<LiveTopic>, ReadError> {
    Ok(live::topics(cluster, &[topic.to_owned()])
        .await?
        .remove(topic))
}

async fn request(cluster: &Cluster, topic: &str, step: &Step) -> Result<(), kafka::Error> {
    match step {
        Step::Create(after) => {
            let created = cluster.create_topics(&[new_topic(topic, after)]).await?;
            match created.into_iter().next() {
                Some((_, Ok(()))) => Ok(()),
                Some((_, Err(error))) => Err(kafka::Error::Broker {
                    api: format!("CreateTopics {topic}"),
                    error,
                }),
                None => Err(kafka::Error::Malformed {
                    address: cluster.bootstrap().join(","),
                    what: "CreateTopics response",
                    detail: format!("it does not mention {topic}"),
                }),
            }
        }
        Step::SetConfigs { set, unset } => {
            let set = set.iter().map(|(key, value)| ConfigChange::Set {
                key: key.clone(),
                value: value.clone(),
            });
            let unset = unset
                .iter()
                .map(|key| ConfigChange::Delete { key: key.clone() });
            let changes: Vec<ConfigChange> = set.chain(unset).collect();
            cluster.alter_topic_configs(topic, &changes).await
        }
        // throttled and in portions: not one request
        Step::Reassign(_) => Ok(()),
        Step::Grow { total, .. } => cluster.create_partitions(topic, *total as i32).await,
        Step::Delete { id } => {
            let id = id.parse().map_err(|_| kafka::Error::Malformed {
                address: cluster.bootstrap().join(","),
                what: "topic id",
                detail: id.clone(),
            })?;
            cluster.delete_topic(topic, id).await
        }
    }
}

pub(crate) fn new_topic(name: &str, after: &TopicState) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions: after.partitions.map(|count| count as i32),
        replication_factor: after.replication_factor.map(|factor| factor as i16),
        configs: after
            .configs
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
            .collect(),
    }
}

fn took_effect(step: &Step, live: &LiveTopic) -> bool {
    match step {
        Step::Create(after) => reached(after, &live.topic),
        Step::SetConfigs { set, unset } => {
            let after = TopicState {
                configs: set
                    .iter()
                    .map(|(k, v)| (k.clone(), Some(v.clone())))
                    .collect(),
                unset: unset.clone(),
                ..TopicState::default()
            };
            reached(&after, &live.topic)
        }
        Step::Reassign(targets) => {
            let after = TopicState {
                assignment: targets.clone(),
                ..TopicState::default()
            };
            reached(&after, &live.topic)
        }
        Step::Grow { total, .. } => live.topic.partitions == *total,
        // it is there
        Step::Delete { .. } => false,
    }
}

/// Brokers learn of a change after the controller has answered: waits until the live topic is as
/// planned and its new partitions have leaders, so that the next plan is empty.
async fn await_visible(
    cluster: &Cluster,
    name: &str,
    change: &Change<TopicState>,
    existing: u32,
    options: &ApplyOptions,
) -> Result<(), ChangeError> {
    let deadline = Instant::now() + options.visible_within;
    let mut pause = options.poll;
    loop {
        // a topic that is just being created may be answered with an error for a moment
        let live = read(cluster, name).await;
        let visible = match (change.after(), &live) {
            (None, Ok(None)) => true,
            (Some(after), Ok(Some(live))) => {
                let led = |partition: &u32| *partition < existing;
                reached(after, &live.topic) && live.leaderless.iter().all(led)
            }
            (None, Ok(Some(_))) | (Some(_), Ok(None)) | (_, Err(_)) => false,
        };
        if visible {
            return Ok(());
        }
        if Instant::now() + pause > deadline {
            live?;
            return Err(ChangeError::NotVisible {
                within: options.visible_within,
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
