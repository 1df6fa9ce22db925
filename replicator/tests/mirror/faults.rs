//! Every request can fail in every way: nothing is lost, order is kept, and without a crash the
//! producer's sequences keep duplicates away as well.

use std::time::Duration;

use crate::rig::{Rig, count, first_occurrences};
use crate::standby::Replicator;
use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use replicator::{Options, Phase};
use tokio_util::sync::CancellationToken;

/// Strikes often enough to hit every stage, seldom enough to get through.
fn rule(action: FaultAction, api: ApiKey, seed: u64) -> FaultRule {
    FaultRule::new(action)
        .api(api)
        .probability(0.3, seed)
        .times(12)
}

async fn survives(on_source: &[FaultRule], on_target: &[FaultRule]) {
    let rig = Rig::start(3, "").await;
    rig.create("t1", 6, &[]).await;
    rig.produce("t1", 6, 0, 30).await;
    let source = rig.on_source("t1").await;
    let inject = |cluster: &broker::EmbeddedCluster, rules: &[FaultRule]| -> Vec<_> {
        rules
            .iter()
            .map(|rule| cluster.faults().inject(rule.clone()))
            .collect()
    };
    let mut handles = inject(&rig.source_cluster, on_source);
    handles.extend(inject(&rig.target_cluster, on_target));
    let summary = rig.once().await;
    assert!(
        handles.iter().all(|handle| handle.hits() > 0),
        "a fault was never met"
    );
    rig.target_cluster.faults().clear();
    assert_eq!(rig.on_target("t1").await, source);
    assert_eq!(summary.records, count(&source));
}

/// Its connections stay open: each round lasts as long as a request may take.
#[tokio::test]
async fn a_target_that_takes_requests_and_answers_none_is_given_up() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let silent = FaultRule::new(FaultAction::Delay(Duration::from_mins(5)));
    let silent = silent.api(ApiKey::Produce).topic("t1");
    rig.target_cluster.faults().inject(silent);
    let options = Options {
        give_up_after: Some(Duration::from_secs(5)),
        ..Options::once()
    };
    let run = rig.run(options, CancellationToken::new());
    let ended = tokio::time::timeout(Duration::from_mins(1), run).await;
    let summary = ended.unwrap().unwrap();
    let reason = &summary.failures[0].reason;
    assert!(
        reason.contains("no progress for") && reason.contains("no answer within"),
        "{reason}"
    );
}

/// As right after the crash of the broker that led it: positions cannot be read, offsets not be listed for a while.
#[tokio::test]
async fn a_run_that_begins_while_leaders_are_away_waits_for_them() {
    for delivery in ["at-least-once", "exactly-once"] {
        let rig = Rig::start(1, &format!("  delivery: {delivery}\n")).await;
        rig.create("t1", 3, &[]).await;
        rig.produce("t1", 3, 0, 5).await;
        rig.once().await;
        rig.produce("t1", 3, 5, 5).await;
        let away =
            |api| FaultRule::new(FaultAction::Error(ResponseError::NotLeaderOrFollower)).api(api);
        let unread = away(ApiKey::Fetch).topic("mirrorctl-positions.internal");
        let unread = rig.target_cluster.faults().inject(unread.times(3));
        let unlisted = rig
            .source_cluster
            .faults()
            .inject(away(ApiKey::ListOffsets).times(3));
        rig.once().await;
        assert_eq!((unread.hits(), unlisted.hits()), (3, 3));
        assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
    }
}

#[tokio::test]
async fn lost_produce_responses() {
    survives(
        &[],
        &[rule(FaultAction::DropResponse, ApiKey::Produce, 1).times(3)],
    )
    .await;
}

#[tokio::test]
async fn produce_connections_closed_before_and_after_the_batch_was_taken() {
    survives(
        &[],
        &[
            rule(FaultAction::CloseBefore, ApiKey::Produce, 2),
            rule(FaultAction::CloseAfter, ApiKey::Produce, 3),
        ],
    )
    .await;
}

#[tokio::test]
async fn produce_refused_for_a_while() {
    for error in [
        ResponseError::NotLeaderOrFollower,
        ResponseError::NotEnoughReplicas,
        ResponseError::NotEnoughReplicasAfterAppend,
        ResponseError::RequestTimedOut,
        ResponseError::KafkaStorageError,
        ResponseError::CorruptMessage,
    ] {
        survives(
            &[],
            &[rule(FaultAction::Error(error), ApiKey::Produce, 4).topic("t1")],
        )
        .await;
    }
}

#[tokio::test]
async fn fetch_connections_closed_and_responses_lost() {
    survives(
        &[
            rule(FaultAction::CloseBefore, ApiKey::Fetch, 5).times(5),
            rule(FaultAction::CloseAfter, ApiKey::Fetch, 6).times(5),
            rule(FaultAction::DropResponse, ApiKey::Fetch, 7).times(2),
        ],
        &[],
    )
    .await;
}

#[tokio::test]
async fn fetch_refused_for_a_while() {
    for error in [
        ResponseError::NotLeaderOrFollower,
        ResponseError::FencedLeaderEpoch,
        ResponseError::UnknownServerError,
    ] {
        let rule = rule(FaultAction::Error(error), ApiKey::Fetch, 8).times(6);
        if error == ResponseError::UnknownServerError {
            // Not a thing that repeating mends: the partition stops and says so.
            let rig = Rig::start(1, "").await;
            rig.create("t1", 1, &[]).await;
            rig.produce("t1", 1, 0, 1).await;
            rig.source_cluster.faults().inject(rule);
            let run = rig.run(Options::once(), CancellationToken::new());
            let summary = run.await.unwrap();
            assert_eq!(summary.failures.len(), 1);
            assert!(summary.failures[0].reason.contains("UNKNOWN_SERVER_ERROR"));
        } else {
            survives(&[rule], &[]).await;
        }
    }
}

#[tokio::test]
async fn slow_metadata_and_lost_metadata_connections() {
    let delay = FaultAction::Delay(Duration::from_millis(200));
    survives(
        &[rule(delay, ApiKey::Metadata, 9)],
        &[rule(FaultAction::CloseAfter, ApiKey::Metadata, 10)
            .probability(1.0, 0)
            .times(2)],
    )
    .await;
}

/// The stop comes while positions are on their way to a broker that takes its time: the last ones are not overtaken.
#[tokio::test]
async fn a_stop_leaves_the_last_positions_behind_those_before_them() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[]).await;
    let replicator = Replicator::start(&rig);
    replicator.until(&rig, Phase::Copying).await;
    rig.produce("t1", 1, 0, 5).await;
    rig.until_target_has("t1", count(&rig.on_source("t1").await))
        .await;
    let late = FaultRule::new(FaultAction::Delay(Duration::from_secs(1)))
        .api(ApiKey::Produce)
        .topic("mirrorctl-positions.internal")
        .times(1);
    let late = rig.target_cluster.faults().inject(late);
    rig.produce("t1", 1, 5, 5).await;
    rig.until("a write of positions", async || late.hits() > 0)
        .await;
    rig.produce("t1", 1, 10, 5).await;
    let source = rig.on_source("t1").await;
    rig.until_target_has("t1", count(&source)).await;
    replicator.end().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    rig.once().await;
    assert_eq!(count(&rig.on_target("t1").await), count(&source));
}

#[tokio::test]
async fn the_broker_forgets_our_producer() {
    let error = FaultAction::Error(ResponseError::UnknownProducerId);
    survives(
        &[],
        &[rule(error, ApiKey::Produce, 11).topic("t1").times(2)],
    )
    .await;
}

#[tokio::test]
async fn leaders_move_and_brokers_die_during_a_continuous_mirror() {
    let rig = Rig::start(3, "").await;
    rig.create_replicated("t1", 6, 3, &[]).await;
    let stop = CancellationToken::new();
    let running = tokio::task::JoinSet::from_iter([rig.run(Options::continuous(), stop.clone())]);
    for round in 0..6 {
        rig.produce("t1", 6, round * 5, 5).await;
        match round {
            0 => rig.target_cluster.stop_broker(2).await,
            1 => rig.source_cluster.move_leader("t1", 0, 3).unwrap(),
            2 => rig.target_cluster.start_broker(2).await.unwrap(),
            3 => rig.source_cluster.stop_broker(1).await,
            4 => rig.source_cluster.start_broker(1).await.unwrap(),
            _ => {}
        }
    }
    let source = rig.on_source("t1").await;
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    while rig.on_target("t1").await != source {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not equal within a minute"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    let summary = running.join_all().await.remove(0).unwrap();
    assert_eq!(summary.failures, []);
    assert_eq!(
        rig.once().await.records,
        0,
        "every position was committed by the drain"
    );
}

#[tokio::test]
async fn a_run_that_is_killed_again_and_again_loses_nothing_and_repeats_less_than_the_window() {
    let rig = Rig::start(2, "  replayWindow: 100\n").await;
    rig.create("t1", 4, &[]).await;
    rig.produce("t1", 4, 0, 60).await;
    let source = rig.on_source("t1").await;
    // Slow enough that a kill finds work half done.
    let delay = FaultAction::Delay(Duration::from_millis(2));
    rig.target_cluster
        .faults()
        .inject(FaultRule::new(delay).api(ApiKey::Produce));
    let kills = 8;
    for kill in 0..kills {
        let run = rig.run(Options::once(), CancellationToken::new());
        // Dropped in the middle: nothing is drained, nothing committed.
        let after = Duration::from_millis(30 + kill * 17);
        let _ = tokio::time::timeout(after, run).await;
    }
    rig.once().await;
    let target = rig.on_target("t1").await;
    assert_eq!(first_occurrences(&target), source);
    let duplicates = count(&target) - count(&source);
    assert!(duplicates <= kills * 4 * 100, "{duplicates} duplicates");
}

#[tokio::test]
async fn one_partition_s_trouble_does_not_stop_a_neighbour() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 3, &[]).await;
    rig.produce("t1", 3, 0, 20).await;
    let error = FaultAction::Error(ResponseError::MessageTooLarge);
    let strike = FaultRule::new(error)
        .api(ApiKey::Produce)
        .topic("t1")
        .partition(1);
    rig.target_cluster.faults().inject(strike);
    let summary = rig
        .run(Options::once(), CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(summary.failures.len(), 1);
    let failure = &summary.failures[0];
    assert_eq!(
        (failure.topic.as_str(), failure.partition, failure.position),
        ("t1", Some(1), Some(0))
    );
    assert!(
        failure.reason.contains("max.message.bytes"),
        "{}",
        failure.reason
    );
    let (source, target) = (rig.on_source("t1").await, rig.on_target("t1").await);
    assert_eq!(target[&0], source[&0]);
    assert_eq!(target[&2], source[&2]);
    assert_eq!(target[&1], []);
}

#[tokio::test]
async fn a_topic_that_cannot_be_created_does_not_stop_the_others() {
    let rig = Rig::start(1, "").await;
    for topic in ["t-bad", "t-good"] {
        rig.create(topic, 2, &[]).await;
        rig.produce(topic, 2, 0, 3).await;
    }
    let error = FaultAction::Error(ResponseError::PolicyViolation);
    let strike = FaultRule::new(error)
        .api(ApiKey::CreateTopics)
        .topic("t-bad");
    rig.target_cluster.faults().inject(strike);
    let summary = rig
        .run(Options::once(), CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(summary.failures.len(), 1);
    let failure = &summary.failures[0];
    assert_eq!((failure.topic.as_str(), failure.partition), ("t-bad", None));
    assert!(
        failure.reason.contains("POLICY_VIOLATION"),
        "{}",
        failure.reason
    );
    assert_eq!(rig.on_target("t-good").await, rig.on_source("t-good").await);
}

#[tokio::test]
async fn a_recreated_source_topic_is_noticed_and_a_recreated_target_is_filled_anew() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    rig.once().await;
    let source = rig.on_source("t1").await;
    rig.target.delete_topics(&["t1".to_owned()]).await.unwrap();
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, source);
    rig.source.delete_topics(&["t1".to_owned()]).await.unwrap();
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 9).await;
    let summary = rig
        .run(Options::once(), CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(summary.failures.len(), 1);
    assert!(summary.failures[0].reason.contains("recreated"));
    assert_eq!(
        rig.on_target("t1").await,
        source,
        "nothing of the new topic was mixed in"
    );
}
