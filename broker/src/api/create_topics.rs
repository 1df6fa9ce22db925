//! `CreateTopics`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};
use thiserror::Error;
use uuid::Uuid;

use super::text::{message, text};
use super::topic_name::{TopicNameError, check, metric_form};
use crate::configs::{self, ConfigError, TopicSettings};
use crate::dispatch::Context;
use crate::faults::Target;
use crate::partition::Partition;
use crate::state::{Catalog, Shared, Topic};

/// Most partitions one request may add, as in the real controller.
pub(super) const MAX_PARTITIONS: i32 = 10_000;

/// Why a topic was not created.
#[derive(Debug, Error)]
enum CreateError {
    #[error(transparent)]
    Name(#[from] TopicNameError),
    #[error("Topic '{0}' already exists.")]
    Exists(String),
    #[error("Topic '{0}' collides with existing topic: {1}")]
    Collides(String, String),
    #[error("Duplicate topic name.")]
    Duplicate,
    #[error("Number of partitions was set to an invalid non-positive value.")]
    Partitions,
    #[error("Excessively large number of partitions per request.")]
    TooManyPartitions,
    #[error("Replication factor must be larger than 0, or -1 to use the default value.")]
    Replication,
    #[error(
        "Unable to replicate the partition {factor} time(s): The target replication factor of \
         {factor} cannot be reached because only {brokers} broker(s) are registered."
    )]
    TooFewBrokers { factor: i16, brokers: usize },
    #[error("Both assignments and a partition count or replication factor were given.")]
    CountsWithAssignment,
    #[error("The manual partition assignment is invalid: {0}")]
    Assignment(&'static str),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("injected fault")]
    Injected(ResponseError),
}

impl CreateError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Name(_) | Self::Collides(..) => ResponseError::InvalidTopicException,
            Self::Exists(_) => ResponseError::TopicAlreadyExists,
            Self::Duplicate | Self::CountsWithAssignment => ResponseError::InvalidRequest,
            Self::Partitions => ResponseError::InvalidPartitions,
            Self::TooManyPartitions => ResponseError::PolicyViolation,
            Self::Replication | Self::TooFewBrokers { .. } => {
                ResponseError::InvalidReplicationFactor
            }
            Self::Assignment(_) => ResponseError::InvalidReplicaAssignment,
            Self::Config(_) => ResponseError::InvalidConfig,
            Self::Injected(error) => *error,
        }
    }
}

pub(crate) fn targets(request: &CreateTopicsRequest) -> Vec<Target> {
    let names = request.topics.iter().map(|topic| topic.name.to_string());
    names
        .map(|topic| Target {
            topic,
            partition: None,
        })
        .collect()
}

pub(crate) fn handle(context: &Context, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<String> = request
        .topics
        .iter()
        .map(|topic| topic.name.to_string())
        .filter(|name| !seen.insert(name.clone()))
        .collect();
    let mut results: Vec<CreatableTopicResult> = Vec::new();
    for wanted in request.topics {
        let name = wanted.name.to_string();
        let answered = results.iter().any(|result| *result.name == *wanted.name);
        if answered {
            continue;
        }
        let outcome = if repeated.contains(&name) {
            Err(CreateError::Duplicate)
        } else if let Some(error) = context.strike.error_for(&name, None) {
            Err(CreateError::Injected(error))
        } else {
            create(&context.shared, &wanted, request.validate_only)
        };
        let result = CreatableTopicResult::default().with_name(wanted.name);
        results.push(match outcome {
            Ok(created) => result
                .with_topic_id(created.id)
                .with_num_partitions(created.partitions)
                .with_replication_factor(created.factor)
                .with_configs(Some(created.configs)),
            Err(error) => result
                .with_error_code(error.response().code())
                .with_error_message(Some(message(&error)))
                .with_num_partitions(-1)
                .with_replication_factor(-1)
                .with_configs((context.version >= 5).then(Vec::new)),
        });
    }
    CreateTopicsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_topics(results)
}

struct Created {
    id: Uuid,
    partitions: i32,
    factor: i16,
    configs: Vec<CreatableTopicConfigs>,
}

fn create(
    shared: &Shared,
    wanted: &CreatableTopic,
    validate_only: bool,
) -> Result<Created, CreateError> {
    let name = wanted.name.to_string();
    shared.change_catalog(|catalog| {
        check(&name)?;
        check_free(catalog, &name)?;
        let placement = placement(shared, wanted)?;
        let configs = checked_configs(wanted)?;
        let settings = TopicSettings::resolve(&configs, &shared.broker_configs);
        let created = Created {
            id: if validate_only {
                Uuid::nil()
            } else {
                Uuid::new_v4()
            },
            partitions: placement.len() as i32,
            factor: placement.first().map_or(0, Vec::len) as i16,
            configs: described(&configs, shared),
        };
        if !validate_only {
            let alive = shared.alive();
            let partitions = placement
                .into_iter()
                .map(|on| Arc::new(Partition::new(on, &alive)))
                .collect();
            let settings = Arc::new(settings);
            catalog.insert(
                name,
                Topic {
                    id: created.id,
                    partitions,
                    configs,
                    settings,
                },
            );
        }
        Ok(created)
    })
}

/// Creates a topic with default settings because a client asked for its metadata.
pub(super) fn create_automatically(shared: &Shared, name: &str) {
    let wanted = CreatableTopic::default()
        .with_name(super::text::topic(name))
        .with_num_partitions(-1)
        .with_replication_factor(-1);
    if let Err(error) = create(shared, &wanted, false) {
        tracing::debug!(name, %error, "automatic creation refused");
    }
}

fn check_free(catalog: &Catalog, name: &str) -> Result<(), CreateError> {
    if catalog.get(name).is_some() {
        return Err(CreateError::Exists(name.to_owned()));
    }
    let form = metric_form(name);
    match catalog.iter().find(|(other, _)| metric_form(other) == form) {
        Some((other, _)) => Err(CreateError::Collides(name.to_owned(), other.to_owned())),
        None => Ok(()),
    }
}

/// The brokers of each new partition.
fn placement(shared: &Shared, wanted: &CreatableTopic) -> Result<Vec<Vec<i32>>, CreateError> {
    if !wanted.assignments.is_empty() {
        return manual_placement(shared, wanted);
    }
    let default = |name| shared.broker_config(name, "1").parse::<i32>().unwrap_or(1);
    let partitions = match wanted.num_partitions {
        -1 => default("num.partitions"),
        given if given > 0 => given,
        _ => return Err(CreateError::Partitions),
    };
    let factor = match wanted.replication_factor {
        -1 => default("default.replication.factor") as i16,
        given if given > 0 => given,
        _ => return Err(CreateError::Replication),
    };
    let brokers = shared.broker_count;
    if partitions > MAX_PARTITIONS {
        return Err(CreateError::TooManyPartitions);
    }
    if factor as usize > brokers {
        return Err(CreateError::TooFewBrokers { factor, brokers });
    }
    Ok(shared.place(0, partitions as usize, factor as usize))
}

fn manual_placement(
    shared: &Shared,
    wanted: &CreatableTopic,
) -> Result<Vec<Vec<i32>>, CreateError> {
    if wanted.num_partitions != -1 || wanted.replication_factor != -1 {
        return Err(CreateError::CountsWithAssignment);
    }
    let mut by_index = BTreeMap::new();
    for assignment in &wanted.assignments {
        let brokers: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
        check_replicas(shared, &brokers).map_err(CreateError::Assignment)?;
        if by_index
            .insert(assignment.partition_index, brokers)
            .is_some()
        {
            return Err(CreateError::Assignment("a partition is assigned twice"));
        }
    }
    let consecutive = by_index
        .keys()
        .enumerate()
        .all(|(at, index)| at as i32 == *index);
    if !consecutive {
        return Err(CreateError::Assignment(
            "partitions are not consecutive from 0",
        ));
    }
    let placement: Vec<Vec<i32>> = by_index.into_values().collect();
    if placement
        .windows(2)
        .any(|pair| pair[0].len() != pair[1].len())
    {
        return Err(CreateError::Assignment(
            "partitions differ in replication factor",
        ));
    }
    Ok(placement)
}

/// Checks the brokers given for one partition.
pub(super) fn check_replicas(shared: &Shared, brokers: &[i32]) -> Result<(), &'static str> {
    if brokers.is_empty() {
        return Err("a partition has no brokers");
    }
    let distinct: BTreeSet<&i32> = brokers.iter().collect();
    if distinct.len() != brokers.len() {
        return Err("a broker is named twice for one partition");
    }
    let known = |id: &i32| (1..=shared.broker_count as i32).contains(id);
    if brokers.iter().all(known) {
        Ok(())
    } else {
        Err("a broker does not exist")
    }
}

fn checked_configs(wanted: &CreatableTopic) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut configs = BTreeMap::new();
    for config in &wanted.configs {
        let name = config.name.to_string();
        let Some(value) = &config.value else {
            return Err(ConfigError::NullValue(name));
        };
        configs::validate(&name, value)?;
        configs.insert(name, value.to_string());
    }
    Ok(configs)
}

fn described(configs: &BTreeMap<String, String>, shared: &Shared) -> Vec<CreatableTopicConfigs> {
    configs::DEFINITIONS
        .iter()
        .map(|definition| {
            let (value, source) = configs::effective(definition, configs, &shared.broker_configs);
            CreatableTopicConfigs::default()
                .with_name(text(definition.name))
                .with_value(Some(text(value)))
                .with_config_source(source.wire())
        })
        .collect()
}
