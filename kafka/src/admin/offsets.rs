use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::{Cluster, retried};
use crate::error::{BrokerError, Error};
use crate::metadata::{BrokerNode, TopicPartition};
use crate::retry::RetryClass;

/// Which offset of a partition is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// Log start offset.
    Earliest,
    /// High watermark.
    Latest,
    /// Last stable offset: the end of what a read-committed reader may see.
    LatestCommitted,
    /// The first offset whose timestamp (ms since the epoch) is at or after this one.
    Timestamp(i64),
}

/// What a partition's leader answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset; −1 where no record is at or after the timestamp.
    pub offset: i64,
    /// Timestamp of the record found, −1 where it was not asked by time.
    pub timestamp: i64,
    /// Leader epoch of that offset, −1 where unknown.
    pub leader_epoch: i32,
}

type Listed = BTreeMap<TopicPartition, Result<ListedOffset, BrokerError>>;
/// Partitions by the id of their leader.
type Leaders<'p> = BTreeMap<i32, (BrokerNode, Vec<&'p TopicPartition>)>;

impl Cluster {
    /// Asks each partition's leader. Partitions whose leader moved are asked again; what still
    /// fails after the retries is in the map as the broker's error.
    pub async fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
    ) -> Result<Listed, Error> {
        let attempt = || async {
            let listed = self.list_offsets_once(partitions, at).await?;
            let moved = listed
                .iter()
                .find_map(|(partition, outcome)| match outcome {
                    Err(error) if error.class() != RetryClass::Fatal => Some((partition, error)),
                    Err(_) | Ok(_) => None,
                });
            match moved {
                Some((partition, error)) => Err(Error::broker(
                    format!("ListOffsets {partition}"),
                    error.clone(),
                )),
                None => Ok(listed),
            }
        };
        retried(attempt).await
    }

    /// Asks each partition's leader once, all leaders at the same time. Left out is what cannot be told within `patience`: of
    /// partitions that nobody leads, whose leader does not answer, or that it refuses. Fails only where nobody says who leads.
    /// Cancel safe.
    pub async fn list_offsets_told(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
        patience: Duration,
    ) -> Result<BTreeMap<TopicPartition, ListedOffset>, Error> {
        let (by_leader, _) = self.leaders_of(partitions).await?;
        let asked: Vec<_> = by_leader
            .into_values()
            .map(|(node, partitions)| {
                tokio::time::timeout(patience, self.ask_leader(node, partitions, at))
            })
            .collect();
        let mut told = BTreeMap::new();
        for answer in join_all(asked).await {
            match answer {
                Ok(Ok(listed)) => told.extend(
                    listed
                        .into_iter()
                        .filter_map(|(partition, outcome)| Some((partition, outcome.ok()?))),
                ),
                Ok(Err(error)) => tracing::debug!(%error, "offsets of a leader are not known"),
                Err(_) => tracing::debug!("a leader does not tell its offsets in time"),
            }
        }
        Ok(told)
    }

    async fn list_offsets_once(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
    ) -> Result<Listed, Error> {
        let (by_leader, leaderless) = self.leaders_of(partitions).await?;
        if let Some(partition) = leaderless.first() {
            return Err(Error::NoLeader {
                topic: partition.topic.clone(),
                partition: partition.partition,
            });
        }
        let mut listed = BTreeMap::new();
        for (node, partitions) in by_leader.into_values() {
            listed.extend(self.ask_leader(node, partitions, at).await?);
        }
        Ok(listed)
    }

    /// Whom to ask about which of these partitions, and those that nobody leads.
    async fn leaders_of<'p>(
        &self,
        partitions: &'p [TopicPartition],
    ) -> Result<(Leaders<'p>, Vec<&'p TopicPartition>), Error> {
        let mut topics: Vec<String> = partitions.iter().map(|p| p.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        let metadata = self.metadata_of(&topics).await?;
        let (mut by_leader, mut leaderless) = (Leaders::new(), Vec::new());
        for partition in partitions {
            match metadata.leader(&partition.topic, partition.partition) {
                Some(leader) => by_leader
                    .entry(leader.id)
                    .or_insert_with(|| (leader.clone(), Vec::new()))
                    .1
                    .push(partition),
                None => leaderless.push(partition),
            }
        }
        Ok((by_leader, leaderless))
    }

    async fn ask_leader(
        &self,
        node: BrokerNode,
        partitions: Vec<&TopicPartition>,
        at: OffsetSpec,
    ) -> Result<Listed, Error> {
        let connection = self.connection_to(&node).await?;
        let response = connection.call(&request(&partitions, at)).await?;
        let mut listed = BTreeMap::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let key = TopicPartition::new(topic.name.0.to_string(), partition.partition_index);
                let outcome = match BrokerError::from_code(partition.error_code, None) {
                    Some(error) => Err(error),
                    None => Ok(ListedOffset {
                        offset: partition.offset,
                        timestamp: partition.timestamp,
                        leader_epoch: partition.leader_epoch,
                    }),
                };
                listed.insert(key, outcome);
            }
        }
        Ok(listed)
    }
}

fn request(partitions: &[&TopicPartition], at: OffsetSpec) -> ListOffsetsRequest {
    let (timestamp, isolation_level) = match at {
        OffsetSpec::Earliest => (-2, 0),
        OffsetSpec::Latest => (-1, 0),
        OffsetSpec::LatestCommitted => (-1, 1),
        OffsetSpec::Timestamp(timestamp) => (timestamp, 0),
    };
    let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(
            ListOffsetsPartition::default()
                .with_partition_index(partition.partition)
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp),
        );
    }
    let topics = topics
        .into_iter()
        .map(|(topic, partitions)| {
            ListOffsetsTopic::default()
                .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
                .with_partitions(partitions)
        })
        .collect();
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(isolation_level)
        .with_topics(topics)
}
