//! `DescribeConfigs`, for topics and brokers.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::DescribeConfigsRequest;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResponse, DescribeConfigsResult,
    DescribeConfigsSynonym,
};

use super::text::{message, text};
use crate::configs::{self, Definition, Source};
use crate::dispatch::Context;
use crate::dynamic_configs;
use crate::faults::Target;

/// Resource type of a topic.
pub(super) const TOPIC: i8 = 2;
/// Resource type of a broker.
pub(super) const BROKER: i8 = 4;

pub(crate) fn targets(request: &DescribeConfigsRequest) -> Vec<Target> {
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
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let results = request.resources.iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match describe(context, request, resource) {
            Ok(found) => result.with_configs(found),
            Err(error) => result
                .with_error_code(error.code())
                .with_error_message(Some(message(&error))),
        }
    });
    DescribeConfigsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_results(results.collect())
}

type Described = Vec<DescribeConfigsResourceResult>;

fn describe(
    context: &Context,
    request: &DescribeConfigsRequest,
    resource: &DescribeConfigsResource,
) -> Result<Described, ResponseError> {
    let name = &resource.resource_name;
    let keys = resource.configuration_keys.as_deref();
    let wanted = |key: &str| keys.is_none_or(|keys| keys.iter().any(|wanted| **wanted == *key));
    match resource.resource_type {
        TOPIC => {
            if let Some(error) = context.strike.error_for(name, None) {
                return Err(error);
            }
            let catalog = context.shared.catalog();
            let topic = catalog
                .get(name)
                .ok_or(ResponseError::UnknownTopicOrPartition)?;
            let definitions = configs::DEFINITIONS
                .iter()
                .filter(|known| wanted(known.name));
            let described = definitions.map(|definition| {
                describe_topic_setting(
                    definition,
                    &topic.configs,
                    context,
                    request.include_synonyms,
                )
            });
            Ok(described.collect())
        }
        BROKER => describe_broker(context, name, wanted),
        _ => Err(ResponseError::InvalidRequest),
    }
}

fn describe_topic_setting(
    definition: &Definition,
    topic: &BTreeMap<String, String>,
    context: &Context,
    synonyms: bool,
) -> DescribeConfigsResourceResult {
    let broker = &context.shared.broker_configs;
    let (value, source) = configs::effective(definition, topic, broker);
    let mut result = DescribeConfigsResourceResult::default()
        .with_name(text(definition.name))
        .with_value(Some(text(value)))
        .with_config_source(source.wire());
    if context.version >= 3 {
        result = result.with_config_type(definition.kind.wire_type());
    }
    if synonyms {
        result = result.with_synonyms(all_values(definition, topic, broker));
    }
    result
}

/// Every value a setting has anywhere, the effective one first.
fn all_values(
    definition: &Definition,
    topic: &BTreeMap<String, String>,
    broker: &BTreeMap<String, String>,
) -> Vec<DescribeConfigsSynonym> {
    let synonym = |name: &str, value: &str, source: Source| {
        DescribeConfigsSynonym::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_source(source.wire())
    };
    let mut found = Vec::new();
    if let Some(value) = topic.get(definition.name) {
        found.push(synonym(definition.name, value, Source::Topic));
    }
    if let Some(name) = definition.broker_name {
        if let Some(value) = broker.get(name) {
            found.push(synonym(name, value, Source::Broker));
        }
        found.push(synonym(name, definition.default, Source::Default));
    }
    found
}

/// The settings of a broker that mean something here: those it was started with, and the defaults
/// of what it obeys.
fn describe_broker(
    context: &Context,
    name: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Described, ResponseError> {
    let given = &context.shared.broker_configs;
    if !name.is_empty() {
        let id: i32 = name.parse().map_err(|_| ResponseError::InvalidRequest)?;
        if id != context.broker {
            return Err(ResponseError::InvalidRequest);
        }
    }
    let mut values: BTreeMap<&str, (&str, Source)> = BTreeMap::from([
        ("auto.create.topics.enable", ("false", Source::Default)),
        ("default.replication.factor", ("1", Source::Default)),
        ("num.partitions", ("1", Source::Default)),
        ("producer.id.expiration.ms", ("86400000", Source::Default)),
    ]);
    let named = configs::DEFINITIONS
        .iter()
        .filter_map(|known| Some((known.broker_name?, known)));
    values.extend(named.map(|(name, known)| (name, (known.default, Source::Default))));
    values.extend(
        given
            .iter()
            .map(|(name, value)| (name.as_str(), (value.as_str(), Source::Broker))),
    );
    let dynamic = context.shared.dynamic_configs.lock();
    let own = (!name.is_empty()).then(|| dynamic.get(&Some(context.broker)));
    if name.is_empty() {
        // the cluster-wide dynamic defaults alone
        values.clear();
    }
    for (layer, source) in [
        (dynamic.get(&None), Source::DynamicDefaultBroker),
        (own.flatten(), Source::DynamicBroker),
    ] {
        let layer = layer.into_iter().flatten();
        values.extend(layer.map(|(name, value)| (name.as_str(), (value.as_str(), source))));
    }
    let described =
        values
            .into_iter()
            .filter(|(key, _)| wanted(key))
            .map(|(key, (value, source))| {
                DescribeConfigsResourceResult::default()
                    .with_name(text(key))
                    .with_value(Some(text(value)))
                    .with_read_only(!dynamic_configs::is_known(key))
                    .with_config_source(source.wire())
            });
    Ok(described.collect())
}
