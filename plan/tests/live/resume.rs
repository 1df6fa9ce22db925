//! An apply that was interrupted goes on from the same plan.

use std::sync::Mutex;
use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use plan::{ApplyError, ApplyEvent, ApplyOptions, FailureKind};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, Lines, topic};

#[tokio::test]
async fn cancelling_stops_between_two_changes() {
    let bench = Bench::start().await;
    let topics = || {
        ["a", "b", "c"]
            .map(|name| topic(name, &["left"], Some(1), &[]))
            .to_vec()
    };
    let plan = bench.plan(topics()).await;
    let cancel = CancellationToken::new();
    let lines = Lines::default();
    let observer = |event: &ApplyEvent| {
        lines.keep(event);
        // during the second change: it is still carried to its end
        if let ApplyEvent::ChangeStarted { number: 2, .. } = event {
            cancel.cancel();
        }
    };
    let error = plan::apply(&plan, &bench.clients, &observer, &cancel)
        .await
        .unwrap_err();
    assert!(matches!(error, ApplyError::Interrupted { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Error);
    let summary = error.summary().unwrap();
    assert_eq!(summary.applied, ["topic.left.a", "topic.left.b"]);
    assert_eq!(summary.not_started, ["topic.left.c"]);
    assert_eq!(bench.topics("left"), ["a", "b"]);
    assert_eq!(lines.outline().last().unwrap(), "summary");

    let summary = bench.apply(&plan).await.unwrap();
    assert_eq!(summary.already_done, ["topic.left.a", "topic.left.b"]);
    assert_eq!(summary.applied, ["topic.left.c"]);
    assert!(!bench.plan(topics()).await.has_changes());
}

#[tokio::test]
async fn a_change_that_failed_half_way_says_so_and_is_finished_later() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic(
            "t",
            &["left"],
            Some(2),
            &[("retention.ms", "60000")],
        )])
        .await;
    let topics = vec![topic("t", &["left"], Some(4), &[("retention.ms", "70000")])];
    let plan = bench.plan(topics.clone()).await;
    let refusal = bench.left.faults().inject(
        FaultRule::new(FaultAction::Error(ResponseError::PolicyViolation))
            .api(ApiKey::CreatePartitions),
    );

    let error = bench.apply(&plan).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("POLICY_VIOLATION"), "{error}");
    let unfinished = error.summary().unwrap().unfinished[0].clone();
    assert_eq!(unfinished.steps_done, ["set retention.ms=70000"]);
    assert_eq!(refusal.hits(), 1);
    assert_eq!(bench.left.partition_count("t"), Some(2));

    refusal.remove();
    let summary = bench.apply(&plan).await.unwrap();
    assert_eq!(summary.applied, ["topic.left.t"]);
    assert_eq!(bench.left.partition_count("t"), Some(4));
    assert!(!bench.plan(topics).await.has_changes());
}

/// Nobody waits for minutes on a broker that hangs, and nothing is claimed of what it may have done.
#[tokio::test]
async fn who_is_told_to_stop_does_not_wait_for_a_cluster_that_does_not_answer() {
    let bench = Bench::start().await;
    let plan = bench
        .plan(vec![
            topic("a", &["left"], Some(1), &[]),
            topic("b", &["left"], Some(1), &[]),
        ])
        .await;
    let cancel = CancellationToken::new();
    let (faults, stopping) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let observer = |event: &ApplyEvent| match event {
        ApplyEvent::ChangeStarted { .. } => {
            let silence = FaultRule::new(FaultAction::DropResponse);
            let silence = bench.left.faults().inject(silence);
            faults.lock().unwrap().push(silence);
            cancel.cancel();
        }
        ApplyEvent::Stopping {
            under_way,
            lease_lost,
        } => stopping.lock().unwrap().push((*under_way, *lease_lost)),
        _ => {}
    };
    let options = ApplyOptions {
        concurrency: 1,
        silent_for: Duration::from_secs(1),
        ..ApplyOptions::default()
    };
    let applying = plan::apply_with(&plan, &bench.clients, &options, &observer, &cancel);
    let ended = tokio::time::timeout(Duration::from_secs(25), applying).await;
    let error = ended.expect("it ends").unwrap_err();
    assert!(matches!(error, ApplyError::Interrupted { .. }), "{error}");
    let summary = error.summary().unwrap();
    assert_eq!(summary.not_started, ["topic.left.b"]);
    assert_eq!(summary.unfinished.len(), 1);
    assert_eq!(summary.unfinished[0].address, "topic.left.a");
    assert!(summary.unfinished[0].in_doubt);
    assert_eq!(*stopping.lock().unwrap(), [(1, false)]);
}
