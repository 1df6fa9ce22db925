//! `OffsetForLeaderEpoch`: where an epoch ended, for clients that check for truncation.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::OffsetForLeaderEpochRequest;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};

use crate::dispatch::Context;
use crate::faults::Target;

pub(crate) fn targets(request: &OffsetForLeaderEpochRequest) -> Vec<Target> {
    let pairs = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|wanted| Target {
            topic: topic.topic.to_string(),
            partition: Some(wanted.partition),
        })
    });
    pairs.collect()
}

pub(crate) fn handle(
    context: &Context,
    request: &OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response = EpochEndOffset::default().with_partition(wanted.partition);
            match look_up(context, &topic.topic, wanted) {
                Ok(Some((epoch, end))) => response.with_leader_epoch(epoch).with_end_offset(end),
                Ok(None) => response.with_leader_epoch(-1).with_end_offset(-1),
                Err(error) => response
                    .with_error_code(error.code())
                    .with_leader_epoch(-1)
                    .with_end_offset(-1),
            }
        });
        OffsetForLeaderTopicResult::default()
            .with_topic(topic.topic.clone())
            .with_partitions(partitions.collect())
    });
    OffsetForLeaderEpochResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_topics(topics.collect())
}

fn look_up(
    context: &Context,
    topic: &str,
    wanted: &OffsetForLeaderPartition,
) -> Result<Option<(i32, i64)>, ResponseError> {
    if let Some(error) = context.strike.error_for(topic, Some(wanted.partition)) {
        return Err(error);
    }
    let partition = context
        .shared
        .partition(topic, wanted.partition)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let state = partition.lock();
    state.check_leader(context.broker, wanted.current_leader_epoch)?;
    Ok(state.log.epoch_end(wanted.leader_epoch, state.leader_epoch))
}
