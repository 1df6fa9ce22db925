//! `ListPartitionReassignments` (KIP-455).

use std::collections::BTreeMap;

use kafka_protocol::messages::list_partition_reassignments_response::{
    ListPartitionReassignmentsResponse, OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::{BrokerId, ListPartitionReassignmentsRequest};

use super::text::{text, topic as topic_name};
use crate::dispatch::Context;
use crate::partition::PartitionState;

pub(crate) fn handle(
    context: &Context,
    request: &ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    let response = ListPartitionReassignmentsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms());
    if let Some(error) = context.strike.error_for_request() {
        return response
            .with_error_code(error.code())
            .with_error_message(Some(text("injected fault")));
    }
    let wanted: Option<BTreeMap<&str, &Vec<i32>>> = request.topics.as_ref().map(|topics| {
        let topics = topics.iter();
        topics
            .map(|topic| (topic.name.as_str(), &topic.partition_indexes))
            .collect()
    });
    let is_wanted = |topic: &str, index: i32| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.get(topic).is_some_and(|list| list.contains(&index)))
    };
    let mut topics = Vec::new();
    for (name, topic) in context.shared.catalog().iter() {
        let moving = (0_i32..)
            .zip(&topic.partitions)
            .filter_map(|(index, partition)| {
                is_wanted(name, index)
                    .then(|| ongoing(index, &partition.lock()))
                    .flatten()
            });
        let partitions: Vec<OngoingPartitionReassignment> = moving.collect();
        if !partitions.is_empty() {
            topics.push(
                OngoingTopicReassignment::default()
                    .with_name(topic_name(name))
                    .with_partitions(partitions),
            );
        }
    }
    response.with_topics(topics)
}

fn ongoing(index: i32, state: &PartitionState) -> Option<OngoingPartitionReassignment> {
    let ids = |list: &[i32]| list.iter().copied().map(BrokerId).collect();
    let moving = state.moving.as_ref()?;
    Some(
        OngoingPartitionReassignment::default()
            .with_partition_index(index)
            .with_replicas(ids(&state.replicas))
            .with_adding_replicas(ids(&moving.adding))
            .with_removing_replicas(ids(&moving.removing)),
    )
}
