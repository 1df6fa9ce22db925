//! Another replication factor: replicas move in batches, throttled, and the throttles go whatever becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use kafka::{ReassignmentTarget, TopicPartition};
use plan::{
    Action, Applicant, ApplyError, ApplyEvent, ApplyOptions, ApplySummary, BlockCode, FailureKind,
    Plan,
};
use tokio_util::sync::CancellationToken;
use topology::Topic;

use crate::bench::{Bench, topic};

const RATE: u64 = 1_000_000;
/// More than one batch.
const PARTITIONS: u32 = 7;

fn factor(factor: u16) -> Vec<Topic> {
    let mut topic = topic("t", &["left"], Some(PARTITIONS), &[]);
    topic.replication_factor = Some(factor);
    vec![topic]
}

fn options() -> ApplyOptions {
    ApplyOptions {
        reassignment_throttle: RATE,
        poll: Duration::from_millis(5),
        // nobody has this process id: who is killed here is known to be gone
        applicant: Applicant {
            who: "test@here".to_owned(),
            pid: u32::MAX,
            processes: "here".to_owned(),
        },
        ..ApplyOptions::default()
    }
}

/// How many replicas the partitions have that are where they shall be.
async fn factors(bench: &Bench) -> Vec<usize> {
    let topics = ["t".to_owned()];
    let metadata = bench.clients["left"].metadata_of(&topics).await.unwrap();
    let partitions = metadata.topics["t"].partitions.iter();
    partitions
        .map(|partition| partition.replicas.len())
        .collect()
}

/// Brokers that are limited, and whether the topic names replicas that the limits are for.
async fn throttled(bench: &Bench) -> (BTreeMap<i32, u64>, bool) {
    let client = &bench.clients["left"];
    let mut limits = BTreeMap::new();
    for broker in 1..=3 {
        let found = client.broker_throttle(broker).await.unwrap();
        assert_eq!(found.leader, found.follower);
        limits.extend(found.leader.map(|limit| (broker, limit)));
    }
    let mut named = false;
    for key in [
        "leader.replication.throttled.replicas",
        "follower.replication.throttled.replicas",
    ] {
        let value = bench.config("left", "t", key).await;
        named |= value.is_some_and(|value| !value.is_empty());
    }
    (limits, named)
}

fn nothing() -> (BTreeMap<i32, u64>, bool) {
    (BTreeMap::new(), false)
}

async fn under_way(bench: &Bench) -> usize {
    bench.clients["left"].reassignments().await.unwrap().len()
}

/// Applies, and does `meanwhile` when the first batch has begun.
async fn apply_and<F: Future>(
    bench: &Bench,
    plan: &Plan,
    cancel: &CancellationToken,
    options: ApplyOptions,
    meanwhile: impl FnOnce() -> F,
) -> Result<ApplySummary, ApplyError> {
    let apply = plan::apply_with(plan, &bench.clients, &options, &|_: &ApplyEvent| {}, cancel);
    let meanwhile = async {
        while under_way(bench).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        meanwhile().await;
    };
    tokio::join!(apply, meanwhile).0
}

async fn settled_with_one_replica() -> Bench {
    let bench = Bench::start().await;
    bench.settle(factor(1)).await;
    bench.write("left", "t").await;
    bench
}

#[tokio::test]
async fn one_then_three_then_two() {
    let bench = settled_with_one_replica().await;
    let plan = bench.plan(factor(3)).await;
    let change = &plan.resource_changes[0];
    assert!(!plan.is_blocked() && change.action() == Action::Update);
    let impact = change.impact.clone().unwrap();
    assert_eq!(impact.partitions, u64::from(PARTITIONS));
    assert!(impact.bytes.unwrap() > 0, "{impact:?}");

    let progress = Mutex::new(Vec::new());
    let observer = |event: &ApplyEvent| {
        if let ApplyEvent::ReassignmentProgress { done, of, .. } = event {
            progress.lock().unwrap().push((*done, *of));
        }
    };
    plan::apply_with(
        &plan,
        &bench.clients,
        &options(),
        &observer,
        &CancellationToken::new(),
    )
    .await
    .unwrap();
    assert_eq!(factors(&bench).await, [3; 7]);
    assert_eq!(throttled(&bench).await, nothing());
    let progress = progress.into_inner().unwrap();
    assert!(progress.is_sorted(), "{progress:?}");
    assert_eq!(progress.first(), Some(&(0, 7)));
    assert_eq!(progress.last(), Some(&(7, 7)));
    assert!(!bench.plan(factor(3)).await.has_changes());

    bench.settle(factor(2)).await;
    assert_eq!(factors(&bench).await, [2; 7]);
    assert_eq!(throttled(&bench).await, nothing());
    let metadata = bench.clients["left"].metadata_of(&["t".to_owned()]).await;
    let metadata = metadata.unwrap();
    let preferred: BTreeSet<i32> = metadata.topics["t"]
        .partitions
        .iter()
        .map(|it| it.replicas[0])
        .collect();
    assert_eq!(preferred, BTreeSet::from([1, 2, 3]), "leaders are spread");
}

#[tokio::test]
async fn copying_is_throttled_and_limits_of_others_stay() {
    let bench = settled_with_one_replica().await;
    let client = &bench.clients["left"];
    client.throttle_broker(2, 777).await.unwrap();
    bench.left.hold_reassignments();
    let plan = bench.plan(factor(3)).await;
    let cancel = CancellationToken::new();
    apply_and(&bench, &plan, &cancel, options(), || async {
        assert_eq!(under_way(&bench).await, 5, "a few at a time");
        let (limits, named) = throttled(&bench).await;
        assert_eq!(limits, BTreeMap::from([(1, RATE), (2, 777), (3, RATE)]));
        assert!(named);
        bench.left.finish_reassignments();
    })
    .await
    .unwrap();
    assert_eq!(throttled(&bench).await, (BTreeMap::from([(2, 777)]), false));
    assert!(!bench.plan(factor(3)).await.has_changes());
}

#[tokio::test]
async fn a_stop_lets_the_batch_arrive_and_leaves_no_throttle() {
    let bench = settled_with_one_replica().await;
    bench.left.hold_reassignments();
    let plan = bench.plan(factor(3)).await;
    let cancel = CancellationToken::new();
    let error = apply_and(&bench, &plan, &cancel, options(), || async {
        cancel.cancel();
        bench.left.finish_reassignments();
    })
    .await
    .unwrap_err();
    assert!(matches!(&error, ApplyError::Interrupted { .. }), "{error}");
    let unfinished = &error.summary().unwrap().unfinished[0];
    assert_eq!(unfinished.address, "topic.left.t");
    assert_eq!(unfinished.steps_done, ["move 5 of 7 partitions"]);
    assert_eq!(factors(&bench).await, [3, 3, 3, 3, 3, 1, 1]);
    assert_eq!(throttled(&bench).await, nothing());

    bench.apply(&plan).await.unwrap();
    assert_eq!(factors(&bench).await, [3; 7], "the same plan goes on");
}

#[tokio::test]
async fn a_stop_turns_back_what_does_not_arrive() {
    let bench = settled_with_one_replica().await;
    bench.left.hold_reassignments();
    let plan = bench.plan(factor(3)).await;
    let cancel = CancellationToken::new();
    let impatient = ApplyOptions {
        visible_within: Duration::from_millis(200),
        ..options()
    };
    let error = apply_and(&bench, &plan, &cancel, impatient, || async {
        cancel.cancel();
    })
    .await
    .unwrap_err();
    assert!(matches!(&error, ApplyError::Interrupted { .. }), "{error}");
    let unfinished = &error.summary().unwrap().unfinished[0];
    assert!(unfinished.steps_done.is_empty(), "{unfinished:?}");
    assert_eq!(under_way(&bench).await, 0);
    assert_eq!(factors(&bench).await, [1; 7]);
    assert_eq!(throttled(&bench).await, nothing());

    bench.left.finish_reassignments();
    bench.apply(&plan).await.unwrap();
    assert!(!bench.plan(factor(3)).await.has_changes());
}

#[tokio::test]
async fn a_move_that_is_refused_leaves_no_throttle() {
    let bench = settled_with_one_replica().await;
    let plan = bench.plan(factor(3)).await;
    let refusal = bench.left.faults().inject(
        FaultRule::new(FaultAction::Error(ResponseError::PolicyViolation))
            .api(ApiKey::AlterPartitionReassignments)
            .topic("t")
            .partition(6),
    );
    let error = bench.apply(&plan).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("POLICY_VIOLATION"), "{error}");
    assert_eq!(factors(&bench).await, [3, 3, 3, 3, 3, 3, 1]);
    assert_eq!(throttled(&bench).await, nothing());

    refusal.remove();
    bench.apply(&plan).await.unwrap();
    assert!(!bench.plan(factor(3)).await.has_changes());
}

#[tokio::test]
async fn the_plan_of_an_imported_topic_is_empty_where_its_partitions_differ_in_replicas() {
    let bench = settled_with_one_replica().await;
    let client = &bench.clients["left"];
    let imported = || plan::live_topics("left", client, |name| name == "t");
    let even = imported().await.unwrap().remove(0);
    assert_eq!(even.replication_factor, Some(1));
    let place = TopicPartition::new("t", 3);
    let target = ReassignmentTarget::Replicas(vec![1, 2]);
    let moves = BTreeMap::from([(place, target)]);
    client.reassign_partitions(&moves).await.unwrap();
    assert_eq!(factors(&bench).await, [1, 1, 1, 2, 1, 1, 1]);

    let uneven = imported().await.unwrap().remove(0);
    let mut declared = topic("t", &["left"], uneven.partitions, &[]);
    declared.replication_factor = uneven.replication_factor;
    let plan = bench.plan(vec![declared]).await;
    assert_eq!(plan.resource_changes[0].action(), Action::NoOp);
}

/// Ends an apply as `kill -9` does, while its first batch is under way.
async fn kill(bench: &Bench, plan: &Plan) {
    let cancel = CancellationToken::new();
    let options = options();
    let apply = plan::apply_with(
        plan,
        &bench.clients,
        &options,
        &|_: &ApplyEvent| {},
        &cancel,
    );
    let begun = async {
        while under_way(bench).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = apply => panic!("it ended: {outcome:?}"),
        () = begun => {}
    }
    let (limits, named) = throttled(bench).await;
    assert!(limits.len() == 3 && named, "it was throttled");
}

async fn apply_after_kill(bench: &Bench, plan: &Plan) -> ApplySummary {
    let cancel = CancellationToken::new();
    let observer = |_: &ApplyEvent| {};
    plan::apply_with(plan, &bench.clients, &options(), &observer, &cancel)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_a_killed_apply_began_is_brought_to_its_end_by_the_next_plan() {
    let bench = settled_with_one_replica().await;
    bench.left.hold_reassignments();
    kill(&bench, &bench.plan(factor(3)).await).await;

    let plan = bench.plan(factor(3)).await;
    assert!(
        !plan.is_blocked(),
        "{:#?}",
        plan.resource_changes[0].blocked
    );
    assert_eq!(plan.left_behind, []);
    // its throttles go with the apply that goes on: they are not left as they are
    let unmanaged = &plan.resource_changes[0].unmanaged;
    assert!(unmanaged.is_empty(), "{unmanaged:?}");
    bench.left.finish_reassignments();
    let summary = apply_after_kill(&bench, &plan).await;
    assert_eq!(summary.applied, ["topic.left.t"]);
    assert_eq!(factors(&bench).await, [3; 7]);
    assert_eq!(throttled(&bench).await, nothing());
    assert!(!bench.plan(factor(3)).await.has_changes());
}

#[tokio::test]
async fn throttles_of_a_killed_apply_go_with_the_next_one_although_everything_arrived() {
    let bench = settled_with_one_replica().await;
    bench.left.hold_reassignments();
    let first = bench.plan(factor(3)).await;
    kill(&bench, &first).await;
    bench.left.finish_reassignments();
    let others: BTreeMap<TopicPartition, ReassignmentTarget> = [5, 6]
        .map(|index| {
            let to = ReassignmentTarget::Replicas(vec![1, 2, 3]);
            (TopicPartition::new("t", index), to)
        })
        .into();
    bench.clients["left"]
        .reassign_partitions(&others)
        .await
        .unwrap();

    let plan = bench.plan(factor(3)).await;
    assert_eq!(plan.resource_changes[0].action(), Action::NoOp);
    assert_eq!(plan.left_behind.len(), 1);
    assert!(plan.has_changes());
    apply_after_kill(&bench, &plan).await;
    assert_eq!(throttled(&bench).await, nothing());
    assert!(!bench.plan(factor(3)).await.has_changes());
}

#[tokio::test]
async fn throttles_of_a_broker_that_is_down_hold_nothing_up_and_can_be_forgotten() {
    let bench = settled_with_one_replica().await;
    bench.left.hold_reassignments();
    kill(&bench, &bench.plan(factor(3)).await).await;
    bench.left.finish_reassignments();
    // declared like this the topic is not moved any further, and something else is to do
    let mut topics = vec![
        topic("t", &["left"], Some(PARTITIONS), &[]),
        topic("u", &["left"], Some(1), &[]),
    ];
    topics[1].replication_factor = Some(1);
    let plan = bench.plan(topics.clone()).await;
    assert_eq!(plan.left_behind.len(), 1);
    bench.left.stop_broker(3).await;
    let summary = apply_after_kill(&bench, &plan).await;
    assert_eq!(summary.applied, ["topic.left.u"]);

    let plan = bench.plan(topics.clone()).await;
    let left: Vec<i32> = plan.left_behind[0].brokers.iter().copied().collect();
    assert_eq!(left, [3], "the others are free");
    let address = ["topic.left.t".to_owned()];
    plan::forget(&bench.clients, None, None, &address)
        .await
        .unwrap();
    assert_eq!(bench.plan(topics).await.left_behind, []);
}

#[tokio::test]
async fn the_same_saved_plan_takes_away_the_throttles_too() {
    let bench = settled_with_one_replica().await;
    bench.left.hold_reassignments();
    let plan = bench.plan(factor(3)).await;
    kill(&bench, &plan).await;
    bench.left.finish_reassignments();
    let summary = apply_after_kill(&bench, &plan).await;
    assert_eq!(summary.applied, ["topic.left.t"]);
    assert_eq!(throttled(&bench).await, nothing());
    assert_eq!(
        apply_after_kill(&bench, &plan).await.already_done,
        ["topic.left.t"]
    );
}

#[tokio::test]
async fn a_move_of_somebody_else_is_refused() {
    let bench = settled_with_one_replica().await;
    let plan = bench.plan(factor(3)).await;
    bench.left.hold_reassignments();
    let leader = bench.left.leader("t", 0).unwrap();
    let away = ReassignmentTarget::Replicas(vec![leader % 3 + 1]);
    let partition = TopicPartition::new("t", 0);
    bench.clients["left"]
        .reassign_partitions(&[(partition, away)].into())
        .await
        .unwrap();

    let blocked = bench.plan(factor(3)).await;
    let codes: Vec<BlockCode> = blocked.resource_changes[0]
        .blocked
        .iter()
        .map(|block| block.code)
        .collect();
    assert_eq!(codes, [BlockCode::ReassignmentUnderWay]);
    // and the plan from before does not fit any more
    let error = bench.apply(&plan).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale, "{error}");
    assert_eq!(under_way(&bench).await, 1, "left as it is");
    assert_eq!(throttled(&bench).await, nothing());
}
