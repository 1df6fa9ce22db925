//! What is taken out of the topology: keys go back to the default, topics go when that is permitted.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::{GroupMemberView, GroupView};
use plan::{Action, ApplyError, BlockCode, Permissions, Plan, RecordChange};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use topology::Topology;

use crate::bench::{Bench, topic, write_as_of};

fn permitting(bench: &Bench, topics: Vec<topology::Topic>) -> Topology {
    let mut topology = bench.topology(topics);
    for cluster in &mut topology.clusters {
        cluster.allow.delete_topics = true;
    }
    topology
}

async fn planned(bench: &Bench, topology: &Topology, destroy: &[&str]) -> Plan {
    let observed = plan::observe(topology, &bench.clients).await.unwrap();
    let allowed = Permissions::to_destroy(destroy.iter().map(|address| (*address).to_owned()));
    plan::diff(topology, &observed, &allowed)
}

fn blocked(plan: &Plan, address: &str) -> Vec<BlockCode> {
    let change = plan
        .resource_changes
        .iter()
        .find(|change| change.address == address);
    change
        .unwrap()
        .blocked
        .iter()
        .map(|block| block.code)
        .collect()
}

#[tokio::test]
async fn a_dropped_key_goes_back_to_the_default_and_a_foreign_one_stays() {
    let bench = Bench::start().await;
    let retention = |configs: &[(&str, &str)]| vec![topic("t", &["left"], Some(1), configs)];
    bench.settle(retention(&[("retention.ms", "60000")])).await;
    bench.meddle("left", "t", "segment.bytes", "1048576").await;
    let default = bench.config("left", "t", "max.message.bytes").await;
    assert!(default.is_some());

    let plan = bench.plan(retention(&[])).await;
    let change = &plan.resource_changes[0];
    assert_eq!(change.action(), Action::Update);
    assert_eq!(change.details[0].attribute, "config.retention.ms");
    assert_eq!(change.details[0].after, None);
    bench.settle(retention(&[])).await;
    let described = bench.config("left", "t", "retention.ms").await;
    assert_eq!(described.as_deref(), Some("604800000"));
    let foreign = bench.config("left", "t", "segment.bytes").await;
    assert_eq!(foreign.as_deref(), Some("1048576"));
}

#[tokio::test]
async fn a_key_that_somebody_changed_after_the_plan_is_not_reset() {
    let bench = Bench::start().await;
    let retention = |configs: &[(&str, &str)]| vec![topic("t", &["left"], Some(1), configs)];
    bench.settle(retention(&[("retention.ms", "60000")])).await;
    let plan = bench.plan(retention(&[])).await;
    bench.meddle("left", "t", "retention.ms", "70000").await;
    let error = bench.apply(&plan).await.unwrap_err();
    assert!(matches!(error, ApplyError::Stale { .. }), "{error}");
    let kept = bench.config("left", "t", "retention.ms").await;
    assert_eq!(kept.as_deref(), Some("70000"));
}

#[tokio::test]
async fn a_dropped_topic_goes_only_when_permitted_and_asked_for() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("old", &["left"], Some(2), &[])])
        .await;
    let address = "topic.left.old";

    // not permitted by the topology: shown, and left
    let plan = bench.plan(vec![]).await;
    assert!(!plan.has_changes());
    assert!(plan.resource_changes[0].notes[0].contains("declared no longer"));

    let topology = permitting(&bench, vec![]);
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!(blocked(&plan, address), [BlockCode::DestroyNotAllowed]);
    let error = bench.apply(&plan).await.unwrap_err();
    assert!(matches!(error, ApplyError::Blocked { .. }), "{error}");
    assert_eq!(bench.topics("left"), ["old"]);

    let plan = planned(&bench, &topology, &[address]).await;
    assert_eq!(plan.summary().destroy, 1);
    assert_eq!(
        bench.apply(&plan).await.unwrap().applied,
        [address.to_owned()]
    );
    assert_eq!(bench.topics("left"), Vec::<String>::new());
    let again = planned(&bench, &topology, &[]).await;
    assert!(again.resource_changes.is_empty() && again.forget.is_empty());
}

fn named(mut topology: Topology, name: &str) -> Topology {
    topology.name = Some(name.to_owned());
    topology
}

#[tokio::test]
async fn a_topic_that_another_topology_declared_as_precious_is_not_made_deletable_by_declaring_it_again()
 {
    let bench = Bench::start().await;
    let mut precious = topic("old", &["left"], Some(1), &[]);
    precious.prevent_destroy = true;
    let owner = named(bench.topology(vec![precious.clone()]), "owner");
    bench
        .apply(&planned(&bench, &owner, &[]).await)
        .await
        .unwrap();
    let address = "topic.left.old";

    let deletable = || vec![topic("old", &["left"], Some(1), &[])];
    let other = named(permitting(&bench, deletable()), "other");
    let taking = planned(&bench, &other, &[]).await;
    assert_eq!(blocked(&taking, address), [BlockCode::PreventDestroy]);
    let notes = &taking.resource_changes[0].notes;
    assert!(notes.is_empty(), "it is not taken over: {notes:?}");
    assert!(bench.apply(&taking).await.is_err());
    assert!(!planned(&bench, &owner, &[]).await.has_changes());
    // declared as precious here, too, or asked for by its address
    let too = named(permitting(&bench, vec![precious]), "other");
    assert!(!planned(&bench, &too, &[]).await.is_blocked());
    assert!(!planned(&bench, &other, &[address]).await.is_blocked());
    // within one topology it is its own to say
    let changed = named(permitting(&bench, deletable()), "owner");
    assert!(!planned(&bench, &changed, &[]).await.is_blocked());
}

/// As if the cluster `left` had another alias.
fn renamed(mut topology: Topology, alias: &str) -> Topology {
    for topic in &mut topology.topics {
        topic.clusters = vec![alias.to_owned()];
    }
    alias.clone_into(&mut topology.clusters[0].alias);
    topology
}

#[tokio::test]
async fn what_a_cluster_remembers_does_not_hang_on_what_a_topology_calls_it() {
    let mut bench = Bench::start().await;
    let prod = bench.clients["left"].clone();
    bench.clients.insert("prod".to_owned(), prod);
    let kept = || topic("kept", &["left"], Some(1), &[]);
    bench
        .settle(vec![kept(), topic("old", &["left"], Some(1), &[])])
        .await;

    let only_kept = renamed(permitting(&bench, vec![kept()]), "prod");
    let address = "topic.prod.old";
    let plan = planned(&bench, &only_kept, &[]).await;
    let of = |change: &plan::ResourceChange| (change.address.clone(), change.record.clone());
    assert_eq!(
        of(&plan.resource_changes[0]),
        ("topic.prod.kept".to_owned(), None),
        "remembered as it is"
    );
    assert_eq!(blocked(&plan, address), [BlockCode::DestroyNotAllowed]);
    let plan = planned(&bench, &only_kept, &[address]).await;
    bench.apply(&plan).await.unwrap();
    assert_eq!(bench.topics("left"), ["kept"]);
    let again = planned(&bench, &bench.topology(vec![kept()]), &[]).await;
    assert!(
        !again.has_changes() && again.forget.is_empty(),
        "{again:#?}"
    );

    // and another topology that calls it otherwise sees whose it is
    let one = named(bench.topology(vec![kept()]), "one");
    bench
        .apply(&planned(&bench, &one, &[]).await)
        .await
        .unwrap();
    let other = named(renamed(bench.topology(vec![kept()]), "prod"), "other");
    let plan = planned(&bench, &other, &[]).await;
    let notes = &plan.resource_changes[0].notes;
    assert_eq!(
        notes,
        &["the topology `one` declares it too, or did; this apply takes it over"]
    );
    let kept = ["topic.prod.kept".to_owned()];
    let refused = plan::forget(&bench.clients, None, Some("other"), &kept).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("topic.prod.kept (`one`)")
    );
}

#[tokio::test]
async fn a_topic_that_is_written_is_not_deleted_and_a_record_in_between_makes_the_plan_stale() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("old", &["left"], Some(1), &[])])
        .await;
    let (topology, address) = (permitting(&bench, vec![]), "topic.left.old");
    let plan = planned(&bench, &topology, &[address]).await;
    assert!(!plan.is_blocked());

    bench.write("left", "old").await;
    let error = bench.apply(&plan).await.unwrap_err();
    let ApplyError::Stale { differences, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        differences[0].to_string(),
        "end_offsets: expected 0, found 1"
    );
    let plan = planned(&bench, &topology, &[address]).await;
    assert_eq!(blocked(&plan, address), [BlockCode::RecordsArrive]);
    assert_eq!(bench.topics("left"), ["old"]);
}

#[tokio::test]
async fn records_of_long_ago_that_arrive_keep_a_topic_from_being_deleted() {
    let bench = Bench::start().await;
    let topics = ["idle", "old"].map(|name| topic(name, &["left"], Some(1), &[]));
    bench.settle(topics.to_vec()).await;
    let long_ago = Duration::from_hours(100_000);
    for name in ["idle", "old"] {
        write_as_of(&bench.clients["left"], name, long_ago).await;
    }
    let addresses = ["topic.left.idle", "topic.left.old"];
    let topology = permitting(&bench, vec![]);
    let (cluster, planned_it) = (&bench.clients["left"], CancellationToken::new());
    let backfill = async {
        while !planned_it.is_cancelled() {
            write_as_of(cluster, "old", long_ago).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let planning = async {
        let plan = planned(&bench, &topology, &addresses).await;
        planned_it.cancel();
        plan
    };
    let (plan, ()) = tokio::join!(planning, backfill);
    assert_eq!(blocked(&plan, addresses[0]), []);
    assert_eq!(blocked(&plan, addresses[1]), [BlockCode::RecordsArrive]);

    // and what arrives after the plan makes it stale, before anything is deleted
    let plan = planned(&bench, &topology, &addresses).await;
    assert!(!plan.is_blocked());
    write_as_of(&bench.clients["left"], "old", long_ago).await;
    let error = bench.apply(&plan).await.unwrap_err();
    assert!(matches!(error, ApplyError::Stale { .. }), "{error}");
    assert_eq!(bench.topics("left"), ["idle", "old"]);
}

#[tokio::test]
async fn a_topic_that_was_declared_with_prevent_destroy_stays_until_it_is_forgotten() {
    let bench = Bench::start().await;
    let mut precious = topic("old", &["left"], Some(1), &[]);
    precious.prevent_destroy = true;
    bench.settle(vec![precious]).await;
    let (topology, address) = (permitting(&bench, vec![]), "topic.left.old");
    let plan = planned(&bench, &topology, &[address]).await;
    assert_eq!(blocked(&plan, address), [BlockCode::PreventDestroy]);

    let addresses = [address.to_owned()];
    assert_eq!(
        plan::forget(&bench.clients, None, None, &addresses)
            .await
            .unwrap(),
        addresses
    );
    let plan = planned(&bench, &topology, &[address]).await;
    assert!(plan.resource_changes.is_empty());
    assert_eq!(bench.topics("left"), ["old"]);
    let error = plan::forget(&bench.clients, None, None, &addresses)
        .await
        .unwrap_err();
    assert!(error.to_string().contains(address), "{error}");
}

#[tokio::test]
async fn drift_is_told_from_what_the_topology_changed() {
    let bench = Bench::start().await;
    let declared = |retention| {
        vec![topic(
            "t",
            &["left"],
            Some(1),
            &[("retention.ms", retention)],
        )]
    };
    bench.settle(declared("60000")).await;
    bench.meddle("left", "t", "retention.ms", "70000").await;

    let drifted = bench.plan(declared("60000")).await;
    let change = &drifted.resource_changes[0];
    assert!(change.is_drift());
    assert_eq!(change.reason, "drifted: differs in retention.ms");
    // the topology asks for something else by now: its reason, and beside it what somebody else did
    let changed = bench.plan(declared("80000")).await;
    let change = &changed.resource_changes[0];
    assert!(change.is_drift());
    assert_eq!(change.reason, "differs in retention.ms");
    bench.settle(declared("60000")).await;
    let repaired = bench.config("left", "t", "retention.ms").await;
    assert_eq!(repaired.as_deref(), Some("60000"));
}

#[tokio::test]
async fn a_topic_that_is_as_declared_becomes_ours_without_a_change() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    let topics = || vec![topic("t", &["left"], Some(1), &[])];
    let plan = bench.plan(topics()).await;
    assert!(!plan.has_changes());
    assert!(matches!(
        plan.resource_changes[0].record,
        Some(RecordChange::Remember(_))
    ));
    bench.apply(&plan).await.unwrap();
    assert_eq!(bench.plan(topics()).await.resource_changes[0].record, None);
}

#[tokio::test]
async fn a_topic_that_a_group_reads_is_not_deleted() {
    let bench = Bench::start().await;
    bench
        .settle(vec![topic("old", &["left"], Some(1), &[])])
        .await;
    let (topology, address) = (permitting(&bench, vec![]), "topic.left.old");
    let member = |assigned: &[&str]| GroupMemberView {
        assigned: assigned
            .iter()
            .map(|topic| ((*topic).to_owned(), vec![0]))
            .collect(),
        ..GroupMemberView::default()
    };
    let committed = || BTreeMap::from([(("old".to_owned(), 0), 0)]);
    // nobody is in the one, and the other reads something else
    let gone = GroupView {
        committed: committed(),
        ..GroupView::default()
    };
    bench.left.put_group("gone", gone);
    let elsewhere = GroupView {
        members: vec![member(&["other"])],
        ..GroupView::default()
    };
    bench.left.put_group("elsewhere", elsewhere);
    let plan = planned(&bench, &topology, &[address]).await;
    assert!(!plan.is_blocked());

    let reads = GroupView {
        members: vec![member(&["old"])],
        ..GroupView::default()
    };
    bench.left.put_group("reads", reads);
    let error = bench.apply(&plan).await.unwrap_err();
    let ApplyError::Stale { differences, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        differences[0].to_string(),
        "active_groups: expected none, found reads"
    );
    let plan = planned(&bench, &topology, &[address]).await;
    assert_eq!(blocked(&plan, address), [BlockCode::GroupsActive]);
    assert!(
        plan.resource_changes[0].blocked[0]
            .message
            .contains("reads")
    );

    // a member that has committed offsets and nothing assigned just now reads it, too
    bench.left.remove_group("reads");
    let commits = GroupView {
        members: vec![member(&[])],
        committed: committed(),
        ..GroupView::default()
    };
    bench.left.put_group("commits", commits);
    let plan = planned(&bench, &topology, &[address]).await;
    assert_eq!(blocked(&plan, address), [BlockCode::GroupsActive]);
    assert_eq!(bench.topics("left"), ["old"]);
}
