//! `diff`, case by case.

use plan::BlockCode::{
    InternalTopic, MinInsyncReplicas, NoPartitions, NotObserved, PartitionDecrease, ProtectedTopic,
    ReadOnlyConfig, ReassignmentUnderWay, ReplicationFactorImpossible, UnknownConfig,
    UnmanagedTopic, WrongCluster,
};
use plan::{
    Action, BlockCode, DesiredMirror, DesiredTopic, Guard, MirrorRecord, Observed, ObservedMirror,
    ObservedTopic, Recorded, RecordedAccess, ResourceChange, Risk, Summary, Underway,
};
use std::collections::{BTreeMap, BTreeSet};

use crate::fixture::{declared, desired, everything, live, observed, planned};

fn change_of(declared: DesiredTopic, live: Option<ObservedTopic>) -> ResourceChange {
    let live = live.into_iter().map(|live| ("t", live)).collect();
    let plan = planned(&desired(vec![("t", declared)]), &observed(live));
    assert_eq!(plan.resource_changes.len(), 1);
    plan.resource_changes.into_iter().next().unwrap()
}

fn codes(change: &ResourceChange) -> Vec<BlockCode> {
    change.blocked.iter().map(|block| block.code).collect()
}

struct Case {
    name: &'static str,
    declared: DesiredTopic,
    live: Option<ObservedTopic>,
    action: Action,
    risk: Risk,
    blocked: &'static [BlockCode],
}

#[test]
fn one_change_at_a_time() {
    let case = |name, declared, live, action, risk, blocked| Case {
        name,
        declared,
        live,
        action,
        risk,
        blocked,
    };
    let (noop, create, update) = (Action::NoOp, Action::Create, Action::Update);
    let (safe, irreversible, destroys) = (Risk::Safe, Risk::Irreversible, Risk::DestroysData);
    let partitions = |count| declared(Some(count), None, &[]);
    let factor = |factor| declared(None, Some(factor), &[]);
    let config = |key, value| declared(None, None, &[(key, value)]);
    let six = || Some(live(6, 3, &[]));
    let cases = [
        case("absent", partitions(6), None, create, safe, &[]),
        case(
            "absent, all left to the brokers",
            declared(None, None, &[]),
            None,
            create,
            safe,
            &[],
        ),
        case("equal", partitions(6), six(), noop, safe, &[]),
        case(
            "nothing declared",
            declared(None, None, &[]),
            six(),
            noop,
            safe,
            &[],
        ),
        case("growth", partitions(12), six(), update, irreversible, &[]),
        case(
            "decrease",
            partitions(3),
            six(),
            update,
            safe,
            &[PartitionDecrease],
        ),
        case(
            "to none",
            partitions(0),
            six(),
            update,
            safe,
            &[NoPartitions],
        ),
        case(
            "of none",
            partitions(0),
            None,
            create,
            safe,
            &[NoPartitions],
        ),
        case(
            "fewer replicas",
            factor(2),
            six(),
            update,
            Risk::MovesData,
            &[],
        ),
        case(
            "more replicas than brokers",
            factor(4),
            six(),
            update,
            Risk::MovesData,
            &[ReplicationFactorImpossible],
        ),
        case(
            "more replicas",
            factor(3),
            Some(live(6, 2, &[])),
            update,
            Risk::MovesData,
            &[],
        ),
        case(
            "no replica of three",
            factor(0),
            six(),
            update,
            Risk::MovesData,
            &[ReplicationFactorImpossible],
        ),
        case(
            "fewer replicas than must be in sync",
            factor(2),
            Some(live(6, 3, &[("min.insync.replicas", "2")])),
            update,
            Risk::MovesData,
            &[MinInsyncReplicas],
        ),
        case(
            "fewer replicas, of which fewer must be in sync",
            declared(None, Some(2), &[("min.insync.replicas", "1")]),
            Some(live(6, 3, &[("min.insync.replicas", "2")])),
            update,
            Risk::MovesData,
            &[],
        ),
        case(
            "more replicas, of which more must be in sync",
            declared(None, Some(3), &[("min.insync.replicas", "2")]),
            Some(live(6, 1, &[])),
            update,
            Risk::MovesData,
            &[],
        ),
        case(
            "more replicas, of which all must be in sync",
            declared(None, Some(3), &[("min.insync.replicas", "3")]),
            Some(live(6, 1, &[])),
            update,
            Risk::MovesData,
            &[MinInsyncReplicas],
        ),
        case(
            "too many replicas",
            factor(4),
            None,
            create,
            safe,
            &[ReplicationFactorImpossible],
        ),
        case(
            "no replica",
            factor(0),
            None,
            create,
            safe,
            &[ReplicationFactorImpossible],
        ),
        case(
            "as the default",
            config("retention.ms", "604800000"),
            six(),
            noop,
            safe,
            &[],
        ),
        case(
            "same number",
            config("retention.ms", "0604800000"),
            six(),
            noop,
            safe,
            &[],
        ),
        case(
            "longer",
            config("retention.ms", "604800001"),
            six(),
            update,
            safe,
            &[],
        ),
        case(
            "shorter",
            config("retention.ms", "604799999"),
            six(),
            update,
            destroys,
            &[],
        ),
        case(
            "compact",
            config("cleanup.policy", "compact"),
            six(),
            update,
            destroys,
            &[],
        ),
        case(
            "unknown key",
            config("retention.mss", "1"),
            six(),
            update,
            safe,
            &[UnknownConfig],
        ),
        case(
            "unknown key, absent",
            config("no.such", "1"),
            None,
            create,
            safe,
            &[UnknownConfig],
        ),
        case(
            "min ISR 2 of 3",
            config("min.insync.replicas", "2"),
            six(),
            update,
            safe,
            &[],
        ),
        case(
            "min ISR 3 of 3",
            config("min.insync.replicas", "3"),
            six(),
            update,
            safe,
            &[MinInsyncReplicas],
        ),
        case(
            "min ISR 3 of 3, absent",
            declared(None, Some(3), &[("min.insync.replicas", "3")]),
            None,
            create,
            safe,
            &[MinInsyncReplicas],
        ),
        case(
            "min ISR that is there already is not ours to refuse",
            config("min.insync.replicas", "3"),
            Some(live(6, 3, &[("min.insync.replicas", "3")])),
            noop,
            safe,
            &[],
        ),
        case(
            "list in another order",
            config("cleanup.policy", "delete,compact"),
            Some(live(6, 3, &[("cleanup.policy", "compact,delete")])),
            noop,
            safe,
            &[],
        ),
    ];
    for Case {
        name,
        declared,
        live,
        action,
        risk,
        blocked,
    } in cases
    {
        let change = change_of(declared, live);
        assert_eq!(change.action(), action, "{name}: action");
        assert_eq!(change.risk, risk, "{name}: risk");
        assert_eq!(codes(&change), blocked, "{name}: blocked");
    }
}

/// What the cluster remembers of a move of the topic `t`.
fn remembering(assignment: &[(u32, &[i32])]) -> Underway {
    Underway {
        limited: BTreeSet::from([1, 2, 3]),
        assignment: assignment
            .iter()
            .map(|(index, replicas)| (*index, replicas.to_vec()))
            .collect(),
    }
}

#[test]
fn what_moves_says_what_that_asks_of_the_cluster() {
    let change = change_of(declared(None, Some(3), &[]), Some(live(6, 1, &[])));
    let impact = change.impact.clone().unwrap();
    assert_eq!(impact.partitions, 6);
    assert_eq!(impact.bytes, Some(12 * 1_500_000_000));
    // five partitions at once, then one; no broker gets more than four copies of the first five
    assert!(
        impact.seconds.unwrap() >= 18_000_000_000 / 3 / 20_000_000,
        "{impact:?}"
    );
    assert_eq!(impact.active_groups, ["billing"]);
    let after = topic_change(&change).after().unwrap();
    assert!(
        after
            .assignment
            .values()
            .all(|replicas| replicas.len() == 3)
    );
    assert_eq!(topic_change(&change).before().unwrap().assignment[&1], [2]);

    let decrease = change_of(declared(None, Some(2), &[]), Some(live(6, 3, &[])));
    assert_eq!(decrease.impact.unwrap().bytes, Some(0));
}

#[test]
fn a_move_of_somebody_else_is_refused_and_one_of_ours_goes_on() {
    let mut topic = live(2, 1, &[]);
    topic.placement[0].moving_to = Some(vec![1, 2, 3]);
    let wanted = desired(vec![("t", declared(None, Some(3), &[]))]);
    let mut found = observed(vec![("t", topic)]);
    let plan = planned(&wanted, &found);
    assert_eq!(codes(&plan.resource_changes[0]), [ReassignmentUnderWay]);

    let cluster = found.clusters.get_mut("onprem").unwrap();
    let ours = remembering(&[(0, &[1, 2, 3])]);
    cluster.underway.insert("topic.onprem.t".to_owned(), ours);
    let plan = planned(&wanted, &found);
    let change = &plan.resource_changes[0];
    assert_eq!(codes(change), []);
    let after = topic_change(change).after().unwrap();
    assert_eq!(after.assignment[&0], [1, 2, 3]);
    assert_eq!(plan.left_behind, [], "its throttles go when it is over");
}

#[test]
fn throttles_that_were_left_are_taken_away_although_nothing_else_is_to_do() {
    let wanted = desired(vec![("t", declared(None, Some(3), &[]))]);
    let mut found = observed(vec![("t", live(2, 3, &[]))]);
    let cluster = found.clusters.get_mut("onprem").unwrap();
    let gone = remembering(&[]);
    cluster.underway.insert("topic.onprem.t".to_owned(), gone);
    let plan = planned(&wanted, &found);
    assert!(plan.has_changes());
    assert_eq!(plan.left_behind.len(), 1);
    assert_eq!(plan.resource_changes[0].action(), Action::NoOp);
    assert_eq!(plan.clone().only(|_| false).left_behind, []);
    assert_eq!(plan.clone().only(|_| true), plan);
}

#[test]
fn guarded_topics_stay_as_they_are() {
    for (guard, code) in [
        (Guard::Protected("t".to_owned()), ProtectedTopic),
        (Guard::Unmanaged("pay\\..*".to_owned()), UnmanagedTopic),
    ] {
        let mut wanted = declared(Some(12), None, &[]);
        wanted.guard = guard;
        assert_eq!(codes(&change_of(wanted.clone(), None)), [code]);
        assert_eq!(
            codes(&change_of(wanted.clone(), Some(live(6, 3, &[])))),
            [code]
        );
        let unchanged = change_of(wanted, Some(live(12, 3, &[])));
        assert_eq!(codes(&unchanged), [], "nothing to do, nothing to refuse");
    }
}

#[test]
fn kafkas_own_topics_stay_as_they_are() {
    let mut internal = live(6, 3, &[]);
    internal.internal = true;
    let change = change_of(declared(Some(12), None, &[]), Some(internal));
    assert_eq!(codes(&change), [InternalTopic]);

    let offsets = vec![("__consumer_offsets", declared(Some(12), None, &[]))];
    let plan = planned(&desired(offsets), &observed(vec![]));
    assert_eq!(
        codes(&plan.resource_changes[0]),
        [InternalTopic],
        "before it exists, too"
    );
}

#[test]
fn a_read_only_key_is_refused_and_a_hidden_one_is_not_compared() {
    let mut fixed = live(6, 3, &[]);
    fixed.configs.get_mut("segment.bytes").unwrap().read_only = true;
    let change = change_of(declared(None, None, &[("segment.bytes", "1")]), Some(fixed));
    assert_eq!(codes(&change), [ReadOnlyConfig]);

    let mut hidden = live(6, 3, &[]);
    let entry = hidden.configs.get_mut("segment.bytes").unwrap();
    (entry.sensitive, entry.value) = (true, None);
    let change = change_of(
        declared(None, None, &[("segment.bytes", "1")]),
        Some(hidden),
    );
    assert_eq!(change.action(), Action::NoOp);
    assert_eq!(change.notes.len(), 1);
}

#[test]
fn what_is_set_but_not_declared_is_reported_and_left() {
    let found = live(
        6,
        3,
        &[("segment.bytes", "1048576"), ("retention.ms", "1000")],
    );
    let change = change_of(
        declared(None, None, &[("retention.ms", "1000")]),
        Some(found),
    );
    assert_eq!(change.action(), Action::NoOp);
    let unmanaged: Vec<_> = change.unmanaged.into_iter().collect();
    assert_eq!(
        unmanaged,
        [("segment.bytes".to_owned(), "1048576".to_owned())]
    );
}

#[test]
fn topics_that_nobody_declared_are_not_in_the_plan() {
    let plan = planned(&desired(vec![]), &observed(vec![("t", live(6, 3, &[]))]));
    assert_eq!(plan.resource_changes, []);
    assert!(!plan.has_changes());
}

#[test]
fn before_is_what_was_read_and_after_what_will_be() {
    let wanted = declared(
        Some(12),
        None,
        &[("retention.ms", "1000"), ("segment.bytes", "5")],
    );
    let found = live(6, 3, &[("segment.bytes", "5")]);
    let change = change_of(wanted, Some(found.clone()));
    let (before, after) = (
        topic_change(&change).before().unwrap(),
        topic_change(&change).after().unwrap(),
    );
    assert_eq!(before.topic_id.as_deref(), Some(found.id.as_str()));
    assert_eq!((before.partitions, after.partitions), (Some(6), Some(12)));
    assert_eq!(
        (before.replication_factor, after.replication_factor),
        (Some(3), Some(3))
    );
    let value = |state: &plan::TopicState, key: &str| state.configs[key].clone().unwrap();
    assert_eq!(value(before, "retention.ms"), "604800000");
    assert_eq!(value(after, "retention.ms"), "1000");
    assert_eq!(
        value(before, "segment.bytes"),
        value(after, "segment.bytes")
    );
    assert_eq!(before.configs.len(), 2, "declared keys only");
}

#[test]
fn the_wrong_cluster_and_an_unseen_one_are_refused() {
    let mut wanted = desired(vec![("t", declared(Some(1), Some(9), &[]))]);
    let unseen = planned(&wanted, &Observed::default());
    assert_eq!(codes(&unseen.resource_changes[0]), [NotObserved]);

    wanted.clusters.get_mut("onprem").unwrap().cluster_id = Some("another-id".to_owned());
    let wrong = planned(&wanted, &observed(vec![("t", live(6, 3, &[]))]));
    assert!(codes(&wrong.resource_changes[0]).contains(&WrongCluster));
}

#[test]
fn rules_limits_and_logins_of_the_wrong_cluster_and_of_an_unseen_one_are_refused() {
    let (mut wanted, observed) = everything();
    let onprem = wanted.clusters.get_mut("onprem").unwrap();
    onprem.cluster_id = Some("another-id".to_owned());
    onprem.topics.clear();
    wanted.clusters.remove("aws");
    let unseen = planned(&wanted, &Observed::default());
    assert_eq!(unseen.resource_changes.len(), 6);
    for change in &unseen.resource_changes {
        assert_eq!(codes(change), [NotObserved], "{}", change.address);
    }
    let wrong = planned(&wanted, &observed);
    let changed = wrong.resource_changes.iter();
    let changed: Vec<&ResourceChange> = changed
        .filter(|change| change.action() != Action::NoOp)
        .collect();
    assert!(changed.len() >= 7, "{}", changed.len());
    for change in changed {
        assert_eq!(codes(change)[0], WrongCluster, "{}", change.address);
    }
}

#[test]
fn summary_counts_each_change_once() {
    let (desired, observed) = everything();
    let plan = planned(&desired, &observed);
    assert_eq!(
        plan.summary(),
        Summary {
            add: 6,
            change: 9,
            destroy: 1,
            blocked: 6
        }
    );
    assert_eq!(plan.summary, plan.summary());
    assert!(plan.has_changes());
    assert!(plan.is_blocked());
    let places: Vec<(&str, &str)> = plan
        .resource_changes
        .iter()
        .map(|change| {
            (
                change.home.cluster().unwrap_or("~"),
                change.address.as_str(),
            )
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

/// Whoever changes the file knows why the record differs; nobody else changed anything.
#[test]
fn a_source_that_is_declared_otherwise_is_no_drift() {
    let running = topology::MirrorState::Running;
    let source = |alias: &str| -> BTreeMap<String, Option<String>> {
        [(alias.to_owned(), Some("dc-id".to_owned()))].into()
    };
    for (declared_last, drift) in [("dc-old", false), ("dc", true)] {
        let mut desired = desired(Vec::new());
        let mirror = DesiredMirror {
            state: running,
            sources: source("dc"),
        };
        let cluster = desired.clusters.get_mut("onprem").unwrap();
        cluster.mirrors.insert("pay".to_owned(), mirror);
        let mut observed = observed(Vec::new());
        let live = observed.clusters.get_mut("onprem").unwrap();
        let mirror = ObservedMirror {
            record: MirrorRecord {
                state: Some(running),
                sources: source("dc-old"),
            },
            ..ObservedMirror::default()
        };
        live.mirrors.insert("pay".to_owned(), mirror);
        let recorded = Recorded {
            access: Some(RecordedAccess::Mirror {
                state: running,
                sources: source(declared_last),
            }),
            ..Recorded::default()
        };
        live.recorded.insert("mirror.pay".to_owned(), recorded);
        let plan = planned(&desired, &observed);
        let change = &plan.resource_changes[0];
        assert_eq!(change.action(), Action::Update, "{change:#?}");
        assert_eq!(change.is_drift(), drift, "{change:#?}");
        assert_eq!(change.reason.starts_with("drifted"), drift, "{change:#?}");
    }
}

fn topic_change(change: &ResourceChange) -> &plan::Change<plan::TopicState> {
    let plan::Resource::Topic(topic) = &change.resource else {
        panic!("not a topic: {change:?}")
    };
    topic
}
