//! Ends of the log, positions by time, deletion of records.

use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{BrokerId, DeleteRecordsRequest, OffsetForLeaderEpochRequest};

use crate::environment::Environment;
use crate::support::batch::{Batch, stored};
use crate::support::raw::{Raw, fetch_request, topic_name};

const OFFSET_OUT_OF_RANGE: i16 = 1;
const POLICY_VIOLATION: i16 = 44;
const UNKNOWN_LEADER_EPOCH: i16 = 75;

pub(crate) async fn ends_times_and_maximum(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[("retention.ms", "-1")]).await;
    assert_eq!(raw.list_offset(&topic, 0, -2).await, (0, 0, -1));
    assert_eq!(
        raw.list_offset(&topic, 0, -3).await,
        (0, -1, -1),
        "nothing there yet"
    );
    let mut first = Batch::of(5).at(1_000_000);
    first.step_ms = 10;
    raw.append(&topic, first.encode()).await;
    raw.append(&topic, Batch::of(5).at(3_000_000).encode())
        .await;
    raw.append(&topic, Batch::of(5).at(2_000_000).encode())
        .await;
    assert_eq!(raw.list_offset(&topic, 0, -1).await, (0, 15, -1));
    assert_eq!(raw.list_offset(&topic, 0, 0).await, (0, 0, 1_000_000));
    assert_eq!(
        raw.list_offset(&topic, 0, 1_000_015).await,
        (0, 2, 1_000_020)
    );
    assert_eq!(
        raw.list_offset(&topic, 0, 1_500_000).await,
        (0, 5, 3_000_000)
    );
    assert_eq!(raw.list_offset(&topic, 0, 3_000_001).await, (0, -1, -1));
    assert_eq!(raw.list_offset(&topic, 0, -3).await, (0, 5, 3_000_000));
    assert_eq!(raw.list_offset(&topic, 7, -1).await.0, 3);
}

pub(crate) async fn leader_epochs_are_checked(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    raw.append(&topic, Batch::of(4).encode()).await;
    let mut request = fetch_request(&topic, 0);
    request.topics[0].partitions[0].current_leader_epoch = 0;
    assert_eq!(raw.fetch_with(&request).await.error_code, 0);
    request.topics[0].partitions[0].current_leader_epoch = 1;
    assert_eq!(
        raw.fetch_with(&request).await.error_code,
        UNKNOWN_LEADER_EPOCH
    );
    let partition = OffsetForLeaderPartition::default()
        .with_partition(0)
        .with_current_leader_epoch(-1)
        .with_leader_epoch(0);
    let wanted = OffsetForLeaderTopic::default()
        .with_topic(topic_name(&topic))
        .with_partitions(vec![partition]);
    let request = OffsetForLeaderEpochRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![wanted]);
    let response = raw.call(4, &request).await;
    let found = &response.topics[0].partitions[0];
    assert_eq!(
        (found.error_code, found.leader_epoch, found.end_offset),
        (0, 0, 4)
    );
}

/// Error code and low watermark.
async fn delete(raw: &mut Raw, topic: &str, offset: i64) -> (i16, i64) {
    let partition = DeleteRecordsPartition::default()
        .with_partition_index(0)
        .with_offset(offset);
    let wanted = DeleteRecordsTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(10_000);
    let response = raw.call(2, &request).await;
    let found = &response.topics[0].partitions[0];
    (found.error_code, found.low_watermark)
}

pub(crate) async fn records_are_deleted(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    raw.append(&topic, Batch::of(10).encode()).await;
    raw.append(&topic, Batch::of(10).encode()).await;
    assert_eq!(delete(&mut raw, &topic, 5).await, (0, 5));
    assert_eq!(raw.list_offset(&topic, 0, -2).await, (0, 5, -1));
    assert_eq!(raw.fetch(&topic, 4).await.error_code, OFFSET_OUT_OF_RANGE);
    let fetched = raw.fetch(&topic, 5).await;
    assert_eq!(fetched.log_start_offset, 5);
    assert_eq!(
        stored(&fetched.records.unwrap())[0].base_offset,
        0,
        "batches stay whole"
    );
    assert_eq!(delete(&mut raw, &topic, 3).await, (0, 5), "never backwards");
    assert_eq!(
        delete(&mut raw, &topic, 21).await,
        (OFFSET_OUT_OF_RANGE, -1)
    );
    assert_eq!(delete(&mut raw, &topic, -1).await, (0, 20));
    assert_eq!(raw.list_offset(&topic, 0, -2).await, (0, 20, -1));
    assert_eq!(raw.append(&topic, Batch::of(1).encode()).await, (0, 20));
}

pub(crate) async fn compacted_topics_refuse_record_deletion(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[("cleanup.policy", "compact")]).await;
    raw.append(&topic, Batch::of(10).encode()).await;
    assert_eq!(delete(&mut raw, &topic, 5).await, (POLICY_VIOLATION, -1));
}
