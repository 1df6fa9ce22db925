//! Brokers learn of a change one after the other: an apply ends once each of them shows it, or names those that do not.

use std::time::Duration;

use broker::{ApiKey, ClusterOptions, EmbeddedCluster, FaultAction, FaultRule, ResponseError};
use kafka::{ClientOptions, Plaintext};
use plan::{ApplyEvent, ApplyOptions};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, Lines, client, topic};

/// A bench whose cluster `left` has three brokers, and a client of it that was introduced by the first.
async fn bench() -> Bench {
    let mut bench = Bench::start().await;
    let options = ClusterOptions {
        brokers: 3,
        ..ClusterOptions::default()
    };
    bench.left = EmbeddedCluster::start(options).await.unwrap();
    let servers = bench.left.bootstrap_servers();
    let first = servers.split(',').next().unwrap();
    let options = ClientOptions::new([first]);
    let client = kafka::Cluster::connect(options, std::sync::Arc::new(Plaintext));
    bench
        .clients
        .insert("left".to_owned(), client.await.unwrap());
    bench
}

/// To this broker the topic `t` is not known.
fn unknown_to(broker: i32) -> FaultRule {
    let unknown = FaultAction::Error(ResponseError::UnknownTopicOrPartition);
    FaultRule::new(unknown)
        .api(ApiKey::DescribeConfigs)
        .broker(broker)
        .topic("t")
}

#[tokio::test]
async fn the_end_waits_for_brokers_that_are_late() {
    let bench = bench().await;
    let plan = bench.plan(vec![topic("t", &["left"], Some(3), &[])]).await;
    let late = [2, 3].map(|broker| bench.left.faults().inject(unknown_to(broker).times(3)));
    bench.apply(&plan).await.unwrap();
    for handle in late {
        assert_eq!(handle.hits(), 3, "the apply ended before this broker knew");
    }
    // whichever broker the next plan asks
    let mut bench = bench;
    bench
        .clients
        .insert("left".to_owned(), client(&bench.left).await);
    let again = bench.plan(vec![topic("t", &["left"], Some(3), &[])]).await;
    assert!(!again.has_changes());
}

#[tokio::test]
async fn a_broker_that_stays_behind_is_named_and_what_was_done_is_done() {
    let bench = bench().await;
    let plan = bench.plan(vec![topic("t", &["left"], Some(3), &[])]).await;
    bench.left.faults().inject(unknown_to(3));
    let lines = Lines::default();
    let observer = |event: &ApplyEvent| lines.keep(event);
    let options = ApplyOptions {
        visible_within: Duration::from_secs(1),
        ..ApplyOptions::default()
    };
    let never = CancellationToken::new();
    let summary = plan::apply_with(&plan, &bench.clients, &options, &observer, &never)
        .await
        .unwrap();
    assert_eq!(summary.applied, ["topic.left.t"]);
    let lines = lines.0.into_inner().unwrap();
    let behind = lines.iter().find(|line| line["event"] == "brokers_behind");
    let behind = behind.unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!(behind["cluster"], "left");
    assert_eq!(behind["brokers"], serde_json::json!([3]));
}
