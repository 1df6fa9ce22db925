//! What a fetch returns, and when.

use std::time::{Duration, Instant};

use kafka_protocol::messages::FetchRequest;
use uuid::Uuid;

use crate::environment::Environment;
use crate::support::batch::{Batch, stored};
use crate::support::raw::{fetch_request, topic_name};

const OFFSET_OUT_OF_RANGE: i16 = 1;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const FETCH_SESSION_ID_NOT_FOUND: i16 = 70;
const UNKNOWN_TOPIC_ID: i16 = 100;

pub(crate) async fn a_fetch_in_the_middle_gets_the_whole_batch(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    raw.append(&topic, Batch::of(10).encode()).await;
    raw.append(&topic, Batch::of(10).encode()).await;
    let batches = stored(&raw.fetch(&topic, 5).await.records.unwrap());
    assert_eq!(
        batches
            .iter()
            .map(|batch| batch.base_offset)
            .collect::<Vec<_>>(),
        [0, 10]
    );
    let batches = stored(&raw.fetch(&topic, 19).await.records.unwrap());
    assert_eq!(
        batches
            .iter()
            .map(|batch| batch.base_offset)
            .collect::<Vec<_>>(),
        [10]
    );
    let at_the_end = raw.fetch(&topic, 20).await;
    assert_eq!((at_the_end.error_code, at_the_end.high_watermark), (0, 20));
    assert!(at_the_end.records.unwrap_or_default().is_empty());
}

pub(crate) async fn limits_cut_but_the_first_batch_comes_whole(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let batch = Batch::of(10).encode();
    for _ in 0..3 {
        raw.append(&topic, batch.clone()).await;
    }
    let limited = |limit: usize| {
        let mut request = fetch_request(&topic, 0);
        request.topics[0].partitions[0].partition_max_bytes = limit as i32;
        request
    };
    let tiny = raw.fetch_with(&limited(1)).await.records.unwrap();
    assert_eq!(tiny.len(), batch.len(), "the first batch whatever its size");
    let cut = raw
        .fetch_with(&limited(batch.len() + 30))
        .await
        .records
        .unwrap();
    assert_eq!(cut.len(), batch.len() + 30, "the second batch is cut off");
    assert_eq!(stored(&cut).len(), 1);
    let mut whole_request = limited(1 << 20);
    whole_request.max_bytes = 2 * batch.len() as i32;
    let by_request = raw.fetch_with(&whole_request).await.records.unwrap();
    assert_eq!(by_request.len(), 2 * batch.len());
}

pub(crate) async fn out_of_range_and_unknown(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    raw.append(&topic, Batch::of(10).encode()).await;
    let beyond = raw.fetch(&topic, 11).await;
    assert_eq!(beyond.error_code, OFFSET_OUT_OF_RANGE);
    assert_eq!((beyond.high_watermark, beyond.log_start_offset), (-1, -1));
    assert_eq!(
        raw.fetch("never-made", 0).await.error_code,
        UNKNOWN_TOPIC_OR_PARTITION
    );
    let mut request = fetch_request(&topic, 0);
    request.topics[0].partitions[0].partition = 1;
    assert_eq!(
        raw.fetch_with(&request).await.error_code,
        UNKNOWN_TOPIC_OR_PARTITION
    );
}

pub(crate) async fn a_long_poll_ends_with_the_first_record(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut waiting = env.raw().await;
    let request = fetch_request(&topic, 0).with_max_wait_ms(15_000);
    let started = Instant::now();
    waiting.send(12, &request).await;
    raw.append(&topic, Batch::of(1).encode()).await;
    let response = waiting.receive::<FetchRequest>(12).await.unwrap();
    let records = response.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(stored(&records).len(), 1);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

pub(crate) async fn a_long_poll_ends_at_its_deadline(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    raw.append(&topic, Batch::of(1).encode()).await;
    let started = Instant::now();
    let request = fetch_request(&topic, 0)
        .with_max_wait_ms(300)
        .with_min_bytes(1 << 20);
    let found = raw.fetch_with(&request).await;
    assert!(
        started.elapsed() >= Duration::from_millis(300),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        stored(&found.records.unwrap()).len(),
        1,
        "what there is, though less than asked"
    );
}

pub(crate) async fn topics_are_fetched_by_id(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    raw.append(&topic, Batch::of(4).encode()).await;
    let id = raw.metadata(&topic).await.topic_id;
    assert!(!id.is_nil());
    for version in 13..=17 {
        let mut request = fetch_request(&topic, 0);
        request.topics[0].topic = topic_name("");
        request.topics[0].topic_id = id;
        let response = raw.call(version, &request).await;
        assert_eq!(response.responses[0].topic_id, id);
        let partition = &response.responses[0].partitions[0];
        assert_eq!(
            (partition.error_code, partition.high_watermark),
            (0, 4),
            "version {version}"
        );
        request.topics[0].topic_id = Uuid::from_u128(1);
        let response = raw.call(version, &request).await;
        assert_eq!(
            response.responses[0].partitions[0].error_code,
            UNKNOWN_TOPIC_ID
        );
    }
    for version in 4..=12 {
        let response = raw.call(version, &fetch_request(&topic, 0)).await;
        assert_eq!(
            response.responses[0].partitions[0].high_watermark, 4,
            "version {version}"
        );
    }
}

pub(crate) async fn unknown_sessions_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let request = fetch_request(&topic, 0)
        .with_session_id(12345)
        .with_session_epoch(3);
    let response = raw.call(12, &request).await;
    assert_eq!(response.error_code, FETCH_SESSION_ID_NOT_FOUND);
    assert!(response.responses.is_empty());
}
