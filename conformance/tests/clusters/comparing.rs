//! Comparisons of many topics, of parts of them, and of mirrors that are late.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use conformance::{
    CompareOptions, Record, Report, Sample, Since, Timestamp, Unobserved, compare, write_workload,
};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::{Offset, TopicPartitionList};

use crate::bed::{
    Clusters, Lying, PARTITIONS, clusters, create, failed, fresh, settings, wait_until_listed,
    workload, write_all,
};

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
