//! Partitions that nobody leads on the source: they hold up no neighbour, and count as what they are.

use replicator::{Condition, Source};

use crate::refused::{Running, clean_up, produce_keyed};
use crate::rig::{FAILED, Rig};

const LAG: &str = "mirrorctl_lag_records";

/// Two partitions of one replica each, on a broker of its own; the second one's is stopped at the return.
async fn lose_the_second(rig: &Rig, topic: &str) {
    let leader = |partition| rig.source_cluster.leader(topic, partition).unwrap();
    assert_ne!(leader(0), leader(1), "one would take the other along");
    rig.source_cluster.stop_broker(leader(1)).await;
}

#[tokio::test]
async fn one_without_a_leader_hides_the_lag_of_no_other() {
    let mirror = "  pausedTopics: t1\n  topicSync: {interval: 200ms}\n";
    let rig = Rig::start(2, mirror).await;
    rig.create("t1", 2, &[]).await;
    let running = Running::start(&rig);
    let shown = async || running.shows(LAG, &["0", "0"]);
    rig.until("its partitions", shown).await;
    lose_the_second(&rig, "t1").await;
    produce_keyed(&rig, "t1", 0).await;
    let lag = async || running.shows(LAG, &["1", "0"]);
    rig.until("lag of the other partition", lag).await;
    running.stop().await;
}

#[tokio::test]
async fn one_without_a_leader_is_named_and_the_others_are_judged() {
    let rig = Rig::start(2, "").await;
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 1).await;
    rig.once().await;
    lose_the_second(&rig, "t1").await;
    produce_keyed(&rig, "t1", 0).await;
    let source = Source {
        alias: "a".to_owned(),
        cluster: rig.source.clone(),
    };
    let found = replicator::lag(&rig.mirror, &source, &rig.target).await;
    let found = found.unwrap();
    let of = |index: usize| {
        let it = &found[index].status;
        (
            it.condition,
            it.position,
            it.lag,
            found[index].lag_estimated_bytes.is_some(),
        )
    };
    assert_eq!(of(0), (Condition::Behind, Some(1), Some(1), true));
    assert_eq!(of(1), (Condition::Leaderless, Some(1), None, false));
    let cause = found[1].status.cause.as_deref().unwrap();
    assert!(cause.contains("no leader on the source"), "{cause}");
}

/// It waits like any other that cannot begin yet, and is no failed partition any more.
#[tokio::test]
async fn one_whose_topic_is_refused_no_longer_waits_for_its_leader() {
    let mirror = "  delivery: exactly-once\n  topicSync: {interval: 200ms}\n";
    let rig = Rig::start(2, mirror).await;
    rig.create("t1", 2, &[("cleanup.policy", "compact")]).await;
    produce_keyed(&rig, "t1", 0).await;
    produce_keyed(&rig, "t1", 1).await;
    let running = Running::start(&rig);
    let failed = async || running.shows(FAILED, &["2"]);
    rig.until("the refusal", failed).await;
    lose_the_second(&rig, "t1").await;
    clean_up(&rig, "t1", "delete").await;
    rig.until_target_has("t1", 1).await;
    let waits = async || {
        let ailing = running.progress.ailing();
        running.shows(FAILED, &["0"]) && ailing.len() == 1 && ailing[0].state == "waiting"
    };
    rig.until("the end of the refusal", waits).await;
    running.stop().await;
}
