//! What clusters say about topics, and creating one, through librdkafka's admin client.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResourceResult, ConfigSource, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode;

use crate::Error;
use crate::asker::{ANSWER, Asker, unless_cancelled};
use crate::checks::{ConfigFact, TopicFacts};
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::observer::Observer;
use crate::workload::TopicSpec;

const CREATED_WITHIN: Duration = Duration::from_secs(30);
const DESCRIBED_AT_ONCE: usize = 200;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How many partitions a topic has; `None` when there is no such topic. Never creates it.
pub(crate) fn partition_count(
    endpoint: &Endpoint,
    topic: &str,
    observer: &dyn Observer,
) -> Result<Option<i32>, Error> {
    let asker = Asker::open(endpoint, observer)?;
    Ok(asker.partition_counts(Some(topic))?.remove(topic))
}

/// Partitions and configuration of a topic; `None` when there is no such topic.
pub(crate) fn facts(
    endpoint: &Endpoint,
    topic: &str,
    observer: &dyn Observer,
) -> Result<Option<TopicFacts>, Error> {
    let Some(partitions) = partition_count(endpoint, topic, observer)? else {
        return Ok(None);
    };
    let (asked, name) = (endpoint.clone(), topic.to_owned());
    let config = unless_cancelled(observer, move || config(&asked, &name))??;
    Ok(Some(TopicFacts { partitions, config }))
}

/// A topic's configuration by name, or why it could not be read.
pub(crate) type Config = Result<BTreeMap<String, ConfigFact>, String>;

fn config(endpoint: &Endpoint, topic: &str) -> Result<Config, Error> {
    let mut described = configs_now(endpoint, &[topic.to_owned()])?;
    let nothing = || Err("the broker described nothing".to_owned());
    Ok(described.remove(topic).unwrap_or_else(nothing))
}

/// The configuration of topics.
pub(crate) fn configs(
    endpoint: &Endpoint,
    topics: &[String],
    observer: &dyn Observer,
) -> Result<BTreeMap<String, Config>, Error> {
    let (asked, names) = (endpoint.clone(), topics.to_vec());
    unless_cancelled(observer, move || configs_now(&asked, &names))?
}

fn configs_now(endpoint: &Endpoint, topics: &[String]) -> Result<BTreeMap<String, Config>, Error> {
    let refused = |topics: &[String], reason: &str| {
        let of = |topic: &String| (topic.clone(), Err(reason.to_owned()));
        topics.iter().map(of).collect::<Vec<(String, Config)>>()
    };
    if let Some(reason) = no_admin(endpoint) {
        return Ok(refused(topics, &reason).into_iter().collect());
    }
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let admin = admin(endpoint)?;
    let mut configs = BTreeMap::new();
    for some in topics.chunks(DESCRIBED_AT_ONCE) {
        let resources: Vec<_> = some
            .iter()
            .map(|topic| ResourceSpecifier::Topic(topic))
            .collect();
        match block_on(admin.describe_configs(&resources, &options())) {
            Err(error) => configs.extend(refused(some, &error.to_string())),
            Ok(answers) => {
                let answers = some.iter().zip(answers);
                configs.extend(answers.map(|(topic, answer)| (topic.clone(), facts_of(answer))));
            }
        }
    }
    Ok(configs)
}

fn facts_of(answer: ConfigResourceResult) -> Config {
    let described = answer.map_err(|code| code.to_string())?;
    let facts = described.entries.into_iter().map(|entry| {
        let set_on_topic = entry.source == ConfigSource::DynamicTopic;
        (
            entry.name,
            ConfigFact {
                value: entry.value,
                set_on_topic,
            },
        )
    });
    Ok(facts.collect())
}

/// Creates a topic and waits until the cluster knows it. That it exists already is fine: its
/// partitions are what counts, and the caller reads them.
pub(crate) fn create(
    endpoint: &Endpoint,
    topic: &str,
    spec: &TopicSpec,
    observer: &dyn Observer,
) -> Result<i32, Error> {
    let failed = |reason: String| Error::TopicCreation {
        topic: topic.to_owned(),
        bootstrap: endpoint.bootstrap.clone(),
        reason,
    };
    if let Some(reason) = no_admin(endpoint) {
        return Err(failed(reason));
    }
    let replication = TopicReplication::Fixed(spec.replication_factor);
    let mut wanted = NewTopic::new(topic, spec.partitions, replication);
    for (name, value) in &spec.config {
        wanted = wanted.set(name, value);
    }
    let answers = block_on(admin(endpoint)?.create_topics([&wanted], &options()))
        .map_err(|error| failed(error.to_string()))?;
    for answer in answers {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(failed(code.to_string())),
        }
    }
    let started = Instant::now();
    let asker = Asker::open(endpoint, observer)?;
    while started.elapsed() < CREATED_WITHIN {
        if let Some(partitions) = asker.partition_counts(Some(topic))?.remove(topic) {
            return Ok(partitions);
        }
        if observer.cancelled() {
            return Err(Error::Cancelled);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Err(failed(format!(
        "the cluster does not list it {CREATED_WITHIN:?} after creating it"
    )))
}

/// Waits until all of these topics are there, up to `patience` for all of them together. Returns
/// the partition counts of the topics that are there by then.
pub(crate) fn wait_for(
    asker: &Asker<'_>,
    topics: &[&str],
    patience: Duration,
) -> Result<BTreeMap<String, i32>, Error> {
    let only = match topics {
        [topic] => Some(*topic),
        _ => None,
    };
    let started = Instant::now();
    loop {
        let counts = asker.partition_counts(only)?;
        let missing = topics.iter().filter(|topic| !counts.contains_key(**topic));
        let missing = missing.count();
        if missing == 0 || started.elapsed() >= patience {
            return Ok(counts);
        }
        if asker.observer.cancelled() {
            return Err(Error::Cancelled);
        }
        let total = topics.len() as u64;
        let what = "waiting for topics on the target";
        asker.observer.progress(total - missing as u64, total, what);
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Why there is no admin client for this cluster, where there is none: the one of rdkafka is never polled for tokens.
fn no_admin(endpoint: &Endpoint) -> Option<String> {
    let tokens = endpoint.security.token_source();
    tokens.map(|_| "librdkafka's admin client cannot log in with tokens".to_owned())
}

fn admin(endpoint: &Endpoint) -> Result<AdminClient<Context>, Error> {
    endpoint
        .client()
        .create_with_context(endpoint.context())
        .map_err(endpoint.failed("creating an admin client"))
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(ANSWER))
        .operation_timeout(Some(ANSWER))
}
