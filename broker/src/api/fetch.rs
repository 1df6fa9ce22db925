//! `Fetch`: long polls that hand out slices of the log.
//!
//! There are no fetch sessions: every response carries session id 0, which tells the client to
//! name all partitions every time (KIP-227 allows it).

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::fetch_encoding::{self, Answer, PartitionAnswer, TopicAnswer};
use crate::dispatch::Context;
use crate::faults::Target;
use crate::frame::Frame;
use crate::log::Slices;
use crate::partition::Partition;
use crate::state::Shared;

/// First version that names topics by id (KIP-516).
const TOPIC_IDS: i16 = 13;
/// `fetch.max.bytes` of a real broker.
const MAX_BYTES: i32 = 57_671_680;

pub(crate) fn targets(request: &FetchRequest, shared: &Shared) -> Vec<Target> {
    let by_topic = request
        .topics
        .iter()
        .filter_map(|topic| Some((name(topic, shared)?, topic)));
    by_topic
        .flat_map(|(name, topic)| {
            topic.partitions.iter().map(move |wanted| Target {
                topic: name.clone(),
                partition: Some(wanted.partition),
            })
        })
        .collect()
}

/// The topic's name; an id is resolved.
fn name(topic: &FetchTopic, shared: &Shared) -> Option<String> {
    if topic.topic_id.is_nil() {
        Some(topic.topic.to_string())
    } else {
        shared.catalog().name_of(topic.topic_id).map(str::to_owned)
    }
}

/// A partition the request names, and what to do about it.
struct Wanted<'a> {
    request: &'a FetchPartition,
    found: Result<Arc<Partition>, ResponseError>,
}

struct WantedTopic<'a> {
    request: &'a FetchTopic,
    partitions: Vec<Wanted<'a>>,
}

/// Takes a waiting request off the partitions it waits for, also when it is dropped.
struct Waiting<'a> {
    notify: Arc<Notify>,
    topics: &'a [WantedTopic<'a>],
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        for wanted in self.topics.iter().flat_map(|topic| &topic.partitions) {
            if let Ok(partition) = &wanted.found {
                partition.lock().stop_waiting(&self.notify);
            }
        }
    }
}

/// Answers a fetch. Cancellation safe: nothing but a registration is undone.
pub(crate) async fn handle(context: &Context, request: &FetchRequest) -> Frame {
    if request.session_id != 0 {
        let error = ResponseError::FetchSessionIdNotFound.code();
        return fetch_encoding::encode(
            context,
            Answer {
                error,
                topics: Vec::new(),
            },
        );
    }
    let topics: Vec<WantedTopic<'_>> = request
        .topics
        .iter()
        .map(|topic| find(context, topic))
        .collect();
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = Instant::now() + wait;
    let waiting = Waiting {
        notify: Arc::new(Notify::new()),
        topics: &topics,
    };
    loop {
        // register first: an append between reading and waiting must not be missed
        let register = (Instant::now() < deadline).then_some(&waiting.notify);
        let (answers, bytes, settled) = read(context, request, &topics, register);
        if settled || bytes >= i64::from(request.min_bytes) || register.is_none() {
            drop(waiting);
            return fetch_encoding::encode(
                context,
                Answer {
                    error: 0,
                    topics: answers,
                },
            );
        }
        // the outcome is the same: read again, and at the deadline answer whatever there is
        let _woken = tokio::time::timeout_at(deadline, waiting.notify.notified()).await;
    }
}

fn find<'a>(context: &Context, topic: &'a FetchTopic) -> WantedTopic<'a> {
    let name = name(topic, &context.shared);
    let partitions = topic.partitions.iter().map(|request| {
        let found = match &name {
            None => Err(ResponseError::UnknownTopicId),
            Some(name) => match context.strike.error_for(name, Some(request.partition)) {
                Some(error) => Err(error),
                None => context
                    .shared
                    .partition(name, request.partition)
                    .ok_or(ResponseError::UnknownTopicOrPartition),
            },
        };
        Wanted { request, found }
    });
    WantedTopic {
        request: topic,
        partitions: partitions.collect(),
    }
}

/// Reads every partition once. Also says how many bytes were found, and whether the answer has to
/// go out at once (an error, or nothing to wait for).
fn read(
    context: &Context,
    request: &FetchRequest,
    topics: &[WantedTopic<'_>],
    register: Option<&Arc<Notify>>,
) -> (Vec<TopicAnswer>, i64, bool) {
    let mut room = request.max_bytes.clamp(0, MAX_BYTES) as usize;
    let mut bytes = 0;
    let mut settled = topics.iter().all(|topic| topic.partitions.is_empty());
    let mut answers = Vec::with_capacity(topics.len());
    for topic in topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in &topic.partitions {
            let answer = read_one(context, request, wanted, room, bytes == 0, register);
            settled |= answer.error != 0;
            bytes += answer.records.len;
            room = room.saturating_sub(answer.records.len);
            partitions.push(answer);
        }
        let by_id = context.version >= TOPIC_IDS;
        let id = if by_id {
            topic.request.topic_id
        } else {
            Uuid::nil()
        };
        answers.push(TopicAnswer {
            name: topic.request.topic.clone(),
            id,
            partitions,
        });
    }
    (answers, bytes as i64, settled)
}

fn read_one(
    context: &Context,
    request: &FetchRequest,
    wanted: &Wanted<'_>,
    room: usize,
    at_least_one: bool,
    register: Option<&Arc<Notify>>,
) -> PartitionAnswer {
    let index = wanted.request.partition;
    let partition = match &wanted.found {
        Ok(partition) => partition,
        Err(error) => return PartitionAnswer::failed(index, *error, None),
    };
    let mut state = partition.lock();
    if let Err(error) = state.check_leader(context.broker, wanted.request.current_leader_epoch) {
        let error = match error {
            ResponseError::UnknownTopicOrPartition if context.version >= TOPIC_IDS => {
                ResponseError::UnknownTopicId
            }
            other => other,
        };
        return PartitionAnswer::failed(index, error, Some((state.leader, state.leader_epoch)));
    }
    let (start, end) = (state.log.start(), state.log.end());
    let offset = wanted.request.fetch_offset;
    if !(start..=end).contains(&offset) {
        return PartitionAnswer::failed(index, ResponseError::OffsetOutOfRange, None);
    }
    if let Some(notify) = register {
        state.wait(notify);
    }
    let limit = room.min(wanted.request.partition_max_bytes.max(0) as usize);
    let records = if offset == end {
        Slices::default()
    } else {
        state.log.read(offset, limit, at_least_one)
    };
    PartitionAnswer {
        index,
        error: 0,
        high_watermark: end,
        log_start: start,
        aborted: (request.isolation_level == 1).then_some(()),
        leader: None,
        records,
    }
}
