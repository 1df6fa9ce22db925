use std::collections::BTreeMap;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};

/// How long the controller may take before it answers `REQUEST_TIMED_OUT`.
const CONTROLLER_TIMEOUT_MS: i32 = 20_000;

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Topic name.
    pub name: String,
    /// `None`: the broker's `num.partitions` (KIP-464).
    pub partitions: Option<i32>,
    /// `None`: the broker's `default.replication.factor`.
    pub replication_factor: Option<i16>,
    /// Topic configuration, key to value.
    pub configs: BTreeMap<String, String>,
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

fn outcome(code: i16, message: Option<&StrBytes>) -> Result<(), BrokerError> {
    BrokerError::from_code(code, message.map(StrBytes::as_str)).map_or(Ok(()), Err)
}

impl Cluster {
    /// Creates topics; one outcome a topic. A retry after a lost answer may report
    /// `TOPIC_ALREADY_EXISTS` for a topic that this very call made.
    pub async fn create_topics(
        &self,
        topics: &[NewTopic],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        let creatable = |topic: &NewTopic| {
            let configs = topic
                .configs
                .iter()
                .map(|(key, value)| {
                    CreatableTopicConfig::default()
                        .with_name(StrBytes::from_string(key.clone()))
                        .with_value(Some(StrBytes::from_string(value.clone())))
                })
                .collect();
            CreatableTopic::default()
                .with_name(name(&topic.name))
                .with_num_partitions(topic.partitions.unwrap_or(-1))
                .with_replication_factor(topic.replication_factor.unwrap_or(-1))
                .with_configs(configs)
        };
        let request = CreateTopicsRequest::default()
            .with_topics(topics.iter().map(creatable).collect())
            .with_timeout_ms(CONTROLLER_TIMEOUT_MS);
        let response = self.call_any(&request).await?;
        Ok(response
            .topics
            .iter()
            .map(|topic| {
                let result = outcome(topic.error_code, topic.error_message.as_ref());
                (topic.name.0.to_string(), result)
            })
            .collect())
    }

    /// Grows a topic to `total` partitions (KIP-195).
    pub async fn create_partitions(&self, topic: &str, total: i32) -> Result<(), Error> {
        let grown = CreatePartitionsTopic::default()
            .with_name(name(topic))
            .with_count(total)
            .with_assignments(None);
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![grown])
            .with_timeout_ms(CONTROLLER_TIMEOUT_MS);
        let response = self.call_any(&request).await?;
        response
            .results
            .iter()
            .try_for_each(|result| outcome(result.error_code, result.error_message.as_ref()))
            .map_err(|error| Error::broker(format!("CreatePartitions {topic}"), error))
    }

    /// Deletes topics by name; one outcome a topic.
    pub async fn delete_topics(
        &self,
        topics: &[String],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        // Versions up to 5 carry plain names, later ones a name or an id: fill both.
        let request = DeleteTopicsRequest::default()
            .with_topic_names(topics.iter().map(|topic| name(topic)).collect())
            .with_topics(
                topics
                    .iter()
                    .map(|topic| DeleteTopicState::default().with_name(Some(name(topic))))
                    .collect(),
            )
            .with_timeout_ms(CONTROLLER_TIMEOUT_MS);
        let connection = self.any_connection().await?;
        let response = if connection.version_of::<DeleteTopicsRequest>()? >= 6 {
            connection
                .call(&request.with_topic_names(Vec::new()))
                .await?
        } else {
            connection.call(&request.with_topics(Vec::new())).await?
        };
        Ok(response
            .responses
            .iter()
            .filter_map(|topic| {
                let result = outcome(topic.error_code, topic.error_message.as_ref());
                Some((topic.name.as_ref()?.0.to_string(), result))
            })
            .collect())
    }

    /// Deletes one topic, by its id where the broker can (KIP-516), so that a topic that was
    /// recreated meanwhile stays.
    pub async fn delete_topic(&self, topic: &str, id: uuid::Uuid) -> Result<(), Error> {
        let request = DeleteTopicsRequest::default().with_timeout_ms(CONTROLLER_TIMEOUT_MS);
        let connection = self.any_connection().await?;
        let request = if connection.version_of::<DeleteTopicsRequest>()? >= 6 {
            let by_id = DeleteTopicState::default()
                .with_name(None)
                .with_topic_id(id);
            request.with_topics(vec![by_id])
        } else {
            request.with_topic_names(vec![name(topic)])
        };
        let response = connection.call(&request).await?;
        response
            .responses
            .iter()
            .try_for_each(|deleted| outcome(deleted.error_code, deleted.error_message.as_ref()))
            .map_err(|error| Error::broker(format!("DeleteTopics {topic}"), error))
    }
}
