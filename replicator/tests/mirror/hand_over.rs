//! A promoted mirror hands its topics over, and the way back begins where its last copy ended.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule};
use bytes::Bytes;
use kafka::record::{self, Record};
use kafka::{Cluster, Compression, ProducerIdentity};
use replicator::{Condition, Options, Progress, Source, Summary};
use tokio_util::sync::CancellationToken;
use topology::{Mirror, StartOffset};

use crate::rig::{Rig, count, produce_to, recent};
use crate::topics::{reversed, run_between};

const EXACTLY_ONCE: &str = "  delivery: exactly-once\n";
const TOPIC: &str = "t1";

/// As an application does that knows nothing of mirrors.
async fn write(cluster: &Cluster, values: &[&str]) {
    for partition in 0..2 {
        for value in values {
            let record = Record {
                offset_delta: 0,
                timestamp: recent(),
                key: None,
                value: Some(Bytes::from(format!("{value}-{partition}"))),
                headers: Vec::new(),
            };
            let batch = record::encode(&[record], Compression::None).unwrap();
            let none = ProducerIdentity { id: -1, epoch: -1 };
            produce_to(cluster, TOPIC, partition, &batch, none, -1).await;
        }
    }
}

/// The last copy of the rig's mirror.
async fn promote(rig: &Rig) -> Summary {
    let stop = CancellationToken::new();
    let summary = rig.run(Options::last(), stop).await.unwrap();
    assert_eq!(summary.failures, []);
    summary
}

/// A topic that was copied while the mirror ran, and to its end when it was promoted.
async fn promoted(mirror: &str) -> Rig {
    let rig = Rig::start(1, mirror).await;
    rig.create(TOPIC, 2, &[]).await;
    rig.produce(TOPIC, 2, 0, 5).await;
    rig.once().await;
    rig.produce(TOPIC, 2, 5, 5).await;
    promote(&rig).await;
    assert_eq!(rig.on_target(TOPIC).await, rig.on_source(TOPIC).await);
    rig
}

async fn back(rig: &Rig, mirror: &Mirror) -> Summary {
    run_between(mirror, &rig.target, &rig.source).await
}

#[tokio::test]
async fn the_way_back_copies_what_was_written_since_and_there_again() {
    for delivery in ["", EXACTLY_ONCE] {
        let mut rig = promoted(delivery).await;
        write(&rig.target, &["while it was the first"]).await;
        let way_back = reversed(&rig.mirror, "back");
        for round in ["one", "two"] {
            write(&rig.target, &[round]).await;
            let summary = back(&rig, &way_back).await;
            assert_eq!(
                (&summary.failures[..], &summary.left_out[..]),
                (&[][..], &[][..])
            );
            let expected = if round == "one" { 4 } else { 2 };
            assert_eq!(
                summary.records, expected,
                "what came from there stays there"
            );
            assert_eq!(rig.on_source(TOPIC).await, rig.on_target(TOPIC).await);
        }
        // and home again: the way back is promoted in its turn
        let source = Source {
            alias: "b".to_owned(),
            cluster: rig.target.clone(),
        };
        let (progress, stop) = (Progress::new(), CancellationToken::new());
        let target = rig.source.clone();
        let last = replicator::run(&way_back, source, target, Options::last(), progress, stop);
        Box::pin(last).await.unwrap();
        write(&rig.source, &["at home"]).await;
        rig.mirror.name = "there-again".to_owned();
        assert_eq!(rig.once().await.records, 2);
        assert_eq!(rig.on_source(TOPIC).await, rig.on_target(TOPIC).await);
    }
}

#[tokio::test]
async fn before_the_promotion_the_way_back_is_left_out_and_says_so() {
    let rig = Rig::start(1, "").await;
    rig.create(TOPIC, 2, &[]).await;
    rig.produce(TOPIC, 2, 0, 5).await;
    rig.once().await;
    let summary = back(&rig, &reversed(&rig.mirror, "back")).await;
    assert_eq!((summary.topics.len(), summary.failures.len()), (0, 0));
    assert_eq!(summary.left_out.len(), 1, "{summary:?}");
    assert!(summary.left_out[0].reason.contains("mirror `m` fills it"));
    let source = Source {
        alias: rig.mirror.target.clone(),
        cluster: rig.target.clone(),
    };
    let way_back = reversed(&rig.mirror, "back");
    let status = replicator::status(&way_back, &source, &rig.source);
    let status = status.await.unwrap();
    assert_eq!(status[0].condition, Condition::Refused);
    assert_eq!(
        status[0].cause.as_deref(),
        Some(&*summary.left_out[0].reason)
    );
}

/// What the source got after the promotion is on no other cluster: nobody but its owner can say what becomes of it.
#[tokio::test]
async fn what_was_written_to_the_source_since_holds_the_way_back_up() {
    let rig = promoted("").await;
    write(&rig.source, &["late"]).await;
    write(&rig.target, &["new"]).await;
    let before = rig.on_source(TOPIC).await;
    let mut way_back = reversed(&rig.mirror, "back");
    let summary = back(&rig, &way_back).await;
    assert_eq!(summary.failures.len(), 1, "{summary:?}");
    let reason = &summary.failures[0].reason;
    assert!(
        reason.contains("written to since") && reason.contains("startOffset"),
        "{reason}"
    );
    assert_eq!(rig.on_source(TOPIC).await, before);
    // as it is told
    way_back.start_offset = StartOffset::Latest;
    assert_eq!(back(&rig, &way_back).await.records, 0);
    write(&rig.target, &["newer"]).await;
    assert_eq!(back(&rig, &way_back).await.records, 2);
    assert_eq!(
        count(&rig.on_source(TOPIC).await),
        count(&before) + 2,
        "neither twice nor left out from there on"
    );
}

#[tokio::test]
async fn where_nobody_saw_how_it_ended_the_way_back_has_to_be_told_where_to_begin() {
    let rig = Rig::start(1, "").await;
    rig.create(TOPIC, 2, &[]).await;
    rig.produce(TOPIC, 2, 0, 5).await;
    rig.once().await;
    let id = rig.source.cluster_id();
    assert_eq!(replicator::release(&rig.target, "m", id).await.unwrap(), 1);
    assert_eq!(replicator::release(&rig.target, "m", id).await.unwrap(), 0);
    let way_back = reversed(&rig.mirror, "back");
    let summary = back(&rig, &way_back).await;
    assert_eq!(summary.failures.len(), 1, "{summary:?}");
    assert!(summary.failures[0].reason.contains("no replicator saw"));
    // nothing can be there twice where there is nothing
    let metadata = rig.source.metadata_of(&[TOPIC.to_owned()]).await.unwrap();
    let topic_id = metadata.topics[TOPIC].id;
    rig.source.delete_topic(TOPIC, topic_id).await.unwrap();
    let summary = back(&rig, &way_back).await;
    assert_eq!(summary.failures, []);
    assert_eq!(rig.on_source(TOPIC).await, rig.on_target(TOPIC).await);
}

#[tokio::test]
async fn what_was_handed_over_is_not_filled_again_under_another_name() {
    let mut rig = promoted("").await;
    write(&rig.target, &["the applications' own"]).await;
    let before = rig.on_target(TOPIC).await;
    let own = rig.mirror.name.clone();
    for name in ["renamed", &own] {
        name.clone_into(&mut rig.mirror.name);
        let options = Options::once();
        let summary = rig.run(options, CancellationToken::new()).await.unwrap();
        assert_eq!(summary.failures.len(), 1, "{name}: {summary:?}");
        assert!(summary.failures[0].reason.contains("handed it over"));
        assert_eq!(rig.on_target(TOPIC).await, before, "{name}");
    }
    // a promotion that was interrupted at its very end goes on
    assert_eq!(promote(&rig).await.records, 0);
}

/// Whoever wrote to the target before the promotion was complete stands between what was copied: nobody can tell the two
/// apart any more.
#[tokio::test]
async fn a_target_that_others_wrote_to_during_the_promotion_proves_nothing() {
    let rig = Rig::start(1, "").await;
    rig.create(TOPIC, 2, &[]).await;
    rig.produce(TOPIC, 2, 0, 2).await;
    rig.once().await;
    rig.produce(TOPIC, 2, 2, 4).await;
    // where the target ends is asked before the last copy and after it
    let slow = FaultAction::Delay(Duration::from_secs(2));
    let slow = FaultRule::new(slow)
        .api(ApiKey::ListOffsets)
        .topic(TOPIC)
        .after(1);
    let asked = rig.target_cluster.faults().inject(slow);
    let hasty = async {
        rig.until("the copy is over", async || asked.hits() > 0)
            .await;
        write(&rig.target, &["too early"]).await;
    };
    tokio::join!(promote(&rig), hasty);
    asked.remove();
    let summary = back(&rig, &reversed(&rig.mirror, "back")).await;
    assert_eq!(summary.failures.len(), 1, "{summary:?}");
    let reason = &summary.failures[0].reason;
    assert!(reason.contains("somebody else wrote"), "{reason}");
}
