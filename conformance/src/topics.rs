//! What clusters say about topics, and creating one, through librdkafka's admin client.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use crate::Error;
use crate::checks::{ConfigFact, TopicFacts};
use crate::endpoint::Endpoint;
use crate::observer::Observer;
use crate::workload::TopicSpec;

const ANSWER: Duration = Duration::from_secs(10);
const CREATED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How many partitions a topic has; `None` when there is no such topic. Never creates it.
pub(crate) fn partition_count(endpoint: &Endpoint, topic: &str) -> Result<Option<i32>, Error> {
    // a consumer asks without letting the broker create the topic; a producer would not
    let consumer: BaseConsumer = endpoint
        .consumer(1024)
        .create()
        .map_err(endpoint.failed("creating a client"))?;
    let metadata = consumer
        .fetch_metadata(Some(topic), ANSWER)
        .map_err(endpoint.failed(format!("asking for the metadata of {topic}")))?;
    Ok(metadata
        .topics()
        .iter()
        .find(|found| found.name() == topic && found.error().is_none())
        .map(|found| found.partitions().len() as i32)
        .filter(|count| *count > 0))
}

/// Partitions and configuration of a topic; `None` when there is no such topic.
pub(crate) fn facts(endpoint: &Endpoint, topic: &str) -> Result<Option<TopicFacts>, Error> {
    let Some(partitions) = partition_count(endpoint, topic)? else {
        return Ok(None);
    };
    Ok(Some(TopicFacts {
        partitions,
        config: config(endpoint, topic)?,
    }))
}

fn config(
    endpoint: &Endpoint,
    topic: &str,
) -> Result<Result<BTreeMap<String, ConfigFact>, String>, Error> {
    let admin = admin(endpoint)?;
    let resource = [ResourceSpecifier::Topic(topic)];
    let answer = block_on(admin.describe_configs(&resource, &options()));
    let described = match answer {
        Err(error) => return Ok(Err(error.to_string())),
        Ok(resources) => match resources.into_iter().next() {
            None => return Ok(Err("the broker described nothing".to_owned())),
            Some(Err(code)) => return Ok(Err(code.to_string())),
            Some(Ok(resource)) => resource,
        },
    };
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
    Ok(Ok(facts.collect()))
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
    while started.elapsed() < CREATED_WITHIN {
        if let Some(partitions) = partition_count(endpoint, topic)? {
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

/// Waits until the topic is there, up to `patience`; `None` when it did not come.
pub(crate) fn wait_for(
    endpoint: &Endpoint,
    topic: &str,
    patience: Duration,
    observer: &dyn Observer,
) -> Result<Option<i32>, Error> {
    let started = Instant::now();
    loop {
        if let Some(partitions) = partition_count(endpoint, topic)? {
            return Ok(Some(partitions));
        }
        if observer.cancelled() {
            return Err(Error::Cancelled);
        }
        if started.elapsed() >= patience {
            return Ok(None);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn admin(endpoint: &Endpoint) -> Result<AdminClient<DefaultClientContext>, Error> {
    endpoint
        .client()
        .create()
        .map_err(endpoint.failed("creating an admin client"))
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(ANSWER))
        .operation_timeout(Some(ANSWER))
}
