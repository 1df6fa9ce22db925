//! `delivery: exactly-once`: whatever happens, each source record is on the target once.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use kafka::record::{self, Record};
use kafka::{Compression, ConfigChange};
use proptest::test_runner::{Config, TestRunner};
use replicator::{Condition, Options, Progress, RunError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, count, produce_to};

const EXACTLY_ONCE: &str = "  delivery: exactly-once\n";

/// Waits little for other runs, of which there are none.
fn impatient(options: Options) -> Options {
    Options {
        trust: Duration::from_millis(300),
        ..options
    }
}

#[tokio::test]
async fn a_second_run_copies_nothing_and_a_third_goes_on() {
    let rig = Rig::start(3, EXACTLY_ONCE).await;
    rig.create("t1", 4, &[]).await;
    rig.produce("t1", 4, 0, 40).await;
    rig.once().await;
    assert_eq!(rig.once().await.records, 0);
    rig.produce("t1", 4, 40, 10).await;
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

/// Runs that are dropped after a while, as by kill -9, and one that may finish.
#[tokio::test]
async fn crashes_at_any_moment_repeat_nothing() {
    let rig = Rig::start(3, EXACTLY_ONCE).await;
    rig.create("t1", 6, &[]).await;
    let mut milliseconds = 3;
    for round in 0..25 {
        rig.produce("t1", 6, round * 8, 8).await;
        let run = rig.run(Options::continuous(), CancellationToken::new());
        let died = tokio::time::timeout(Duration::from_millis(milliseconds), run).await;
        assert!(died.is_err(), "a continuous run ended by itself");
        milliseconds = (milliseconds * 7) % 61 + 1;
    }
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn lost_answers_and_refusals_repeat_nothing() {
    let rig = Rig::start(3, EXACTLY_ONCE).await;
    rig.create("t1", 6, &[]).await;
    rig.produce("t1", 6, 0, 30).await;
    let actions = [
        FaultAction::CloseAfter,
        FaultAction::CloseBefore,
        FaultAction::Error(ResponseError::NotEnoughReplicasAfterAppend),
        FaultAction::Error(ResponseError::UnknownProducerId),
        FaultAction::Error(ResponseError::OutOfOrderSequenceNumber),
    ];
    for (seed, action) in actions.into_iter().enumerate() {
        let rule = FaultRule::new(action)
            .api(ApiKey::Produce)
            .topic("t1")
            .probability(0.3, seed as u64)
            .times(6);
        rig.target_cluster.faults().inject(rule);
    }
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn two_runs_that_start_together_agree_on_one_producer() {
    for _ in 0..5 {
        let rig = Rig::start(1, EXACTLY_ONCE).await;
        rig.create("t1", 3, &[]).await;
        rig.produce("t1", 3, 0, 20).await;
        let mut both = JoinSet::new();
        both.spawn(rig.run(Options::once(), CancellationToken::new()));
        both.spawn(rig.run(Options::once(), CancellationToken::new()));
        while let Some(ended) = both.join_next().await {
            match ended.unwrap() {
                Ok(_) | Err(RunError::Superseded { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        rig.once().await;
        assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
    }
}

/// The broker has forgotten the producer and would take any sequence: the log has to tell.
#[tokio::test]
async fn a_forgotten_producer_repeats_nothing() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 3, &[]).await;
    for round in 0..6_u64 {
        rig.produce("t1", 3, round as i64 * 10, 10).await;
        // The position stays behind the records: its writes are lost, then the run dies.
        let lost = rig.target_cluster.faults().inject(
            FaultRule::new(FaultAction::CloseBefore)
                .api(ApiKey::Produce)
                .topic("mirrorctl-positions.internal")
                .probability(if round % 2 == 0 { 0.9 } else { 0.0 }, round),
        );
        let run = rig.run(impatient(Options::continuous()), CancellationToken::new());
        let _ = tokio::time::timeout(Duration::from_millis(700), run).await;
        drop(lost);
        rig.target_cluster.faults().clear();
        rig.target_cluster.forget_producers();
    }
    let run = rig.run(impatient(Options::once()), CancellationToken::new());
    assert!(run.await.unwrap().failures.is_empty());
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

/// A target that has forgotten the producer takes any sequence, so whoever had the mirror before must have come to rest.
#[tokio::test]
async fn a_forgotten_producer_is_used_again_once_no_earlier_run_can_send() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 5).await;
    rig.once().await;
    let before = rig.on_target("t1").await;
    rig.target_cluster.forget_producers();
    rig.produce("t1", 2, 5, 5).await;
    let began = tokio::time::Instant::now();
    let mut running = JoinSet::new();
    let options = Options {
        trust: Duration::from_secs(2),
        ..Options::once()
    };
    running.spawn(rig.run(options, CancellationToken::new()));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.on_target("t1").await, before);
    running.join_next().await.unwrap().unwrap().unwrap();
    assert!(began.elapsed() > Duration::from_secs(2));
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn a_run_that_cannot_see_whose_the_mirror_is_sends_nothing_until_it_can() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 5).await;
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(rig.run(impatient(Options::continuous()), stop.clone()));
    let records = count(&rig.on_source("t1").await);
    rig.until_target_has("t1", records).await;
    let unreadable = FaultRule::new(FaultAction::Error(ResponseError::UnknownServerError))
        .api(ApiKey::ListOffsets)
        .topic("mirrorctl-positions.internal");
    let mut unreadable = rig.target_cluster.faults().inject(unreadable);
    unreadable.wait_for(1).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    rig.produce("t1", 2, 5, 5).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(count(&rig.on_target("t1").await), records);
    rig.target_cluster.faults().clear();
    let records = count(&rig.on_source("t1").await);
    rig.until_target_has("t1", records).await;
    stop.cancel();
    running.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

/// What a compacted topic takes.
fn keyed() -> Record {
    Record {
        offset_delta: 0,
        timestamp: crate::rig::recent(),
        key: Some("k".into()),
        value: None,
        headers: Vec::new(),
    }
}

#[tokio::test]
async fn a_compacted_topic_is_refused_with_the_reason_and_its_neighbour_is_copied() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 1, &[]).await;
    rig.create("t2", 1, &[("cleanup.policy", "compact")]).await;
    rig.produce("t1", 1, 0, 5).await;
    let batch = record::encode(&[keyed()], Compression::None).unwrap();
    rig.produce_batch("t2", 0, &batch).await;
    let run = rig.run(Options::once(), CancellationToken::new());
    let summary = run.await.unwrap();
    assert_eq!(summary.failures.len(), 1);
    assert_eq!(summary.failures[0].topic, "t2");
    assert!(summary.failures[0].reason.contains("at-least-once"));
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
    // nothing was made for it
    assert!(!rig.target_cluster.topics().contains(&"t2".to_owned()));
    let status = rig.status().await;
    assert_eq!(status[0].condition, Condition::CaughtUp);
    assert_eq!(status[1].condition, Condition::Refused);
    let cause = status[1].cause.as_deref().unwrap();
    assert!(cause.contains("compacted on the source"), "{cause}");
}

#[tokio::test]
async fn a_topic_that_becomes_compacted_while_it_is_copied_is_left_whole() {
    let rig = Rig::start(
        1,
        "  delivery: exactly-once\n  topicSync: {interval: 1s, configInterval: 1s}\n",
    )
    .await;
    rig.create("t1", 1, &[]).await;
    rig.create("t2", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let (stop, progress) = (CancellationToken::new(), Progress::new());
    let mut run = JoinSet::new();
    run.spawn(rig.run_shown(Options::continuous(), stop.clone(), progress.clone()));
    rig.until_target_has("t1", 75).await;
    let compact = [ConfigChange::Set {
        key: "cleanup.policy".to_owned(),
        value: "compact".to_owned(),
    }];
    rig.source
        .alter_topic_configs("t1", &compact)
        .await
        .unwrap();
    let refused = async || !progress.snapshot().failed.is_empty();
    rig.until("the refusal", refused).await;
    let batch = record::encode(&[keyed()], Compression::None).unwrap();
    rig.produce_batch("t1", 0, &batch).await;
    rig.produce("t2", 1, 0, 5).await;
    rig.until_target_has("t2", 75).await;
    stop.cancel();
    let summary = run.join_all().await.remove(0).unwrap();
    assert_eq!(summary.failures.len(), 1, "{:?}", summary.failures);
    assert!(summary.failures[0].reason.contains("compacted"));
    assert_eq!(count(&rig.on_target("t1").await), 75);
    let topics = ["t1".to_owned()];
    let mut described = rig.target.describe_topic_configs(&topics).await.unwrap();
    let configs = described.remove("t1").unwrap().unwrap();
    assert_eq!(configs["cleanup.policy"].value.as_deref(), Some("delete"));
}

/// Who may no longer read its configuration knows nothing new of the topic, so it goes on until it is known to be compacted.
#[tokio::test]
async fn a_topic_whose_configuration_may_not_be_read_any_more_is_copied_on() {
    for side in ["source", "target"] {
        let rig = Rig::start(
            1,
            "  delivery: exactly-once\n  topicSync: {interval: 200ms, config: false}\n",
        )
        .await;
        rig.create("t1", 1, &[]).await;
        rig.produce("t1", 1, 0, 5).await;
        let (stop, progress) = (CancellationToken::new(), Progress::new());
        let mut run = JoinSet::new();
        run.spawn(rig.run_shown(Options::continuous(), stop.clone(), progress.clone()));
        rig.until_target_has("t1", 75).await;
        let (cluster, admin) = match side {
            "source" => (&rig.source_cluster, &rig.source),
            _ => (&rig.target_cluster, &rig.target),
        };
        let denied = FaultAction::Error(ResponseError::TopicAuthorizationFailed);
        let denied = FaultRule::new(denied).api(ApiKey::DescribeConfigs);
        let mut denied = cluster.faults().inject(denied.topic("t1"));
        denied.wait_for(3).await;
        rig.produce("t1", 1, 5, 5).await;
        let records = count(&rig.on_source("t1").await);
        rig.until_target_has("t1", records).await;
        assert_eq!(progress.snapshot().failed, [], "{side}");
        assert_eq!(progress.ailing(), [], "{side}");

        denied.remove();
        let compact = [ConfigChange::Set {
            key: "cleanup.policy".to_owned(),
            value: "compact".to_owned(),
        }];
        admin.alter_topic_configs("t1", &compact).await.unwrap();
        let refused = async || !progress.snapshot().failed.is_empty();
        rig.until("the refusal", refused).await;
        stop.cancel();
        let summary = run.join_all().await.remove(0).unwrap();
        let reason = &summary.failures[0].reason;
        assert!(
            reason.contains(&format!("compacted on the {side}")),
            "{reason}"
        );
    }
}

/// Someone else wrote with our producer: the hole is found, not copied over.
#[tokio::test]
async fn a_hole_in_the_target_stops_the_partition() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    rig.once().await;
    let (producer, next) = rig.producer_of("t1").await;
    rig.target_cluster.forget_producers();
    let stray = Record {
        offset_delta: 0,
        timestamp: crate::rig::recent(),
        key: None,
        value: None,
        headers: Vec::new(),
    };
    let stray = record::encode(&[stray], Compression::None).unwrap();
    produce_to(&rig.target, "t1", 0, &stray, producer, next + 5).await;
    rig.produce("t1", 1, 3, 3).await;
    let run = rig.run(Options::once(), CancellationToken::new());
    let summary = run.await.unwrap();
    assert_eq!(summary.failures.len(), 1);
    assert!(
        summary.failures[0].reason.contains("hole"),
        "{}",
        summary.failures[0].reason
    );
}

/// Random crashes, random faults, random expiry: shrinks to the shortest story that goes wrong.
#[test]
fn any_story_ends_with_each_record_once() {
    #[derive(Debug, Clone)]
    enum Event {
        Produce(i64),
        RunFor(u64),
        Expire,
        LoseAnswers,
    }
    use proptest::prelude::*;
    let event = prop_oneof![
        3 => (1_i64..12).prop_map(Event::Produce),
        4 => (1_u64..600).prop_map(Event::RunFor),
        1 => Just(Event::Expire),
        1 => Just(Event::LoseAnswers),
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 12,
        max_shrink_iters: 30,
        ..Config::default()
    });
    let stories = proptest::collection::vec(event, 1..16);
    let outcome = runner.run(&stories, |story| {
        runtime.block_on(async {
            let rig = Rig::start(3, EXACTLY_ONCE).await;
            rig.create("t1", 2, &[]).await;
            let mut written = 0;
            for event in story {
                match event {
                    Event::Produce(batches) => {
                        rig.produce("t1", 2, written, batches).await;
                        written += batches;
                    }
                    Event::RunFor(milliseconds) => {
                        let run =
                            rig.run(impatient(Options::continuous()), CancellationToken::new());
                        let _ =
                            tokio::time::timeout(Duration::from_millis(milliseconds), run).await;
                    }
                    Event::Expire => rig.target_cluster.forget_producers(),
                    Event::LoseAnswers => {
                        let rule = FaultRule::new(FaultAction::CloseAfter)
                            .api(ApiKey::Produce)
                            .probability(0.5, written as u64)
                            .times(3);
                        rig.target_cluster.faults().inject(rule);
                    }
                }
            }
            let run = rig.run(impatient(Options::once()), CancellationToken::new());
            prop_assert!(run.await.unwrap().failures.is_empty());
            prop_assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
            Ok(())
        })
    });
    outcome.unwrap();
}
