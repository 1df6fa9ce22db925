//! `DescribeLogDirs` (KIP-113): each broker has one directory, which is the cluster's memory.

use kafka_protocol::messages::DescribeLogDirsRequest;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResponse, DescribeLogDirsResult, DescribeLogDirsTopic,
};

use super::text::{text, topic as topic_name};
use crate::dispatch::Context;
use crate::partition::PartitionState;
use crate::state::Topic;

pub(crate) fn handle(
    context: &Context,
    request: &DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let response =
        DescribeLogDirsResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    if let Some(error) = context.strike.error_for_request() {
        return response.with_error_code(error.code());
    }
    let shared = &context.shared;
    let catalog = shared.catalog();
    let mut topics = Vec::new();
    let mut add = |name: &str, topic: &Topic, wanted: &dyn Fn(i32) -> bool| {
        let partitions = (0_i32..).zip(&topic.partitions);
        let here: Vec<_> = partitions
            .filter(|(index, _)| wanted(*index))
            .filter_map(|(index, partition)| replica(index, &partition.lock(), context.broker))
            .collect();
        if !here.is_empty() {
            topics.push(
                DescribeLogDirsTopic::default()
                    .with_name(topic_name(name))
                    .with_partitions(here),
            );
        }
    };
    match &request.topics {
        None => catalog
            .iter()
            .for_each(|(name, topic)| add(name, topic, &|_| true)),
        Some(wanted) => {
            for asked in wanted {
                if let Some(topic) = catalog.get(&asked.topic) {
                    add(&asked.topic, topic, &|index| {
                        asked.partitions.contains(&index)
                    });
                }
            }
        }
    }
    let bytes = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let dir = DescribeLogDirsResult::default()
        .with_log_dir(text(&format!("/embedded/{}", context.broker)))
        .with_total_bytes(bytes(shared.memory_limit))
        .with_usable_bytes(bytes(shared.memory_limit.saturating_sub(shared.held())))
        .with_topics(topics);
    response.with_results(vec![dir])
}

/// What a broker holds of a partition.
fn replica(index: i32, state: &PartitionState, broker: i32) -> Option<DescribeLogDirsPartition> {
    if !state.replicas.contains(&broker) {
        return None;
    }
    let copying = state
        .moving
        .as_ref()
        .is_some_and(|moving| moving.adding.contains(&broker));
    let replica = DescribeLogDirsPartition::default().with_partition_index(index);
    Some(if copying {
        replica.with_offset_lag(state.log.end() - state.log.start())
    } else {
        replica.with_partition_size(i64::try_from(state.log.bytes()).unwrap_or(i64::MAX))
    })
}
