use std::collections::BTreeMap;
use std::fmt;

use kafka_protocol::messages::MetadataResponse;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use uuid::Uuid;

use crate::error::BrokerError;

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: String,
    /// Partition index, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// `topic` and `partition`.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A broker as the cluster advertises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerNode {
    /// Node id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
    /// `broker.rack`, where set.
    pub rack: Option<String>,
}

/// A cluster as one broker sees it.
#[derive(Debug, Clone, Default)]
pub struct ClusterMetadata {
    /// The id that the cluster was formatted with.
    pub cluster_id: String,
    /// Node id of the broker that acts as controller for clients.
    pub controller: Option<i32>,
    /// Brokers that are alive, by node id.
    pub brokers: BTreeMap<i32, BrokerNode>,
    /// Topics without error, by name.
    pub topics: BTreeMap<String, TopicMetadata>,
    /// Topics that were asked for and answered with an error.
    pub failed: BTreeMap<String, BrokerError>,
}

/// A topic with its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Topic name.
    pub name: String,
    /// Topic id (KIP-516): another id under the same name is another topic.
    pub id: Uuid,
    /// Internal to Kafka, such as `__consumer_offsets`.
    pub internal: bool,
    /// Sorted by index, which runs from 0 without holes.
    pub partitions: Vec<PartitionMetadata>,
}

/// A partition with its leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// Partition index.
    pub index: i32,
    /// Node id of the leader; `None` during an election.
    pub leader: Option<i32>,
    /// Leader epoch (KIP-320), −1 where unknown.
    pub leader_epoch: i32,
    /// Node ids of all replicas; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// Node ids of the replicas in sync.
    pub isr: Vec<i32>,
}

impl ClusterMetadata {
    /// The leader of a partition, where metadata knows one that is alive.
    pub fn leader(&self, topic: &str, partition: i32) -> Option<&BrokerNode> {
        let topic = self.topics.get(topic)?;
        let partition = topic.partitions.get(usize::try_from(partition).ok()?)?;
        self.brokers.get(&partition.leader?)
    }

    pub(crate) fn from_response(response: MetadataResponse) -> Self {
        let mut metadata = Self {
            cluster_id: response
                .cluster_id
                .map(|id| id.to_string())
                .unwrap_or_default(),
            controller: (response.controller_id.0 >= 0).then_some(response.controller_id.0),
            ..Self::default()
        };
        for broker in response.brokers {
            let node = BrokerNode {
                id: broker.node_id.0,
                host: broker.host.to_string(),
                port: u16::try_from(broker.port).unwrap_or_default(),
                rack: broker.rack.map(|rack| rack.to_string()),
            };
            metadata.brokers.insert(node.id, node);
        }
        for topic in response.topics {
            let name = topic
                .name
                .as_ref()
                .map(|name| name.0.to_string())
                .unwrap_or_default();
            match BrokerError::from_code(topic.error_code, None) {
                Some(error) => {
                    metadata.failed.insert(name, error);
                }
                None => {
                    metadata
                        .topics
                        .insert(name.clone(), topic_from_response(name, &topic));
                }
            }
        }
        metadata
    }
}

fn topic_from_response(name: String, topic: &MetadataResponseTopic) -> TopicMetadata {
    let ids = |nodes: &[kafka_protocol::messages::BrokerId]| nodes.iter().map(|n| n.0).collect();
    let mut partitions: Vec<PartitionMetadata> = topic
        .partitions
        .iter()
        .map(|partition| PartitionMetadata {
            index: partition.partition_index,
            leader: (partition.leader_id.0 >= 0).then_some(partition.leader_id.0),
            leader_epoch: partition.leader_epoch,
            replicas: ids(&partition.replica_nodes),
            isr: ids(&partition.isr_nodes),
        })
        .collect();
    partitions.sort_by_key(|partition| partition.index);
    TopicMetadata {
        name,
        id: topic.topic_id,
        internal: topic.is_internal,
        partitions,
    }
}
