//! What a broker accepts, and what it makes of it.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ProduceRequest;

use crate::environment::Environment;
use crate::support::batch::{Batch, CONTROL, LOG_APPEND_TIME, now_ms, stored};
use crate::support::raw::produce_request;

const CORRUPT_MESSAGE: i16 = 2;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const MESSAGE_TOO_LARGE: i16 = 10;
const INVALID_REQUIRED_ACKS: i16 = 21;
const INVALID_TIMESTAMP: i16 = 32;
const UNSUPPORTED_COMPRESSION_TYPE: i16 = 76;
const INVALID_RECORD: i16 = 87;
const REFUSED: i64 = -1;

pub(crate) async fn a_batch_is_stored_with_offset_and_epoch(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let batch = Batch::of(3);
    for version in 3..=12 {
        let response = raw.produce(version, &topic, batch.encode()).await;
        assert_eq!(response.error_code, 0, "version {version}");
        assert_eq!(response.base_offset, i64::from(version - 3) * 3);
        assert_eq!(response.log_append_time_ms, -1);
    }
    let fetched = raw.fetch(&topic, 0).await;
    assert_eq!(fetched.high_watermark, 30);
    assert_eq!(fetched.last_stable_offset, 30);
    assert_eq!(fetched.log_start_offset, 0);
    let batches = stored(&fetched.records.unwrap());
    assert_eq!(batches.len(), 10);
    for (i, found) in batches.iter().enumerate() {
        assert_eq!(found.base_offset, i as i64 * 3);
        assert_eq!(found.leader_epoch, 0);
        assert_eq!(found.last_offset_delta, 2);
        assert!(found.crc_right);
    }
}

pub(crate) async fn two_batches_in_one_entry_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut both = BytesMut::new();
    both.put_slice(&Batch::of(1).encode());
    both.put_slice(&Batch::of(1).encode());
    assert_eq!(
        raw.append(&topic, both.freeze()).await,
        (INVALID_RECORD, REFUSED)
    );
    assert_eq!(raw.list_offset(&topic, 0, -1).await.1, 0);
}

pub(crate) async fn the_same_partition_twice_keeps_only_the_last(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let request = produce_request(
        &topic,
        &[(0, Batch::of(2).encode()), (0, Batch::of(5).encode())],
    );
    let response = raw.call(9, &request).await;
    let partitions = &response.responses[0].partition_responses;
    assert_eq!(partitions.len(), 1, "one answer for both");
    assert_eq!(partitions[0].error_code, 0);
    assert_eq!(
        raw.list_offset(&topic, 0, -1).await.1,
        5,
        "the first entry is lost"
    );
}

pub(crate) async fn a_wrong_checksum_is_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut batch = Batch::of(2);
    batch.crc_error = 1;
    assert_eq!(
        raw.append(&topic, batch.encode()).await,
        (CORRUPT_MESSAGE, REFUSED)
    );
}

pub(crate) async fn holes_and_wrong_counts_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut holes = Batch::of(2);
    holes.deltas = vec![0, 4];
    holes.last_offset_delta = Some(4);
    assert_eq!(
        raw.append(&topic, holes.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
    let mut empty = Batch::of(0);
    empty.last_offset_delta = Some(-1);
    assert_eq!(
        raw.append(&topic, empty.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
    let mut overstated = Batch::of(2);
    overstated.record_count = Some(3);
    overstated.last_offset_delta = Some(2);
    assert_eq!(
        raw.append(&topic, overstated.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
}

pub(crate) async fn a_base_offset_is_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut batch = Batch::of(2);
    batch.base_offset = 7;
    assert_eq!(
        raw.append(&topic, batch.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
}

pub(crate) async fn control_and_half_idempotent_batches_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut control = Batch::of(1);
    control.attributes = CONTROL;
    assert_eq!(
        raw.append(&topic, control.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
    let no_sequence = Batch::of(1).by_producer(77, 0, -1);
    assert_eq!(
        raw.append(&topic, no_sequence.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
}

pub(crate) async fn old_formats_and_fragments_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut old = Batch::of(1);
    old.magic = 1;
    assert_eq!(
        raw.append(&topic, old.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
    let mut future = Batch::of(1);
    future.magic = 3;
    assert_eq!(
        raw.append(&topic, future.encode()).await,
        (CORRUPT_MESSAGE, REFUSED)
    );
    assert_eq!(
        raw.append(&topic, Bytes::new()).await,
        (INVALID_RECORD, REFUSED)
    );
    let whole = Batch::of(1).encode();
    let fragment = whole.slice(..whole.len() - 1);
    assert_eq!(
        raw.append(&topic, fragment).await,
        (INVALID_RECORD, REFUSED)
    );
}

pub(crate) async fn oversize_batches_are_refused(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[("max.message.bytes", "1000")]).await;
    let sized = |value: usize| {
        let mut batch = Batch::of(1);
        batch.records[0].1 = Some("x".repeat(value));
        batch.encode()
    };
    let largest = (900..1000)
        .rev()
        .find(|value| sized(*value).len() == 1000)
        .unwrap();
    assert_eq!(
        raw.append(&topic, sized(largest + 1)).await,
        (MESSAGE_TOO_LARGE, REFUSED)
    );
    assert_eq!(raw.append(&topic, sized(largest)).await, (0, 0));
}

pub(crate) async fn timestamps_are_limited(env: Environment) {
    let configs = [
        ("message.timestamp.before.max.ms", "60000"),
        ("message.timestamp.after.max.ms", "60000"),
    ];
    let (mut raw, topic) = env.with_topic(&configs).await;
    let now = now_ms();
    let early = Batch::of(2).at(now - 120_000);
    assert_eq!(
        raw.append(&topic, early.encode()).await,
        (INVALID_TIMESTAMP, REFUSED)
    );
    let late = Batch::of(2).at(now + 120_000);
    assert_eq!(
        raw.append(&topic, late.encode()).await,
        (INVALID_TIMESTAMP, REFUSED)
    );
    // only the first of the two is too old
    let mut mixed = Batch::of(2).at(now - 120_000);
    mixed.step_ms = 120_000;
    assert_eq!(
        raw.append(&topic, mixed.encode()).await,
        (INVALID_TIMESTAMP, REFUSED)
    );
    assert_eq!(
        raw.append(&topic, Batch::of(2).at(now).encode()).await,
        (0, 0)
    );
    // an hour ahead is the default limit; any age will do
    let (mut raw, topic) = env.with_topic(&[]).await;
    assert_eq!(
        raw.append(&topic, Batch::of(1).at(1000).encode()).await,
        (0, 0)
    );
    let late = Batch::of(1).at(now + 3_700_000);
    assert_eq!(
        raw.append(&topic, late.encode()).await,
        (INVALID_TIMESTAMP, REFUSED)
    );
}

pub(crate) async fn log_append_time_rewrites_the_batch(env: Environment) {
    let (mut raw, topic) = env
        .with_topic(&[("message.timestamp.type", "LogAppendTime")])
        .await;
    let before = now_ms();
    let response = raw.produce(9, &topic, Batch::of(2).at(1000).encode()).await;
    assert_eq!(response.error_code, 0);
    assert!(
        response.log_append_time_ms >= before,
        "{}",
        response.log_append_time_ms
    );
    let batches = stored(&raw.fetch(&topic, 0).await.records.unwrap());
    assert_eq!(batches[0].attributes & LOG_APPEND_TIME, LOG_APPEND_TIME);
    assert_eq!(batches[0].max_timestamp, response.log_append_time_ms);
    assert!(batches[0].crc_right);
    // and the other way round: a topic with create time clears the mark
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut marked = Batch::of(2);
    marked.attributes = LOG_APPEND_TIME;
    assert_eq!(raw.append(&topic, marked.encode()).await, (0, 0));
    let batches = stored(&raw.fetch(&topic, 0).await.records.unwrap());
    assert_eq!(batches[0].attributes & LOG_APPEND_TIME, 0);
    assert!(batches[0].crc_right);
}

pub(crate) async fn compacted_topics_need_keys(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[("cleanup.policy", "compact")]).await;
    let mut batch = Batch::of(3);
    batch.records[1].0 = None;
    assert_eq!(
        raw.append(&topic, batch.encode()).await,
        (INVALID_RECORD, REFUSED)
    );
    assert_eq!(raw.append(&topic, Batch::of(3).encode()).await, (0, 0));
}

pub(crate) async fn acknowledgement_modes(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let request = produce_request(&topic, &[(0, Batch::of(1).encode())]);
    let response = raw.call(9, &request.clone().with_acks(2)).await;
    assert_eq!(
        response.responses[0].partition_responses[0].error_code,
        INVALID_REQUIRED_ACKS
    );
    let response = raw.call(9, &request.clone().with_acks(1)).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    raw.send(9, &request.clone().with_acks(0)).await;
    // requests of a connection are handled in order: the answer to the next one is the proof
    assert_eq!(raw.list_offset(&topic, 0, -1).await.1, 2);
    let mut wrong = Batch::of(1);
    wrong.crc_error = 1;
    let request = produce_request(&topic, &[(0, wrong.encode())]).with_acks(0);
    raw.send(9, &request).await;
    let closed = raw.receive::<ProduceRequest>(9).await;
    assert!(
        closed.is_none(),
        "an error with acks=0 closes the connection"
    );
}

pub(crate) async fn unknown_topics_and_partitions(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let batch = Batch::of(1).encode();
    let response = raw
        .call(9, &produce_request(&topic, &[(1, batch.clone())]))
        .await;
    let partition = &response.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(
        raw.append("never-made", batch).await,
        (UNKNOWN_TOPIC_OR_PARTITION, REFUSED)
    );
}

pub(crate) async fn zstd_needs_a_new_version(env: Environment) {
    let (mut raw, topic) = env.with_topic(&[]).await;
    let mut batch = Batch::of(1);
    batch.attributes = 4;
    let response = raw.produce(6, &topic, batch.encode()).await;
    assert_eq!(response.error_code, UNSUPPORTED_COMPRESSION_TYPE);
}
