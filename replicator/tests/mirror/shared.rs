//! A mirror that is split into tasks: replicators that run at the same time share it.

use std::time::Duration;

use replicator::{Condition, Phase};

use crate::rig::{Rig, count};
use crate::standby::{Replicator, takeovers};

const EXACTLY_ONCE: &str = "  delivery: exactly-once\n  tasks: 4\n";
const AT_LEAST_ONCE: &str = "  tasks: 4\n";

/// Waits until these copy so many partitions each.
async fn until_shared(rig: &Rig, among: &[(&Replicator, usize)]) {
    rig.until("just division of the tasks", async || {
        among.iter().all(|(replicator, partitions)| {
            replicator.progress.snapshot().partitions == *partitions
        })
    })
    .await;
}

/// Nothing is lost, and nothing comes twice where tasks go from one to the other in good order; the same after a death, in
/// exactly-once.
#[tokio::test]
async fn those_that_come_get_their_part_and_those_that_go_leave_it() {
    for delivery in [AT_LEAST_ONCE, EXACTLY_ONCE] {
        let rig = Rig::start(3, delivery).await;
        rig.create("t1", 8, &[]).await;
        rig.produce("t1", 8, 0, 5).await;
        let first = Replicator::start(&rig);
        until_shared(&rig, &[(&first, 8)]).await;
        let second = Replicator::start(&rig);
        for round in 1..5 {
            rig.produce("t1", 8, round * 5, 5).await;
        }
        until_shared(&rig, &[(&first, 4), (&second, 4)]).await;
        let third = Replicator::start(&rig);
        rig.produce("t1", 8, 25, 5).await;
        // one of the three has two of the four tasks
        rig.until("a third part", async || {
            let parts = [&first, &second, &third].map(|it| it.progress.snapshot().partitions);
            parts.iter().sum::<usize>() == 8 && parts.iter().all(|it| *it >= 2)
        })
        .await;
        rig.produce("t1", 8, 30, 5).await;
        let source = rig.on_source("t1").await;
        rig.until("all records", async || rig.on_target("t1").await == source)
            .await;
        let second = second.end().await;
        assert!(
            second.records > 0 && second.failures.is_empty(),
            "{second:?}"
        );
        rig.produce("t1", 8, 35, 5).await;
        until_shared(&rig, &[(&first, 4), (&third, 4)]).await;
        let source = rig.on_source("t1").await;
        rig.until("all records", async || rig.on_target("t1").await == source)
            .await;
        third.task.abort();
        rig.produce("t1", 8, 40, 5).await;
        until_shared(&rig, &[(&first, 8)]).await;
        let source = rig.on_source("t1").await;
        rig.until_target_has("t1", count(&source)).await;
        first.end().await;
        rig.once().await;
        if delivery == EXACTLY_ONCE {
            assert_eq!(rig.on_target("t1").await, source);
        }
    }
}

#[tokio::test]
async fn two_that_begin_at_once_take_each_its_part_and_nothing_from_the_other() {
    let rig = Rig::start(1, AT_LEAST_ONCE).await;
    rig.create("t1", 4, &[]).await;
    let (one, other) = (Replicator::start(&rig), Replicator::start(&rig));
    until_shared(&rig, &[(&one, 2), (&other, 2)]).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(takeovers(&rig).await, 4);
    // both write positions, and whoever asks the clusters sees the mirror as a whole
    rig.produce("t1", 4, 0, 5).await;
    rig.until("a status without lag", async || {
        let status = rig.status().await;
        status.len() == 4
            && status.iter().all(|it| {
                it.condition == Condition::CaughtUp && it.lag == Some(0) && it.position > Some(0)
            })
    })
    .await;
    one.end().await;
    other.end().await;
}

/// What `startOffset` means does not hang on who copies a partition: the first task says where each begins.
#[tokio::test]
async fn topics_and_partitions_that_come_are_shared_and_begin_where_they_should() {
    let rig = Rig::start(
        1,
        "  tasks: 2\n  startOffset: latest\n  topicSync: {interval: 1s}\n",
    )
    .await;
    rig.create("t-old", 2, &[]).await;
    rig.produce("t-old", 2, 0, 5).await;
    let (one, other) = (Replicator::start(&rig), Replicator::start(&rig));
    until_shared(&rig, &[(&one, 1), (&other, 1)]).await;
    rig.create("t-new", 2, &[]).await;
    rig.produce("t-new", 2, 0, 3).await;
    rig.source.create_partitions("t-old", 4).await.unwrap();
    rig.produce("t-old", 4, 5, 3).await;
    until_shared(&rig, &[(&one, 3), (&other, 3)]).await;
    let new = rig.on_source("t-new").await;
    rig.until("the new topic", async || {
        rig.on_target("t-new").await == new
    })
    .await;
    let mut old = rig.on_source("t-old").await;
    let before = rig.on_source("t-old").await;
    for partition in 0..2 {
        let records = old.get_mut(&partition).unwrap();
        // five batches were there before, of 1, 8, 15, 22 and 29 records
        records.drain(..75);
        assert!(records.len() < before[&partition].len());
    }
    rig.until("what came since", async || {
        rig.on_target("t-old").await == old
    })
    .await;
    one.end().await;
    other.end().await;
}

/// Whoever takes the mirror as a whole, as for a copy to the ends of now, has it until it ends.
#[tokio::test]
async fn a_run_of_the_whole_mirror_is_waited_for() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 8, &[]).await;
    let (one, other) = (Replicator::start(&rig), Replicator::start(&rig));
    until_shared(&rig, &[(&one, 4), (&other, 4)]).await;
    rig.produce("t1", 8, 0, 20).await;
    let whole = rig.once().await;
    assert_eq!(whole.topics.len(), 1);
    rig.produce("t1", 8, 20, 5).await;
    until_shared(&rig, &[(&one, 4), (&other, 4)]).await;
    let source = rig.on_source("t1").await;
    rig.until("all records", async || rig.on_target("t1").await == source)
        .await;
    one.end().await;
    other.end().await;
}

/// As while a Deployment is rolled out that splits the mirror otherwise.
#[tokio::test]
async fn whoever_splits_the_mirror_otherwise_waits_until_the_others_are_gone() {
    let mut rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 6, &[]).await;
    let old = Replicator::start(&rig);
    until_shared(&rig, &[(&old, 6)]).await;
    rig.mirror.tasks = Some(3);
    let new = Replicator::start(&rig);
    new.until(&rig, Phase::StandingBy).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    // nothing is left to one that cannot take it
    rig.produce("t1", 6, 0, 5).await;
    let source = rig.on_source("t1").await;
    rig.until_target_has("t1", count(&source)).await;
    assert_eq!(old.progress.snapshot().partitions, 6);
    assert_eq!(new.progress.snapshot().phase, Phase::StandingBy);
    old.end().await;
    rig.produce("t1", 6, 5, 5).await;
    until_shared(&rig, &[(&new, 6)]).await;
    let source = rig.on_source("t1").await;
    rig.until("all records", async || rig.on_target("t1").await == source)
        .await;
    new.end().await;
}
