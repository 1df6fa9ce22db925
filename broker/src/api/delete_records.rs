//! `DeleteRecords`: moves the start of the log.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::DeleteRecordsRequest;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};

use crate::dispatch::Context;
use crate::faults::Target;

/// The offset that means "up to the high watermark".
const TO_THE_END: i64 = -1;

pub(crate) fn targets(request: &DeleteRecordsRequest) -> Vec<Target> {
    let pairs = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|wanted| Target {
            topic: topic.name.to_string(),
            partition: Some(wanted.partition_index),
        })
    });
    pairs.collect()
}

pub(crate) fn handle(context: &Context, request: &DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let index = wanted.partition_index;
            let result = DeleteRecordsPartitionResult::default().with_partition_index(index);
            match delete(context, &topic.name, index, wanted.offset) {
                Ok(low_watermark) => result.with_low_watermark(low_watermark),
                Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
            }
        });
        DeleteRecordsTopicResult::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    DeleteRecordsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_topics(topics.collect())
}

fn delete(context: &Context, topic: &str, index: i32, offset: i64) -> Result<i64, ResponseError> {
    if let Some(error) = context.strike.error_for(topic, Some(index)) {
        return Err(error);
    }
    let shared = &context.shared;
    let (partition, settings) = {
        let catalog = shared.catalog();
        let found = catalog
            .get(topic)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        let partition = usize::try_from(index)
            .ok()
            .and_then(|index| found.partitions.get(index))
            .cloned();
        (
            partition.ok_or(ResponseError::UnknownTopicOrPartition)?,
            found.settings.clone(),
        )
    };
    let mut state = partition.lock();
    state.check_leader(context.broker, -1)?;
    if !settings.delete_policy {
        return Err(ResponseError::PolicyViolation);
    }
    let end = state.log.end();
    let offset = if offset == TO_THE_END { end } else { offset };
    if !(0..=end).contains(&offset) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    shared.release(state.log.delete_before(offset));
    state.wake();
    Ok(state.log.start())
}
