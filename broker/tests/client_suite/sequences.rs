//! Idempotent producers: what is remembered, repeated, refused.

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{
    DescribeProducersRequest, InitProducerIdRequest, ProducerId, TransactionalId,
};

use crate::environment::Environment;
use crate::support::batch::{Batch, now_ms};
use crate::support::raw::{Raw, topic_name};

const OUT_OF_ORDER: i16 = 45;
const INVALID_PRODUCER_EPOCH: i16 = 47;
const REFUSED: i64 = -1;
/// No broker has handed out ids this large.
const ID: i64 = 9_000_000;

async fn append(raw: &mut Raw, topic: &str, epoch: i16, sequence: i32, count: usize) -> (i16, i64) {
    let batch = Batch::of(count).by_producer(ID, epoch, sequence);
    raw.append(topic, batch.encode()).await
}

pub(crate) async fn repeated_batches_are_acknowledged_once(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    for i in 0..6 {
        assert_eq!(
            append(&mut raw, &topic, 0, i * 10, 10).await,
            (0, i64::from(i) * 10)
        );
    }
    // the last five come back with their own offsets, and nothing is written
    for i in (1..6).rev() {
        assert_eq!(
            append(&mut raw, &topic, 0, i * 10, 10).await,
            (0, i64::from(i) * 10)
        );
    }
    assert_eq!(
        append(&mut raw, &topic, 0, 0, 10).await,
        (OUT_OF_ORDER, REFUSED),
        "the sixth last"
    );
    assert_eq!(
        append(&mut raw, &topic, 0, 50, 9).await,
        (OUT_OF_ORDER, REFUSED),
        "another range"
    );
    assert_eq!(raw.list_offset(&topic, 0, -1).await.1, 60);
}

pub(crate) async fn gaps_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    assert_eq!(append(&mut raw, &topic, 0, 0, 2).await, (0, 0));
    assert_eq!(
        append(&mut raw, &topic, 0, 3, 1).await,
        (OUT_OF_ORDER, REFUSED)
    );
    assert_eq!(append(&mut raw, &topic, 0, 2, 1).await, (0, 2));
    assert_eq!(
        append(&mut raw, &topic, 0, 1, 1).await,
        (OUT_OF_ORDER, REFUSED)
    );
}

pub(crate) async fn epochs_fence(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    assert_eq!(append(&mut raw, &topic, 1, 0, 2).await, (0, 0));
    assert_eq!(
        append(&mut raw, &topic, 2, 2, 1).await,
        (OUT_OF_ORDER, REFUSED),
        "starts at 0"
    );
    assert_eq!(append(&mut raw, &topic, 2, 0, 1).await, (0, 2));
    assert_eq!(
        append(&mut raw, &topic, 1, 2, 1).await,
        (INVALID_PRODUCER_EPOCH, REFUSED)
    );
    assert_eq!(
        append(&mut raw, &topic, 1, 0, 2).await,
        (INVALID_PRODUCER_EPOCH, REFUSED)
    );
}

pub(crate) async fn an_unknown_producer_starts_anywhere(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    assert_eq!(append(&mut raw, &topic, 5, 1234, 2).await, (0, 0));
    assert_eq!(append(&mut raw, &topic, 5, 1236, 1).await, (0, 2));
}

pub(crate) async fn sequences_wrap(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    assert_eq!(append(&mut raw, &topic, 0, i32::MAX - 1, 2).await, (0, 0));
    assert_eq!(append(&mut raw, &topic, 0, 0, 1).await, (0, 2));
    let (mut raw, topic) = env.with_topic(&[]).await;
    assert_eq!(append(&mut raw, &topic, 0, i32::MAX - 1, 4).await, (0, 0));
    assert_eq!(
        append(&mut raw, &topic, 0, 1, 1).await,
        (OUT_OF_ORDER, REFUSED)
    );
    assert_eq!(append(&mut raw, &topic, 0, 2, 1).await, (0, 4));
}

pub(crate) async fn producers_are_described(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let time = now_ms() - 5000;
    let batch = Batch::of(7).by_producer(ID, 3, 100).at(time);
    assert_eq!(raw.append(&topic, batch.encode()).await, (0, 0));
    let wanted = TopicRequest::default()
        .with_name(topic_name(&topic))
        .with_partition_indexes(vec![0, 9]);
    let request = DescribeProducersRequest::default().with_topics(vec![wanted]);
    let response = raw.call(0, &request).await;
    let partitions = &response.topics[0].partitions;
    let found = partitions
        .iter()
        .find(|partition| partition.partition_index == 0)
        .unwrap();
    assert_eq!(found.error_code, 0);
    assert_eq!(found.active_producers.len(), 1);
    let producer = &found.active_producers[0];
    assert_eq!(producer.producer_id, ProducerId(ID));
    assert_eq!(producer.producer_epoch, 3);
    assert_eq!(producer.last_sequence, 106);
    assert_eq!(producer.last_timestamp, time);
    assert_eq!(producer.current_txn_start_offset, -1);
    let unknown = partitions
        .iter()
        .find(|partition| partition.partition_index == 9)
        .unwrap();
    assert_eq!(unknown.error_code, 3);
}

pub(crate) async fn producer_ids_are_handed_out(env: Environment) {
    let mut raw = env.raw().await;
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None::<TransactionalId>)
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    let mut seen = Vec::new();
    // a real broker asks its controller for a block of ids first
    for _ in 0..100 {
        let response = raw.call(4, &request).await;
        if response.error_code == 14 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        }
        assert_eq!(response.error_code, 0);
        assert_eq!(response.producer_epoch, 0);
        assert!(!seen.contains(&response.producer_id.0));
        seen.push(response.producer_id.0);
        if seen.len() == 3 {
            return;
        }
    }
    panic!("three producer ids, got {seen:?}");
}
