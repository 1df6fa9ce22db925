//! Plan, apply, plan: the second plan is empty.

use std::time::Duration;

use plan::{Action, ApplyEvent, ApplyOptions, BlockCode, Risk, Summary};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, Lines, topic};

#[tokio::test]
async fn drift_is_told_from_what_the_topology_asks_for_anew() {
    let bench = Bench::start().await;
    let topics = |partitions, retention: &str| {
        ["gone", "kept"].map(|name| {
            let configs = [("retention.ms", retention), ("segment.ms", "600000")];
            topic(name, &["left"], Some(partitions), &configs)
        })
    };
    bench.settle(topics(2, "3600000").to_vec()).await;
    // the file asks for more, and nobody changed anything
    let plan = bench.plan(topics(4, "7200000").to_vec()).await;
    assert!(plan.has_changes());
    assert!(
        !plan
            .resource_changes
            .iter()
            .any(plan::ResourceChange::is_drift)
    );

    bench.clients["left"]
        .delete_topics(&["gone".to_owned()])
        .await
        .unwrap();
    bench.meddle("left", "kept", "retention.ms", "5000").await;
    bench
        .meddle("left", "kept", "segment.bytes", "1048576")
        .await;
    let plan = bench.plan(topics(4, "7200000").to_vec()).await;
    let notes: Vec<Option<&str>> = plan
        .resource_changes
        .iter()
        .map(|change| {
            let said = change.notes.iter().find(|note| note.contains("drifted"));
            said.filter(|_| change.is_drift()).map(String::as_str)
        })
        .collect();
    assert_eq!(
        notes,
        [
            Some("drifted since the last apply: it is gone"),
            Some("drifted since the last apply: retention.ms 3600000 → 5000"),
        ]
    );
    // changed to what the topology asks for now: nothing is left to repair there
    bench
        .meddle("left", "kept", "retention.ms", "7200000")
        .await;
    let plan = bench.plan(topics(4, "7200000").to_vec()).await;
    assert!(!plan.resource_changes[1].is_drift());
}

#[tokio::test]
async fn topics_are_created_on_every_cluster_that_is_named() {
    let bench = Bench::start().await;
    let mut wide = topic("wide", &["left"], Some(6), &[]);
    wide.replication_factor = Some(3);
    let topics = vec![
        topic(
            "both",
            &["left", "right"],
            Some(4),
            &[("retention.ms", "60000")],
        ),
        topic("plain", &["right"], None, &[]),
        wide,
    ];
    let plan = bench.plan(topics.clone()).await;
    assert_eq!(
        plan.summary(),
        Summary {
            add: 4,
            change: 0,
            destroy: 0,
            blocked: 0
        }
    );

    let summary = bench.apply(&plan).await.unwrap();
    assert_eq!(
        summary.applied,
        [
            "topic.left.both",
            "topic.left.wide",
            "topic.right.both",
            "topic.right.plain"
        ]
    );
    assert_eq!(bench.topics("left"), ["both", "wide"]);
    assert_eq!(bench.topics("right"), ["both", "plain"]);
    assert_eq!(bench.left.partition_count("both"), Some(4));
    assert_eq!(bench.left.partition_count("wide"), Some(6));
    assert_eq!(
        bench
            .config("right", "both", "retention.ms")
            .await
            .as_deref(),
        Some("60000")
    );
    assert!(!bench.plan(topics).await.has_changes());
}

#[tokio::test]
async fn partitions_grow_and_configuration_changes_in_place() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic(
            "t",
            &["left"],
            Some(2),
            &[("retention.ms", "60000")],
        )])
        .await;
    bench.meddle("left", "t", "segment.bytes", "1048576").await;

    let topics = vec![topic("t", &["left"], Some(5), &[("retention.ms", "30000")])];
    let plan = bench.plan(topics.clone()).await;
    let change = &plan.resource_changes[0];
    assert_eq!(change.action(), Action::Update);
    assert_eq!(change.risk, Risk::DestroysData);
    assert_eq!(change.unmanaged["segment.bytes"], "1048576");

    bench.apply(&plan).await.unwrap();
    assert_eq!(bench.left.partition_count("t"), Some(5));
    assert_eq!(
        bench.config("left", "t", "retention.ms").await.as_deref(),
        Some("30000")
    );
    assert_eq!(
        bench.config("left", "t", "segment.bytes").await.as_deref(),
        Some("1048576"),
        "what is not declared stays"
    );
    assert!(!bench.plan(topics).await.has_changes());
}

#[tokio::test]
async fn values_that_mean_the_same_are_no_change() {
    let bench = Bench::start().await;
    let written = |configs: &[(&str, &str)]| vec![topic("t", &["left"], Some(1), configs)];
    bench
        .settle(written(&[
            ("cleanup.policy", "delete,compact"),
            ("min.cleanable.dirty.ratio", "0.25"),
            ("preallocate", "true"),
            ("retention.ms", "60000"),
        ]))
        .await;
    let again = bench
        .plan(written(&[
            ("cleanup.policy", "compact, delete"),
            ("min.cleanable.dirty.ratio", "0.250"),
            ("preallocate", "TRUE"),
            ("retention.ms", "060000"),
            // never set, and declared as it is by default
            ("segment.bytes", "1073741824"),
        ]))
        .await;
    assert!(!again.has_changes(), "{again:#?}");
}

#[tokio::test]
async fn drift_is_found_and_repaired() {
    let bench = Bench::start().await;
    let topics = vec![topic("t", &["left"], Some(1), &[("retention.ms", "60000")])];
    bench.settle(topics.clone()).await;
    bench.meddle("left", "t", "retention.ms", "1000").await;
    assert_eq!(bench.plan(topics.clone()).await.summary().change, 1);
    bench.settle(topics).await;
    assert_eq!(
        bench.config("left", "t", "retention.ms").await.as_deref(),
        Some("60000")
    );
}

#[tokio::test]
async fn an_unknown_key_is_refused_before_the_topic_exists() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("other", &["left"], Some(1), &[])])
        .await;
    let plan = bench
        .plan(vec![topic(
            "t",
            &["left"],
            Some(1),
            &[("retention.mss", "1")],
        )])
        .await;
    let change = plan
        .resource_changes
        .iter()
        .find(|change| change.name == "t");
    let codes: Vec<BlockCode> = change
        .unwrap()
        .blocked
        .iter()
        .map(|block| block.code)
        .collect();
    assert_eq!(codes, [BlockCode::UnknownConfig]);
}

#[tokio::test]
async fn a_saved_plan_is_what_is_applied() {
    let bench = Bench::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let plan = bench.plan(vec![topic("t", &["left"], Some(3), &[])]).await;
    plan.save(&path).unwrap();
    bench
        .apply(&plan::Plan::load(&path).unwrap())
        .await
        .unwrap();
    assert_eq!(bench.left.partition_count("t"), Some(3));
}

#[tokio::test]
async fn events_tell_the_story_in_order() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("b", &["left"], Some(1), &[])])
        .await;
    let plan = bench
        .plan(vec![
            topic("a", &["left"], Some(1), &[]),
            topic("b", &["left"], Some(2), &[]),
            topic("c", &["left"], Some(1), &[]),
        ])
        .await;
    // somebody else creates one of them, exactly as planned
    bench
        .settle(vec![topic("c", &["left"], Some(1), &[])])
        .await;

    let lines = Lines::default();
    let observer = |event: &ApplyEvent| lines.keep(event);
    let one_by_one = ApplyOptions {
        concurrency: 1,
        ..ApplyOptions::default()
    };
    let cancel = CancellationToken::new();
    let summary = plan::apply_with(&plan, &bench.clients, &one_by_one, &observer, &cancel)
        .await
        .unwrap();
    assert_eq!(
        lines.outline(),
        [
            "apply_started",
            "change_started topic.left.a",
            "change_done topic.left.a",
            "change_started topic.left.b",
            "change_done topic.left.b",
            "change_started topic.left.c",
            "change_skipped topic.left.c",
            "summary",
        ]
    );
    assert_eq!(summary.already_done, ["topic.left.c"]);
    let last = lines.0.lock().unwrap().last().cloned().unwrap();
    assert_eq!(
        last["applied"],
        serde_json::json!(["topic.left.a", "topic.left.b"])
    );
    assert_eq!(last["not_started"], serde_json::json!([]));
}

#[tokio::test]
async fn a_plan_without_changes_asks_nothing_of_the_clusters() {
    let bench = Bench::start().await;
    let topics = vec![topic("t", &["left"], Some(1), &[])];
    bench.settle(topics.clone()).await;
    let plan = bench.plan(topics).await;
    let before = bench.left.request_count(broker::ApiKey::Metadata);
    let summary = bench.apply(&plan).await.unwrap();
    assert_eq!((summary.applied.len(), summary.already_done.len()), (0, 0));
    assert_eq!(bench.left.request_count(broker::ApiKey::Metadata), before);
}

/// The lease of an apply, and whoever else, uses the same connections at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_apply_never_waits_for_what_its_own_changes_hold() {
    let bench = Bench::start().await;
    let topics: Vec<_> = (0..300)
        .map(|number| topic(&format!("t{number:03}"), &["left"], Some(1), &[]))
        .collect();
    let plan = bench.plan(topics).await;
    let mut others = JoinSet::new();
    for _ in 0..4 {
        let client = bench.clients["left"].clone();
        others.spawn(async move {
            loop {
                client.metadata_of(&[]).await.unwrap();
            }
        });
    }
    let options = ApplyOptions {
        concurrency: 16,
        ..ApplyOptions::default()
    };
    let cancel = CancellationToken::new();
    let ignore = |_: &ApplyEvent| {};
    let apply = plan::apply_with(&plan, &bench.clients, &options, &ignore, &cancel);
    let summary = tokio::time::timeout(Duration::from_mins(2), apply)
        .await
        .expect("the apply stands still")
        .unwrap();
    assert_eq!(summary.applied.len(), 300);
    others.shutdown().await;
}
