//! `ListOffsets`: ends of the log, and positions by time.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::ListOffsetsRequest;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};

use crate::dispatch::Context;
use crate::faults::Target;
use crate::log::Found;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const NOTHING: Found = Found {
    offset: -1,
    timestamp: -1,
};

pub(crate) fn targets(request: &ListOffsetsRequest) -> Vec<Target> {
    let pairs = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|wanted| Target {
            topic: topic.name.to_string(),
            partition: Some(wanted.partition_index),
        })
    });
    pairs.collect()
}

pub(crate) fn handle(context: &Context, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response = ListOffsetsPartitionResponse::default()
                .with_partition_index(wanted.partition_index);
            match look_up(context, &topic.name, wanted) {
                Ok((found, epoch)) => {
                    let response = response
                        .with_offset(found.offset)
                        .with_timestamp(found.timestamp);
                    if context.version >= 4 {
                        response.with_leader_epoch(epoch)
                    } else {
                        response
                    }
                }
                Err(error) => response
                    .with_error_code(error.code())
                    .with_offset(-1)
                    .with_timestamp(-1),
            }
        });
        ListOffsetsTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    ListOffsetsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_topics(topics.collect())
}

/// The position asked for, and the leader epoch it was written in (-1 where there is none).
fn look_up(
    context: &Context,
    topic: &str,
    wanted: &ListOffsetsPartition,
) -> Result<(Found, i32), ResponseError> {
    let index = wanted.partition_index;
    if let Some(error) = context.strike.error_for(topic, Some(index)) {
        return Err(error);
    }
    let partition = context
        .shared
        .partition(topic, index)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let state = partition.lock();
    let epoch = if context.version >= 4 {
        wanted.current_leader_epoch
    } else {
        -1
    };
    state.check_leader(context.broker, epoch)?;
    let log = &state.log;
    let at = |offset| Found {
        offset,
        timestamp: -1,
    };
    let newest_kind = match wanted.timestamp {
        LATEST_TIERED => 9,
        EARLIEST_LOCAL => 8,
        MAX_TIMESTAMP => 7,
        _ => 1,
    };
    if context.version < newest_kind {
        return Err(ResponseError::UnsupportedVersion);
    }
    let found = match wanted.timestamp {
        LATEST => at(log.end()),
        EARLIEST | EARLIEST_LOCAL => at(log.start()),
        LATEST_TIERED => NOTHING,
        MAX_TIMESTAMP => log
            .find_max_time()
            .map_err(|_| ResponseError::CorruptMessage)?
            .unwrap_or(NOTHING),
        time if time >= 0 => log
            .find_by_time(time)
            .map_err(|_| ResponseError::CorruptMessage)?
            .unwrap_or(NOTHING),
        _ => return Err(ResponseError::UnsupportedVersion),
    };
    let epoch = if found.offset < 0 {
        -1
    } else if found.offset >= log.end() {
        state.leader_epoch
    } else {
        log.epoch_at(found.offset).unwrap_or(-1)
    };
    Ok((found, epoch))
}
