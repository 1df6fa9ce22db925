use std::collections::BTreeMap;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};

/// `ConfigResource.Type.TOPIC` on the wire.
const TOPIC_RESOURCE: i8 = 2;
/// Topics in one request; more would make answers of many megabytes.
const TOPICS_A_REQUEST: usize = 500;

/// One effective configuration value of a topic.
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

/// One incremental change of a topic's configuration (KIP-339).
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

impl Cluster {
    /// The effective configuration of topics; one outcome a topic.
    pub async fn describe_topic_configs(
        &self,
        topics: &[String],
    ) -> Result<BTreeMap<String, Result<BTreeMap<String, ConfigEntry>, BrokerError>>, Error> {
        let mut described = BTreeMap::new();
        for some in topics.chunks(TOPICS_A_REQUEST) {
            let resources = some
                .iter()
                .map(|topic| {
                    DescribeConfigsResource::default()
                        .with_resource_type(TOPIC_RESOURCE)
                        .with_resource_name(StrBytes::from_string(topic.clone()))
                        .with_configuration_keys(None)
                })
                .collect();
            let request = DescribeConfigsRequest::default().with_resources(resources);
            for result in self.call_any(&request).await?.results {
                let message = result.error_message.as_ref().map(StrBytes::as_str);
                let outcome = match BrokerError::from_code(result.error_code, message) {
                    Some(error) => Err(error),
                    None => Ok(result
                        .configs
                        .into_iter()
                        .map(|config| {
                            let entry = ConfigEntry {
                                value: config.value.map(|value| value.to_string()),
                                source: ConfigSource::from_wire(config.config_source),
                                sensitive: config.is_sensitive,
                                read_only: config.read_only,
                            };
                            (config.name.to_string(), entry)
                        })
                        .collect()),
                };
                described.insert(result.resource_name.to_string(), outcome);
            }
        }
        Ok(described)
    }

    /// Changes some keys of one topic and leaves the others alone. All or nothing.
    pub async fn alter_topic_configs(
        &self,
        topic: &str,
        changes: &[ConfigChange],
    ) -> Result<(), Error> {
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
        let resource = AlterConfigsResource::default()
            .with_resource_type(TOPIC_RESOURCE)
            .with_resource_name(StrBytes::from_string(topic.to_owned()))
            .with_configs(configs);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        for result in self.call_any(&request).await?.responses {
            let message = result.error_message.as_ref().map(StrBytes::as_str);
            if let Some(error) = BrokerError::from_code(result.error_code, message) {
                return Err(Error::broker(
                    format!("IncrementalAlterConfigs {topic}"),
                    error,
                ));
            }
        }
        Ok(())
    }
}
