//! Each rail against who tries to break it: the apply of what it refuses ends as refused, and the cluster is as before.
//! Rails of ACLs, users and moves are tried beside their kinds.

use std::collections::BTreeMap;

use plan::{ApplyError, BlockCode, FailureKind, Observed, Permissions, Plan, Risk};
use topology::{Pattern, Topic, Topology};

use crate::bench::{Bench, topic};

/// What a client sees of the topics of `left`.
async fn seen(bench: &Bench) -> BTreeMap<String, (usize, BTreeMap<String, Option<String>>)> {
    let client = &bench.clients["left"];
    let names = bench.topics("left");
    let partitions = client.metadata().await.unwrap().topics;
    let configs = client.describe_topic_configs(&names).await.unwrap();
    configs
        .into_iter()
        .map(|(name, configs)| {
            let configs = configs.unwrap().into_iter();
            let configs = configs.map(|(key, entry)| (key, entry.value)).collect();
            let partitions = partitions[&name].partitions.len();
            (name, (partitions, configs))
        })
        .collect()
}

async fn planned(bench: &Bench, topology: &Topology, destroy: &[&str]) -> Plan {
    let observed = plan::observe(topology, &bench.clients).await.unwrap();
    let allowed = Permissions::to_destroy(destroy.iter().map(|address| (*address).to_owned()));
    plan::diff(topology, &observed, &allowed)
}

/// Applies what is refused for this reason, and makes sure that it was.
async fn refused(bench: &Bench, plan: &Plan, address: &str, code: BlockCode) {
    let before = seen(bench).await;
    let error = bench.apply(plan).await.unwrap_err();
    let ApplyError::Blocked { blocked } = &error else {
        panic!("{error}");
    };
    let of: Vec<BlockCode> = blocked
        .iter()
        .filter(|(blocked, _)| blocked == address)
        .map(|(_, block)| block.code)
        .collect();
    assert_eq!(of, [code], "{address}");
    assert_eq!(error.kind(), FailureKind::Refused);
    assert_eq!(seen(bench).await, before, "{address} is as before");
}

fn replicated(name: &str, factor: u16, configs: &[(&str, &str)]) -> Topic {
    Topic {
        replication_factor: Some(factor),
        ..topic(name, &["left"], Some(2), configs)
    }
}

#[tokio::test]
async fn what_cannot_be_or_loses_data_on_the_way_is_refused() {
    use BlockCode::{
        CollidingTopic, InternalTopic, MinInsyncReplicas, NoPartitions, PartitionDecrease,
        ReplicationFactorImpossible, UnknownConfig,
    };
    let bench = Bench::start().await;
    let settled = ["there", "x_y"].map(|name| replicated(name, 3, &[]));
    bench.settle(settled.to_vec()).await;
    let min_isr = |count| [("min.insync.replicas", count)];
    for (wanted, code) in [
        // fewer partitions, and none
        (topic("there", &["left"], Some(1), &[]), PartitionDecrease),
        (topic("new", &["left"], Some(0), &[]), NoPartitions),
        // replicas that no broker could hold, and none
        (replicated("there", 4, &[]), ReplicationFactorImpossible),
        (replicated("new", 4, &[]), ReplicationFactorImpossible),
        (replicated("new", 0, &[]), ReplicationFactorImpossible),
        // no replica may be lost, of a new topic and of one that is there
        (replicated("new", 3, &min_isr("3")), MinInsyncReplicas),
        (replicated("new", 2, &min_isr("2")), MinInsyncReplicas),
        (replicated("there", 3, &min_isr("3")), MinInsyncReplicas),
        // the brokers give it one replica
        (
            topic("new", &["left"], Some(2), &min_isr("2")),
            MinInsyncReplicas,
        ),
        // a key that Kafka does not know
        (
            replicated("there", 3, &[("retention.mss", "1")]),
            UnknownConfig,
        ),
        (
            replicated("new", 3, &[("retention.mss", "1")]),
            UnknownConfig,
        ),
        // a name that Kafka takes for that of another topic
        (replicated("x.y", 3, &[]), CollidingTopic),
        // Kafka's own
        (
            topic("__consumer_offsets", &["left"], Some(3), &[]),
            InternalTopic,
        ),
        // and mirrorctl's own, of which that of the last apply is there
        (
            topic("mirrorctl-positions.internal", &["left"], Some(3), &[]),
            InternalTopic,
        ),
        (
            topic("mirrorctl-state.internal", &["left"], Some(2), &[]),
            InternalTopic,
        ),
    ] {
        let address = format!("topic.left.{}", wanted.name);
        let plan = bench.plan(vec![wanted]).await;
        refused(&bench, &plan, &address, code).await;
    }
}

/// Kafka itself lets every key of a topic be set; services that run it do not, and say so where they are asked. So what was
/// read is marked here, and the cluster behind it would take the change.
#[tokio::test]
async fn a_key_that_the_brokers_do_not_let_be_set_is_not_set() {
    let bench = Bench::start().await;
    bench.settle(vec![replicated("there", 3, &[])]).await;
    let wanted = replicated("there", 3, &[("segment.bytes", "1048576")]);
    let topology = bench.topology(vec![wanted]);
    let mut observed = plan::observe(&topology, &bench.clients).await.unwrap();
    let free = plan::diff(&topology, &observed, &Permissions::none());
    assert!(free.has_changes() && !free.is_blocked());
    let left = observed.clusters.get_mut("left").unwrap();
    let there = left.topics.get_mut("there").unwrap();
    there.configs.get_mut("segment.bytes").unwrap().read_only = true;
    let plan = plan::diff(&topology, &observed, &Permissions::none());
    let address = "topic.left.there";
    refused(&bench, &plan, address, BlockCode::ReadOnlyConfig).await;
}

/// Nobody looked, and whoever applies is connected: what would be found there is not guessed.
#[tokio::test]
async fn what_was_not_observed_is_neither_changed_nor_created_nor_deleted() {
    let bench = Bench::start().await;
    let both = || vec![replicated("old", 3, &[]), replicated("there", 3, &[])];
    bench.settle(both()).await;
    let wanted = vec![
        topic("there", &["left"], Some(4), &[]),
        replicated("new", 3, &[]),
    ];
    let mut topology = bench.topology(wanted);
    topology.clusters[0].allow.delete_topics = true;
    let unseen = Observed::default();
    let allowed = Permissions::to_destroy(["topic.left.old".to_owned()]);
    let plan = plan::diff(&topology, &unseen, &allowed);
    for address in ["topic.left.there", "topic.left.new"] {
        refused(&bench, &plan, address, BlockCode::NotObserved).await;
    }
    // nor where everything that is declared is to go
    let desired = plan::Desired::from(&bench.topology(both())).without(|_| true);
    let plan = plan::diff_desired(&desired, &unseen, &allowed);
    assert!(
        !plan.has_changes(),
        "nothing is known that could be deleted"
    );
    assert_eq!(bench.topics("left"), ["old", "there"]);
}

#[tokio::test]
async fn guarded_topics_are_neither_changed_nor_deleted_whatever_is_permitted() {
    let bench = Bench::start().await;
    let both = || {
        vec![
            topic("pay.secret", &["left"], Some(1), &[]),
            topic("stray", &["left"], Some(1), &[]),
        ]
    };
    bench.settle(both()).await;
    let guarded = |mut topics: Vec<Topic>, partitions| {
        for topic in &mut topics {
            topic.partitions = Some(partitions);
        }
        let mut topology = bench.topology(topics);
        let cluster = &mut topology.clusters[0];
        cluster.topics.managed = Some(Pattern::new("pay\\..*").unwrap());
        cluster.topics.protected = Some(Pattern::new(".*secret").unwrap());
        cluster.allow.delete_topics = true;
        topology
    };
    let addresses = ["topic.left.pay.secret", "topic.left.stray"];
    let codes = [BlockCode::ProtectedTopic, BlockCode::UnmanagedTopic];
    for topology in [guarded(both(), 2), guarded(Vec::new(), 1)] {
        let plan = planned(&bench, &topology, &addresses).await;
        for (address, code) in addresses.into_iter().zip(codes) {
            refused(&bench, &plan, address, code).await;
        }
    }
    // as they are, nothing is to be refused
    let plan = planned(&bench, &guarded(both(), 1), &[]).await;
    assert!(!plan.is_blocked() && !plan.has_changes());
}

#[tokio::test]
async fn a_precious_topic_is_not_deleted_whatever_is_permitted() {
    let bench = Bench::start().await;
    let mut precious = topic("old", &["left"], Some(1), &[]);
    precious.prevent_destroy = true;
    bench.settle(vec![precious]).await;
    let mut topology = bench.topology(Vec::new());
    topology.clusters[0].allow.delete_topics = true;
    let address = "topic.left.old";
    let plan = planned(&bench, &topology, &[address]).await;
    refused(&bench, &plan, address, BlockCode::PreventDestroy).await;
    // destroying everything that is declared is no way around it
    let mut topology = bench.topology(vec![topic("old", &["left"], Some(1), &[])]);
    topology.topics[0].prevent_destroy = true;
    topology.clusters[0].allow.delete_topics = true;
    let observed = plan::observe(&topology, &bench.clients).await.unwrap();
    let desired = plan::Desired::from(&topology).without(|_| true);
    let allowed = Permissions::to_destroy([address.to_owned()]);
    let plan = plan::diff_desired(&desired, &observed, &allowed);
    refused(&bench, &plan, address, BlockCode::PreventDestroy).await;
    // it is declared already
    let message = &plan.resource_changes[0].blocked[0].message;
    assert!(!message.contains("declare it again"), "{message}");
}

#[tokio::test]
async fn what_destroys_records_says_so() {
    let bench = Bench::start().await;
    let configured = |configs: &[(&str, &str)]| vec![topic("t", &["left"], Some(1), configs)];
    let before = [
        ("cleanup.policy", "delete"),
        ("retention.bytes", "-1"),
        ("retention.ms", "86400000"),
    ];
    bench.settle(configured(&before)).await;
    for (key, value, risk) in [
        ("cleanup.policy", "compact", Risk::DestroysData),
        ("cleanup.policy", "compact,delete", Risk::DestroysData),
        ("retention.ms", "1000", Risk::DestroysData),
        ("retention.bytes", "1000", Risk::DestroysData),
        ("retention.ms", "-1", Risk::Safe),
    ] {
        let mut after = before;
        for entry in after.iter_mut().filter(|entry| entry.0 == key) {
            entry.1 = value;
        }
        let plan = bench.plan(configured(&after)).await;
        assert_eq!(plan.resource_changes[0].risk, risk, "{key} = {value}");
    }
}
