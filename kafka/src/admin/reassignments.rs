use std::collections::BTreeMap;

use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, BrokerId, ListPartitionReassignmentsRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::CONTROLLER_TIMEOUT_MS;
use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};
use crate::metadata::TopicPartition;

/// Where a partition is to go (KIP-455).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReassignmentTarget {
    /// To these brokers, the preferred leader first. Replaces what was asked for before.
    Replicas(Vec<i32>),
    /// Back to where it was: what is under way ends.
    Cancel,
}

/// A partition that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    /// All brokers that hold it meanwhile, those it goes to and those it leaves.
    pub replicas: Vec<i32>,
    /// Brokers that it goes to and that did not hold it.
    pub adding: Vec<i32>,
    /// Brokers that it leaves.
    pub removing: Vec<i32>,
}

impl Reassignment {
    /// The brokers that will hold it.
    pub fn target(&self) -> Vec<i32> {
        let stays = |id: &&i32| !self.removing.contains(id);
        self.replicas.iter().filter(stays).copied().collect()
    }
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

fn ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|id| id.0).collect()
}

impl Cluster {
    /// Begins to move partitions to other brokers; one outcome a partition. It returns when the controller has taken
    /// note: [`Cluster::reassignments`] says what is still under way.
    ///
    /// Needs ALTER on the cluster. May be repeated: what is under way already is asked for once more.
    pub async fn reassign_partitions(
        &self,
        targets: &BTreeMap<TopicPartition, ReassignmentTarget>,
    ) -> Result<BTreeMap<TopicPartition, Result<(), BrokerError>>, Error> {
        let mut topics: BTreeMap<&str, Vec<ReassignablePartition>> = BTreeMap::new();
        for (partition, target) in targets {
            let replicas = match target {
                ReassignmentTarget::Replicas(brokers) => {
                    Some(brokers.iter().copied().map(BrokerId).collect())
                }
                ReassignmentTarget::Cancel => None,
            };
            topics.entry(&partition.topic).or_default().push(
                ReassignablePartition::default()
                    .with_partition_index(partition.partition)
                    .with_replicas(replicas),
            );
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            ReassignableTopic::default()
                .with_name(name(topic))
                .with_partitions(partitions)
        });
        let request = AlterPartitionReassignmentsRequest::default()
            .with_timeout_ms(CONTROLLER_TIMEOUT_MS)
            .with_topics(topics.collect());
        let response = self
            .call_controller(&request, |response| vec![response.error_code])
            .await?;
        BrokerError::outcome(response.error_code, response.error_message.as_deref())
            .map_err(|error| Error::broker("AlterPartitionReassignments", error))?;
        let mut outcomes = BTreeMap::new();
        for topic in response.responses {
            for partition in topic.partitions {
                let key = TopicPartition::new(topic.name.0.to_string(), partition.partition_index);
                let message = partition.error_message.as_deref();
                outcomes.insert(key, BrokerError::outcome(partition.error_code, message));
            }
        }
        self.as_many("AlterPartitionReassignments", targets.len(), outcomes.len())?;
        Ok(outcomes)
    }

    /// All partitions that are on their way. Needs DESCRIBE on the cluster. Cancel safe.
    pub async fn reassignments(&self) -> Result<BTreeMap<TopicPartition, Reassignment>, Error> {
        self.listed_reassignments(None).await
    }

    /// Those of these partitions that are on their way. Needs DESCRIBE on the cluster. Cancel safe.
    pub async fn reassignments_of(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Reassignment>, Error> {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for partition in partitions {
            let indexes = topics.entry(&partition.topic).or_default();
            indexes.push(partition.partition);
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            ListPartitionReassignmentsTopics::default()
                .with_name(name(topic))
                .with_partition_indexes(partitions)
        });
        self.listed_reassignments(Some(topics.collect())).await
    }

    async fn listed_reassignments(
        &self,
        topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    ) -> Result<BTreeMap<TopicPartition, Reassignment>, Error> {
        let request = ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(CONTROLLER_TIMEOUT_MS)
            .with_topics(topics);
        let response = self
            .call_controller(&request, |response| vec![response.error_code])
            .await?;
        BrokerError::outcome(response.error_code, response.error_message.as_deref())
            .map_err(|error| Error::broker("ListPartitionReassignments", error))?;
        let mut found = BTreeMap::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let key = TopicPartition::new(topic.name.0.to_string(), partition.partition_index);
                let reassignment = Reassignment {
                    replicas: ids(&partition.replicas),
                    adding: ids(&partition.adding_replicas),
                    removing: ids(&partition.removing_replicas),
                };
                found.insert(key, reassignment);
            }
        }
        Ok(found)
    }
}
