//! librdkafka as producer, consumer and admin client.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

use crate::environment::{Environment, fresh_name};

const PATIENCE: Duration = Duration::from_secs(20);
const RECORDS: usize = 500;

fn client(env: &Environment) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &env.bootstrap);
    config
}

pub(crate) async fn every_codec_survives(env: Environment) {
    let (_raw, topic) = env.with_topic(&[]).await;
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for codec in codecs {
        let producer: FutureProducer = client(&env)
            .set("compression.codec", codec)
            .set("enable.idempotence", "true")
            .set("linger.ms", "20")
            .create()
            .unwrap();
        let mut deliveries = Vec::new();
        for i in 0..RECORDS {
            let (key, value) = (
                format!("{codec}-{i}"),
                format!("{codec} value {i} ").repeat(8),
            );
            let header = Header {
                key: "codec",
                value: Some(codec),
            };
            let record = FutureRecord::to(&topic)
                .partition(0)
                .key(&key)
                .payload(&value)
                .timestamp(1_700_000_000_000 + i as i64)
                .headers(OwnedHeaders::new().insert(header));
            deliveries.push(producer.send_result(record).unwrap());
        }
        for delivery in deliveries {
            delivery.await.unwrap().unwrap();
        }
    }
    let expected = codecs.len() * RECORDS;
    let topic_to_read = topic.clone();
    let read = tokio::task::spawn_blocking(move || read_all(&env, &topic_to_read, expected));
    let read = read.await.unwrap();
    for (at, (offset, key, value, timestamp, codec)) in read.iter().enumerate() {
        let (wanted, i) = (codecs[at / RECORDS], at % RECORDS);
        assert_eq!(*offset, at as i64);
        assert_eq!(*key, format!("{wanted}-{i}"));
        assert_eq!(*value, format!("{wanted} value {i} ").repeat(8));
        assert_eq!(*timestamp, Some(1_700_000_000_000 + i as i64));
        assert_eq!(codec, wanted);
    }
}

type Read = (i64, String, String, Option<i64>, String);

fn read_all(env: &Environment, topic: &str, count: usize) -> Vec<Read> {
    let consumer: BaseConsumer = client(env)
        .set("group.id", "assigns-only")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .create()
        .unwrap();
    let mut wanted = TopicPartitionList::new();
    wanted
        .add_partition_offset(topic, 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&wanted).unwrap();
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
    let mut read = Vec::with_capacity(count);
    while read.len() < count {
        let message = consumer.poll(PATIENCE).expect("a record in time").unwrap();
        let header = message.headers().unwrap().get(0);
        read.push((
            message.offset(),
            text(message.key()),
            text(message.payload()),
            message.timestamp().to_millis(),
            text(header.value),
        ));
    }
    let (low, high) = consumer.fetch_watermarks(topic, 0, PATIENCE).unwrap();
    assert_eq!((low, high), (0, count as i64));
    read
}

pub(crate) async fn the_admin_client_works(env: Environment) {
    let admin: AdminClient<DefaultClientContext> = client(&env).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let name = fresh_name();
    let topic = NewTopic::new(&name, 2, TopicReplication::Fixed(1)).set("retention.ms", "3600000");
    let created = admin.create_topics([&topic], &options).await.unwrap();
    assert_eq!(created[0], Ok(name.clone()));
    let again = admin.create_topics([&topic], &options).await.unwrap();
    let (_, error) = again[0].as_ref().unwrap_err();
    assert_eq!(*error, rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists);
    let grown = admin
        .create_partitions([&NewPartitions::new(&name, 4)], &options)
        .await
        .unwrap();
    assert_eq!(grown[0], Ok(name.clone()));
    let described = admin
        .describe_configs([&ResourceSpecifier::Topic(&name)], &options)
        .await
        .unwrap();
    let resource = described[0].as_ref().unwrap();
    let retention = resource.entry_map()["retention.ms"];
    assert_eq!(retention.value.as_deref(), Some("3600000"));
    assert!(!retention.is_default);
    let deleted = admin.delete_topics(&[&name], &options).await.unwrap();
    assert_eq!(deleted[0], Ok(name));
}
