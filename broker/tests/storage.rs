//! What the log keeps: memory limit, retention, compaction.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(
    dead_code,
    reason = "shared with the client suite, which uses all of it"
)]
mod support;

use std::time::Duration;

use broker::{ClusterOptions, EmbeddedCluster, ResponseError};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use support::batch::Batch;
use support::raw::Raw;

async fn cluster(brokers: u16) -> EmbeddedCluster {
    EmbeddedCluster::start(ClusterOptions {
        brokers,
        ..ClusterOptions::default()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn memory_is_bounded_by_refusing() {
    let cluster = EmbeddedCluster::start(ClusterOptions {
        memory_limit: 1000,
        ..ClusterOptions::default()
    })
    .await
    .unwrap();
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    raw.create_topic("t", 1, &[]).await;
    let batch = Batch::of(10).encode();
    let mut accepted = 0;
    let refused = loop {
        let (code, _) = raw.append("t", batch.clone()).await;
        if code != 0 {
            break code;
        }
        accepted += 1;
        assert!(accepted < 100, "never refused");
    };
    assert_eq!(refused, ResponseError::KafkaStorageError.code());
    assert_eq!(cluster.memory_used(), accepted * batch.len() as u64);
}

#[tokio::test]
async fn size_retention_drops_the_oldest_batches() {
    let cluster = cluster(1).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    let batch = Batch::of(10).encode();
    let keep = (batch.len() * 2).to_string();
    raw.create_topic("t", 1, &[("retention.bytes", &keep)])
        .await;
    for i in 0..10 {
        assert_eq!(raw.append("t", batch.clone()).await, (0, i * 10));
    }
    assert_eq!(cluster.log_start_offset("t", 0), Some(80));
    assert_eq!(cluster.memory_used(), 2 * batch.len() as u64);
    assert_eq!(
        raw.fetch("t", 0).await.error_code,
        ResponseError::OffsetOutOfRange.code()
    );
}

#[tokio::test]
async fn compaction_leaves_holes_and_whole_offsets() {
    let cluster = cluster(1).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    raw.create_topic("t", 1, &[("cleanup.policy", "compact")])
        .await;
    let keyed = |keys: &[&'static str]| {
        let mut batch = Batch::of(keys.len());
        for (record, key) in batch.records.iter_mut().zip(keys) {
            record.0 = Some(key);
        }
        batch
    };
    raw.append("t", keyed(&["a", "b", "c"]).encode()).await;
    raw.append("t", keyed(&["a", "a"]).encode()).await;
    raw.append("t", keyed(&["x"]).by_producer(5, 0, 0).encode())
        .await;
    raw.append("t", keyed(&["b", "x"]).encode()).await;
    cluster.compact_now("t").unwrap();
    let view: Vec<(i64, i64, i32)> = cluster
        .batches("t", 0)
        .unwrap()
        .iter()
        .map(|batch| (batch.base_offset, batch.last_offset, batch.record_count))
        .collect();
    // c alone; the second a alone; the producer's last batch, empty; b and x
    assert_eq!(view, [(0, 2, 1), (3, 4, 1), (5, 5, 0), (6, 7, 2)]);
    let stored = support::batch::stored(&raw.fetch("t", 0).await.records.unwrap());
    assert!(stored.iter().all(|batch| batch.crc_right));
    let spans: Vec<i32> = stored.iter().map(|batch| batch.last_offset_delta).collect();
    assert_eq!(spans, [2, 1, 0, 1]);
    let consumer: rdkafka::consumer::BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("group.id", "assigns-only")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .create()
        .unwrap();
    let offsets = tokio::task::spawn_blocking(move || read_offsets(&consumer, "t", 4))
        .await
        .unwrap();
    assert_eq!(offsets, [2, 4, 6, 7]);
}

fn read_offsets(consumer: &rdkafka::consumer::BaseConsumer, topic: &str, count: usize) -> Vec<i64> {
    use rdkafka::consumer::Consumer;
    use rdkafka::message::Message;
    let mut wanted = rdkafka::TopicPartitionList::new();
    wanted
        .add_partition_offset(topic, 0, rdkafka::Offset::Beginning)
        .unwrap();
    consumer.assign(&wanted).unwrap();
    (0..count)
        .map(|_| {
            consumer
                .poll(Duration::from_secs(20))
                .expect("in time")
                .unwrap()
                .offset()
        })
        .collect()
}

#[tokio::test]
async fn compaction_rewrites_every_codec() {
    let cluster = cluster(1).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    for (number, codec) in ["none", "gzip", "snappy", "lz4", "zstd"]
        .into_iter()
        .enumerate()
    {
        raw.create_topic(
            codec,
            1,
            &[("cleanup.policy", "compact"), ("retention.ms", "-1")],
        )
        .await;
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("compression.codec", codec)
            .set("linger.ms", "50")
            .create()
            .unwrap();
        let filler = "compressible ".repeat(20);
        let deliveries: Vec<_> = (0..100)
            .map(|i| {
                let (key, value) = ((i % 30).to_string(), format!("{i} {filler}"));
                let record = FutureRecord::to(codec)
                    .partition(0)
                    .key(&key)
                    .payload(&value);
                producer
                    .send_result(record.timestamp(1_000_000 + i))
                    .unwrap()
            })
            .collect();
        for delivery in deliveries {
            delivery.await.unwrap().unwrap();
        }
        assert_eq!(
            raw.list_offset(codec, 0, 1_000_040).await,
            (0, 40, 1_000_040),
            "{codec}"
        );
        cluster.compact_now(codec).unwrap();
        for batch in cluster.batches(codec, 0).unwrap() {
            assert_eq!(usize::from(batch.bytes[22] & 7), number, "the codec stays");
        }
        assert_eq!(
            raw.list_offset(codec, 0, 1_000_040).await,
            (0, 70, 1_000_070),
            "{codec}"
        );
        let consumer: rdkafka::consumer::BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "assigns-only")
            .set("enable.auto.commit", "false")
            .set("check.crcs", "true")
            .create()
            .unwrap();
        let read = move || read_offsets(&consumer, codec, 30);
        let offsets = tokio::task::spawn_blocking(read).await.unwrap();
        assert_eq!(offsets, (70..100).collect::<Vec<i64>>(), "{codec}");
    }
}
