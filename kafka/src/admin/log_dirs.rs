use std::collections::BTreeMap;

use futures::stream::{FuturesUnordered, StreamExt};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use kafka_protocol::messages::{DescribeLogDirsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::{Cluster, retried};
use crate::error::{BrokerError, Error};
use crate::metadata::{BrokerNode, TopicPartition};

/// One log directory of a broker (KIP-113).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    /// Its path on the broker.
    pub path: String,
    /// Why the broker cannot use it, `KAFKA_STORAGE_ERROR`; then nothing else is known of it.
    pub error: Option<BrokerError>,
    /// Size of its volume in bytes (KIP-827); `None` where the broker does not say.
    pub total_bytes: Option<u64>,
    /// Free bytes of its volume.
    pub usable_bytes: Option<u64>,
    /// The replicas in it.
    pub replicas: BTreeMap<TopicPartition, ReplicaLog>,
}

/// One replica in a log directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaLog {
    /// Bytes of its segments.
    pub bytes: u64,
    /// How many offsets it is behind.
    pub offset_lag: u64,
    /// It is being moved here from another directory of the broker.
    pub future: bool,
}

impl Cluster {
    /// The log directories of every broker that is up, with all replicas. Needs DESCRIBE on the cluster: without it a
    /// broker answers with nothing, or with an error. Fails as a whole when a broker does not answer. Cancel safe.
    pub async fn log_dirs(&self) -> Result<BTreeMap<i32, Vec<LogDir>>, Error> {
        self.described_log_dirs(None).await
    }

    /// The same, with the replicas of these partitions alone.
    pub async fn log_dirs_of(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<i32, Vec<LogDir>>, Error> {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for partition in partitions {
            let indexes = topics.entry(&partition.topic).or_default();
            indexes.push(partition.partition);
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            DescribableLogDirTopic::default()
                .with_topic(TopicName(StrBytes::from_string(topic.to_owned())))
                .with_partitions(partitions)
        });
        self.described_log_dirs(Some(topics.collect())).await
    }

    async fn described_log_dirs(
        &self,
        topics: Option<Vec<DescribableLogDirTopic>>,
    ) -> Result<BTreeMap<i32, Vec<LogDir>>, Error> {
        let request = DescribeLogDirsRequest::default().with_topics(topics);
        let brokers = self.metadata_of(&[]).await?.brokers;
        let mut answers: FuturesUnordered<_> = brokers
            .values()
            .map(|node| self.log_dirs_on(node, &request))
            .collect();
        let mut found = BTreeMap::new();
        while let Some(answer) = answers.next().await {
            let (broker, dirs) = answer?;
            found.insert(broker, dirs);
        }
        Ok(found)
    }

    async fn log_dirs_on(
        &self,
        node: &BrokerNode,
        request: &DescribeLogDirsRequest,
    ) -> Result<(i32, Vec<LogDir>), Error> {
        let ask = || async { self.connection_to(node).await?.call(request).await };
        let response = retried(ask).await?;
        BrokerError::outcome(response.error_code, None)
            .map_err(|error| Error::broker("DescribeLogDirs", error))?;
        let dirs = response.results.into_iter().map(log_dir).collect();
        Ok((node.id, dirs))
    }
}

fn log_dir(result: DescribeLogDirsResult) -> LogDir {
    let mut replicas = BTreeMap::new();
    for topic in result.topics {
        for partition in topic.partitions {
            let key = TopicPartition::new(topic.name.0.to_string(), partition.partition_index);
            let replica = ReplicaLog {
                bytes: u64::try_from(partition.partition_size).unwrap_or_default(),
                offset_lag: u64::try_from(partition.offset_lag).unwrap_or_default(),
                future: partition.is_future_key,
            };
            replicas.insert(key, replica);
        }
    }
    LogDir {
        path: result.log_dir.to_string(),
        error: BrokerError::from_code(result.error_code, None),
        total_bytes: u64::try_from(result.total_bytes).ok(),
        usable_bytes: u64::try_from(result.usable_bytes).ok(),
        replicas,
    }
}
