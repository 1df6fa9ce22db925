//! Executes one change: recheck, requests, and waiting until the cluster shows the result.

use std::time::Duration;

use kafka::{Cluster, ConfigChange, NewTopic};
use tokio::time::{Instant, sleep};

use crate::apply::ApplyOptions;
use crate::change::{ResourceChange, TopicState};
use crate::live::{self, LiveTopic, ReadError};
use crate::recheck::{Difference, Recheck, Step, reached, recheck};

/// How one change ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// It was carried out.
    Applied,
    /// The live topic was already as planned.
    Already,
}

/// Why one change did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// The live topic is not what the plan read.
    #[error("the live topic is not what the plan read")]
    Stale(Vec<Difference>),
    /// The live topic could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The cluster refused or did not answer.
    #[error("cannot {step}: {source}")]
    Request {
        /// What was asked for.
        step: String,
        /// What went wrong.
        source: kafka::Error,
    },
    /// The cluster refused or did not answer, and could not be read afterwards either.
    #[error("cannot {step}: {source}; whether it was done could not be read either: {read}")]
    InDoubt {
        /// What was asked for.
        step: String,
        /// What went wrong.
        source: kafka::Error,
        /// Why the live topic could not be read afterwards.
        read: ReadError,
    },
    /// The cluster accepted the change and does not show it.
    #[error("the cluster accepted the change but does not show it after {} s", within.as_secs())]
    NotVisible {
        /// How long was waited.
        within: Duration,
    },
}

/// Rechecks `change` against the live topic and carries out what is left of it.
///
/// `steps_done` receives each request that the cluster accepted, also when a later one fails. Not
/// cancel safe: a request may be on its way; [`apply`](crate::apply()) stops only between changes.
pub(crate) async fn execute(
    cluster: &Cluster,
    change: &ResourceChange,
    options: &ApplyOptions,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let live = read(cluster, &change.name).await?;
    let steps = match recheck(&change.change, live.as_ref().map(|live| &live.topic)) {
        Recheck::AlreadyDone => return Ok(Done::Already),
        Recheck::Stale(differences) => return Err(ChangeError::Stale(differences)),
        Recheck::Remaining(steps) => steps,
    };
    let existing = live.map_or(0, |live| live.topic.partitions);
    for step in steps {
        match request(cluster, &change.name, &step).await {
            Ok(()) => steps_done.push(step.to_string()),
            Err(source) => {
                // a request whose answer was lost is sent again and then refused because its
                // effect is there: the live state decides, not the answer
                match read(cluster, &change.name).await {
                    Ok(Some(live)) if took_effect(&step, &live) => {
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
    await_visible(cluster, change, existing, options).await?;
    Ok(Done::Applied)
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
        Step::SetConfigs(configs) => {
            let changes: Vec<ConfigChange> = configs
                .iter()
                .map(|(key, value)| ConfigChange::Set {
                    key: key.clone(),
                    value: value.clone(),
                })
                .collect();
            cluster.alter_topic_configs(topic, &changes).await
        }
        Step::Grow { total, .. } => cluster.create_partitions(topic, *total as i32).await,
    }
}

fn new_topic(name: &str, after: &TopicState) -> NewTopic {
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
        Step::SetConfigs(configs) => {
            let after = TopicState {
                configs: configs
                    .iter()
                    .map(|(k, v)| (k.clone(), Some(v.clone())))
                    .collect(),
                ..TopicState::default()
            };
            reached(&after, &live.topic)
        }
        Step::Grow { total, .. } => live.topic.partitions == *total,
    }
}

/// Brokers learn of a change after the controller has answered: waits until the live topic is as
/// planned and its new partitions have leaders, so that the next plan is empty.
async fn await_visible(
    cluster: &Cluster,
    change: &ResourceChange,
    existing: u32,
    options: &ApplyOptions,
) -> Result<(), ChangeError> {
    let deadline = Instant::now() + options.visible_within;
    let mut pause = options.poll;
    loop {
        // a topic that is just being created may be answered with an error for a moment
        let live = read(cluster, &change.name).await;
        if let Ok(Some(live)) = &live
            && reached(change.change.after(), &live.topic)
            && live
                .leaderless
                .iter()
                .all(|partition| *partition < existing)
        {
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
