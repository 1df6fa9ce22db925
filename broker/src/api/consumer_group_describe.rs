//! `ConsumerGroupDescribe` (KIP-848).

use kafka_protocol::ResponseError;
use kafka_protocol::messages::ConsumerGroupDescribeRequest;
use kafka_protocol::messages::consumer_group_describe_response::{
    Assignment, ConsumerGroupDescribeResponse, DescribedGroup, Member, TopicPartitions,
};

use super::describe_groups::{Found, find};
use super::text::{text, topic as topic_name};
use crate::dispatch::Context;
use crate::groups::{GroupKind, GroupMemberView};
use crate::state::Catalog;

pub(crate) fn handle(
    context: &Context,
    request: &ConsumerGroupDescribeRequest,
) -> ConsumerGroupDescribeResponse {
    let catalog = context.shared.catalog();
    let groups = context.shared.groups.lock();
    let described = request.group_ids.iter().map(|id| {
        let described = DescribedGroup::default().with_group_id(id.clone());
        match find(context, &groups, id, GroupKind::Consumer) {
            Found::Refused(error) => described.with_error_code(error.code()),
            Found::Absent(words) => described
                .with_error_code(ResponseError::GroupIdNotFound.code())
                .with_error_message(Some(text(&words))),
            Found::There(group) => described
                .with_group_state(text(group.state()))
                .with_group_epoch(1)
                .with_assignment_epoch(1)
                .with_assignor_name(text("uniform"))
                .with_members(
                    group
                        .members
                        .iter()
                        .enumerate()
                        .map(|(index, member)| described_member(&catalog, index, member))
                        .collect(),
                ),
        }
    });
    ConsumerGroupDescribeResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_groups(described.collect())
}

fn described_member(catalog: &Catalog, index: usize, member: &GroupMemberView) -> Member {
    let assigned = member.assigned.iter().map(|(topic, partitions)| {
        let id = catalog.get(topic).map(|topic| topic.id);
        TopicPartitions::default()
            .with_topic_id(id.unwrap_or_default())
            .with_topic_name(topic_name(topic))
            .with_partitions(partitions.clone())
    });
    let assignment = Assignment::default().with_topic_partitions(assigned.collect());
    let subscribed = member.subscribed.iter().map(|topic| topic_name(topic));
    Member::default()
        .with_member_id(text(&format!("{}-{index}", member.client_id)))
        .with_member_epoch(1)
        .with_client_id(text(&member.client_id))
        .with_client_host(text("/127.0.0.1"))
        .with_subscribed_topic_names(subscribed.collect())
        .with_assignment(assignment.clone())
        .with_target_assignment(assignment)
}
