//! What is refused is refused before anything is changed.

use broker::ApiKey;
use plan::{ApplyError, BlockCode, Clients, FailureKind, ObserveError, Permissions};

use crate::bench::{Bench, topic};

fn writes(cluster: &broker::EmbeddedCluster) -> u64 {
    [
        ApiKey::CreateTopics,
        ApiKey::CreatePartitions,
        ApiKey::IncrementalAlterConfigs,
    ]
    .into_iter()
    .map(|api| cluster.request_count(api))
    .sum()
}

#[tokio::test]
async fn the_wrong_cluster_is_not_even_read() {
    let bench = Bench::start().await;
    let mut topology = bench.topology(vec![topic("t", &["left", "right"], Some(1), &[])]);
    topology.clusters[1].cluster_id = Some("another".to_owned());
    let described = bench.left.request_count(ApiKey::DescribeConfigs);

    let error = plan::observe(&topology, &bench.clients).await.unwrap_err();
    let ObserveError::WrongCluster {
        alias,
        expected,
        found,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((alias.as_str(), expected.as_str()), ("right", "another"));
    assert_eq!(found, bench.right.cluster_id());
    assert_eq!(error.kind(), FailureKind::Refused);
    assert_eq!(
        bench.left.request_count(ApiKey::DescribeConfigs),
        described,
        "the other cluster is not read either"
    );
}

#[tokio::test]
async fn a_plan_is_applied_to_the_clusters_it_was_made_for() {
    let bench = Bench::start().await;
    let plan = bench
        .plan(vec![topic("t", &["left", "right"], Some(1), &[])])
        .await;
    let swapped = Clients::from([
        ("left".to_owned(), bench.clients["left"].clone()),
        ("right".to_owned(), bench.clients["left"].clone()),
    ]);
    let error = plan::apply(
        &plan,
        &swapped,
        &|_: &plan::ApplyEvent| {},
        &tokio_util::sync::CancellationToken::new(),
    )
    .await
    .unwrap_err();
    assert!(matches!(&error, ApplyError::WrongCluster { alias, .. } if alias == "right"));
    assert_eq!(error.kind(), FailureKind::Refused);
    assert_eq!(
        writes(&bench.left) + writes(&bench.right),
        0,
        "nothing was changed anywhere"
    );
}

#[tokio::test]
async fn a_blocked_change_holds_up_the_whole_plan() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("shrink", &["left"], Some(4), &[])])
        .await;
    let plan = bench
        .plan(vec![
            topic("new", &["left"], Some(1), &[]),
            topic("shrink", &["left"], Some(2), &[]),
        ])
        .await;
    assert!(plan.is_blocked());
    let before = writes(&bench.left);

    let error = bench.apply(&plan).await.unwrap_err();
    let ApplyError::Blocked { blocked } = &error else {
        panic!("{error}")
    };
    assert_eq!(blocked[0].0, "topic.left.shrink");
    assert_eq!(blocked[0].1.code, BlockCode::PartitionDecrease);
    assert_eq!(error.kind(), FailureKind::Refused);
    assert_eq!(writes(&bench.left), before, "nothing was changed");
    assert_eq!(bench.topics("left"), ["shrink"]);
}

#[tokio::test]
async fn replication_factor_rails() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("t", &["left"], Some(1), &[])])
        .await;
    let mut changed = topic("t", &["left"], Some(1), &[]);
    changed.replication_factor = Some(4);
    let mut too_many = topic("u", &["left", "right"], Some(1), &[]);
    too_many.replication_factor = Some(2);
    let plan = bench.plan(vec![changed, too_many]).await;
    let codes: Vec<(&str, Option<BlockCode>)> = plan
        .resource_changes
        .iter()
        .map(|change| {
            (
                change.address.as_str(),
                change.blocked.first().map(|block| block.code),
            )
        })
        .collect();
    assert_eq!(
        codes,
        [
            ("topic.left.t", Some(BlockCode::ReplicationFactorImpossible)),
            ("topic.left.u", None),
            (
                "topic.right.u",
                Some(BlockCode::ReplicationFactorImpossible)
            ),
        ]
    );
}

#[tokio::test]
async fn patterns_of_the_cluster_guard_its_topics() {
    let bench = Bench::start().await;
    let mut topology = bench.topology(vec![
        topic("pay.orders", &["left"], Some(1), &[]),
        topic("pay.secret", &["left"], Some(1), &[]),
        topic("stray", &["left"], Some(1), &[]),
    ]);
    topology.clusters[0].topics.managed = Some(topology::Pattern::new("pay\\..*").unwrap());
    topology.clusters[0].topics.protected = Some(topology::Pattern::new(".*secret").unwrap());
    let observed = plan::observe(&topology, &bench.clients).await.unwrap();
    let plan = plan::diff(&topology, &observed, &Permissions::none());
    let codes: Vec<Option<BlockCode>> = plan
        .resource_changes
        .iter()
        .map(|change| change.blocked.first().map(|block| block.code))
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some(BlockCode::ProtectedTopic),
            Some(BlockCode::UnmanagedTopic)
        ]
    );
    assert!(
        plan.resource_changes[1].blocked[0]
            .message
            .contains("`.*secret`")
    );
}

#[tokio::test]
async fn a_cluster_without_a_client_is_an_error_only_where_it_is_needed() {
    let mut bench = Bench::start().await;
    bench.clients.remove("right");
    bench
        .settle(vec![topic("t", &["left"], Some(1), &[])])
        .await;

    let topology = bench.topology(vec![topic("t", &["left", "right"], Some(1), &[])]);
    let error = plan::observe(&topology, &bench.clients).await.unwrap_err();
    assert!(
        matches!(&error, ObserveError::NoClient { alias } if alias == "right"),
        "{error}"
    );
    assert_eq!(error.kind(), FailureKind::Error);
}
