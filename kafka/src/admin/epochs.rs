use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{BrokerId, OffsetForLeaderEpochRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};
use crate::metadata::{BrokerNode, TopicPartition};

/// Where a leader epoch ended in a leader's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// The newest epoch in the log that is not newer than the one asked for; −1 where the log
    /// knows none.
    pub leader_epoch: i32,
    /// The offset after its last record; −1 where the log knows none.
    pub end_offset: i64,
}

impl Cluster {
    /// Asks a partition's leader where `epoch` ended in its log. An end before an offset that was
    /// read in that epoch means that the log was truncated since (KIP-320).
    ///
    /// `current` is the leader epoch from metadata: a leader that is another one by now refuses.
    pub async fn end_of_epoch(
        &self,
        leader: &BrokerNode,
        partition: &TopicPartition,
        current: i32,
        epoch: i32,
    ) -> Result<EpochEnd, Error> {
        let asked = OffsetForLeaderPartition::default()
            .with_partition(partition.partition)
            .with_current_leader_epoch(current)
            .with_leader_epoch(epoch);
        let topic = TopicName(StrBytes::from_string(partition.topic.clone()));
        let request = OffsetForLeaderEpochRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![
                OffsetForLeaderTopic::default()
                    .with_topic(topic)
                    .with_partitions(vec![asked]),
            ]);
        let connection = self.connection_to(leader).await?;
        let response = connection.call(&request).await?;
        let answer = response
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .find(|answer| answer.partition == partition.partition)
            .ok_or_else(|| Error::Malformed {
                address: connection.address().to_owned(),
                what: "OffsetForLeaderEpoch",
                detail: format!("it says nothing of {partition}"),
            })?;
        match BrokerError::from_code(answer.error_code, None) {
            Some(error) => Err(Error::broker(
                format!("OffsetForLeaderEpoch {partition}"),
                error,
            )),
            None => Ok(EpochEnd {
                leader_epoch: answer.leader_epoch,
                end_offset: answer.end_offset,
            }),
        }
    }
}
