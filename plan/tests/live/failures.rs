//! Brokers that refuse, and answers that are lost.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use plan::{ApplyError, ApplyEvent, ApplyOptions, FailureKind, ObserveError};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, topic};

#[tokio::test]
async fn lost_answers_do_not_fail_what_was_done() {
    for action in [FaultAction::CloseAfter, FaultAction::CloseBefore] {
        let bench = Bench::start().await;
        bench
            .settle(vec![topic("t", &["left"], Some(2), &[])])
            .await;
        let faults: Vec<_> = [
            ApiKey::CreateTopics,
            ApiKey::CreatePartitions,
            ApiKey::IncrementalAlterConfigs,
        ]
        .map(|api| {
            bench
                .left
                .faults()
                .inject(FaultRule::new(action).api(api).times(1))
        })
        .into();
        let topics = vec![
            topic("new", &["left"], Some(3), &[]),
            topic("t", &["left"], Some(4), &[("retention.ms", "70000")]),
        ];
        let summary = bench
            .apply(&bench.plan(topics.clone()).await)
            .await
            .unwrap();
        assert_eq!(summary.applied.len(), 2, "{action:?}");
        for fault in faults {
            assert_eq!(fault.hits(), 1, "{action:?}: every answer was lost once");
        }
        assert!(!bench.plan(topics).await.has_changes(), "{action:?}");
    }
}

#[tokio::test]
async fn the_brokers_words_reach_the_user() {
    let bench = Bench::start().await;
    let plan = bench
        .plan(vec![topic(
            "t",
            &["left"],
            Some(1),
            &[("retention.ms", "soon")],
        )])
        .await;
    let error = bench.apply(&plan).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Failed { address, .. } if address == "topic.left.t"));
    assert_eq!(error.kind(), FailureKind::Error);
    assert!(error.to_string().contains("INVALID_CONFIG"), "{error}");
    assert!(error.to_string().contains("retention.ms"), "{error}");
    assert_eq!(bench.topics("left"), Vec::<String>::new());
}

#[tokio::test]
async fn a_topic_that_may_not_be_read_is_named() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("t", &["left"], Some(1), &[])])
        .await;
    bench.left.faults().inject(
        FaultRule::new(FaultAction::Error(ResponseError::TopicAuthorizationFailed))
            .api(ApiKey::DescribeConfigs),
    );
    let topology = bench.topology(vec![topic("t", &["left"], Some(1), &[])]);
    let error = plan::observe(&topology, &bench.clients).await.unwrap_err();
    let ObserveError::Topic { alias, topic, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((alias.as_str(), topic.as_str()), ("left", "t"));
    assert!(
        error.to_string().contains("TOPIC_AUTHORIZATION_FAILED"),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_back_is_in_doubt() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("t", &["left"], Some(1), &[])])
        .await;
    let plan = bench.plan(vec![topic("t", &["left"], Some(2), &[])]).await;
    let strike = |error, api, after| {
        let rule = FaultRule::new(FaultAction::Error(error))
            .api(api)
            .topic("t")
            .after(after);
        bench.left.faults().inject(rule)
    };
    let refused = strike(ResponseError::PolicyViolation, ApiKey::CreatePartitions, 0);
    // before come the look at all changes and the recheck of this one
    let unread = strike(ResponseError::TopicAuthorizationFailed, ApiKey::Metadata, 2);
    let error = bench.apply(&plan).await.unwrap_err();
    assert_eq!((refused.hits(), unread.hits()), (1, 1));
    for part in [
        "POLICY_VIOLATION",
        "could not be read",
        "TOPIC_AUTHORIZATION_FAILED",
    ] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_change_that_never_shows_is_not_called_done() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("t", &["left"], Some(1), &[])])
        .await;
    let plan = bench.plan(vec![topic("t", &["left"], Some(2), &[])]).await;
    // the brokers go on to say that the topic is not there, as one that lags behind does
    let lagging = FaultRule::new(FaultAction::Error(ResponseError::UnknownTopicOrPartition));
    let lagging = lagging.api(ApiKey::Metadata).topic("t").after(2);
    bench.left.faults().inject(lagging);
    let options = ApplyOptions {
        visible_within: Duration::from_millis(300),
        poll: Duration::from_millis(10),
        ..ApplyOptions::default()
    };
    let ignore = |_: &ApplyEvent| {};
    let cancel = CancellationToken::new();
    let error = plan::apply_with(&plan, &bench.clients, &options, &ignore, &cancel)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not show it"), "{error}");
    let unfinished = error.summary().unwrap().unfinished[0].clone();
    assert_eq!(unfinished.steps_done, ["grow from 1 to 2 partitions"]);
}
