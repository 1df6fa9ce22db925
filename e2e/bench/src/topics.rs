//! Topics of the test clusters.

use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

const LIMIT: Duration = Duration::from_mins(2);

/// Creates topics of one replica.
pub(crate) fn create(cluster: &Endpoint, topics: &[&str], partitions: i32) -> Result<()> {
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| NewTopic::new(topic, partitions, TopicReplication::Fixed(1)))
        .collect();
    let results = block_on(admin(cluster)?.create_topics(&new, &options()));
    all(results)
}

/// Deletes topics.
pub(crate) fn delete(cluster: &Endpoint, topics: &[&str]) -> Result<()> {
    let results = block_on(admin(cluster)?.delete_topics(topics, &options()));
    all(results)
}

fn admin(cluster: &Endpoint) -> Result<AdminClient<DefaultClientContext>> {
    cluster
        .client()
        .create()
        .map_err(failed("a client".to_owned()))
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(LIMIT))
        .operation_timeout(Some(LIMIT))
}

fn all(results: Result<Vec<rdkafka::admin::TopicResult>, KafkaError>) -> Result<()> {
    for result in results.map_err(failed("topics".to_owned()))? {
        result.map_err(|(topic, code)| failed(topic)(KafkaError::AdminOp(code)))?;
    }
    Ok(())
}

fn failed(topic: String) -> impl FnOnce(KafkaError) -> Error {
    move |source| Error::Topic { topic, source }
}
