//! `Metadata`: brokers, topics, leaders.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest};
use uuid::Uuid;

use super::create_topics;
use super::text::{text, topic as topic_name};
use super::topic_name::check;
use crate::dispatch::Context;
use crate::faults::Target;
use crate::partition::{NO_LEADER, PartitionState};
use crate::state::{Shared, Topic};

/// The address all listeners have.
pub(super) const HOST: &str = "127.0.0.1";

/// Every operation that there is on a topic (KIP-430): nothing is enforced here.
const EVERY_TOPIC_OPERATION: i32 = 0b1101_1111_1000;

pub(crate) fn targets(request: &MetadataRequest, shared: &Shared) -> Vec<Target> {
    let names: Vec<String> = match &request.topics {
        None => shared
            .catalog()
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect(),
        Some(topics) => topics
            .iter()
            .filter_map(|topic| resolve(shared, topic).ok())
            .collect(),
    };
    names
        .into_iter()
        .map(|topic| Target {
            topic,
            partition: None,
        })
        .collect()
}

type Wanted = kafka_protocol::messages::metadata_request::MetadataRequestTopic;

/// The name of a requested topic, or the id that nobody knows.
fn resolve(shared: &Shared, wanted: &Wanted) -> Result<String, Uuid> {
    match &wanted.name {
        Some(name) => Ok(name.to_string()),
        None => shared
            .catalog()
            .name_of(wanted.topic_id)
            .map(str::to_owned)
            .ok_or(wanted.topic_id),
    }
}

pub(crate) fn handle(context: &Context, request: &MetadataRequest) -> MetadataResponse {
    let shared = &context.shared;
    // version 0 has no null: there an empty list means all topics
    let all = match &request.topics {
        None => true,
        Some(topics) => context.version == 0 && topics.is_empty(),
    };
    let alive = shared.alive();
    let mut topics = Vec::new();
    if all {
        for (name, topic) in shared.catalog().iter() {
            topics.push(describe(context, name, topic, &alive));
        }
    } else {
        let create = request.allow_auto_topic_creation
            && shared.broker_config("auto.create.topics.enable", "false") == "true";
        for wanted in request.topics.iter().flatten() {
            topics.push(match resolve(shared, wanted) {
                Ok(name) => one(context, &name, create, &alive),
                Err(id) => MetadataResponseTopic::default()
                    .with_topic_id(id)
                    .with_error_code(ResponseError::UnknownTopicId.code())
                    .with_name((context.version < 12).then(|| topic_name(""))),
            });
        }
    }
    if request.include_topic_authorized_operations {
        for topic in &mut topics {
            topic.topic_authorized_operations = EVERY_TOPIC_OPERATION;
        }
    }
    let brokers = shared.nodes().into_iter().map(|node| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(node.id))
            .with_host(text(HOST))
            .with_port(i32::from(node.port))
            .with_rack(shared.rack_of(node.id).map(text))
    });
    MetadataResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(text(&shared.cluster_id)))
        .with_controller_id(BrokerId(shared.controller()))
        .with_topics(topics)
}

fn one(context: &Context, name: &str, create: bool, alive: &[i32]) -> MetadataResponseTopic {
    if let Some(topic) = context.shared.catalog().get(name) {
        return describe(context, name, topic, alive);
    }
    let error = if check(name).is_err() {
        ResponseError::InvalidTopicException
    } else if create {
        create_topics::create_automatically(&context.shared, name);
        // the real answer, too: the client asks again and then finds it
        ResponseError::LeaderNotAvailable
    } else {
        ResponseError::UnknownTopicOrPartition
    };
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(topic_name(name)))
}

fn describe(context: &Context, name: &str, topic: &Topic, alive: &[i32]) -> MetadataResponseTopic {
    let error = context
        .strike
        .error_for(name, None)
        .map_or(0, |error| error.code());
    let partitions = topic
        .partitions
        .iter()
        .enumerate()
        .map(|(index, partition)| describe_partition(index as i32, &partition.lock(), alive));
    MetadataResponseTopic::default()
        .with_error_code(error)
        .with_name(Some(topic_name(name)))
        .with_topic_id(topic.id)
        .with_partitions(if error == 0 {
            partitions.collect()
        } else {
            Vec::new()
        })
}

fn describe_partition(
    index: i32,
    state: &PartitionState,
    alive: &[i32],
) -> MetadataResponsePartition {
    let error = if state.leader == NO_LEADER {
        ResponseError::LeaderNotAvailable.code()
    } else {
        0
    };
    let offline = state.replicas.iter().filter(|id| !alive.contains(id));
    MetadataResponsePartition::default()
        .with_error_code(error)
        .with_partition_index(index)
        .with_leader_id(BrokerId(state.leader))
        .with_leader_epoch(state.leader_epoch)
        .with_replica_nodes(state.replicas.iter().copied().map(BrokerId).collect())
        .with_isr_nodes(state.in_sync(alive).map(BrokerId).collect())
        .with_offline_replicas(offline.copied().map(BrokerId).collect())
}
