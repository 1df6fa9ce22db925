//! `IncrementalAlterConfigs` (KIP-339), for topics, and for the limits of replication of brokers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::IncrementalAlterConfigsRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsResponse,
};
use thiserror::Error;

use super::describe_configs::{BROKER, TOPIC};
use super::text::message;
use crate::configs::{self, ConfigError, TopicSettings, list_items};
use crate::dispatch::Context;
use crate::dynamic_configs;
use crate::faults::Target;
use crate::state::Shared;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// Why a resource was left as it was.
#[derive(Debug, Error)]
enum AlterError {
    #[error("The topic '{0}' does not exist.")]
    Unknown(String),
    #[error("Error due to duplicate config keys: {0}")]
    DuplicateKey(String),
    #[error("Each resource must appear at most once.")]
    DuplicateResource,
    #[error("only topics and brokers can be altered on an embedded cluster, not resource type {0}")]
    ResourceType(i8),
    #[error("Unexpected broker id, expected {expected} or empty string, but received {received}")]
    Broker { expected: i32, received: String },
    #[error("Cannot update these configs dynamically on an embedded cluster: {0}")]
    NotDynamic(String),
    #[error(transparent)]
    BrokerConfig(ConfigError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("injected fault")]
    Injected(ResponseError),
}

impl AlterError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Unknown(_) => ResponseError::UnknownTopicOrPartition,
            Self::DuplicateKey(_)
            | Self::DuplicateResource
            | Self::ResourceType(_)
            | Self::Broker { .. }
            | Self::NotDynamic(_)
            | Self::BrokerConfig(_)
            | Self::Config(ConfigError::UnknownOperation(_)) => ResponseError::InvalidRequest,
            Self::Config(
                ConfigError::UnknownName(_)
                | ConfigError::InvalidValue { .. }
                | ConfigError::NullValue(_)
                | ConfigError::NotAList { .. },
            ) => ResponseError::InvalidConfig,
            Self::Injected(error) => *error,
        }
    }
}

pub(crate) fn targets(request: &IncrementalAlterConfigsRequest) -> Vec<Target> {
    let topics = request
        .resources
        .iter()
        .filter(|resource| resource.resource_type == TOPIC);
    topics
        .map(|resource| Target {
            topic: resource.resource_name.to_string(),
            partition: None,
        })
        .collect()
}

pub(crate) fn handle(
    context: &Context,
    request: &IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let mut seen = BTreeSet::new();
    let responses = request.resources.iter().map(|resource| {
        let key = (resource.resource_type, resource.resource_name.to_string());
        let outcome = if !seen.insert(key) {
            Err(AlterError::DuplicateResource)
        } else if let Some(error) = context.strike.error_for(&resource.resource_name, None) {
            Err(AlterError::Injected(error))
        } else {
            alter(context, resource, request.validate_only)
        };
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match outcome {
            Ok(()) => response,
            Err(error) => response
                .with_error_code(error.response().code())
                .with_error_message(Some(message(&error))),
        }
    });
    IncrementalAlterConfigsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_responses(responses.collect())
}

fn alter(
    context: &Context,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), AlterError> {
    let mut keys = BTreeSet::new();
    for config in &resource.configs {
        if !keys.insert(config.name.as_str()) {
            return Err(AlterError::DuplicateKey(config.name.to_string()));
        }
    }
    match resource.resource_type {
        TOPIC => alter_topic(&context.shared, resource, validate_only),
        BROKER => alter_broker(context, resource, validate_only),
        other => Err(AlterError::ResourceType(other)),
    }
}

/// A broker changes its own settings, and any the default of all.
fn alter_broker(
    context: &Context,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), AlterError> {
    let named = Some(resource.resource_name.as_str()).filter(|name| !name.is_empty());
    if let Some(name) = named
        && name != context.broker.to_string()
    {
        return Err(AlterError::Broker {
            expected: context.broker,
            received: name.to_owned(),
        });
    }
    let mut all = context.shared.dynamic_configs.lock();
    let key = named.map(|_| context.broker);
    let mut changed = all.get(&key).cloned().unwrap_or_default();
    for config in &resource.configs {
        let name = config.name.to_string();
        if !dynamic_configs::is_known(&name) {
            return Err(AlterError::NotDynamic(name));
        }
        match (config.config_operation, &config.value) {
            (DELETE, _) => {
                changed.remove(&name);
            }
            (SET, Some(value)) => {
                dynamic_configs::validate(&name, value).map_err(AlterError::BrokerConfig)?;
                changed.insert(name, value.to_string());
            }
            (SET, None) => return Err(ConfigError::NullValue(name).into()),
            (APPEND, _) => {
                let operation = "append";
                return Err(ConfigError::NotAList { name, operation }.into());
            }
            (SUBTRACT, _) => {
                let operation = "subtract";
                return Err(ConfigError::NotAList { name, operation }.into());
            }
            (unknown, _) => return Err(ConfigError::UnknownOperation(unknown).into()),
        }
    }
    if !validate_only {
        all.insert(key, changed);
    }
    Ok(())
}

fn alter_topic(
    shared: &Shared,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), AlterError> {
    shared.change_catalog(|catalog| {
        let name = resource.resource_name.to_string();
        let topic = catalog.get_mut(&name).ok_or(AlterError::Unknown(name))?;
        let mut changed = topic.configs.clone();
        for config in &resource.configs {
            apply(&mut changed, config, &shared.broker_configs)?;
        }
        if !validate_only {
            topic.settings = Arc::new(TopicSettings::resolve(&changed, &shared.broker_configs));
            topic.configs = changed;
        }
        Ok(())
    })
}

/// Applies one operation; the values stay valid.
fn apply(
    configs: &mut BTreeMap<String, String>,
    change: &AlterableConfig,
    broker: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let name = change.name.to_string();
    let Some(definition) = configs::definition(&name) else {
        return Err(ConfigError::UnknownName(name));
    };
    let operation = match change.config_operation {
        DELETE => {
            configs.remove(&name);
            return Ok(());
        }
        SET => "set",
        APPEND => "append",
        SUBTRACT => "subtract",
        unknown => return Err(ConfigError::UnknownOperation(unknown)),
    };
    let Some(value) = &change.value else {
        return Err(ConfigError::NullValue(name));
    };
    let value = if change.config_operation == SET {
        value.to_string()
    } else {
        if !definition.kind.is_list() {
            return Err(ConfigError::NotAList { name, operation });
        }
        let (current, _) = configs::effective(definition, configs, broker);
        let mut items: Vec<&str> = list_items(current).collect();
        if change.config_operation == APPEND {
            for item in list_items(value) {
                if !items.contains(&item) {
                    items.push(item);
                }
            }
        } else {
            items.retain(|item| !list_items(value).any(|gone| gone == *item));
        }
        items.join(",")
    };
    configs::validate(&name, &value)?;
    configs.insert(name, value);
    Ok(())
}
