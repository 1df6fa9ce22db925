//! Topics that are deleted and created again, before a run and during it.

use std::sync::Arc;
use std::time::Duration;

use replicator::{Condition, Gap, GapKey, GapKind, Options, Progress, Source, Summary};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::rig::{FAILED, Rig, count, samples};

const RESTART: &str = "  topicSync: {interval: 1s}\n  onTopicReset: restart\n";
const WELL: &str = "mirrorctl_partition_well";
/// Some discoveries: how long it takes at most until the run is sure that a topic is gone, which it shows nowhere.
const UNTIL_IT_IS_GONE: Duration = Duration::from_secs(6);
const SOON: &str = "  topicSync: {interval: 1s}\n";
const SOON_EXACTLY_ONCE: &str = "  topicSync: {interval: 1s}\n  delivery: exactly-once\n";

async fn gaps(rig: &Rig) -> Vec<(GapKey, Gap)> {
    let gaps = replicator::gaps("b", &rig.target).await.unwrap();
    gaps.into_iter().collect()
}

async fn recreate_source(rig: &Rig, partitions: i32) {
    rig.source.delete_topics(&["t1".to_owned()]).await.unwrap();
    rig.create("t1", partitions, &[]).await;
}

/// A continuous run; ends it and gives its summary.
struct Running {
    run: JoinSet<Result<Summary, replicator::RunError>>,
    stop: CancellationToken,
    progress: Arc<Progress>,
}

impl Running {
    fn start(rig: &Rig) -> Self {
        let stop = CancellationToken::new();
        let mut run = JoinSet::new();
        let progress = Progress::new();
        run.spawn(rig.run_shown(Options::continuous(), stop.clone(), progress.clone()));
        Self {
            run,
            stop,
            progress,
        }
    }

    async fn stop(self) -> Summary {
        self.stop.cancel();
        self.run.join_all().await.remove(0).unwrap()
    }
}

#[tokio::test]
async fn a_recreated_source_topic_is_copied_behind_the_old_one_where_that_is_declared() {
    let rig = Rig::start(1, RESTART).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    rig.once().await;
    let mut expected = rig.on_source("t1").await;
    let position = rig.source_cluster.log_end_offset("t1", 0).unwrap();
    recreate_source(&rig, 2).await;
    rig.produce("t1", 2, 20, 3).await;
    rig.once().await;
    for (partition, records) in rig.on_source("t1").await {
        expected.entry(partition).or_default().extend(records);
    }
    assert_eq!(rig.on_target("t1").await, expected);
    let found = gaps(&rig).await;
    assert_eq!(found.len(), 1);
    let (key, gap) = &found[0];
    assert_eq!(
        (key.kind, key.partition, key.from, gap.to, gap.resumed_at),
        (GapKind::TopicReset, 0, position, None, 0)
    );
    assert_eq!(rig.once().await.records, 0);
}

#[tokio::test]
async fn a_source_topic_that_is_recreated_while_the_mirror_runs_stops_its_partitions() {
    let rig = Rig::start(1, SOON).await;
    rig.create("t1", 1, &[]).await;
    rig.create("t2", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let running = Running::start(&rig);
    rig.until_target_has("t1", 75).await;
    let before = rig.on_target("t1").await;
    recreate_source(&rig, 1).await;
    rig.produce("t1", 1, 20, 3).await;
    rig.produce("t2", 1, 0, 3).await;
    rig.until_target_has("t2", 24).await;
    let failed = async || !running.progress.snapshot().failed.is_empty();
    rig.until("failure", failed).await;
    let summary = running.stop().await;
    assert_eq!(summary.failures.len(), 1);
    let reason = &summary.failures[0].reason;
    assert!(reason.contains("onTopicReset: restart"), "{reason}");
    assert_eq!(rig.on_target("t1").await, before);
}

/// The run sees in between that the topic is gone, and forgets its partitions; what they reached must not be forgotten with
/// them, or the new topic would be copied behind the old one without a word.
#[tokio::test]
async fn a_source_topic_that_is_gone_for_a_while_and_comes_back_stops_its_partitions() {
    for mirror in [SOON, SOON_EXACTLY_ONCE] {
        let rig = Rig::start(1, mirror).await;
        rig.create("t1", 1, &[]).await;
        rig.produce("t1", 1, 0, 5).await;
        let running = Running::start(&rig);
        rig.until_target_has("t1", 75).await;
        let before = rig.on_target("t1").await;
        rig.source.delete_topics(&["t1".to_owned()]).await.unwrap();
        sleep(UNTIL_IT_IS_GONE).await;
        rig.create("t1", 1, &[]).await;
        rig.produce("t1", 1, 20, 3).await;
        let failed = async || samples(&running.progress, FAILED) == ["1"];
        rig.until("failed partition", failed).await;
        let summary = running.stop().await;
        let reason = &summary.failures[0].reason;
        assert!(reason.contains("onTopicReset: restart"), "{reason}");
        assert_eq!(rig.on_target("t1").await, before, "{mirror}");
    }
}

/// A topic that is back after a while is copied behind the old one where that is declared, and nothing of it is taken for a
/// repetition.
#[tokio::test]
async fn a_source_topic_that_comes_back_is_copied_where_that_is_declared() {
    let rig = Rig::start(1, RESTART).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let running = Running::start(&rig);
    rig.until_target_has("t1", 75).await;
    let mut expected = rig.on_source("t1").await;
    rig.source.delete_topics(&["t1".to_owned()]).await.unwrap();
    sleep(UNTIL_IT_IS_GONE).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    for (partition, records) in rig.on_source("t1").await {
        expected.entry(partition).or_default().extend(records);
    }
    rig.until_target_has("t1", 150).await;
    running.stop().await;
    assert_eq!(rig.on_target("t1").await, expected);
    assert_eq!(gaps(&rig).await.len(), 1);
}

#[tokio::test]
async fn a_source_topic_that_was_recreated_before_the_run_is_shown_as_failed_with_its_lag() {
    for mirror in [SOON, SOON_EXACTLY_ONCE] {
        let rig = Rig::start(1, mirror).await;
        rig.create("t1", 1, &[]).await;
        rig.produce("t1", 1, 0, 5).await;
        rig.once().await;
        recreate_source(&rig, 1).await;
        rig.produce("t1", 1, 20, 1).await;
        let new = rig.source_cluster.log_end_offset("t1", 0).unwrap();

        let running = Running::start(&rig);
        let failed = async || samples(&running.progress, FAILED) == ["1"];
        rig.until("failed partition", failed).await;
        assert_eq!(samples(&running.progress, WELL), ["0"]);
        let lag = async || {
            samples(&running.progress, "mirrorctl_mirror_lag_records") == [new.to_string()]
        };
        rig.until("lag of the new topic", lag).await;
        running.stop().await;
        let found = rig.status().await.remove(0);
        assert_eq!(found.condition, Condition::SourceRecreated);
        assert_eq!(
            found.lag,
            Some(new),
            "the position means nothing in the new topic"
        );
        let cause = found.cause.unwrap();
        assert!(cause.contains("onTopicReset: restart"), "{cause}");
        let lag = replicator::lag(&rig.mirror, &source(&rig), &rig.target).await;
        let lag = lag.unwrap().remove(0);
        assert!(lag.lag_seconds.unwrap() > 1.0, "{lag:?}");
        // the position itself stays as it was
        assert!(found.position.unwrap() > new);
    }
}

#[tokio::test]
async fn a_topic_that_is_recreated_while_the_mirror_runs_has_the_lag_of_the_new_one() {
    let rig = Rig::start(1, SOON).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let running = Running::start(&rig);
    rig.until_target_has("t1", 75).await;
    recreate_source(&rig, 1).await;
    rig.produce("t1", 1, 20, 1).await;
    let new = rig.source_cluster.log_end_offset("t1", 0).unwrap();
    let failed = async || samples(&running.progress, FAILED) == ["1"];
    rig.until("failed partition", failed).await;
    assert_eq!(samples(&running.progress, WELL), ["0"]);
    let lag =
        async || samples(&running.progress, "mirrorctl_mirror_lag_records") == [new.to_string()];
    rig.until("lag of the new topic", lag).await;
    let summary = running.stop().await;
    assert_eq!(summary.records, 75, "what was copied counts still");
}

#[tokio::test]
async fn before_the_first_run_a_mirror_from_the_end_has_no_lag() {
    for (start, expected) in [("latest", 0), ("earliest", 75)] {
        let rig = Rig::start(1, &format!("  startOffset: {start}\n")).await;
        rig.create("t1", 1, &[]).await;
        rig.produce("t1", 1, 0, 5).await;
        let found = rig.status().await.remove(0);
        assert_eq!(found.condition, Condition::NotStarted);
        assert_eq!(found.lag, Some(expected), "{start}");
    }
}

fn source(rig: &Rig) -> Source {
    Source {
        alias: "a".to_owned(),
        cluster: rig.source.clone(),
    }
}

#[tokio::test]
async fn a_source_topic_that_is_recreated_while_the_mirror_runs_is_begun_anew() {
    let rig = Rig::start(2, RESTART).await;
    rig.create("t1", 3, &[]).await;
    rig.produce("t1", 3, 0, 5).await;
    let running = Running::start(&rig);
    rig.until_target_has("t1", 3 * 75).await;
    let mut expected = rig.on_source("t1").await;
    // With fewer partitions: the third one ends.
    recreate_source(&rig, 2).await;
    rig.produce("t1", 2, 20, 3).await;
    for (partition, records) in rig.on_source("t1").await {
        expected.entry(partition).or_default().extend(records);
    }
    rig.until_target_has("t1", count(&expected)).await;
    let summary = running.stop().await;
    assert_eq!(summary.topics[0].partitions, 3);
    assert_eq!(summary.failures, []);
    assert_eq!(rig.on_target("t1").await, expected);
    assert_eq!(gaps(&rig).await.len(), 2);
}

#[tokio::test]
async fn a_target_topic_that_is_recreated_while_the_mirror_runs_is_filled_again() {
    for (mirror, quickly) in [
        (SOON, true),
        (SOON, false),
        (SOON_EXACTLY_ONCE, true),
        (SOON_EXACTLY_ONCE, false),
    ] {
        let rig = Rig::start(1, mirror).await;
        rig.create("t1", 2, &[]).await;
        rig.produce("t1", 2, 0, 5).await;
        let running = Running::start(&rig);
        rig.until_target_has("t1", 2 * 75).await;
        rig.target.delete_topics(&["t1".to_owned()]).await.unwrap();
        if quickly {
            // No request of the mirror fails: nothing but the id tells.
            rig.create_on_target("t1", 2, &[]).await;
        } else {
            rig.produce("t1", 2, 5, 1).await;
        }
        let source = rig.on_source("t1").await;
        rig.until_target_has("t1", count(&source)).await;
        assert_eq!(running.stop().await.failures, []);
        assert_eq!(rig.on_target("t1").await, source);
        let kinds: Vec<GapKind> = gaps(&rig).await.iter().map(|(key, _)| key.kind).collect();
        assert_eq!(kinds, [GapKind::TargetReset; 2]);
    }
}

#[tokio::test]
async fn a_recreated_target_is_filled_from_the_beginning_though_the_mirror_began_at_the_end() {
    let rig = Rig::start(1, "  startOffset: latest\n").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    rig.once().await;
    rig.produce("t1", 1, 3, 3).await;
    rig.once().await;
    rig.target.delete_topics(&["t1".to_owned()]).await.unwrap();
    rig.produce("t1", 1, 6, 3).await;
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}
