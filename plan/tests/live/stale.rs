//! A plan that no longer fits what is live is not applied.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule};
use plan::{ApplyError, FailureKind, Plan};

use crate::bench::{Bench, client, topic};

/// Applies a plan that must be stale; gives the differences as text.
async fn stale_at(bench: &Bench, plan: &Plan, at: &str) -> Vec<String> {
    let error = bench.apply(plan).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale, "{error}");
    let ApplyError::Stale {
        address,
        differences,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(address, at);
    differences.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_value_changed_in_between_stops_the_apply() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic(
            "t",
            &["left"],
            Some(2),
            &[("retention.ms", "60000")],
        )])
        .await;
    let plan = bench
        .plan(vec![topic(
            "t",
            &["left"],
            Some(4),
            &[("retention.ms", "30000")],
        )])
        .await;
    bench.meddle("left", "t", "retention.ms", "45000").await;

    let differences = stale_at(&bench, &plan, "topic.left.t").await;
    assert_eq!(
        differences,
        ["config.retention.ms: expected 60000, found 45000"]
    );
    assert_eq!(
        bench.left.partition_count("t"),
        Some(2),
        "nothing was changed"
    );
    assert_eq!(
        bench.config("left", "t", "retention.ms").await.as_deref(),
        Some("45000")
    );
}

#[tokio::test]
async fn a_declared_key_that_the_plan_does_not_change_counts_too() {
    let bench = Bench::start().await;
    let declare = |partitions| {
        vec![topic(
            "t",
            &["left"],
            Some(partitions),
            &[("retention.ms", "60000")],
        )]
    };
    bench.settle(declare(2)).await;
    let plan = bench.plan(declare(4)).await;
    bench.meddle("left", "t", "retention.ms", "1000").await;
    let differences = stale_at(&bench, &plan, "topic.left.t").await;
    assert_eq!(
        differences,
        ["config.retention.ms: expected 60000, found 1000"]
    );
    assert_eq!(bench.left.partition_count("t"), Some(2));
}

#[tokio::test]
async fn a_topic_created_in_between_with_other_attributes() {
    let bench = Bench::start().await;
    let plan = bench.plan(vec![topic("t", &["left"], Some(4), &[])]).await;
    bench
        .settle(vec![topic("t", &["left"], Some(3), &[])])
        .await;
    let differences = stale_at(&bench, &plan, "topic.left.t").await;
    assert!(
        differences.contains(&"partitions: expected 4, found 3".to_owned()),
        "{differences:?}"
    );
    assert_eq!(bench.left.partition_count("t"), Some(3));
}

#[tokio::test]
async fn a_topic_deleted_or_recreated_in_between() {
    let bench = Bench::start().await;
    let two = || vec![topic("t", &["left"], Some(2), &[])];
    bench.settle(two()).await;
    let plan = bench.plan(vec![topic("t", &["left"], Some(4), &[])]).await;

    let deleted = bench.clients["left"]
        .delete_topics(&["t".to_owned()])
        .await
        .unwrap();
    assert_eq!(deleted["t"], Ok(()));
    let differences = stale_at(&bench, &plan, "topic.left.t").await;
    assert_eq!(differences, ["topic: expected the topic, found nothing"]);
    assert_eq!(
        bench.topics("left"),
        Vec::<String>::new(),
        "never re-created"
    );

    bench.settle(two()).await;
    let differences = stale_at(&bench, &plan, "topic.left.t").await;
    assert!(differences[0].starts_with("topic_id: "), "{differences:?}");
    assert_eq!(bench.left.partition_count("t"), Some(2));
}

#[tokio::test]
async fn nothing_at_all_is_changed_when_one_topic_is_stale() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("b", &["left"], Some(2), &[])])
        .await;
    let plan = bench
        .plan(vec![
            topic("a", &["left"], Some(1), &[]),
            topic("b", &["left"], Some(3), &[]),
            topic("c", &["left"], Some(1), &[]),
        ])
        .await;
    bench
        .settle(vec![topic("b", &["left"], Some(7), &[])])
        .await;

    let error = bench.apply(&plan).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale, "{error}");
    let summary = error.summary().unwrap();
    assert_eq!(summary.applied, Vec::<String>::new());
    assert_eq!(
        summary.not_started,
        ["topic.left.a", "topic.left.b", "topic.left.c"]
    );
    assert_eq!(bench.topics("left"), ["b"]);
    assert_eq!(bench.left.partition_count("b"), Some(7));
}

/// The first look finds everything as planned; somebody changes one topic while another is being changed.
#[tokio::test]
async fn a_value_changed_after_the_first_look_stops_right_before_its_own_change() {
    let bench = Bench::start().await;
    let declare = |retention| {
        vec![topic(
            "b",
            &["left"],
            Some(2),
            &[("retention.ms", retention)],
        )]
    };
    bench.settle(declare("60000")).await;
    let mut wanted = declare("30000");
    wanted.push(topic("a", &["left"], Some(1), &[]));
    let plan = bench.plan(wanted).await;
    // over a connection of their own, so that they do not wait
    let somebody = client(&bench.left).await;
    let slow = FaultRule::new(FaultAction::Delay(Duration::from_secs(1)));
    let slow = slow.api(ApiKey::CreateTopics).topic("a").times(1);
    let mut slow = bench.left.faults().inject(slow);
    let meddling = async {
        slow.wait_for(1).await;
        let key = "retention.ms".to_owned();
        let value = "45000".to_owned();
        let change = kafka::ConfigChange::Set { key, value };
        somebody.alter_topic_configs("b", &[change]).await.unwrap();
    };
    let (applied, ()) = tokio::join!(bench.apply(&plan), meddling);
    let error = applied.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale, "{error}");
    assert!(
        error
            .to_string()
            .contains("retention.ms: expected 60000, found 45000"),
        "{error}"
    );
    let summary = error.summary().unwrap();
    assert_eq!(summary.applied, ["topic.left.a"]);
    assert_eq!(
        bench.config("left", "b", "retention.ms").await.as_deref(),
        Some("45000")
    );
}
