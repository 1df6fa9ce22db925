//! Mirrors that run, are missing or silent; judges that are told to stop.

use std::collections::BTreeSet;
use std::time::Duration;

use broker::{ApiKey, ClusterOptions, EmbeddedCluster};
use conformance::{
    CompareOptions, Endpoint, Error, Journal, Observer, Report, StampedOptions, Unobserved,
    WorkloadSpec, check_stamped, compare, write_workload,
};

use crate::bed::{
    Clusters, PARTITIONS, clusters, create, failed, fresh, judge_both, read_all, settings,
    stamped_options, wait_until_listed, workload, write_all,
};

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
