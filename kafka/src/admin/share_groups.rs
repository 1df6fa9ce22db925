use kafka_protocol::messages::share_group_describe_response::{DescribedGroup, Member};

use super::groups::{self, GroupMember};
use crate::metadata::TopicPartition;

/// A share group (KIP-932) like any other: whoever shares a partition reads it.
pub(super) fn share_group(group: DescribedGroup) -> groups::DescribedGroup {
    let member = |member: Member| {
        let assigned = member.assignment.topic_partitions.iter().flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|index| TopicPartition::new(topic.topic_name.0.to_string(), *index))
        });
        let names = member.subscribed_topic_names.iter();
        GroupMember {
            assigned: assigned.collect(),
            subscribed: names.map(|name| name.0.to_string()).collect(),
            subscribed_pattern: None,
            member_id: member.member_id.to_string(),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
        }
    };
    groups::DescribedGroup {
        state: group.group_state.to_string(),
        members: group.members.into_iter().map(member).collect(),
    }
}
