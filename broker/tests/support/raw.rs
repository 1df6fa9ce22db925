//! A client that sends exactly what it is told to.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, FetchRequest, ListOffsetsRequest, MetadataRequest,
    ProduceRequest, RequestHeader, ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest a broker may take to answer anything here.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

pub(crate) fn topic_name(value: &str) -> TopicName {
    TopicName(text(value))
}

/// One connection.
pub(crate) struct Raw {
    stream: TcpStream,
    correlation: i32,
}

impl Raw {
    pub(crate) async fn connect(bootstrap: &str) -> Self {
        let first = bootstrap.split(',').next().unwrap();
        let stream = TcpStream::connect(first).await.unwrap();
        Self {
            stream,
            correlation: 0,
        }
    }

    /// Sends a request and does not wait for anything.
    pub(crate) async fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.correlation += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(text("raw")));
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        header
            .encode(&mut frame, R::header_version(version))
            .unwrap();
        request.encode(&mut frame, version).unwrap();
        self.send_frame(frame).await;
    }

    /// Sends bytes behind room for a length.
    pub(crate) async fn send_frame(&mut self, mut frame: BytesMut) {
        let length = frame.len() as i32 - 4;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next response without its length; `None` when the broker closed the connection.
    pub(crate) async fn receive_frame(&mut self) -> Option<Bytes> {
        let read = async {
            let length = self.stream.read_i32().await.ok()?;
            let mut frame = vec![0; length as usize];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(Bytes::from(frame))
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the broker answers in time")
    }

    pub(crate) async fn receive<R: Request>(&mut self, version: i16) -> Option<R::Response> {
        let mut frame = self.receive_frame().await?;
        let header =
            ResponseHeader::decode(&mut frame, R::Response::header_version(version)).unwrap();
        assert_eq!(
            header.correlation_id, self.correlation,
            "responses come in order"
        );
        let response = R::Response::decode(&mut frame, version).unwrap();
        assert!(
            !frame.has_remaining(),
            "{} bytes behind the response",
            frame.remaining()
        );
        Some(response)
    }

    pub(crate) async fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request).await;
        self.receive::<R>(version)
            .await
            .expect("the broker answers")
    }

    pub(crate) async fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) {
        let configs = configs.iter().map(|(name, value)| {
            CreatableTopicConfig::default()
                .with_name(text(name))
                .with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let response = self.call(7, &request).await;
        assert_eq!(
            response.topics[0].error_code, 0,
            "{:?}",
            response.topics[0].error_message
        );
        self.wait_for_leaders(name).await;
    }

    /// Asks until every partition has a leader that answers for it: on a real broker that takes
    /// a moment, and there is no event to wait for.
    async fn wait_for_leaders(&mut self, name: &str) {
        for _ in 0..100 {
            let metadata = self.metadata(name).await;
            let led = metadata.error_code == 0
                && metadata
                    .partitions
                    .iter()
                    .all(|partition| partition.error_code == 0);
            if led
                && self
                    .all_answer(name, metadata.partitions.len() as i32)
                    .await
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("topic {name} gets no leaders");
    }

    async fn all_answer(&mut self, name: &str, partitions: i32) -> bool {
        for partition in 0..partitions {
            if self.list_offset(name, partition, -1).await.0 != 0 {
                return false;
            }
        }
        true
    }

    pub(crate) async fn metadata(&mut self, name: &str) -> MetadataResponseTopic {
        let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(false);
        self.call(12, &request).await.topics.remove(0)
    }

    pub(crate) async fn produce(
        &mut self,
        version: i16,
        topic: &str,
        records: Bytes,
    ) -> PartitionProduceResponse {
        let request = produce_request(topic, &[(0, records)]);
        let mut response = self.call(version, &request).await;
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Produces one batch to partition 0 and returns error code and base offset.
    pub(crate) async fn append(&mut self, topic: &str, records: Bytes) -> (i16, i64) {
        let response = self.produce(9, topic, records).await;
        (response.error_code, response.base_offset)
    }

    pub(crate) async fn fetch(&mut self, topic: &str, offset: i64) -> PartitionData {
        self.fetch_with(&fetch_request(topic, offset)).await
    }

    /// Fetches with version 12, which names topics.
    pub(crate) async fn fetch_with(&mut self, request: &FetchRequest) -> PartitionData {
        let mut response = self.call(12, request).await;
        response.responses.remove(0).partitions.remove(0)
    }

    /// Error code, offset and timestamp.
    pub(crate) async fn list_offset(
        &mut self,
        topic: &str,
        index: i32,
        time: i64,
    ) -> (i16, i64, i64) {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(index)
            .with_current_leader_epoch(-1)
            .with_timestamp(time);
        let topic = ListOffsetsTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic]);
        let mut response = self.call(7, &request).await;
        let found = response.topics.remove(0).partitions.remove(0);
        (found.error_code, found.offset, found.timestamp)
    }
}

pub(crate) fn produce_request(topic: &str, partitions: &[(i32, Bytes)]) -> ProduceRequest {
    let data = partitions.iter().map(|(index, records)| {
        PartitionProduceData::default()
            .with_index(*index)
            .with_records(Some(records.clone()))
    });
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(data.collect());
    ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic])
}

pub(crate) fn fetch_request(topic: &str, offset: i64) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_current_leader_epoch(-1)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(0)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}
