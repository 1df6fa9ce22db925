//! Properties of `diff`, `recheck` and the rails together, on a model of a cluster: random
//! declarations against random live states.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::change::{Action, BlockCode, Change};
use crate::desired::{Desired, DesiredCluster, DesiredTopic, Guard};
use crate::diff::diff_desired;
use crate::document::Plan;
use crate::observed::{ConfigOrigin, Observed, ObservedCluster, ObservedConfig, ObservedTopic};
use crate::recheck::{Recheck, Step, recheck};

const TOPICS: [&str; 5] = [
    "pay.orders",
    "pay.refunds",
    "audit",
    "__consumer_offsets",
    "x",
];
const CLUSTERS: [&str; 2] = ["aws", "onprem"];
/// Brokers' defaults in the model, and other values that mean the same or something else.
const CONFIGS: [(&str, &[&str]); 5] = [
    (
        "retention.ms",
        &["604800000", "0604800000", "-1", "86400000"],
    ),
    (
        "cleanup.policy",
        &["delete", "compact", "compact,delete", "delete, compact"],
    ),
    ("min.insync.replicas", &["1", "2", "3"]),
    ("preallocate", &["false", "TRUE", "true"]),
    ("min.cleanable.dirty.ratio", &["0.5", "0.50", "0.7"]),
];

fn default_configs() -> BTreeMap<String, ObservedConfig> {
    CONFIGS
        .iter()
        .map(|(key, values)| (key.to_string(), entry(values[0], ConfigOrigin::Default)))
        .collect()
}

fn entry(value: &str, origin: ConfigOrigin) -> ObservedConfig {
    ObservedConfig {
        value: Some(value.to_owned()),
        origin,
        sensitive: false,
        read_only: false,
    }
}

/// What a broker gives back for a value that was set: the parsed value, printed.
fn as_parsed(value: &str) -> String {
    if let Ok(number) = value.parse::<i64>() {
        number.to_string()
    } else if let Ok(number) = value.parse::<f64>() {
        number.to_string()
    } else {
        value
            .split(',')
            .map(|item| item.trim().to_lowercase())
            .collect::<Vec<_>>()
            .join(",")
    }
}

fn configs() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key_and_value = select(CONFIGS.to_vec())
        .prop_flat_map(|(key, values)| (Just(key.to_owned()), select(values.to_vec())));
    vec(key_and_value, 0..4).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(key, value)| (key, value.to_owned()))
            .collect()
    })
}

fn guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        8 => Just(Guard::Allowed),
        1 => Just(Guard::Protected("audit".to_owned())),
        1 => Just(Guard::Unmanaged("pay\\..*".to_owned())),
    ]
}

prop_compose! {
    fn desired_topic()(
        partitions in option::of(0u32..8),
        replication_factor in option::of(0u16..5),
        configs in configs(),
        guard in guard(),
    ) -> DesiredTopic {
        DesiredTopic { partitions, replication_factor, configs, guard }
    }
}

prop_compose! {
    fn live_topic()(
        id in "[a-f0-9]{8}",
        partitions in 1u32..8,
        replication_factor in 1u16..4,
        set in configs(),
        internal in prop::bool::weighted(0.05),
    ) -> ObservedTopic {
        let mut configs = default_configs();
        for (key, value) in set {
            configs.insert(key, entry(&as_parsed(&value), ConfigOrigin::Topic));
        }
        ObservedTopic { id, internal, partitions, replication_factor, configs }
    }
}

fn topics<T: std::fmt::Debug>(
    topic: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<String, T>> {
    btree_map(select(TOPICS.to_vec()).prop_map(str::to_owned), topic, 0..5)
}

fn desired() -> impl Strategy<Value = Desired> {
    let cluster = topics(desired_topic()).prop_map(|topics| DesiredCluster {
        bootstrap: vec!["localhost:9092".to_owned()],
        cluster_id: None,
        tls: None,
        sasl: None,
        topics,
    });
    btree_map(
        select(CLUSTERS.to_vec()).prop_map(str::to_owned),
        cluster,
        1..3,
    )
    .prop_map(|clusters| Desired { clusters })
}

fn observed() -> impl Strategy<Value = Observed> {
    (topics(live_topic()), topics(live_topic()), 1usize..4).prop_map(|(aws, onprem, brokers)| {
        let cluster = |id: &str, topics| ObservedCluster {
            cluster_id: id.to_owned(),
            bootstrap: vec!["localhost:9092".to_owned()],
            brokers,
            topics,
            known_configs: default_configs().into_keys().collect(),
        };
        Observed {
            clusters: [
                ("aws".to_owned(), cluster("id-aws", aws)),
                ("onprem".to_owned(), cluster("id-onprem", onprem)),
            ]
            .into(),
        }
    })
}

/// What a cluster does with the steps of `apply`.
fn carry_out(step: Step, name: &str, cluster: &mut ObservedCluster) {
    match step {
        Step::Create(after) => {
            let mut configs = default_configs();
            for (key, value) in after.configs {
                let value = as_parsed(&value.expect("a declared value"));
                configs.insert(key, entry(&value, ConfigOrigin::Topic));
            }
            let created = ObservedTopic {
                id: "new".to_owned(),
                internal: false,
                partitions: after.partitions.unwrap_or(1),
                replication_factor: after.replication_factor.unwrap_or(1),
                configs,
            };
            assert!(
                cluster.topics.insert(name.to_owned(), created).is_none(),
                "nothing replaced"
            );
        }
        Step::SetConfigs(changes) => {
            let topic = cluster
                .topics
                .get_mut(name)
                .expect("only live topics are altered");
            for (key, value) in changes {
                topic
                    .configs
                    .insert(key, entry(&as_parsed(&value), ConfigOrigin::Topic));
            }
        }
        Step::Grow { total, existing } => {
            let topic = cluster.topics.get_mut(name).expect("only live topics grow");
            assert_eq!(topic.partitions, existing);
            assert!(total > existing, "brokers refuse anything else");
            topic.partitions = total;
        }
    }
}

/// Carries out at most `limit` steps of the changes that are not blocked, as `apply` would.
fn run(plan: &Plan, observed: &mut Observed, mut limit: usize) {
    for change in plan
        .resource_changes
        .iter()
        .filter(|change| !change.is_blocked())
    {
        let cluster = observed
            .clusters
            .get_mut(&change.cluster)
            .expect("an observed cluster");
        let steps = match recheck(&change.change, cluster.topics.get(&change.name)) {
            Recheck::AlreadyDone => continue,
            Recheck::Remaining(steps) => steps,
            Recheck::Stale(differences) => panic!("nobody else changed it: {differences:?}"),
        };
        for step in steps {
            if limit == 0 {
                return;
            }
            limit -= 1;
            carry_out(step, &change.name, cluster);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plan_after_apply_holds_only_what_was_refused(desired in desired(), before in observed()) {
        let plan = diff_desired(&desired, &before);
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);

        let again = diff_desired(&desired, &after);
        let pending: Vec<_> = again
            .resource_changes
            .iter()
            .filter(|change| change.change.action() != Action::NoOp)
            .collect();
        let refused: Vec<_> = plan.resource_changes.iter().filter(|c| c.is_blocked()).collect();
        prop_assert_eq!(pending, refused);
    }

    #[test]
    fn an_interrupted_apply_resumes_from_the_same_plan(
        desired in desired(),
        before in observed(),
        steps in 0usize..6,
    ) {
        let plan = diff_desired(&desired, &before);
        let mut straight = before.clone();
        run(&plan, &mut straight, usize::MAX);
        let mut resumed = before;
        run(&plan, &mut resumed, steps);
        run(&plan, &mut resumed, usize::MAX);
        prop_assert_eq!(resumed, straight);
    }

    #[test]
    fn topics_are_only_added_and_only_grow(desired in desired(), before in observed()) {
        let plan = diff_desired(&desired, &before);
        prop_assert_eq!(plan.summary().destroy, 0);
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);
        for (alias, cluster) in &before.clusters {
            for (name, topic) in &cluster.topics {
                let now = &after.clusters[alias].topics[name];
                prop_assert_eq!(&now.id, &topic.id);
                prop_assert!(now.partitions >= topic.partitions);
                prop_assert_eq!(now.replication_factor, topic.replication_factor);
                let declared = desired.clusters.get(alias).and_then(|c| c.topics.get(name));
                match declared {
                    None => prop_assert_eq!(now, topic),
                    Some(declared) => {
                        if topic.internal || declared.guard != Guard::Allowed {
                            prop_assert_eq!(now, topic);
                        }
                        for (key, value) in &topic.configs {
                            if !declared.configs.contains_key(key) {
                                prop_assert_eq!(&now.configs[key], value);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn decreases_and_replication_changes_are_always_refused(
        desired in desired(),
        observed in observed(),
    ) {
        for change in diff_desired(&desired, &observed).resource_changes {
            let blocked = |code| change.blocked.iter().any(|block| block.code == code);
            if let Change::Update { before, after } = &change.change {
                if after.partitions < before.partitions {
                    prop_assert!(
                        blocked(BlockCode::PartitionDecrease) || blocked(BlockCode::NoPartitions)
                    );
                }
                prop_assert_eq!(
                    after.replication_factor != before.replication_factor,
                    blocked(BlockCode::ReplicationFactorChange)
                );
            }
        }
    }

    #[test]
    fn a_plan_survives_json(desired in desired(), observed in observed()) {
        let plan = diff_desired(&desired, &observed);
        let json = plan.to_json().expect("JSON");
        prop_assert_eq!(&serde_json::from_str::<Plan>(&json).expect("a plan"), &plan);
        prop_assert_eq!(diff_desired(&desired, &observed).to_json().expect("JSON"), json);
    }
}
