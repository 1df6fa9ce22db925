//! Brokers that refuse, and answers that are lost.

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use plan::{ApplyError, FailureKind, ObserveError};

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
    assert_eq!(bench.left.topics(), Vec::<String>::new());
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
