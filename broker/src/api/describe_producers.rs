//! `DescribeProducers` (KIP-664): what a partition remembers of its producers.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_producers_response::{
    DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, ProducerId};

use crate::dispatch::Context;
use crate::faults::Target;

pub(crate) fn targets(request: &DescribeProducersRequest) -> Vec<Target> {
    let pairs = request.topics.iter().flat_map(|topic| {
        topic.partition_indexes.iter().map(|index| Target {
            topic: topic.name.to_string(),
            partition: Some(*index),
        })
    });
    pairs.collect()
}

pub(crate) fn handle(
    context: &Context,
    request: &DescribeProducersRequest,
) -> DescribeProducersResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| {
            let response = PartitionResponse::default().with_partition_index(*index);
            match describe(context, &topic.name, *index) {
                Ok(producers) => response.with_active_producers(producers),
                Err(error) => response.with_error_code(error.code()),
            }
        });
        TopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    DescribeProducersResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_topics(topics.collect())
}

fn describe(
    context: &Context,
    topic: &str,
    index: i32,
) -> Result<Vec<ProducerState>, ResponseError> {
    if let Some(error) = context.strike.error_for(topic, Some(index)) {
        return Err(error);
    }
    let partition = context
        .shared
        .partition(topic, index)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let state = partition.lock();
    state.check_leader(context.broker, -1)?;
    let producers = state.log.producers().iter().map(|(id, entry)| {
        ProducerState::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(i32::from(entry.epoch))
            .with_last_sequence(entry.last_sequence())
            .with_last_timestamp(entry.last_timestamp)
            .with_coordinator_epoch(-1)
            .with_current_txn_start_offset(-1)
    });
    Ok(producers.collect())
}
