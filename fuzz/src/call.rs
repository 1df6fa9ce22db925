//! Every call whose answer is decoded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka::batch::{HEADER_LEN, RawBatch};
use kafka::fetch::{FetchFrom, FetchLimits, FetchSession};
use kafka::produce::ProduceBatch;
use kafka::record;
use kafka::{
    ClientOptions, Cluster, ConfigChange, Error, NewTopic, OffsetSpec, ProducerIdentity,
    TopicPartition, Transport, Uuid,
};
use kafka_protocol::messages::ApiKey;

/// A call of the client, named by the API whose answer it decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    ApiVersions,
    Metadata,
    Fetch,
    Produce,
    ListOffsets,
    DescribeConfigs,
    AlterConfigs,
    CreateTopics,
    CreatePartitions,
    DeleteTopics,
    InitProducerId,
    DescribeProducers,
    EndOfEpoch,
}

impl Call {
    /// In the order of their selectors: new ones go to the end.
    pub const ALL: [Self; 13] = [
        Self::ApiVersions,
        Self::Metadata,
        Self::Fetch,
        Self::Produce,
        Self::ListOffsets,
        Self::DescribeConfigs,
        Self::AlterConfigs,
        Self::CreateTopics,
        Self::CreatePartitions,
        Self::DeleteTopics,
        Self::InitProducerId,
        Self::DescribeProducers,
        Self::EndOfEpoch,
    ];

    pub fn api(self) -> ApiKey {
        match self {
            Self::ApiVersions => ApiKey::ApiVersions,
            Self::Metadata => ApiKey::Metadata,
            Self::Fetch => ApiKey::Fetch,
            Self::Produce => ApiKey::Produce,
            Self::ListOffsets => ApiKey::ListOffsets,
            Self::DescribeConfigs => ApiKey::DescribeConfigs,
            Self::AlterConfigs => ApiKey::IncrementalAlterConfigs,
            Self::CreateTopics => ApiKey::CreateTopics,
            Self::CreatePartitions => ApiKey::CreatePartitions,
            Self::DeleteTopics => ApiKey::DeleteTopics,
            Self::InitProducerId => ApiKey::InitProducerId,
            Self::DescribeProducers => ApiKey::DescribeProducers,
            Self::EndOfEpoch => ApiKey::OffsetForLeaderEpoch,
        }
    }

    /// Connects over `transport` and makes the call.
    pub async fn make(self, transport: Arc<dyn Transport>, bootstrap: &str) -> Result<(), Error> {
        let mut options = ClientOptions::new([bootstrap]);
        options.connect_timeout = Duration::from_secs(1);
        options.request_timeout = Duration::from_secs(1);
        let cluster = Cluster::connect(options, transport).await?;
        let topics = ["t".to_owned()];
        match self {
            Self::ApiVersions => {}
            Self::Metadata => {
                let metadata = cluster.metadata_of(&topics).await?;
                let _ = (metadata.leader("t", 0), metadata.leader("t", i32::MAX));
            }
            Self::Fetch => {
                let metadata = cluster.metadata_of(&topics).await?;
                let Some(leader) = metadata.leader("t", 0) else {
                    return Ok(());
                };
                let connection = cluster.open(leader).await?;
                let from = FetchFrom {
                    topic: "t".into(),
                    topic_id: metadata.topics.get("t").map_or(Uuid::nil(), |t| t.id),
                    partition: 0,
                    offset: 0,
                    leader_epoch: -1,
                };
                let limits = FetchLimits {
                    max_wait: Duration::from_millis(100),
                    min_bytes: 1,
                    max_bytes: 1 << 20,
                    partition_max_bytes: 1 << 20,
                };
                let mut session = FetchSession::default();
                let sent =
                    kafka::fetch::send_in(&mut session, &connection, limits, &[from], &[]).await?;
                for fetched in sent.receive_in(&mut session).await? {
                    exercise_records(fetched.records);
                }
            }
            Self::Produce => {
                let metadata = cluster.metadata_of(&topics).await?;
                let Some(leader) = metadata.leader("t", 0) else {
                    return Ok(());
                };
                let connection = cluster.open(leader).await?;
                let records = [record::Record {
                    offset_delta: 0,
                    timestamp: 1_700_000_000_000,
                    key: None,
                    value: Some(Bytes::from_static(b"v")),
                    headers: Vec::new(),
                }];
                let batch = record::encode(&records, kafka::Compression::None)
                    .map_or_else(|_| unreachable!("one small record"), |batch| batch);
                let none = ProducerIdentity { id: -1, epoch: -1 };
                let batch = ProduceBatch {
                    topic: "t".into(),
                    partition: 0,
                    header: batch.stamped(none, -1),
                    payload: batch.payload(),
                };
                let sent =
                    kafka::produce::send(&connection, &[batch], Duration::from_secs(1)).await?;
                sent.receive().await?;
            }
            Self::ListOffsets => {
                let partition = TopicPartition::new("t", 0);
                cluster
                    .list_offsets(&[partition], OffsetSpec::Latest)
                    .await?;
            }
            Self::DescribeConfigs => {
                cluster.describe_topic_configs(&topics).await?;
            }
            Self::AlterConfigs => {
                let change = ConfigChange::Set {
                    key: "retention.ms".to_owned(),
                    value: "7200000".to_owned(),
                };
                cluster.alter_topic_configs("t", &[change]).await?;
            }
            Self::CreateTopics => {
                let topic = NewTopic {
                    name: "t".to_owned(),
                    partitions: Some(1),
                    replication_factor: Some(1),
                    configs: BTreeMap::new(),
                };
                cluster.create_topics(&[topic]).await?;
            }
            Self::CreatePartitions => cluster.create_partitions("t", 2).await?,
            Self::DeleteTopics => {
                cluster.delete_topics(&topics).await?;
            }
            Self::InitProducerId => {
                cluster.init_producer_id().await?;
            }
            Self::DescribeProducers => {
                let metadata = cluster.metadata_of(&topics).await?;
                if let Some(leader) = metadata.leader("t", 0) {
                    cluster.describe_producers(leader, "t", 0).await?;
                }
            }
            Self::EndOfEpoch => {
                let metadata = cluster.metadata_of(&topics).await?;
                if let Some(leader) = metadata.leader("t", 0) {
                    let partition = TopicPartition::new("t", 0);
                    cluster.end_of_epoch(leader, &partition, -1, 0).await?;
                }
            }
        }
        Ok(())
    }
}

/// Everything the data path does with fetched bytes.
pub fn exercise_records(mut records: Bytes) {
    let mut before: Option<RawBatch> = None;
    while let Ok(Some(batch)) = RawBatch::split_from(&mut records) {
        let header = batch.header;
        let _ = (header.next_offset(), header.passes_through());
        let _ = batch.check_crc();
        let _ = record::decode(&batch);
        let _ = record::rebuild(&batch);
        let middle = header
            .base_offset
            .saturating_add(i64::from(header.last_offset_delta) / 2);
        if let Ok(Some(rebuilt)) = record::rebuild_from(&batch, middle) {
            // What we would send must be what a broker takes.
            assert!(rebuilt.header.passes_through());
            assert!(rebuilt.check_crc().is_ok());
        }
        let pair: Vec<RawBatch> = before.into_iter().chain([batch.clone()]).collect();
        if let Ok(merged) = record::merge(&pair) {
            assert!(merged.header.passes_through());
            assert!(merged.check_crc().is_ok());
        }
        before = Some(batch.clone());
        let stamped = batch.stamped(ProducerIdentity { id: 7, epoch: 1 }, 42);
        assert_eq!(stamped.len(), HEADER_LEN);
    }
}
