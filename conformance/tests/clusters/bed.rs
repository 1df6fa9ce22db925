//! Clusters, topics with records in them, and both ways of judging.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::{ClusterOptions, EmbeddedCluster};
use conformance::{
    CompareOptions, Delivery, Endpoint, Journal, Record, ReplayBound, Report, StampedOptions,
    Timestamp, TopicSpec, Unobserved, WorkloadSpec, check_stamped, compare,
};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

pub(crate) const PARTITIONS: i32 = 3;
const WINDOW: u64 = 50;

/// A record and the partition it lies on.
pub(crate) type Lying = (i32, Record);

pub(crate) struct Clusters {
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
    _embedded: Vec<EmbeddedCluster>,
}

pub(crate) async fn clusters() -> Clusters {
    if let Ok(bootstrap) = std::env::var("CONFORMANCE_TEST_BOOTSTRAP") {
        let target = std::env::var("CONFORMANCE_TEST_TARGET");
        return Clusters {
            source: Endpoint::new(&bootstrap),
            target: Endpoint::new(target.as_ref().unwrap_or(&bootstrap)),
            _embedded: Vec::new(),
        };
    }
    let source = EmbeddedCluster::start(ClusterOptions::default())
        .await
        .unwrap();
    let target = EmbeddedCluster::start(ClusterOptions::default())
        .await
        .unwrap();
    Clusters {
        source: Endpoint::new(source.bootstrap_servers()),
        target: Endpoint::new(target.bootstrap_servers()),
        _embedded: vec![source, target],
    }
}

/// Topic names of their own, so that tests may share a cluster and run again on it.
pub(crate) fn fresh(name: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    format!("{name}-{}", now.as_nanos())
}

pub(crate) fn settings() -> BTreeMap<String, String> {
    BTreeMap::from([("retention.ms".to_owned(), "7200000".to_owned())])
}

pub(crate) fn workload(topic: &str, records: u64) -> WorkloadSpec {
    let create = TopicSpec {
        partitions: PARTITIONS,
        replication_factor: 1,
        config: settings(),
    };
    WorkloadSpec {
        create: Some(create),
        ..WorkloadSpec::new(topic, records, 20)
    }
}

pub(crate) fn create(
    at: &Endpoint,
    topic: &str,
    partitions: i32,
    settings: &BTreeMap<String, String>,
) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &at.bootstrap)
        .create()
        .unwrap();
    let mut wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for (name, value) in settings {
        wanted = wanted.set(name, value);
    }
    let made = futures::executor::block_on(admin.create_topics([&wanted], &AdminOptions::new()));
    assert!(made.unwrap().iter().all(Result::is_ok));
}

/// A cluster may take a moment until all of it knows a new topic.
pub(crate) fn wait_until_listed(at: &Endpoint, topic: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &at.bootstrap)
        .create()
        .unwrap();
    let listed = || {
        let metadata = consumer
            .fetch_metadata(Some(topic), Duration::from_secs(10))
            .unwrap();
        metadata
            .topics()
            .iter()
            .any(|t| t.error().is_none() && !t.partitions().is_empty())
    };
    let started = std::time::Instant::now();
    while !listed() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{topic} does not appear"
        );
    }
}

/// Everything on a topic, partition after partition.
pub(crate) fn read_all(at: &Endpoint, topic: &str) -> Vec<Lying> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &at.bootstrap)
        .set("group.id", "copier")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(topic, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut lanes = vec![Vec::new(); PARTITIONS as usize];
    let mut ended = BTreeSet::new();
    while ended.len() < PARTITIONS as usize {
        match consumer
            .poll(Duration::from_secs(20))
            .expect("a record within 20 s")
        {
            Ok(message) => {
                let headers = message.headers().map_or_else(Vec::new, |headers| {
                    headers
                        .iter()
                        .map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec)))
                        .collect()
                });
                let record = Record {
                    key: message.key().map(<[u8]>::to_vec),
                    value: message.payload().map(<[u8]>::to_vec),
                    headers,
                    timestamp: Timestamp::create(message.timestamp().to_millis().unwrap()),
                };
                lanes[message.partition() as usize].push((message.partition(), record));
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                ended.insert(partition);
            }
            Err(error) => panic!("{error}"),
        }
    }
    lanes.concat()
}

pub(crate) fn write_all(at: &Endpoint, topic: &str, history: &[Lying]) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &at.bootstrap)
        .set("enable.idempotence", "true")
        .create()
        .unwrap();
    for (partition, record) in history {
        let mut headers = OwnedHeaders::new();
        for (name, value) in &record.headers {
            headers = headers.insert(Header {
                key: name,
                value: value.as_ref(),
            });
        }
        let mut pending = BaseRecord::<[u8], [u8]>::to(topic)
            .partition(*partition)
            .timestamp(record.timestamp.millis)
            .headers(headers);
        pending.key = record.key.as_deref();
        pending.payload = record.value.as_deref();
        producer.send(pending).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(producer.in_flight_count(), 0);
}

pub(crate) fn failed(report: &Report) -> BTreeSet<&str> {
    report.failures().map(|check| check.id.as_str()).collect()
}

pub(crate) fn stamped_options(topic: &str) -> StampedOptions {
    StampedOptions {
        replays: bound(),
        ..StampedOptions::new(topic)
    }
}

pub(crate) fn bound() -> ReplayBound {
    ReplayBound {
        delivery: Delivery::AtLeastOnce,
        window: WINDOW,
        restarts: None,
    }
}

pub(crate) fn judge_both(clusters: &Clusters, journal: &Journal, topic: &str) -> (Report, Report) {
    let Clusters { source, target, .. } = clusters;
    let stamped = check_stamped(
        source,
        target,
        journal,
        &stamped_options(topic),
        &Unobserved,
    )
    .unwrap();
    let pairs = [(journal.spec.topic.clone(), topic.to_owned())];
    let options = CompareOptions {
        replays: bound(),
        ..CompareOptions::default()
    };
    let compared = compare(source, target, &pairs, &options, &Unobserved).unwrap();
    (stamped, compared)
}
