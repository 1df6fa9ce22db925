use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{DescribeProducersRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};
use crate::metadata::BrokerNode;
use crate::producer_id::ProducerIdentity;

/// What a partition's leader remembers of one producer (KIP-664).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Id and epoch.
    pub producer: ProducerIdentity,
    /// Sequence of the last record that the leader appended. It may lie beyond the high watermark.
    pub last_sequence: i32,
}

impl Cluster {
    /// The producers that the leader of a partition remembers. No retries: the caller knows better whether it is the
    /// leader that has to be looked up again. Needs READ on the topic. Cancel safe.
    pub async fn describe_producers(
        &self,
        leader: &BrokerNode,
        topic: &str,
        partition: i32,
    ) -> Result<Vec<ActiveProducer>, Error> {
        let request = DescribeProducersRequest::default().with_topics(vec![
            TopicRequest::default()
                .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
                .with_partition_indexes(vec![partition]),
        ]);
        let connection = self.connection_to(leader).await?;
        let response = connection.call(&request).await?;
        let described = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions)
            .find(|described| described.partition_index == partition)
            .ok_or_else(|| Error::Malformed {
                address: connection.address().to_owned(),
                what: "DescribeProducers",
                detail: format!("it says nothing of {topic}-{partition}"),
            })?;
        let message = described.error_message.as_ref().map(StrBytes::as_str);
        if let Some(error) = BrokerError::from_code(described.error_code, message) {
            let api = format!("DescribeProducers {topic}-{partition}");
            return Err(Error::broker(api, error));
        }
        Ok(described
            .active_producers
            .iter()
            .map(|active| ActiveProducer {
                producer: ProducerIdentity {
                    id: active.producer_id.0,
                    epoch: active.producer_epoch as i16,
                },
                last_sequence: active.last_sequence,
            })
            .collect())
    }
}
