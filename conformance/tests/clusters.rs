//! Mutants through real reading and writing: a workload is written, copied with one thing wrong,
//! and both ways of judging have to name what is wrong.
//!
//! Runs on embedded clusters; `CONFORMANCE_TEST_BOOTSTRAP=host:port` runs it on that cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::{ApiKey, ClusterOptions, EmbeddedCluster};
use conformance::{
    CompareOptions, Delivery, Endpoint, Error, Journal, MirrorFacts, MirrorRules, Observer,
    OffsetSyncTopics, Record, ReplayBound, Report, STAMP_HEADER, Sample, Since, StampedOptions,
    Timestamp, TopicSpec, Unobserved, Verdict, WorkloadSpec, check_stamped, compare,
    write_workload,
};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

const PARTITIONS: i32 = 3;
const WINDOW: u64 = 50;

/// A record and the partition it lies on.
type Lying = (i32, Record);

struct Clusters {
    source: Endpoint,
    target: Endpoint,
    _embedded: Vec<EmbeddedCluster>,
}

async fn clusters() -> Clusters {
    if let Ok(bootstrap) = std::env::var("CONFORMANCE_TEST_BOOTSTRAP") {
        let (source, target) = (Endpoint::new(&bootstrap), Endpoint::new(&bootstrap));
        return Clusters {
            source,
            target,
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
fn fresh(name: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    format!("{name}-{}", now.as_nanos())
}

fn settings() -> BTreeMap<String, String> {
    BTreeMap::from([("retention.ms".to_owned(), "7200000".to_owned())])
}

fn workload(topic: &str, records: u64) -> WorkloadSpec {
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

fn create(at: &Endpoint, topic: &str, partitions: i32, settings: &BTreeMap<String, String>) {
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
fn wait_until_listed(at: &Endpoint, topic: &str) {
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
fn read_all(at: &Endpoint, topic: &str) -> Vec<Lying> {
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

fn write_all(at: &Endpoint, topic: &str, history: &[Lying]) {
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

fn failed(report: &Report) -> BTreeSet<&str> {
    report.failures().map(|check| check.id.as_str()).collect()
}

fn stamped_options(topic: &str) -> StampedOptions {
    StampedOptions {
        replays: bound(),
        ..StampedOptions::new(topic)
    }
}

fn bound() -> ReplayBound {
    ReplayBound {
        delivery: Delivery::AtLeastOnce,
        window: WINDOW,
        restarts: None,
    }
}

fn judge_both(clusters: &Clusters, journal: &Journal, topic: &str) -> (Report, Report) {
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

fn full(history: &[Lying]) -> usize {
    (500..history.len())
        .find(|index| {
            let record = &history[*index].1;
            record.key.as_ref().is_some_and(|key| !key.is_empty())
                && record.value.as_ref().is_some_and(|value| value.len() > 8)
                && record.headers.len() > 2
        })
        .unwrap()
}

struct Mutant {
    name: &'static str,
    partitions: i32,
    settings: BTreeMap<String, String>,
    mutate: fn(&mut Vec<Lying>),
    stamped: &'static [&'static str],
    compared: &'static [&'static str],
}

fn mutant(
    name: &'static str,
    mutate: fn(&mut Vec<Lying>),
    stamped: &'static [&'static str],
    compared: &'static [&'static str],
) -> Mutant {
    Mutant {
        name,
        partitions: PARTITIONS,
        settings: settings(),
        mutate,
        stamped,
        compared,
    }
}

fn mutants() -> Vec<Mutant> {
    vec![
        mutant("none", |_| (), &[], &[]),
        mutant("lost", |h| drop(h.remove(700)), &["complete"], &["count"]),
        mutant(
            "tail-lost",
            |h| h.truncate(h.len() - 4),
            &["complete"],
            &["count"],
        ),
        mutant("swapped", |h| h.swap(30, 31), &["order"], &["order"]),
        mutant(
            "late",
            |h| {
                let late = h.remove(1300);
                h.insert(1350, late);
            },
            &["order"],
            &["order"],
        ),
        mutant(
            "replay-in-bound",
            |h| {
                let again = h[200..250].to_vec();
                h.splice(250..250, again);
            },
            &[],
            &[],
        ),
        mutant(
            "replay-over-bound",
            |h| {
                let again = h[200..260].to_vec();
                h.splice(260..260, again);
            },
            &["duplicates"],
            // 51 records back and more nobody remembers: they count as foreign
            &["count"],
        ),
        mutant(
            "misplaced",
            |h| h[100].0 = 2,
            &["key-order", "partition-map"],
            &["count"],
        ),
        mutant(
            "value",
            |h| {
                let index = full(h);
                h[index].1.value.as_mut().unwrap()[3] ^= 1;
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "null-to-empty",
            |h| {
                let index = h.iter().position(|l| l.1.value.is_none()).unwrap();
                h[index].1.value = Some(Vec::new());
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "null-key-to-empty",
            |h| {
                let index = h.iter().position(|l| l.1.key.is_none()).unwrap();
                h[index].1.key = Some(Vec::new());
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "header-lost",
            |h| {
                let index = full(h);
                h[index].1.headers.remove(0);
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "stamp-lost",
            |h| h[40].1.headers.retain(|header| header.0 != STAMP_HEADER),
            &["complete", "payload"],
            &["payload"],
        ),
        mutant(
            "time",
            |h| h[1200].1.timestamp.millis -= 1,
            &["timestamp"],
            &["timestamp"],
        ),
        Mutant {
            partitions: PARTITIONS + 1,
            ..mutant("partitions", |_| (), &["topic-creation"], &["partitions"])
        },
        Mutant {
            settings: BTreeMap::new(),
            ..mutant("settings", |_| (), &["topic-creation"], &[])
        },
    ]
}

fn judge_mutant(clusters: &Clusters, journal: &Journal, written: &[Lying], mutant: &Mutant) {
    let copy = fresh(mutant.name);
    create(&clusters.target, &copy, mutant.partitions, &mutant.settings);
    let mut history = written.to_vec();
    (mutant.mutate)(&mut history);
    write_all(&clusters.target, &copy, &history);
    let (stamped, compared) = judge_both(clusters, journal, &copy);
    let name = mutant.name;
    let wanted = |ids: &'static [&str]| ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(
        failed(&stamped),
        wanted(mutant.stamped),
        "{name}: {stamped:#?}"
    );
    assert_eq!(
        failed(&compared),
        wanted(mutant.compared),
        "{name}: {compared:#?}"
    );
    assert!(stamped.conclusive(), "{name}: {stamped:#?}");
    for failure in stamped
        .failures()
        .filter(|check| check.id != "topic-creation")
    {
        let Verdict::Fail { counterexample, .. } = &failure.verdict else {
            continue;
        };
        let unnamed = counterexample.record.is_none();
        assert!(
            counterexample.source.is_some() || unnamed,
            "{name}: {counterexample}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mutant_is_caught_and_named_through_the_clusters() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let topic = fresh("orders");
        let journal =
            write_workload(&clusters.source, &workload(&topic, 3000), &Unobserved).unwrap();
        assert_eq!(
            (journal.acknowledged(), journal.failed(), journal.unknown()),
            (3000, 0, 0)
        );
        let written = read_all(&clusters.source, &topic);
        assert_eq!(written.len(), 3000);
        // what takes time is waiting for answers, so several mutants go at once
        let mutants = mutants();
        let (clusters, journal, written) = (&clusters, &journal, written.as_slice());
        std::thread::scope(|scope| {
            for some in mutants.chunks(4) {
                scope.spawn(move || {
                    for mutant in some {
                        judge_mutant(clusters, journal, written, mutant);
                    }
                });
            }
        });
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_target_topic_is_named() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let topic = fresh("orders");
        let journal =
            write_workload(&clusters.source, &workload(&topic, 300), &Unobserved).unwrap();
        let (stamped, compared) = judge_both(&clusters, &journal, &fresh("nowhere"));
        assert_eq!(
            failed(&stamped),
            BTreeSet::from(["complete", "topic-creation"])
        );
        assert_eq!(failed(&compared), BTreeSet::from(["partitions"]));
        assert!(!stamped.passed() && !compared.passed());
        let junit = stamped.to_junit().unwrap();
        assert!(
            junit.contains(r#"failures="2""#) && junit.contains("no such topic"),
            "{junit}"
        );
        let text = stamped.to_json().unwrap();
        let run = format!(r#""run": "{}""#, journal.run);
        assert!(text.contains(&run) && text.contains(r#""format_version": "1.2""#));
        let json: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(json, stamped);
    })
    .await
    .unwrap();
}

/// The checker starts before the copy is there and waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_live_mirror_is_waited_for() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        let journal =
            write_workload(&clusters.source, &workload(&topic, 900), &Unobserved).unwrap();
        let file = tempfile::tempdir().unwrap();
        let path = file.path().join("journal.json");
        journal.save(&path).unwrap();
        let journal = Journal::load(&path).unwrap();
        let history = read_all(&clusters.source, &topic);
        let options = StampedOptions {
            patience: Duration::from_secs(20),
            ..stamped_options(&copy)
        };
        std::thread::scope(|scope| {
            let judge = scope.spawn(|| {
                check_stamped(
                    &clusters.source,
                    &clusters.target,
                    &journal,
                    &options,
                    &Unobserved,
                )
            });
            create(&clusters.target, &copy, PARTITIONS, &settings());
            for part in history.chunks(300) {
                write_all(&clusters.target, &copy, part);
            }
            let report = judge.join().unwrap().unwrap();
            assert!(report.passed() && report.conclusive(), "{report:#?}");
            assert_eq!(report.records_read, 900);
        });
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_clear_and_nothing_is_created() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let topic = fresh("absent");
        let spec = WorkloadSpec {
            create: None,
            ..workload(&topic, 10)
        };
        for _ in 0..2 {
            let error = write_workload(&clusters.source, &spec, &Unobserved).unwrap_err();
            assert!(
                matches!(&error, Error::TopicMissing { topic: t, .. } if *t == topic),
                "{error}"
            );
        }
        let pairs = [(topic.clone(), topic)];
        let options = CompareOptions::default();
        let Clusters { source, target, .. } = &clusters;
        let error = compare(source, target, &pairs, &options, &Unobserved).unwrap_err();
        assert!(matches!(error, Error::TopicMissing { .. }), "{error}");
    })
    .await
    .unwrap();
}

struct StopsAtOnce;

impl Observer for StopsAtOnce {
    fn progress(&self, _done: u64, _total: u64, _what: &str) {}

    fn cancelled(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_check_stops_and_a_cancelled_workload_keeps_its_journal() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        let Clusters { source, target, .. } = &clusters;
        create(source, &topic, PARTITIONS, &settings());
        wait_until_listed(source, &topic);
        let journal = write_workload(source, &workload(&topic, 500), &StopsAtOnce).unwrap();
        assert_eq!(
            journal.acknowledged(),
            journal.streams.iter().map(|s| s.written).sum::<u64>()
        );
        assert!(journal.acknowledged() < 500);
        let journal = write_workload(source, &workload(&topic, 500), &Unobserved).unwrap();
        let options = StampedOptions {
            patience: Duration::from_mins(10),
            ..stamped_options(&copy)
        };
        let error = check_stamped(source, target, &journal, &options, &StopsAtOnce).unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{error}");
    })
    .await
    .unwrap();
}

/// Many topics with little in them: what takes time is asking, and that must not add up. Missing
/// topics are waited for together.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_topics_are_compared_quickly_and_missing_ones_waited_for_once() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let Clusters { source, target, .. } = &clusters;
        let base = fresh("many");
        let pairs: Vec<(String, String)> = (0..40)
            .map(|number| (format!("{base}-{number}"), format!("{base}-copy-{number}")))
            .collect();
        let missing = 5;
        for (number, (topic, copy)) in pairs.iter().enumerate() {
            create(source, topic, 1, &settings());
            if number >= missing {
                create(target, copy, 1, &settings());
            }
        }
        wait_until_listed(source, &pairs[39].0);
        wait_until_listed(target, &pairs[39].1);
        let record = Record {
            key: None,
            value: Some(b"one".to_vec()),
            headers: Vec::new(),
            timestamp: Timestamp::create(1_000),
        };
        for (topic, copy) in &pairs[30..] {
            write_all(source, topic, &[(0, record.clone())]);
            write_all(target, copy, &[(0, record.clone())]);
        }
        let options = CompareOptions {
            patience: Duration::from_secs(2),
            ..CompareOptions::default()
        };
        let started = std::time::Instant::now();
        let report = compare(source, target, &pairs, &options, &Unobserved).unwrap();
        let took = started.elapsed();
        assert_eq!(report.records_read, 20);
        assert_eq!(report.failures().count(), missing, "{report:#?}");
        assert!(took > options.patience, "{took:?}");
        assert!(took < Duration::from_secs(7), "{took:?}");
    })
    .await
    .unwrap();
}

/// A stalled mirror: what was waited for in vain once is not waited for again.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_do_not_come_are_waited_for_once() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let Clusters { source, target, .. } = &clusters;
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        write_workload(source, &workload(&topic, 30), &Unobserved).unwrap();
        create(target, &copy, PARTITIONS, &settings());
        wait_until_listed(target, &copy);
        let options = CompareOptions {
            patience: Duration::from_secs(3),
            ..CompareOptions::default()
        };
        let started = std::time::Instant::now();
        let report = compare(source, target, &[(topic, copy)], &options, &Unobserved).unwrap();
        let took = started.elapsed();
        assert_eq!(failed(&report), BTreeSet::from(["count"]));
        assert!(took >= options.patience, "{took:?}");
        assert!(took < options.patience * 2, "{took:?}");
    })
    .await
    .unwrap();
}

/// Comparing empty topics needs no consumer, and so no group coordinator.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_read_looks_up_no_coordinator() {
    let cluster = EmbeddedCluster::start(ClusterOptions::default())
        .await
        .unwrap();
    let at = Endpoint::new(cluster.bootstrap_servers());
    tokio::task::spawn_blocking(move || {
        create(&at, "a", 2, &settings());
        create(&at, "b", 2, &settings());
        let pairs = [("a".to_owned(), "b".to_owned())];
        let options = CompareOptions::default();
        let report = compare(&at, &at, &pairs, &options, &Unobserved).unwrap();
        assert!(report.passed(), "{report:#?}");
    })
    .await
    .unwrap();
    assert!(cluster.request_count(ApiKey::ListOffsets) > 0);
    assert_eq!(cluster.request_count(ApiKey::FindCoordinator), 0);
}

/// A cluster that takes connections and never answers must not hold up the wish to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_cluster_does_not_delay_cancelling() {
    tokio::task::spawn_blocking(|| {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = Endpoint::new(silent.local_addr().unwrap().to_string());
        let pairs = [("a".to_owned(), "b".to_owned())];
        let options = CompareOptions::default();
        let started = std::time::Instant::now();
        let error = compare(&at, &at, &pairs, &options, &StopsAtOnce).unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{error}");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}");
    })
    .await
    .unwrap();
}

fn numbered(number: i64) -> Lying {
    let record = Record {
        key: Some(format!("key-{}", number % 20).into_bytes()),
        value: Some(number.to_string().into_bytes()),
        headers: Vec::new(),
        timestamp: Timestamp::create(1_000_000 + number * 10),
    };
    (0, record)
}

fn pair(topic: &str, copy: &str) -> [(String, String); 1] {
    [(topic.to_owned(), copy.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_may_begin_later_and_look_at_a_share() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let Clusters { source, target, .. } = &clusters;
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        create(source, &topic, 2, &settings());
        create(target, &copy, 2, &settings());
        wait_until_listed(source, &topic);
        wait_until_listed(target, &copy);
        let history: Vec<Lying> = (0..200).map(numbered).collect();
        write_all(source, &topic, &history);
        let mut copied = history.clone();
        copied.remove(150);
        copied.remove(10);
        // what is not in its place must not shift what comes later
        copied.insert(60, copied[59].clone());
        write_all(target, &copy, &copied);
        let judged = |since: Option<Since>, percent: Option<f64>| {
            let options = CompareOptions {
                since,
                sample: percent.map(|percent| Sample::percent(percent).unwrap()),
                ..CompareOptions::default()
            };
            compare(source, target, &pair(&topic, &copy), &options, &Unobserved).unwrap()
        };
        let lost = |report: &Report| {
            let count = report.checks.iter().find(|check| check.id == "count");
            count.unwrap().figures["lost"]
        };
        let whole = judged(None, None);
        assert_eq!((lost(&whole), whole.limits.len()), (2, 0), "{whole:#?}");
        let later = Some(Since::Millis(1_000_000 + 1_000));
        for (since, expected) in [
            (later, 1),
            (Some(Since::Offset(100)), 1),
            (Some(Since::Offset(151)), 0),
            (Some(Since::Millis(1_000_000 + 1_510)), 0),
            (Some(Since::Offset(5_000)), 0),
            (Some(Since::Offset(0)), 2),
        ] {
            let report = judged(since, None);
            assert_eq!(lost(&report), expected, "{since:?}: {report:#?}");
            assert_eq!(report.limits.len(), 1);
        }
        assert!(judged(later, None).records_read < 210);
        let all = judged(None, Some(100.0));
        assert_eq!(lost(&all), 2);
        let some = judged(None, Some(30.0));
        assert!((10..250).contains(&some.records_read), "{some:#?}");
        assert_eq!(some.records_read, judged(None, Some(30.0)).records_read);
        assert!(some.limits[0].contains("30 %"), "{:?}", some.limits);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_took_from_the_source_is_no_fault_of_the_copy() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let Clusters { source, target, .. } = &clusters;
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        create(source, &topic, 1, &settings());
        create(target, &copy, 1, &settings());
        wait_until_listed(source, &topic);
        wait_until_listed(target, &copy);
        // more than is looked ahead
        let history: Vec<Lying> = (0..20_000).map(numbered).collect();
        write_all(source, &topic, &history);
        write_all(target, &copy, &history);
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &source.bootstrap)
            .create()
            .unwrap();
        let mut before = TopicPartitionList::new();
        before
            .add_partition_offset(&topic, 0, Offset::Offset(19_000))
            .unwrap();
        futures::executor::block_on(admin.delete_records(&before, &AdminOptions::new())).unwrap();
        let options = CompareOptions::default();
        let report = compare(source, target, &pair(&topic, &copy), &options, &Unobserved).unwrap();
        assert!(report.passed() && report.conclusive(), "{report:#?}");
        assert!(report.records_read < 3_000, "{}", report.records_read);
    })
    .await
    .unwrap();
}

/// A running mirror: the newest value of a key comes while the judge looks.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_compacted_topic_are_waited_for() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let Clusters { source, target, .. } = &clusters;
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        let compacted = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
        create(source, &topic, 1, &compacted);
        create(target, &copy, 1, &compacted);
        wait_until_listed(source, &topic);
        wait_until_listed(target, &copy);
        let history: Vec<Lying> = (0..100).map(numbered).collect();
        write_all(source, &topic, &history);
        // cleaned, but for the last two
        write_all(target, &copy, &history[80..98]);
        let judged = |patience: Duration| {
            let options = CompareOptions {
                patience,
                ..CompareOptions::default()
            };
            compare(source, target, &pair(&topic, &copy), &options, &Unobserved).unwrap()
        };
        let early = judged(Duration::ZERO);
        assert_eq!(failed(&early), BTreeSet::from(["compaction"]), "{early:#?}");
        let late = std::thread::scope(|scope| {
            let judge = scope.spawn(|| judged(Duration::from_mins(1)));
            write_all(target, &copy, &history[98..]);
            judge.join().unwrap()
        });
        assert!(late.passed(), "{late:#?}");
        let keys = late.checks.iter().find(|check| check.id == "compaction");
        assert_eq!(keys.unwrap().figures["keys"], 20);
    })
    .await
    .unwrap();
}

/// Writes, copies with one thing wrong, judges; what was found first, without the names of this time.
fn found_by(clusters: &Clusters, seed: u64) -> (String, serde_json::Value) {
    let (topic, copy) = (fresh("orders"), fresh("copy"));
    let spec = WorkloadSpec {
        seed,
        ..workload(&topic, 600)
    };
    let journal = write_workload(&clusters.source, &spec, &Unobserved).unwrap();
    let mut history = read_all(&clusters.source, &topic);
    let at = (seed * 37 % 500) as usize;
    match seed % 4 {
        0 => drop(history.remove(at)),
        1 => history.swap(at, at + 1),
        2 => history[at].1.value = Some(b"other".to_vec()),
        _ => history[at].0 = (history[at].0 + 1) % PARTITIONS,
    }
    create(&clusters.target, &copy, PARTITIONS, &settings());
    write_all(&clusters.target, &copy, &history);
    let options = stamped_options(&copy);
    let Clusters { source, target, .. } = clusters;
    let report = check_stamped(source, target, &journal, &options, &Unobserved).unwrap();
    let first = report.failures().next().expect("something is wrong");
    let verdict = serde_json::to_string(&first.verdict).unwrap();
    let verdict = verdict.replace(&topic, "SOURCE").replace(&copy, "TARGET");
    (first.id.clone(), serde_json::from_str(&verdict).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_of_a_run_gives_the_same_counterexample_again() {
    let (once, again) = (clusters().await, clusters().await);
    tokio::task::spawn_blocking(move || {
        let mut found = BTreeSet::new();
        for seed in [4, 5, 6, 7] {
            let (id, first) = found_by(&once, seed);
            assert_eq!(
                (id.clone(), first.clone()),
                found_by(&again, seed),
                "seed {seed}"
            );
            found.insert(id);
            if seed == 4 {
                assert_ne!(first, found_by(&again, seed + 4).1, "another seed");
            }
        }
        assert!(found.len() >= 3, "{found:?}");
    })
    .await
    .unwrap();
}

/// A mirror of an engine that notes offsets as `MirrorMaker` 2 does.
#[derive(Debug)]
struct Follows;

impl MirrorRules for Follows {
    fn follows(&self, _target_topic: &str, _key: &str) -> bool {
        false
    }

    fn deletes(&self, _source_topic: &str, _target_topic: &str) -> bool {
        false
    }
}

fn sync(topic: &str, partition: i32, upstream: i64, downstream: i64) -> Lying {
    let mut key = (topic.len() as i16).to_be_bytes().to_vec();
    key.extend(topic.as_bytes());
    key.extend(partition.to_be_bytes());
    let record = Record {
        key: Some(key),
        value: Some([upstream.to_be_bytes(), downstream.to_be_bytes()].concat()),
        headers: Vec::new(),
        timestamp: Timestamp::create(1_760_000_000_000),
    };
    (0, record)
}

#[tokio::test(flavor = "multi_thread")]
async fn offset_syncs_are_held_against_the_records() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        write_workload(&clusters.source, &workload(&topic, 600), &Unobserved).unwrap();
        let mut history = read_all(&clusters.source, &topic);
        // the first ten of partition 0 come twice, so that offsets differ by ten from there on
        let again = history[..10].to_vec();
        history.splice(10..10, again);
        create(&clusters.target, &copy, PARTITIONS, &settings());
        write_all(&clusters.target, &copy, &history);
        let judged = |syncs: &[Lying]| {
            let names = OffsetSyncTopics {
                on_source: fresh("mm2-offset-syncs.b.internal"),
                on_target: fresh("mm2-offset-syncs.a.internal"),
            };
            create(&clusters.source, &names.on_source, 1, &BTreeMap::new());
            wait_until_listed(&clusters.source, &names.on_source);
            write_all(&clusters.source, &names.on_source, syncs);
            let options = CompareOptions {
                replays: bound(),
                mirror: Some(MirrorFacts {
                    name: "m".to_owned(),
                    keeps_notes: false,
                    whole: false,
                    second_hop: None,
                    quarantine_suffix: ".q".to_owned(),
                    offset_syncs: Some(names),
                    rules: std::sync::Arc::new(Follows),
                }),
                ..CompareOptions::default()
            };
            let pairs = [(topic.clone(), copy.clone())];
            let Clusters { source, target, .. } = &clusters;
            let report = compare(source, target, &pairs, &options, &Unobserved).unwrap();
            let mut checks = report.checks.into_iter();
            checks
                .find(|check| check.id == "offset-map")
                .map(|check| check.verdict)
        };
        assert_eq!(judged(&[]), None);
        let right = [
            sync(&topic, 0, 0, 10),
            sync(&topic, 0, 100, 110),
            sync(&topic, 1, 50, 50),
            sync("another", 0, 1, 9_999),
        ];
        let verdict = judged(&right);
        assert!(matches!(verdict, Some(Verdict::Pass { .. })), "{verdict:?}");
        for (name, wrong) in [
            ("shifted", sync(&topic, 0, 120, 120)),
            ("behind the end", sync(&topic, 1, 60, 9_999)),
            ("falling", sync(&topic, 0, 130, 105)),
        ] {
            let syncs: Vec<Lying> = right.iter().cloned().chain([wrong]).collect();
            let verdict = judged(&syncs);
            assert!(
                matches!(verdict, Some(Verdict::Fail { .. })),
                "{name}: {verdict:?}"
            );
        }
    })
    .await
    .unwrap();
}
