//! `Produce`.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{BrokerId, ProduceRequest};
use thiserror::Error;

use super::metadata::HOST;
use super::text::{message, text};
use crate::dispatch::Context;
use crate::faults::Target;
use crate::log::{AppendContext, AppendError, Appended};
use crate::state::{Shared, now_ms};

/// First version that names topics by id (KIP-516).
const TOPIC_IDS: i16 = 13;
/// First version that tells who the leader is (KIP-951).
const LEADER_HINTS: i16 = 10;
/// First version with error messages (KIP-467).
const MESSAGES: i16 = 8;

/// What goes back to the client.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(ProduceResponse),
    /// acks=0 and all went well.
    Nothing,
    /// acks=0 and something failed: closing tells the client to ask for metadata.
    Close,
}

/// Why a partition took nothing.
#[derive(Debug, Error)]
enum ProduceError {
    #[error("acks must be -1, 0 or 1")]
    Acks,
    #[error("no such topic or partition")]
    Unknown,
    #[error("no topic has this id")]
    UnknownId,
    #[error("{error}")]
    Leader {
        error: ResponseError,
        leader: i32,
        epoch: i32,
    },
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("injected fault")]
    Injected(ResponseError),
}

impl ProduceError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Acks => ResponseError::InvalidRequiredAcks,
            Self::Unknown => ResponseError::UnknownTopicOrPartition,
            Self::UnknownId => ResponseError::UnknownTopicId,
            Self::Leader { error, .. } | Self::Injected(error) => *error,
            Self::Append(error) => error.response(),
        }
    }
}

/// A partition's success.
struct Accepted {
    appended: Appended,
    log_start: i64,
}

pub(crate) fn targets(request: &ProduceRequest, shared: &Shared) -> Vec<Target> {
    let by_topic = request
        .topic_data
        .iter()
        .filter_map(|topic| Some((name(topic, shared)?, topic)));
    by_topic
        .flat_map(|(name, topic)| {
            topic.partition_data.iter().map(move |data| Target {
                topic: name.clone(),
                partition: Some(data.index),
            })
        })
        .collect()
}

/// The topic's name; an id is resolved.
fn name(topic: &TopicProduceData, shared: &Shared) -> Option<String> {
    if topic.topic_id.is_nil() {
        Some(topic.name.to_string())
    } else {
        shared.catalog().name_of(topic.topic_id).map(str::to_owned)
    }
}

pub(crate) fn handle(context: &Context, request: &ProduceRequest) -> Answer {
    let mut failed = false;
    let mut moved = false;
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic in &request.topic_data {
        let name = name(topic, &context.shared);
        let mut partitions = Vec::with_capacity(topic.partition_data.len());
        for data in last_of_each(&topic.partition_data) {
            let outcome = match &name {
                Some(name) => append(context, request.acks, name, data),
                None => Err(ProduceError::UnknownId),
            };
            failed |= outcome.is_err();
            moved |= matches!(&outcome, Err(ProduceError::Leader { .. }));
            partitions.push(partition_response(context, data.index, outcome));
        }
        let response = TopicProduceResponse::default().with_partition_responses(partitions);
        responses.push(if context.version >= TOPIC_IDS {
            response.with_topic_id(topic.topic_id)
        } else {
            response.with_name(topic.name.clone())
        });
    }
    match (request.acks, failed) {
        (0, true) => return Answer::Close,
        (0, false) => return Answer::Nothing,
        (_, _) => {}
    }
    let mut response = ProduceResponse::default()
        .with_responses(responses)
        .with_throttle_time_ms(context.strike.throttle_ms());
    if moved && context.version >= LEADER_HINTS {
        response = response.with_node_endpoints(endpoints(&context.shared));
    }
    Answer::Response(response)
}

/// A partition that a request names twice is written once: the last entry wins and the others are
/// lost, silently, as on a real broker.
fn last_of_each(data: &[PartitionProduceData]) -> impl Iterator<Item = &PartitionProduceData> {
    data.iter().enumerate().filter_map(|(at, entry)| {
        let repeated = data[at + 1..]
            .iter()
            .any(|later| later.index == entry.index);
        (!repeated).then_some(entry)
    })
}

fn append(
    context: &Context,
    acks: i16,
    topic: &str,
    data: &PartitionProduceData,
) -> Result<Accepted, ProduceError> {
    if !(-1..=1).contains(&acks) {
        return Err(ProduceError::Acks);
    }
    if let Some(error) = context.strike.error_for(topic, Some(data.index)) {
        return Err(ProduceError::Injected(error));
    }
    let shared = &context.shared;
    let (partition, settings) = {
        let catalog = shared.catalog();
        let found = catalog.get(topic).ok_or(ProduceError::Unknown)?;
        let index = usize::try_from(data.index).map_err(|_| ProduceError::Unknown)?;
        let partition = found.partitions.get(index).ok_or(ProduceError::Unknown)?;
        (partition.clone(), found.settings.clone())
    };
    if shared.held() >= shared.memory_limit {
        return Err(AppendError::StorageFull {
            limit: shared.memory_limit,
        }
        .into());
    }
    let alive = shared.alive();
    let mut state = partition.lock();
    state
        .check_leader(context.broker, -1)
        .map_err(|error| ProduceError::Leader {
            error,
            leader: state.leader,
            epoch: state.leader_epoch,
        })?;
    let in_sync = state.in_sync(&alive).count();
    if acks == -1 && (in_sync as i64) < settings.min_insync_replicas {
        let need = settings.min_insync_replicas;
        return Err(AppendError::NotEnoughReplicas {
            have: in_sync,
            need,
        }
        .into());
    }
    let now_ms = now_ms();
    let leader_epoch = state.leader_epoch;
    let append = AppendContext {
        settings: &settings,
        version: context.version,
        leader_epoch,
        now_ms,
    };
    let records = data.records.as_deref().unwrap_or_default();
    let appended = state.log.append(records, append)?;
    if appended.added > 0 {
        shared.hold(appended.added as u64);
        if settings.retention_bytes >= 0 {
            shared.release(state.log.retain_bytes(&settings));
        }
        state.wake();
    }
    Ok(Accepted {
        appended,
        log_start: state.log.start(),
    })
}

fn partition_response(
    context: &Context,
    index: i32,
    outcome: Result<Accepted, ProduceError>,
) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match outcome {
        Ok(accepted) => response
            .with_base_offset(accepted.appended.base_offset)
            .with_log_append_time_ms(accepted.appended.log_append_time)
            .with_log_start_offset(accepted.log_start),
        Err(error) => {
            let mut response = response
                .with_error_code(error.response().code())
                .with_base_offset(-1)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1);
            if context.version >= MESSAGES {
                response = response.with_error_message(Some(message(&error)));
            }
            if let ProduceError::Leader { leader, epoch, .. } = error
                && context.version >= LEADER_HINTS
            {
                let hint = LeaderIdAndEpoch::default()
                    .with_leader_id(BrokerId(leader))
                    .with_leader_epoch(epoch);
                response = response.with_current_leader(hint);
            }
            response
        }
    }
}

fn endpoints(shared: &Shared) -> Vec<NodeEndpoint> {
    let nodes = shared.nodes().into_iter().map(|node| {
        NodeEndpoint::default()
            .with_node_id(BrokerId(node.id))
            .with_host(text(HOST))
            .with_port(i32::from(node.port))
    });
    nodes.collect()
}
