//! Topics that a declared mirror reads or fills are not deleted.

use std::collections::BTreeMap;

use plan::{
    BlockCode, Desired, MirrorRecord, Observed, ObservedCluster, ObservedMirror, Permissions, Plan,
    Recorded,
};
use topology::{MirrorState, Topology};

use crate::fixture::live;

const SELECTED: &str = "the mirror `pay` copies from it: have the mirror select it no longer (`topicsPattern`, or \
                        `topicsExcludePattern`) and its replicator read that, or take the mirror out of the topology";

/// A mirror from `left` to `right`, and what else its entry says.
fn topology(mirror: &str) -> Topology {
    let allow = "allow: {deleteTopics: true, deleteMirrors: true}";
    let text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {{alias: left, bootstrapServers: [\"h:1\"], {allow}}}\n\
         - {{alias: right, bootstrapServers: [\"h:2\"], {allow}}}\n\
         mirrors:\n- {{name: pay, source: left, target: right, topicsPattern: 'pay\\..*', {mirror}}}\n"
    );
    topology::parse("t.yaml", &text).unwrap().topology
}

/// Both clusters have these topics, of which the topology declares none any more, and `right` this record of the mirror.
fn observed(names: &[&str], record: Option<MirrorState>) -> Observed {
    let cluster = |alias: &str| ObservedCluster {
        cluster_id: alias.to_owned(),
        topics: names
            .iter()
            .map(|name| ((*name).to_owned(), live(1, 1, &[])))
            .collect(),
        recorded: names
            .iter()
            .map(|name| (format!("topic.{alias}.{name}"), Recorded::default()))
            .collect(),
        ..ObservedCluster::default()
    };
    let (left, mut right) = (cluster("left"), cluster("right"));
    let record = record.map(|state| ObservedMirror {
        record: MirrorRecord {
            state: Some(state),
            ..MirrorRecord::default()
        },
        ..ObservedMirror::default()
    });
    if let Some(record) = record {
        right.mirrors.insert("pay".to_owned(), record);
        right
            .recorded
            .insert("mirror.pay".to_owned(), Recorded::default());
    }
    Observed {
        clusters: [("left".to_owned(), left), ("right".to_owned(), right)].into(),
        ..Observed::default()
    }
}

/// The refused topics with why; all that is deleted is asked for.
fn refused(desired: &Desired, observed: &Observed) -> BTreeMap<String, String> {
    let everything = |plan: Plan| plan.resource_changes.into_iter().map(|it| it.address);
    let plan = plan::diff_desired(desired, observed, &Permissions::none());
    let allowed = Permissions::to_destroy(everything(plan));
    let plan = plan::diff_desired(desired, observed, &allowed);
    let changes = plan.resource_changes.into_iter();
    changes
        .filter(|change| change.address.starts_with("topic."))
        .flat_map(|change| {
            change
                .blocked
                .into_iter()
                .map(move |it| (change.address.clone(), it))
        })
        .map(|(address, block)| {
            assert_eq!(block.code, BlockCode::MirroredTopic, "{block:?}");
            (address, block.message)
        })
        .collect()
}

fn addresses(mirror: &str, names: &[&str], record: Option<MirrorState>) -> Vec<String> {
    let desired = Desired::from(&topology(mirror));
    refused(&desired, &observed(names, record))
        .into_keys()
        .collect()
}

#[test]
fn what_a_mirror_reads_and_what_it_fills_stays() {
    let names = ["pay.a", "left.pay.a", "left.bill", "bill"];
    let both = ["topic.left.pay.a", "topic.right.left.pay.a"];
    assert_eq!(addresses("state: running", &names, None), both);
    assert_eq!(addresses("state: paused", &names, None), both);
    assert_eq!(
        addresses("topicsExcludePattern: 'pay\\.a'", &names, None),
        Vec::<String>::new()
    );
    let desired = Desired::from(&topology("state: running"));
    let why = refused(&desired, &observed(&names, None));
    assert_eq!(why["topic.left.pay.a"], SELECTED);
    let fills = &why["topic.right.left.pay.a"];
    assert!(
        fills.starts_with("the mirror `pay` copies `pay.a` of left into it: "),
        "{fills}"
    );
}

#[test]
fn every_way_to_name_a_topic_on_the_target_is_followed_back() {
    for (policy, name) in [
        ("{type: identity}", "pay.a"),
        ("{type: prefix, prefix: dc1_}", "dc1_pay.a"),
        ("{type: default, separator: '-'}", "left-pay.a"),
        (
            "{type: rename, rules: [{from: 'pay\\.(.*)', to: 'billing.$1'}]}",
            "billing.a",
        ),
    ] {
        let mirror = format!("replicationPolicy: {policy}");
        let found = addresses(&mirror, &["pay.a", "other", name], None);
        assert_eq!(
            found,
            ["topic.left.pay.a".to_owned(), format!("topic.right.{name}")]
        );
    }
}

#[test]
fn a_promoted_mirror_holds_nothing_once_that_was_applied() {
    let (names, nothing) = (["pay.a"], Vec::<String>::new());
    let held = |state: &str, record| addresses(&format!("state: {state}"), &names, record);
    assert_eq!(held("promoted", None), nothing);
    assert_eq!(held("promoted", Some(MirrorState::Promoted)), nothing);
    assert_eq!(
        held("promoted", Some(MirrorState::Running)),
        ["topic.left.pay.a"]
    );
    let desired = Desired::from(&topology("state: promoted"));
    let why = refused(&desired, &observed(&names, Some(MirrorState::Running)));
    assert_eq!(
        why["topic.left.pay.a"],
        "the mirror `pay` copies from it: apply its promotion first, and let it come to its end"
    );
}

#[test]
fn a_mirror_that_is_destroyed_with_its_topics_does_not_hold_them() {
    let desired = Desired::from(&topology("state: running")).without(|_| true);
    let running = observed(&["pay.a"], Some(MirrorState::Running));
    assert!(refused(&desired, &running).is_empty());
    // without a record nothing tells its replicator to stop
    let unapplied = observed(&["pay.a"], None);
    assert_eq!(refused(&desired, &unapplied)["topic.left.pay.a"], SELECTED);
    let mut kept = desired;
    if let Some(right) = kept.clusters.get_mut("right") {
        right.allow.delete_mirrors = false;
    }
    assert_eq!(refused(&kept, &running)["topic.left.pay.a"], SELECTED);
}
