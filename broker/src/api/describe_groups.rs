//! `DescribeGroups`: classic groups alone.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::describe_groups_response::{
    DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use kafka_protocol::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, DescribeGroupsRequest, GroupId,
};
use kafka_protocol::protocol::Encodable;

use super::text::{text, topic as topic_name};
use crate::dispatch::Context;
use crate::groups::{GroupKind, GroupMemberView, GroupView, Groups};

/// Version of what members say to each other.
const MEMBERS_VERSION: i16 = 0;

pub(crate) fn handle(context: &Context, request: &DescribeGroupsRequest) -> DescribeGroupsResponse {
    let groups = context.shared.groups.lock();
    let described = request.groups.iter().map(|id| {
        let described = DescribedGroup::default().with_group_id(id.clone());
        match find(context, &groups, id, GroupKind::Classic) {
            Found::Refused(error) => described.with_error_code(error.code()),
            Found::Absent(words) => absent(context, described, &words),
            Found::There(group) => classic(described, group),
        }
    });
    DescribeGroupsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_groups(described.collect())
}

/// An injected error, or that another broker coordinates all groups.
pub(super) fn refusal(context: &Context) -> Option<ResponseError> {
    context.strike.error_for_request().or_else(|| {
        (context.shared.controller() != context.broker).then_some(ResponseError::NotCoordinator)
    })
}

/// What there is of a group that is asked for.
pub(super) enum Found<'a> {
    /// The question is not answered.
    Refused(ResponseError),
    /// It is not there, or of another kind: in words.
    Absent(String),
    /// It is there.
    There(&'a GroupView),
}

/// The group, where it is of this kind.
pub(super) fn find<'a>(
    context: &Context,
    groups: &'a Groups,
    id: &GroupId,
    kind: GroupKind,
) -> Found<'a> {
    if let Some(error) = refusal(context) {
        return Found::Refused(error);
    }
    let id = id.as_str();
    match groups.get(id) {
        Some(group) if group.kind == kind => Found::There(group),
        Some(_) => {
            let kind = match kind {
                GroupKind::Classic => "classic",
                GroupKind::Consumer => "consumer",
                GroupKind::Share => "share",
            };
            Found::Absent(format!("Group {id} is not a {kind} group."))
        }
        None => Found::Absent(format!("Group {id} not found.")),
    }
}

fn absent(context: &Context, described: DescribedGroup, words: &str) -> DescribedGroup {
    let words = text(words);
    let described = described.with_group_state(text("Dead"));
    if context.version < 6 {
        return described;
    }
    described
        .with_error_code(ResponseError::GroupIdNotFound.code())
        .with_error_message(Some(words))
}

fn classic(described: DescribedGroup, group: &GroupView) -> DescribedGroup {
    let members = group.members.iter().enumerate().map(|(index, member)| {
        DescribedGroupMember::default()
            .with_member_id(text(&format!("{}-{index}", member.client_id)))
            .with_client_id(text(&member.client_id))
            .with_client_host(text("/127.0.0.1"))
            .with_member_metadata(subscription(member))
            .with_member_assignment(assignment(member))
    });
    described
        .with_group_state(text(group.state()))
        .with_protocol_type(text("consumer"))
        .with_protocol_data(text("range"))
        .with_members(members.collect())
}

fn subscription(member: &GroupMemberView) -> Bytes {
    let topics = member.subscribed.iter().map(|topic| text(topic));
    said(&ConsumerProtocolSubscription::default().with_topics(topics.collect()))
}

fn assignment(member: &GroupMemberView) -> Bytes {
    let assigned = member.assigned.iter().map(|(topic, partitions)| {
        TopicPartition::default()
            .with_topic(topic_name(topic))
            .with_partitions(partitions.clone())
    });
    said(&ConsumerProtocolAssignment::default().with_assigned_partitions(assigned.collect()))
}

/// A message of members, behind its version.
fn said(message: &impl Encodable) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(MEMBERS_VERSION);
    match message.encode(&mut bytes, MEMBERS_VERSION) {
        Ok(()) => bytes.freeze(),
        // longer than a length field can say: a member that says nothing
        Err(_) => Bytes::new(),
    }
}
