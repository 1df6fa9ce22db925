//! Properties of `diff`, `recheck` and the rails together, on a model of a cluster: random
//! declarations against random live states.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use topology::{Allow, Placement, TopicGuard};

use crate::apply::work::Outlook;
use crate::change::{Action, BlockCode, Change, RecordChange, Resource};
use crate::desired::{Desired, DesiredCluster, DesiredTopic, Guard};
use crate::diff::diff_desired;
use crate::document::Plan;
use crate::home::Home;
use crate::journal::{Recorded, Underway};
use crate::observed::{
    ConfigOrigin, Observed, ObservedCluster, ObservedConfig, ObservedPartition, ObservedTopic,
    Usage,
};
use crate::permissions::Permissions;
use crate::topic::recheck::{Recheck, Step, recheck};

mod access;
mod files;
mod mirrors;

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
        placement in prop_oneof![Just(Placement::Any), Just(Placement::Racks)],
    ) -> DesiredTopic {
        DesiredTopic { partitions, replication_factor, placement, configs, guard, prevent_destroy: false }
    }
}

prop_compose! {
    /// On brokers 1 to 4, not all of which need be up; now and then on its way to others.
    fn partition()(
        replicas in btree_set(1i32..5, 1..4),
        moving_to in option::weighted(0.05, btree_set(1i32..5, 1..4)),
        behind in prop::bool::weighted(0.2),
    ) -> ObservedPartition {
        let replicas: Vec<i32> = replicas.into_iter().collect();
        let mut in_sync = replicas.clone();
        if behind {
            in_sync.truncate(1);
        }
        ObservedPartition {
            replicas,
            in_sync,
            moving_to: moving_to.map(|ids| ids.into_iter().collect()),
        }
    }
}

/// As it is read: the smallest count.
fn count_replicas(topic: &mut ObservedTopic) {
    let counts = topic.placement.iter().map(|it| it.replicas.len() as u16);
    topic.replication_factor = counts.min().unwrap_or(0);
}

prop_compose! {
    fn live_topic()(
        id in "[a-f0-9]{8}",
        placement in vec(partition(), 1..8),
        set in configs(),
        internal in prop::bool::weighted(0.05),
        usage in usage(),
    ) -> ObservedTopic {
        let mut configs = default_configs();
        for (key, value) in set {
            configs.insert(key, entry(&as_parsed(&value), ConfigOrigin::Topic));
        }
        let mut topic = ObservedTopic {
            id,
            internal,
            partitions: placement.len() as u32,
            replication_factor: 0,
            placement,
            configs,
            usage: Some(usage),
            extent: None,
        };
        count_replicas(&mut topic);
        topic
    }
}

fn topics<T: std::fmt::Debug>(
    topic: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<String, T>> {
    btree_map(select(TOPICS.to_vec()).prop_map(str::to_owned), topic, 0..5)
}

fn desired() -> impl Strategy<Value = Desired> {
    let allow = any::<[bool; 5]>().prop_map(|[topics, acls, quotas, users, mirrors]| Allow {
        delete_topics: topics,
        delete_acls: acls,
        delete_quotas: quotas,
        delete_users: users,
        delete_mirrors: mirrors,
        ..Allow::default()
    });
    let access = (
        access::desired_acls(),
        access::desired_quotas(),
        access::desired_users(),
        mirrors::desired_mirrors(),
    );
    let cluster = (topics(desired_topic()), access, allow, access::login()).prop_map(
        |(topics, (acls, quotas, users, mirrors), allow, sasl)| DesiredCluster {
            bootstrap: vec!["localhost:9092".to_owned()],
            cluster_id: None,
            tls: None,
            sasl,
            allow,
            guards: TopicGuard::default(),
            topics,
            acls,
            quotas,
            users,
            mirrors,
        },
    );
    let clusters = btree_map(
        select(CLUSTERS.to_vec()).prop_map(str::to_owned),
        cluster,
        1..3,
    );
    (clusters, files::desired_folder()).prop_map(|(clusters, folder)| Desired {
        clusters,
        folder,
        ..Desired::default()
    })
}

fn recorded() -> impl Strategy<Value = BTreeMap<String, Recorded>> {
    let of_topic =
        (configs(), prop::bool::weighted(0.2)).prop_map(|(configs, prevent_destroy)| Recorded {
            partitions: None,
            replication_factor: None,
            placement: Placement::Any,
            configs,
            prevent_destroy,
            access: None,
        });
    topics(of_topic)
}

fn usage() -> impl Strategy<Value = Usage> {
    (any::<bool>(), any::<bool>()).prop_map(|(written_recently, read)| Usage {
        end_offsets: 7,
        records: 7,
        written_recently,
        active_groups: read.then(|| "g".to_owned()).into_iter().collect(),
    })
}

/// Deletions that somebody asks for, whether they are planned or not.
fn permissions() -> impl Strategy<Value = Permissions> {
    let address = (select(CLUSTERS.to_vec()), select(TOPICS.to_vec()))
        .prop_map(|(alias, topic)| format!("topic.{alias}.{topic}"));
    let of_access = select(CLUSTERS.to_vec()).prop_flat_map(access::address);
    let others = prop_oneof![mirrors::address(), files::address()];
    vec(prop_oneof![address, of_access, others], 0..12).prop_map(Permissions::to_destroy)
}

fn observed() -> impl Strategy<Value = Observed> {
    let live = || {
        let others = (access::live(), mirrors::live());
        (topics(live_topic()), recorded(), others)
    };
    let flags = (any::<bool>(), any::<bool>());
    (live(), live(), 1i32..4, flags, files::folder()).prop_map(
        |(aws, onprem, brokers, (ours, racks), folder)| {
            let cluster = |id: &str,
                           alias: &str,
                           (topics, recorded, (access, mirrors)): (
                _,
                BTreeMap<String, Recorded>,
                (access::Live, mirrors::Live),
            )| {
                let mut observed = ObservedCluster {
                    underway: moves(alias, &topics, ours),
                    recorded: recorded
                        .into_iter()
                        .map(|(topic, recorded)| (format!("topic.{alias}.{topic}"), recorded))
                        .collect(),
                    cluster_id: id.to_owned(),
                    bootstrap: vec!["localhost:9092".to_owned()],
                    // new replicas are on the first brokers, so on as many racks as there can be
                    brokers: (1..=brokers)
                        .map(|id| (id, racks.then(|| format!("rack {}", id % 2))))
                        .collect(),
                    topics,
                    known_configs: default_configs().into_keys().collect(),
                    ..ObservedCluster::default()
                };
                access.settle(alias, &mut observed);
                mirrors.settle(&mut observed);
                observed
            };
            Observed {
                clusters: [
                    ("aws".to_owned(), cluster("id-aws", "aws", aws)),
                    ("onprem".to_owned(), cluster("id-onprem", "onprem", onprem)),
                ]
                .into(),
                folder,
                ..Observed::default()
            }
        },
    )
}

/// What an apply left that was killed while these topics moved, if it was ours.
fn moves(
    alias: &str,
    topics: &BTreeMap<String, ObservedTopic>,
    ours: bool,
) -> BTreeMap<String, Underway> {
    let of_topic = |topic: &ObservedTopic| -> BTreeMap<u32, Vec<i32>> {
        let partitions = (0_u32..).zip(&topic.placement);
        partitions
            .filter_map(|(index, it)| Some((index, it.moving_to.clone()?)))
            .collect()
    };
    topics
        .iter()
        .filter(|_| ours)
        .map(|(name, topic)| {
            let underway = Underway {
                limited: BTreeSet::from([1]),
                assignment: of_topic(topic),
            };
            (format!("topic.{alias}.{name}"), underway)
        })
        .filter(|(_, underway)| !underway.assignment.is_empty())
        .collect()
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
            let factor = after.replication_factor.unwrap_or(1);
            let created = ObservedTopic {
                usage: None,
                extent: None,
                placement: vec![fresh(factor); after.partitions.unwrap_or(1) as usize],
                id: "new".to_owned(),
                internal: false,
                partitions: after.partitions.unwrap_or(1),
                replication_factor: factor,
                configs,
            };
            assert!(
                cluster.topics.insert(name.to_owned(), created).is_none(),
                "nothing replaced"
            );
        }
        Step::SetConfigs { set, unset } => {
            let topic = cluster
                .topics
                .get_mut(name)
                .expect("only live topics are altered");
            for key in unset {
                let default = default_configs().remove(&key).expect("a known key");
                topic.configs.insert(key, default);
            }
            for (key, value) in set {
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
            let factor = topic.placement[0].replicas.len() as u16;
            topic.placement.resize(total as usize, fresh(factor));
            count_replicas(topic);
        }
        Step::Reassign(targets) => {
            let topic = cluster.topics.get_mut(name).expect("only live topics move");
            for (index, target) in targets {
                let partition = &mut topic.placement[index as usize];
                let up = |id: &i32| cluster.brokers.contains_key(id);
                let added = target.iter().filter(|id| !partition.replicas.contains(id));
                assert!(added.into_iter().all(up), "brokers refuse anything else");
                assert!(!target.is_empty());
                partition.in_sync.clone_from(&target);
                partition.replicas = target;
                partition.moving_to = None;
            }
            count_replicas(topic);
        }
        Step::Delete { id } => {
            let topic = cluster.topics.remove(name).expect("a live topic");
            assert_eq!(topic.id, id);
        }
    }
}

fn fresh(factor: u16) -> ObservedPartition {
    let replicas: Vec<i32> = (1..=i32::from(factor)).collect();
    ObservedPartition {
        in_sync: replicas.clone(),
        replicas,
        moving_to: None,
    }
}

/// A step in the portions that it may be interrupted between.
fn portions(step: Step) -> Vec<Step> {
    match step {
        Step::Reassign(targets) => targets
            .into_iter()
            .map(|target| Step::Reassign([target].into()))
            .collect(),
        step @ (Step::Create(_)
        | Step::SetConfigs { .. }
        | Step::Grow { .. }
        | Step::Delete { .. }) => {
            vec![step]
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
        let alias = match &change.home {
            Home::Cluster(alias) => alias,
            Home::Folder(_) if files::carry_out(change, observed, &mut limit) => continue,
            Home::Folder(_) => return,
        };
        let cluster = observed
            .clusters
            .get_mut(alias)
            .expect("an observed cluster");
        let steps = match &change.resource {
            Resource::Topic(topic) => match recheck(topic, cluster.topics.get(&change.name)) {
                Recheck::AlreadyDone => Vec::new(),
                Recheck::Remaining(steps) => steps,
                Recheck::Stale(differences) => panic!("nobody else changed it: {differences:?}"),
            },
            Resource::Acl(_)
            | Resource::ClientQuota(_)
            | Resource::ScramUser(_)
            | Resource::Mirror(_)
            | Resource::RenderedFile(_) => Vec::new(),
        };
        for step in steps.into_iter().flat_map(portions) {
            if limit == 0 {
                return;
            }
            limit -= 1;
            carry_out(step, &change.name, cluster);
        }
        if access::outlook(change, cluster) == Outlook::Remaining {
            if limit == 0 {
                return;
            }
            limit -= 1;
            access::carry_out(change, cluster);
        }
        if let Resource::Mirror(mirror) = &change.resource
            && mirrors::outlook(change, cluster) == Outlook::Remaining
        {
            if limit == 0 {
                return;
            }
            limit -= 1;
            mirrors::carry_out(mirror, &change.name, cluster);
        }
        if change.impact.is_some() {
            cluster.underway.remove(&change.address);
        }
        match &change.record {
            None => {}
            Some(RecordChange::Remember(recorded)) => {
                cluster.elsewhere.remove(&change.address);
                cluster
                    .recorded
                    .insert(change.address.clone(), recorded.clone());
            }
            Some(RecordChange::Forget) => {
                cluster.recorded.remove(&change.address);
            }
            Some(RecordChange::Rendered(entry)) => panic!("no folder: {entry:?}"),
        }
    }
    for left in &plan.left_behind {
        if let Some(cluster) = observed.clusters.get_mut(&left.cluster) {
            cluster.underway.remove(&left.address);
        }
    }
    if let (Some(folder), Some(live)) = (&plan.folder, &mut observed.folder) {
        for name in &folder.forget {
            live.manifest.files.remove(name);
        }
    }
    for forgotten in &plan.forget {
        if let Some(cluster) = observed.clusters.get_mut(&forgotten.cluster) {
            cluster.recorded.remove(&forgotten.address);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn a_plan_after_apply_holds_only_what_was_refused(
        desired in desired(),
        before in observed(),
        allowed in permissions(),
    ) {
        let plan = diff_desired(&desired, &before, &allowed);
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);

        let again = diff_desired(&desired, &after, &allowed);
        let pending: Vec<_> = again
            .resource_changes
            .iter()
            // a mirror that is as declared and another topology's has nothing to change and is
            // refused all the same
            .filter(|change| change.action() != Action::NoOp || change.is_blocked())
            .collect();
        let refused: Vec<_> = plan.resource_changes.iter().filter(|c| c.is_blocked()).collect();
        prop_assert_eq!(pending, refused);
        prop_assert_eq!(again.left_behind, vec![]);
    }

    #[test]
    fn an_interrupted_apply_resumes_from_the_same_plan(
        desired in desired(),
        before in observed(),
        steps in 0usize..6,
        allowed in permissions(),
    ) {
        let plan = diff_desired(&desired, &before, &allowed);
        let mut straight = before.clone();
        run(&plan, &mut straight, usize::MAX);
        let mut resumed = before;
        run(&plan, &mut resumed, steps);
        run(&plan, &mut resumed, usize::MAX);
        prop_assert_eq!(resumed, straight);
    }

    #[test]
    fn topics_are_only_added_and_only_grow(desired in desired(), before in observed()) {
        let allowed = Permissions::none();
        // files that are as rendered go freely
        let desired = Desired { folder: None, ..desired };
        let plan = diff_desired(&desired, &before, &allowed);
        prop_assert_eq!(plan.summary().destroy, 0);
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);
        for (alias, cluster) in &before.clusters {
            for (name, topic) in &cluster.topics {
                let now = &after.clusters[alias].topics[name];
                prop_assert_eq!(&now.id, &topic.id);
                prop_assert!(now.partitions >= topic.partitions);
                let declared = desired.clusters.get(alias).and_then(|c| c.topics.get(name));
                let moves = declared.is_some_and(|it| it.replication_factor.is_some() || !it.placement.is_any());
                if !moves {
                    prop_assert_eq!(&now.placement[..topic.placement.len()], &topic.placement[..]);
                }
                match declared {
                    None => prop_assert_eq!(now, topic),
                    Some(declared) => {
                        if topic.internal || declared.guard != Guard::Allowed {
                            prop_assert_eq!(now, topic);
                        }
                        for (key, value) in &topic.configs {
                            let recorded = before.clusters[alias].recorded.get(&format!("topic.{alias}.{name}"));
                            let was_ours = recorded.is_some_and(|it| it.configs.contains_key(key));
                            if !declared.configs.contains_key(key) && !was_ours {
                                prop_assert_eq!(&now.configs[key], value);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn decreases_are_always_refused_and_moves_reach_the_declared_factor(
        desired in desired(),
        observed in observed(),
        allowed in permissions(),
    ) {
        for change in diff_desired(&desired, &observed, &allowed).resource_changes {
            let blocked = |code| change.blocked.iter().any(|block| block.code == code);
            if let Resource::Topic(Change::Update { before, after }) = &change.resource {
                if after.partitions < before.partitions {
                    prop_assert!(
                        blocked(BlockCode::PartitionDecrease) || blocked(BlockCode::NoPartitions)
                    );
                }
                if change.impact.is_some() && !change.is_blocked() {
                    let alias = change.home.cluster().expect("a topic is on a cluster");
                    let declared = &desired.clusters[alias].topics[&change.name];
                    prop_assert!(!after.assignment.is_empty());
                    prop_assert!(declared.replication_factor.is_some() || !declared.placement.is_any());
                    let live = &observed.clusters[alias].topics[&change.name];
                    for (index, replicas) in &after.assignment {
                        let there = live.placement[*index as usize].replicas.len();
                        let fits = match declared.replication_factor {
                            Some(factor) => replicas.len() == usize::from(factor),
                            // as many as on the way, or as there are where that way leads to brokers that are down
                            None => [before.assignment[index].len(), there].contains(&replicas.len()),
                        };
                        prop_assert!(fits, "{:?}", replicas);
                    }
                    prop_assert!(after.assignment.keys().eq(before.assignment.keys()));
                }
            }
        }
    }

    #[test]
    fn a_plan_survives_json(
        desired in desired(),
        observed in observed(),
        allowed in permissions(),
    ) {
        let plan = diff_desired(&desired, &observed, &allowed);
        let json = plan.to_json().expect("JSON");
        prop_assert_eq!(&serde_json::from_str::<Plan>(&json).expect("a plan"), &plan);
        prop_assert_eq!(diff_desired(&desired, &observed, &allowed).to_json().expect("JSON"), json);
    }

    #[test]
    fn nothing_is_deleted_that_was_not_permitted_asked_for_ours_and_unused(
        desired in desired(),
        before in observed(),
        allowed in permissions(),
    ) {
        let plan = diff_desired(&desired, &before, &allowed);
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);
        for (alias, cluster) in &before.clusters {
            access::only_what_was_permitted(alias, &desired.clusters, &allowed, cluster, &after.clusters[alias])?;
            mirrors::only_what_was_permitted(desired.clusters.get(alias), &allowed, cluster, &after.clusters[alias])?;
            for (name, topic) in &cluster.topics {
                if after.clusters[alias].topics.contains_key(name) {
                    continue;
                }
                let address = format!("topic.{alias}.{name}");
                let declared = &desired.clusters[alias];
                prop_assert!(declared.allow.delete_topics);
                prop_assert!(!declared.topics.contains_key(name));
                prop_assert!(allowed.may_destroy(&address));
                prop_assert!(!cluster.recorded[&address].prevent_destroy);
                prop_assert!(!topic.internal && name != "__consumer_offsets");
                let usage = topic.usage.clone().unwrap_or_default();
                prop_assert!(!usage.written_recently && usage.active_groups.is_empty());
            }
        }
    }
}
