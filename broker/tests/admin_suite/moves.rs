//! Moving partitions between brokers, its limits, and what a move is about: racks and bytes.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{
    BrokerThrottle, ConfigSource, NewTopic, Reassignment, ReassignmentTarget, ThrottledReplicas,
    TopicPartition,
};

use crate::environment::{Environment, eventually, fresh_name, write};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const INVALID_REPLICA_ASSIGNMENT: i16 = 39;
const INVALID_REQUEST: i16 = 42;
const NO_REASSIGNMENT_IN_PROGRESS: i16 = 85;
/// More than one fetch of a follower takes.
const RECORDS: usize = 4000;
const RECORD_BYTES: usize = 1000;

fn to(replicas: &[i32]) -> ReassignmentTarget {
    ReassignmentTarget::Replicas(replicas.to_vec())
}

async fn reassign(
    env: &Environment,
    partition: &TopicPartition,
    target: ReassignmentTarget,
) -> i16 {
    let targets = BTreeMap::from([(partition.clone(), target)]);
    let outcomes = env.client.reassign_partitions(&targets).await.unwrap();
    outcomes[partition]
        .clone()
        .err()
        .map_or(0, |error| error.code)
}

async fn replicas(env: &Environment, partition: &TopicPartition) -> Vec<i32> {
    let topics = [partition.topic.clone()];
    let metadata = env.client.metadata_of(&topics).await.unwrap();
    let index = usize::try_from(partition.partition).unwrap();
    let topic = metadata.topics.get(&partition.topic);
    topic.map_or(Vec::new(), |topic| topic.partitions[index].replicas.clone())
}

/// A topic of one partition with this many replicas, where it is, and the brokers where it is not.
async fn placed(env: &Environment, factor: i16) -> (TopicPartition, Vec<i32>, Vec<i32>) {
    let partition = TopicPartition::new(fresh_name(), 0);
    let topic = NewTopic {
        name: partition.topic.clone(),
        partitions: Some(1),
        replication_factor: Some(factor),
        configs: BTreeMap::new(),
    };
    let created = env.client.create_topics(&[topic]).await.unwrap();
    assert_eq!(created[&partition.topic], Ok(()));
    eventually(usize::try_from(factor).unwrap(), || async {
        replicas(env, &partition).await.len()
    })
    .await;
    let here = replicas(env, &partition).await;
    let brokers = env.client.describe_cluster().await.unwrap().brokers;
    let elsewhere = brokers
        .into_keys()
        .filter(|id| !here.contains(id))
        .collect();
    (partition, here, elsewhere)
}

/// Lets throttled replicas move a kilobyte a second, or takes that back.
async fn throttle(env: &Environment, partition: &TopicPartition, on: bool) {
    let brokers = env.client.describe_cluster().await.unwrap().brokers;
    for broker in brokers.into_keys() {
        if on {
            env.client.throttle_broker(broker, 1000).await.unwrap();
        } else {
            env.client.unthrottle_broker(broker).await.unwrap();
        }
    }
    let every: BTreeSet<(i32, i32)> = (1..=3).map(|broker| (0, broker)).collect();
    let replicas = ThrottledReplicas {
        leaders: every.clone(),
        followers: every,
    };
    let topic = &partition.topic;
    if on {
        env.client
            .throttle_replicas(topic, &replicas)
            .await
            .unwrap();
    } else {
        env.client.unthrottle_replicas(topic).await.unwrap();
    }
}

pub(crate) async fn partitions_move_turn_back_and_arrive(env: Environment) {
    let (partition, here, elsewhere) = placed(&env, 1).await;
    let (old, new) = (here[0], elsewhere[0]);
    write(&env, &partition.topic, RECORDS, RECORD_BYTES).await;
    throttle(&env, &partition, true).await;
    env.hold_reassignments();

    assert_eq!(reassign(&env, &partition, to(&[new])).await, 0);
    let moving = Reassignment {
        replicas: vec![new, old],
        adding: vec![new],
        removing: vec![old],
    };
    assert_eq!(moving.target(), [new]);
    let asked = [partition.clone(), TopicPartition::new("never-made", 0)];
    let listed = env.client.reassignments_of(&asked).await.unwrap();
    assert_eq!(listed, [(partition.clone(), moving.clone())].into());
    let all = env.client.reassignments().await.unwrap();
    assert_eq!(all.get(&partition), Some(&moving));
    eventually(vec![new, old], || replicas(&env, &partition)).await;

    assert_eq!(
        reassign(&env, &partition, ReassignmentTarget::Cancel).await,
        0
    );
    assert_eq!(
        env.client.reassignments_of(&asked).await.unwrap(),
        [].into()
    );
    eventually(vec![old], || replicas(&env, &partition)).await;
    let cancelled_again = reassign(&env, &partition, ReassignmentTarget::Cancel).await;
    assert_eq!(cancelled_again, NO_REASSIGNMENT_IN_PROGRESS);

    assert_eq!(reassign(&env, &partition, to(&[new])).await, 0);
    assert_eq!(env.client.reassignments_of(&asked).await.unwrap().len(), 1);
    throttle(&env, &partition, false).await;
    env.finish_reassignments();
    eventually(vec![new], || replicas(&env, &partition)).await;
    eventually(0, || async {
        env.client.reassignments_of(&asked).await.unwrap().len()
    })
    .await;
}

pub(crate) async fn the_replication_factor_changes_both_ways(env: Environment) {
    let (partition, here, elsewhere) = placed(&env, 1).await;
    let all = [here[0], elsewhere[0], elsewhere[1]];
    assert_eq!(reassign(&env, &partition, to(&all)).await, 0);
    eventually(all.to_vec(), || replicas(&env, &partition)).await;
    let asked = [partition.clone()];
    eventually(0, || async {
        env.client.reassignments_of(&asked).await.unwrap().len()
    })
    .await;
    assert_eq!(reassign(&env, &partition, to(&all[1..])).await, 0);
    eventually(all[1..].to_vec(), || replicas(&env, &partition)).await;
    // where it is already
    assert_eq!(reassign(&env, &partition, to(&all[1..])).await, 0);
    assert_eq!(
        env.client.reassignments_of(&asked).await.unwrap(),
        [].into()
    );
}

pub(crate) async fn wrong_moves_are_refused_one_by_one(env: Environment) {
    let (partition, here, _) = placed(&env, 1).await;
    for target in [to(&[]), to(&[1, 1]), to(&[1, 99]), to(&[-1])] {
        let code = reassign(&env, &partition, target.clone()).await;
        assert_eq!(code, INVALID_REPLICA_ASSIGNMENT, "{target:?}");
    }
    let unknown_partition = TopicPartition::new(partition.topic.clone(), 7);
    let unknown_topic = TopicPartition::new("never-made", 0);
    let targets = BTreeMap::from([
        (partition.clone(), to(&here)),
        (unknown_partition.clone(), to(&[1])),
        (unknown_topic.clone(), to(&[1])),
    ]);
    let outcomes = env.client.reassign_partitions(&targets).await.unwrap();
    assert_eq!(outcomes[&partition], Ok(()));
    for unknown in [unknown_partition, unknown_topic] {
        let error = outcomes[&unknown].clone().unwrap_err();
        assert_eq!(error.code, UNKNOWN_TOPIC_OR_PARTITION, "{unknown}");
    }
}

pub(crate) async fn throttles_are_set_seen_and_cleared(env: Environment) {
    let (partition, ..) = placed(&env, 1).await;
    let brokers = env.client.describe_cluster().await.unwrap().brokers;
    let own = |broker| {
        let env = &env;
        async move { env.client.broker_throttle(broker).await.unwrap() }
    };
    for broker in brokers.keys().copied() {
        let rate = 1_000_000 + u64::try_from(broker).unwrap();
        env.client.throttle_broker(broker, rate).await.unwrap();
        let wanted = BrokerThrottle {
            leader: Some(rate),
            follower: Some(rate),
        };
        eventually(wanted, || own(broker)).await;
    }
    for broker in brokers.keys().copied() {
        env.client.unthrottle_broker(broker).await.unwrap();
        // what is not there is taken away without complaint
        env.client.unthrottle_broker(broker).await.unwrap();
        eventually(BrokerThrottle::default(), || own(broker)).await;
    }

    let replicas = ThrottledReplicas {
        leaders: [(0, 1), (0, 2)].into(),
        followers: [(0, 3)].into(),
    };
    let topics = [partition.topic.clone()];
    let listed = || async {
        let mut described = env.client.describe_topic_configs(&topics).await.unwrap();
        let configs = described.remove(&partition.topic).unwrap().unwrap();
        ["leader", "follower"].map(|side| {
            let entry = &configs[&format!("{side}.replication.throttled.replicas")];
            let value = entry.value.clone().unwrap();
            (entry.source == ConfigSource::Topic, value)
        })
    };
    let client = &env.client;
    client
        .throttle_replicas(&partition.topic, &replicas)
        .await
        .unwrap();
    let wanted = [(true, "0:1,0:2".to_owned()), (true, "0:3".to_owned())];
    eventually(wanted, listed).await;
    client.unthrottle_replicas(&partition.topic).await.unwrap();
    eventually([(); 2].map(|()| (false, String::new())), listed).await;

    let wrong = kafka::ConfigChange::Set {
        key: "leader.replication.throttled.rate".to_owned(),
        value: "fast".to_owned(),
    };
    let refused = client.alter_broker_configs(1, &[wrong]).await.unwrap_err();
    let kafka::Error::Broker { error, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(error.code, INVALID_REQUEST, "{refused}");
}

pub(crate) async fn brokers_tell_their_racks_and_their_bytes(env: Environment) {
    let cluster = env.client.describe_cluster().await.unwrap();
    assert_eq!(cluster.cluster_id, env.client.cluster_id());
    assert_eq!(
        cluster.brokers.keys().copied().collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(
        cluster
            .controller
            .is_some_and(|id| cluster.brokers.contains_key(&id))
    );
    assert!(cluster.brokers.values().all(|broker| broker.rack.is_some()));
    let metadata = env.client.metadata_of(&[]).await.unwrap();
    assert_eq!(metadata.brokers, cluster.brokers);

    let (partition, here, elsewhere) = placed(&env, 2).await;
    let (empty, empty_here, _) = placed(&env, 1).await;
    write(&env, &partition.topic, RECORDS, RECORD_BYTES).await;
    let written = (RECORDS * RECORD_BYTES) as u64;
    let both = [
        partition.clone(),
        empty.clone(),
        TopicPartition::new("never-made", 0),
    ];
    let sizes = || async {
        let dirs = env.client.log_dirs_of(&both).await.unwrap();
        assert_eq!(dirs.len(), 3, "every broker answers");
        let mut sizes = BTreeMap::new();
        for (broker, dirs) in dirs {
            for dir in dirs {
                assert_eq!(dir.error, None);
                assert!(dir.total_bytes > Some(written) && dir.usable_bytes.is_some());
                for (partition, replica) in dir.replicas {
                    assert!(!replica.future);
                    let full = replica.bytes >= written && replica.bytes < 2 * written;
                    sizes.insert((partition, broker), (replica.bytes == 0, full));
                }
            }
        }
        sizes
    };
    let wanted = BTreeMap::from([
        ((partition.clone(), here[0]), (false, true)),
        ((partition.clone(), here[1]), (false, true)),
        ((empty, empty_here[0]), (true, false)),
    ]);
    eventually(wanted, sizes).await;
    let all = env.client.log_dirs().await.unwrap();
    let holds = |broker: i32| {
        all[&broker]
            .iter()
            .any(|dir| dir.replicas.contains_key(&partition))
    };
    assert!(holds(here[0]) && holds(here[1]) && !holds(elsewhere[0]));
}
