//! `AlterPartitionReassignments` (KIP-455).

use kafka_protocol::ResponseError;
use kafka_protocol::messages::AlterPartitionReassignmentsRequest;
use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    AlterPartitionReassignmentsResponse, ReassignablePartitionResponse, ReassignableTopicResponse,
};
use thiserror::Error;

use super::create_topics::check_replicas;
use super::text::{message, text};
use crate::dispatch::Context;
use crate::faults::Target;

/// Why a partition stays where it is.
#[derive(Debug, Error)]
enum ReassignError {
    #[error("This server does not host this topic-partition.")]
    Unknown,
    #[error("The manual partition assignment is invalid: {0}")]
    Assignment(&'static str),
    #[error("The replication factor is changed from {from} to {to}, which the request forbids.")]
    Factor { from: usize, to: usize },
    #[error("No partition reassignment is in progress.")]
    NotMoving,
    #[error("injected fault")]
    Injected(ResponseError),
}

impl ReassignError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Unknown => ResponseError::UnknownTopicOrPartition,
            Self::Assignment(_) => ResponseError::InvalidReplicaAssignment,
            Self::Factor { .. } => ResponseError::InvalidReplicationFactor,
            Self::NotMoving => ResponseError::NoReassignmentInProgress,
            Self::Injected(error) => *error,
        }
    }
}

pub(crate) fn targets(request: &AlterPartitionReassignmentsRequest) -> Vec<Target> {
    let topics = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| Target {
            topic: topic.name.to_string(),
            partition: Some(partition.partition_index),
        })
    });
    topics.collect()
}

pub(crate) fn handle(
    context: &Context,
    request: &AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let response = AlterPartitionReassignmentsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_allow_replication_factor_change(request.allow_replication_factor_change);
    if let Some(error) = context.strike.error_for_all() {
        return response
            .with_error_code(error.code())
            .with_error_message(Some(text("injected fault")));
    }
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let result = ReassignablePartitionResponse::default()
                .with_partition_index(wanted.partition_index);
            let any_factor = request.allow_replication_factor_change;
            match reassign(context, &topic.name, wanted, any_factor) {
                Ok(()) => result,
                Err(error) => result
                    .with_error_code(error.response().code())
                    .with_error_message(Some(message(&error))),
            }
        });
        ReassignableTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    response.with_responses(topics.collect())
}

fn reassign(
    context: &Context,
    topic: &str,
    wanted: &ReassignablePartition,
    any_factor: bool,
) -> Result<(), ReassignError> {
    let shared = &context.shared;
    let index = wanted.partition_index;
    if let Some(error) = context.strike.error_for(topic, Some(index)) {
        return Err(ReassignError::Injected(error));
    }
    let found = shared.partition(topic, index);
    let found = found.ok_or(ReassignError::Unknown)?;
    let alive = shared.alive();
    let mut state = found.lock();
    let Some(replicas) = &wanted.replicas else {
        let turned_back = state.turn_back(&alive);
        return turned_back.then_some(()).ok_or(ReassignError::NotMoving);
    };
    let target: Vec<i32> = replicas.iter().map(|id| id.0).collect();
    check_replicas(shared, &target).map_err(ReassignError::Assignment)?;
    let from = state
        .moving
        .as_ref()
        .map_or(state.replicas.len(), |moving| {
            state.replicas.len() - moving.adding.len()
        });
    if !any_factor && from != target.len() {
        let to = target.len();
        return Err(ReassignError::Factor { from, to });
    }
    state.move_to(target, shared.holds_moves(), &alive);
    Ok(())
}
