//! `placement: racks`: replicas that are on fewer racks than there can be are moved, whoever put them there.

use std::collections::BTreeSet;

use broker::{ClusterOptions, EmbeddedCluster};
use kafka::{ReassignmentTarget, TopicPartition};
use plan::Risk;
use topology::Topic;

use crate::bench::{Bench, client, topic};

/// A bench whose cluster `left` has one broker for each of these racks.
async fn bench(racks: &[&str]) -> Bench {
    let mut bench = Bench::start().await;
    let options = ClusterOptions {
        brokers: racks.len() as _,
        racks: racks.iter().map(|rack| (*rack).to_owned()).collect(),
        ..ClusterOptions::default()
    };
    bench.left = EmbeddedCluster::start(options).await.unwrap();
    let client = client(&bench.left).await;
    bench.clients.insert("left".to_owned(), client);
    bench
}

/// A topic whose replicas have to be on as many racks as there can be.
fn on_racks() -> Vec<Topic> {
    let mut topic = topic("t", &["left"], Some(3), &[]);
    topic.replication_factor = Some(2);
    topic.placement = topology::Placement::Racks;
    vec![topic]
}

async fn racks_of(bench: &Bench, racks: &[&str]) -> Vec<usize> {
    let topics = bench.clients["left"].metadata().await.unwrap().topics;
    let partitions = &topics["t"].partitions;
    let racks_of = |replicas: &[i32]| {
        let on: BTreeSet<&str> = replicas.iter().map(|id| racks[*id as usize - 1]).collect();
        on.len()
    };
    partitions
        .iter()
        .map(|partition| racks_of(&partition.replicas))
        .collect()
}

#[tokio::test]
async fn replicas_that_somebody_put_on_one_rack_are_spread_again() {
    let racks = ["a", "a", "b", "b"];
    let bench = bench(&racks).await;
    let plan = bench.plan(on_racks()).await;
    bench.apply(&plan).await.unwrap();
    // brokers of this cluster do not look at racks when they create a topic
    let plan = bench.plan(on_racks()).await;
    bench.apply(&plan).await.unwrap();
    assert!(!bench.plan(on_racks()).await.has_changes());
    assert_eq!(racks_of(&bench, &racks).await, [2, 2, 2]);

    let crowded = ReassignmentTarget::Replicas(vec![3, 4]);
    bench.clients["left"]
        .reassign_partitions(&[(TopicPartition::new("t", 1), crowded)].into())
        .await
        .unwrap();
    assert_eq!(racks_of(&bench, &racks).await, [2, 1, 2]);
    let plan = bench.plan(on_racks()).await;
    let change = &plan.resource_changes[0];
    assert_eq!(change.reason, "drifted: differs in placement");
    assert_eq!(
        change.details[0].before.as_deref(),
        Some("1 of 3 partitions share racks")
    );
    assert_eq!(change.risk, Risk::MovesData);
    bench.apply(&plan).await.unwrap();
    assert_eq!(racks_of(&bench, &racks).await, [2, 2, 2]);
    assert!(!bench.plan(on_racks()).await.has_changes());
    for broker in 1..=4 {
        let limit = bench.clients["left"].broker_throttle(broker).await.unwrap();
        assert_eq!((limit.leader, limit.follower), (None, None));
    }

    // who does not ask for it has replicas where the cluster put them
    bench.clients["left"]
        .reassign_partitions(
            &[(
                TopicPartition::new("t", 1),
                ReassignmentTarget::Replicas(vec![3, 4]),
            )]
            .into(),
        )
        .await
        .unwrap();
    let mut anywhere = on_racks();
    anywhere[0].placement = topology::Placement::Any;
    assert!(!bench.plan(anywhere).await.has_changes());
}

#[tokio::test]
async fn without_racks_placement_is_left_to_the_cluster_and_that_is_said() {
    let bench = Bench::start().await;
    let plan = bench.plan(on_racks()).await;
    bench.apply(&plan).await.unwrap();
    let plan = bench.plan(on_racks()).await;
    assert!(!plan.has_changes());
    assert!(
        plan.resource_changes[0].notes[0].contains("without a rack (1, 2, 3)"),
        "{plan:#?}"
    );
}
