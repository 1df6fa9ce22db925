//! `CreatePartitions`: a topic only ever grows.

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::CreatePartitionsRequest;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::{
    CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use thiserror::Error;

use super::create_topics::{MAX_PARTITIONS, check_replicas};
use super::text::message;
use crate::dispatch::Context;
use crate::faults::Target;
use crate::partition::Partition;
use crate::state::Shared;

/// Why a topic did not grow.
#[derive(Debug, Error)]
enum GrowError {
    #[error("This server does not host this topic-partition.")]
    Unknown,
    #[error("Excessively large number of partitions per request.")]
    TooMany,
    #[error("Duplicate topic name.")]
    Duplicate,
    #[error("Topic already has {0} partition(s).")]
    Same(usize),
    #[error(
        "The topic {name} currently has {current} partition(s); {wanted} would not be an increase."
    )]
    NotMore {
        name: String,
        current: usize,
        wanted: i32,
    },
    #[error(
        "Attempted to add {new} partition(s), but only {assigned} assignment(s) were specified."
    )]
    AssignmentCount { new: usize, assigned: usize },
    #[error("The manual partition assignment is invalid: {0}")]
    Assignment(&'static str),
    #[error("injected fault")]
    Injected(ResponseError),
}

impl GrowError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Unknown => ResponseError::UnknownTopicOrPartition,
            Self::Duplicate => ResponseError::InvalidRequest,
            Self::TooMany => ResponseError::PolicyViolation,
            Self::Same(_) | Self::NotMore { .. } => ResponseError::InvalidPartitions,
            Self::AssignmentCount { .. } | Self::Assignment(_) => {
                ResponseError::InvalidReplicaAssignment
            }
            Self::Injected(error) => *error,
        }
    }
}

pub(crate) fn targets(request: &CreatePartitionsRequest) -> Vec<Target> {
    let names = request.topics.iter().map(|topic| topic.name.to_string());
    names
        .map(|topic| Target {
            topic,
            partition: None,
        })
        .collect()
}

pub(crate) fn handle(
    context: &Context,
    request: &CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut seen = BTreeSet::new();
    let results = request.topics.iter().map(|wanted| {
        let outcome = if let Some(error) = context.strike.error_for(&wanted.name, None) {
            Err(GrowError::Injected(error))
        } else if seen.insert(wanted.name.to_string()) {
            grow(&context.shared, wanted, request.validate_only)
        } else {
            Err(GrowError::Duplicate)
        };
        let result = CreatePartitionsTopicResult::default().with_name(wanted.name.clone());
        match outcome {
            Ok(()) => result,
            Err(error) => result
                .with_error_code(error.response().code())
                .with_error_message(Some(message(&error))),
        }
    });
    CreatePartitionsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_results(results.collect())
}

fn grow(
    shared: &Shared,
    wanted: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), GrowError> {
    shared.change_catalog(|catalog| {
        let topic = catalog.get_mut(&wanted.name).ok_or(GrowError::Unknown)?;
        let current = topic.partitions.len();
        if wanted.count == current as i32 {
            return Err(GrowError::Same(current));
        }
        if wanted.count < current as i32 {
            let name = wanted.name.to_string();
            return Err(GrowError::NotMore {
                name,
                current,
                wanted: wanted.count,
            });
        }
        let new = wanted.count as usize - current;
        if new > MAX_PARTITIONS as usize {
            return Err(GrowError::TooMany);
        }
        let placement = if let Some(given) = &wanted.assignments {
            if given.len() != new {
                return Err(GrowError::AssignmentCount {
                    new,
                    assigned: given.len(),
                });
            }
            let mut placement = Vec::with_capacity(new);
            for assignment in given {
                let brokers: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
                check_replicas(shared, &brokers).map_err(GrowError::Assignment)?;
                placement.push(brokers);
            }
            placement
        } else {
            let factor = topic
                .partitions
                .first()
                .map_or(1, |p| p.lock().replicas.len());
            shared.place(current, new, factor)
        };
        if !validate_only {
            let alive = shared.alive();
            let fresh = placement
                .into_iter()
                .map(|on| Arc::new(Partition::new(on, &alive)));
            topic.partitions.extend(fresh);
        }
        Ok(())
    })
}
