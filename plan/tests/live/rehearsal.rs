//! What brokers would refuse is found before anything is applied.

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use plan::BlockCode;

use crate::bench::{Bench, topic};

#[tokio::test]
async fn what_brokers_would_refuse_is_blocked_and_nothing_is_made() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("old", &["left"], Some(1), &[])])
        .await;
    let topics = || {
        vec![
            topic("old", &["left"], Some(1), &[("retention.ms", "60000")]),
            topic("new", &["left"], Some(1), &[]),
            topic("other", &["left"], Some(1), &[]),
        ]
    };
    for (api, name) in [
        (ApiKey::CreateTopics, "new"),
        (ApiKey::IncrementalAlterConfigs, "old"),
    ] {
        for (error, blocked) in [
            (ResponseError::PolicyViolation, true),
            (ResponseError::InvalidConfig, true),
            // about who asks: a plan may be made by somebody who may not change anything
            (ResponseError::TopicAuthorizationFailed, false),
        ] {
            let rule = FaultRule::new(FaultAction::Error(error))
                .api(api)
                .topic(name);
            let fault = bench.left.faults().inject(rule);
            let plan = plan::rehearsed(bench.plan(topics()).await, &bench.clients);
            let plan = plan.await.unwrap();
            assert!(fault.hits() > 0, "{name} was not asked about");
            fault.remove();
            for change in &plan.resource_changes {
                let refused = change
                    .blocked
                    .iter()
                    .any(|it| it.code == BlockCode::RefusedByBrokers);
                assert_eq!(refused, blocked && change.name == name, "{change:?}");
            }
        }
    }
    let plan = plan::rehearsed(bench.plan(topics()).await, &bench.clients);
    let plan = plan.await.unwrap();
    assert!(plan.resource_changes.iter().all(|it| it.blocked.is_empty()));
    assert_eq!(bench.topics("left"), ["old"]);
    bench.apply(&plan).await.unwrap();
    assert_eq!(bench.topics("left"), ["new", "old", "other"]);
}
