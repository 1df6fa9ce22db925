use std::collections::BTreeMap;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};

/// `ConfigResource.Type.TOPIC` on the wire.
const TOPIC_RESOURCE: i8 = 2;
/// `ConfigResource.Type.BROKER` on the wire.
const BROKER_RESOURCE: i8 = 4;
/// Topics in one request; more would make answers of many megabytes.
const TOPICS_A_REQUEST: usize = 500;

/// One effective configuration value of a topic or a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The value; `None` where it is sensitive.
    pub value: Option<String>,
    /// Who set it.
    pub source: ConfigSource,
    /// Never shown.
    pub sensitive: bool,
    /// Not changeable while the broker runs.
    pub read_only: bool,
}

/// Where a configuration value comes from (`ConfigEntry.ConfigSource` in Kafka's admin client).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// Set on this topic.
    Topic,
    /// Set on one broker at run time.
    DynamicBroker,
    /// Set for all brokers at run time.
    DynamicDefaultBroker,
    /// From the broker's properties file.
    StaticBroker,
    /// Kafka's default.
    Default,
    /// A source newer than this build.
    Other(i8),
}

impl ConfigSource {
    fn from_wire(code: i8) -> Self {
        match code {
            1 => Self::Topic,
            2 => Self::DynamicBroker,
            3 => Self::DynamicDefaultBroker,
            4 => Self::StaticBroker,
            5 => Self::Default,
            other => Self::Other(other),
        }
    }
}

/// One incremental change of a topic's or broker's configuration (KIP-339).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// Set `key` to `value`.
    Set {
        /// Configuration key.
        key: String,
        /// New value.
        value: String,
    },
    /// Back to the broker's default.
    Delete {
        /// Configuration key.
        key: String,
    },
}

/// The configuration of each topic, or why it is not told.
type TopicConfigs = BTreeMap<String, Result<BTreeMap<String, ConfigEntry>, BrokerError>>;

impl Cluster {
    /// The effective configuration of topics; one outcome a topic.
    pub async fn describe_topic_configs(&self, topics: &[String]) -> Result<TopicConfigs, Error> {
        self.described_topics(topics, None).await
    }

    /// The same with these keys alone: a fraction of the answer's size, for thousands of topics.
    pub async fn describe_topic_settings(
        &self,
        topics: &[String],
        keys: &[&str],
    ) -> Result<TopicConfigs, Error> {
        let keys = keys
            .iter()
            .map(|key| StrBytes::from_string((*key).to_owned()));
        self.described_topics(topics, Some(keys.collect())).await
    }

    async fn described_topics(
        &self,
        topics: &[String],
        keys: Option<Vec<StrBytes>>,
    ) -> Result<TopicConfigs, Error> {
        let mut described = BTreeMap::new();
        for some in topics.chunks(TOPICS_A_REQUEST) {
            let resources = some
                .iter()
                .map(|topic| {
                    DescribeConfigsResource::default()
                        .with_resource_type(TOPIC_RESOURCE)
                        .with_resource_name(StrBytes::from_string(topic.clone()))
                        .with_configuration_keys(keys.clone())
                })
                .collect();
            let request = DescribeConfigsRequest::default().with_resources(resources);
            for result in self.call_any(&request).await?.results {
                let name = result.resource_name.to_string();
                described.insert(name, entries(result));
            }
        }
        Ok(described)
    }

    /// The effective configuration of one broker, which has to be up: each knows only its own.
    pub async fn describe_broker_configs(
        &self,
        broker: i32,
    ) -> Result<BTreeMap<String, ConfigEntry>, Error> {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(BROKER_RESOURCE)
            .with_resource_name(StrBytes::from_string(broker.to_string()))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        let response = self.call_broker(broker, &request).await?;
        self.as_many("DescribeConfigs", 1, response.results.len())?;
        let mut found = BTreeMap::new();
        for result in response.results {
            let described = entries(result).map_err(|error| {
                Error::broker(format!("DescribeConfigs broker {broker}"), error)
            })?;
            found.extend(described);
        }
        Ok(found)
    }

    /// Changes some keys of one topic and leaves the others alone. All or nothing.
    pub async fn alter_topic_configs(
        &self,
        topic: &str,
        changes: &[ConfigChange],
    ) -> Result<(), Error> {
        let request = alteration(TOPIC_RESOURCE, topic, changes);
        let response = self.call_controller(&request, alteration_codes).await?;
        altered(&response, topic)
    }

    /// What [`Self::alter_topic_configs`] would say of each of these topics; nothing is changed (`validateOnly` of the
    /// protocol). Cancel safe.
    pub async fn would_alter_topic_configs(
        &self,
        changes: &[(String, Vec<ConfigChange>)],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        let resources = changes
            .iter()
            .map(|(topic, changes)| altered_resource(TOPIC_RESOURCE, topic, changes));
        let request = IncrementalAlterConfigsRequest::default()
            .with_resources(resources.collect())
            .with_validate_only(true);
        let response = self.call_controller(&request, alteration_codes).await?;
        let results = response.responses.into_iter();
        Ok(results
            .map(|result| {
                let outcome =
                    BrokerError::outcome(result.error_code, result.error_message.as_deref());
                (result.resource_name.to_string(), outcome)
            })
            .collect())
    }

    /// Changes some keys of one broker, which has to be up, and leaves the others alone. All or nothing.
    pub async fn alter_broker_configs(
        &self,
        broker: i32,
        changes: &[ConfigChange],
    ) -> Result<(), Error> {
        let request = alteration(BROKER_RESOURCE, &broker.to_string(), changes);
        let response = self.call_broker(broker, &request).await?;
        altered(&response, &format!("broker {broker}"))
    }
}

fn entries(result: DescribeConfigsResult) -> Result<BTreeMap<String, ConfigEntry>, BrokerError> {
    BrokerError::outcome(result.error_code, result.error_message.as_deref())?;
    let entry = |config: DescribeConfigsResourceResult| {
        let entry = ConfigEntry {
            value: config.value.map(|value| value.to_string()),
            source: ConfigSource::from_wire(config.config_source),
            sensitive: config.is_sensitive,
            read_only: config.read_only,
        };
        (config.name.to_string(), entry)
    };
    Ok(result.configs.into_iter().map(entry).collect())
}

fn alteration_codes(response: &IncrementalAlterConfigsResponse) -> Vec<i16> {
    let results = response.responses.iter();
    results.map(|result| result.error_code).collect()
}

fn alteration(
    resource_type: i8,
    name: &str,
    changes: &[ConfigChange],
) -> IncrementalAlterConfigsRequest {
    let resource = altered_resource(resource_type, name, changes);
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

fn altered_resource(
    resource_type: i8,
    name: &str,
    changes: &[ConfigChange],
) -> AlterConfigsResource {
    let configs = changes
        .iter()
        .map(|change| match change {
            ConfigChange::Set { key, value } => AlterableConfig::default()
                .with_name(StrBytes::from_string(key.clone()))
                .with_config_operation(0)
                .with_value(Some(StrBytes::from_string(value.clone()))),
            ConfigChange::Delete { key } => AlterableConfig::default()
                .with_name(StrBytes::from_string(key.clone()))
                .with_config_operation(1)
                .with_value(None),
        })
        .collect();
    AlterConfigsResource::default()
        .with_resource_type(resource_type)
        .with_resource_name(StrBytes::from_string(name.to_owned()))
        .with_configs(configs)
}

fn altered(response: &IncrementalAlterConfigsResponse, what: &str) -> Result<(), Error> {
    response.responses.iter().try_for_each(|result| {
        BrokerError::outcome(result.error_code, result.error_message.as_deref())
            .map_err(|error| Error::broker(format!("IncrementalAlterConfigs {what}"), error))
    })
}
