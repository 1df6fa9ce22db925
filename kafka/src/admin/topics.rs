use std::collections::BTreeMap;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DeleteTopicsResponse,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::CONTROLLER_TIMEOUT_MS;
use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};

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
    BrokerError::outcome(code, message.map(StrBytes::as_str))
}

fn deletion_codes(response: &DeleteTopicsResponse) -> Vec<i16> {
    let results = response.responses.iter();
    results.map(|result| result.error_code).collect()
}

fn creation(topics: &[NewTopic]) -> CreateTopicsRequest {
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
    CreateTopicsRequest::default()
        .with_topics(topics.iter().map(creatable).collect())
        .with_timeout_ms(CONTROLLER_TIMEOUT_MS)
}

impl Cluster {
    /// Creates topics; one outcome a topic. A retry after a lost answer may report
    /// `TOPIC_ALREADY_EXISTS` for a topic that this very call made.
    pub async fn create_topics(
        &self,
        topics: &[NewTopic],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        self.ask_for_topics(&creation(topics)).await
    }

    /// What [`Self::create_topics`] would say; nothing is created (`validateOnly` of the protocol). Cancel safe.
    pub async fn would_create_topics(
        &self,
        topics: &[NewTopic],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        self.ask_for_topics(&creation(topics).with_validate_only(true))
            .await
    }

    async fn ask_for_topics(
        &self,
        request: &CreateTopicsRequest,
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        let response = self
            .call_controller(request, |response| {
                response
                    .topics
                    .iter()
                    .map(|topic| topic.error_code)
                    .collect()
            })
            .await?;
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
        let response = self
            .call_controller(&request, |response| {
                let results = response.results.iter();
                results.map(|result| result.error_code).collect()
            })
            .await?;
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
        // Versions up to 5 carry plain names, later ones a name or an id.
        let request = |version| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(CONTROLLER_TIMEOUT_MS);
            let names = topics.iter().map(|topic| name(topic));
            if version >= 6 {
                let by_name = |topic| DeleteTopicState::default().with_name(Some(topic));
                request.with_topics(names.map(by_name).collect())
            } else {
                request.with_topic_names(names.collect())
            }
        };
        let response = self.call_controller_once(request, deletion_codes).await?;
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
        let request = |version| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(CONTROLLER_TIMEOUT_MS);
            if version >= 6 {
                let by_id = DeleteTopicState::default()
                    .with_name(None)
                    .with_topic_id(id);
                request.with_topics(vec![by_id])
            } else {
                request.with_topic_names(vec![name(topic)])
            }
        };
        let response = self.call_controller_once(request, deletion_codes).await?;
        response
            .responses
            .iter()
            .try_for_each(|deleted| outcome(deleted.error_code, deleted.error_message.as_ref()))
            .map_err(|error| Error::broker(format!("DeleteTopics {topic}"), error))
    }
}
