//! `OffsetFetch`. What a group has committed is what a test said it has.

use std::collections::BTreeMap;

use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, TopicName};

use super::describe_groups::refusal;
use super::text::{text, topic as topic_name};
use crate::dispatch::Context;
use crate::groups::Groups;

/// The first version that asks for many groups.
const MANY: i16 = 8;
/// Nothing is committed.
const NONE: i64 = -1;

/// Committed offsets by topic and partition.
type Found = BTreeMap<String, Vec<(i32, i64)>>;

/// What a group has committed: all, or for these partitions.
fn found<'a>(
    groups: &Groups,
    id: &str,
    wanted: Option<impl Iterator<Item = (&'a TopicName, &'a [i32])>>,
) -> Found {
    let committed = groups.get(id).map(|group| &group.committed);
    let mut found = Found::new();
    let Some(wanted) = wanted else {
        for ((topic, partition), offset) in committed.into_iter().flatten() {
            let partitions = found.entry(topic.clone()).or_default();
            partitions.push((*partition, *offset));
        }
        return found;
    };
    for (topic, partitions) in wanted {
        let offsets = partitions.iter().map(|partition| {
            let offset = committed.and_then(|all| all.get(&(topic.to_string(), *partition)));
            (*partition, offset.copied().unwrap_or(NONE))
        });
        found.entry(topic.to_string()).or_default().extend(offsets);
    }
    found
}

pub(crate) fn handle(context: &Context, request: &OffsetFetchRequest) -> OffsetFetchResponse {
    let response =
        OffsetFetchResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    let groups = context.shared.groups.lock();
    let error = refusal(context).map_or(0, |error| error.code());
    if context.version >= MANY {
        let answers = request.groups.iter().map(|asked| {
            let wanted = asked.topics.as_ref().map(|topics| {
                let topics = topics.iter();
                topics.map(|topic| (&topic.name, &topic.partition_indexes[..]))
            });
            let found = match error {
                0 => found(&groups, &asked.group_id, wanted),
                _ => Found::new(),
            };
            let topics = found.into_iter().map(|(topic, offsets)| {
                let partitions = offsets.into_iter().map(|(index, offset)| {
                    OffsetFetchResponsePartitions::default()
                        .with_partition_index(index)
                        .with_committed_offset(offset)
                        .with_committed_leader_epoch(-1)
                        .with_metadata(Some(text("")))
                });
                OffsetFetchResponseTopics::default()
                    .with_name(topic_name(&topic))
                    .with_partitions(partitions.collect())
            });
            OffsetFetchResponseGroup::default()
                .with_group_id(asked.group_id.clone())
                .with_error_code(error)
                .with_topics(topics.collect())
        });
        return response.with_groups(answers.collect());
    }
    let wanted = request.topics.as_ref().map(|topics| {
        let topics = topics.iter();
        topics.map(|topic| (&topic.name, &topic.partition_indexes[..]))
    });
    let found = match error {
        0 => found(&groups, &request.group_id, wanted),
        _ => Found::new(),
    };
    let topics = found.into_iter().map(|(topic, offsets)| {
        let partitions = offsets.into_iter().map(|(index, offset)| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(index)
                .with_committed_offset(offset)
                .with_committed_leader_epoch(-1)
                .with_metadata(Some(text("")))
        });
        OffsetFetchResponseTopic::default()
            .with_name(topic_name(&topic))
            .with_partitions(partitions.collect())
    });
    // version 1 has no field for an error of the whole
    let response = response.with_topics(topics.collect());
    if context.version >= 2 {
        response.with_error_code(error)
    } else {
        response
    }
}
