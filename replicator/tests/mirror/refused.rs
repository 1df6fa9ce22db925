//! Topics that are refused as a whole: whoever watches the figures sees them, and what they lack.

use std::sync::Arc;

use kafka::record::{self, Record};
use kafka::{Compression, ConfigChange};
use replicator::{Options, Progress, Summary};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{FAILED, Rig, count, recent, samples};

/// A continuous run; ends it and gives its summary.
pub(crate) struct Running {
    run: JoinSet<Result<Summary, replicator::RunError>>,
    stop: CancellationToken,
    pub(crate) progress: Arc<Progress>,
}

impl Running {
    pub(crate) fn start(rig: &Rig) -> Self {
        let (stop, progress) = (CancellationToken::new(), Progress::new());
        let mut run = JoinSet::new();
        run.spawn(rig.run_shown(Options::continuous(), stop.clone(), progress.clone()));
        Self {
            run,
            stop,
            progress,
        }
    }

    pub(crate) fn shows(&self, of: &str, values: &[&str]) -> bool {
        samples(&self.progress, of) == values
    }

    pub(crate) async fn stop(mut self) -> Summary {
        self.stop.cancel();
        self.run.join_next().await.unwrap().unwrap().unwrap()
    }
}

const LAG: &str = "mirrorctl_mirror_lag_records";

/// One record that a compacted topic takes.
pub(crate) async fn produce_keyed(rig: &Rig, topic: &str, partition: i32) {
    let keyed = Record {
        offset_delta: 0,
        timestamp: recent(),
        key: Some("k".into()),
        value: Some("v".into()),
        headers: Vec::new(),
    };
    let batch = record::encode(&[keyed], Compression::None).unwrap();
    rig.produce_batch(topic, partition, &batch).await;
}

pub(crate) async fn clean_up(rig: &Rig, topic: &str, policy: &str) {
    let change = [ConfigChange::Set {
        key: "cleanup.policy".to_owned(),
        value: policy.to_owned(),
    }];
    rig.source
        .alter_topic_configs(topic, &change)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refused_topic_is_failed_partitions_with_their_lag_until_it_is_copied() {
    let mirror = "  delivery: exactly-once\n  topicSync: {interval: 200ms}\n";
    let rig = Rig::start(1, mirror).await;
    rig.create("t1", 1, &[]).await;
    rig.create("t2", 2, &[("cleanup.policy", "compact")]).await;
    rig.produce("t1", 1, 0, 5).await;
    produce_keyed(&rig, "t2", 0).await;
    produce_keyed(&rig, "t2", 1).await;

    let running = Running::start(&rig);
    rig.until_target_has("t1", 75).await;
    let failed = async || running.shows(FAILED, &["2"]);
    rig.until("failed partitions", failed).await;
    let lag = async || running.shows(LAG, &["2"]);
    rig.until("lag of the refused topic", lag).await;
    let well = "mirrorctl_partition_well{mirror=\"m\",source=\"a\",target=\"b\",topic=\"t2\"";
    assert!(running.shows(well, &["0", "0"]));
    let now = running.progress.snapshot();
    assert_eq!((now.partitions, now.stopped, now.failed.len()), (3, 2, 1));
    assert!(now.failed[0].reason.contains("compacted on the source"));
    let figures = running.progress.figures();
    let refused = figures.iter().find(|it| it.topic == "t2").unwrap();
    let reason = refused.reason.as_deref().unwrap();
    assert!(reason.contains("compacted on the source"), "{reason}");

    clean_up(&rig, "t2", "delete").await;
    rig.until_target_has("t2", 2).await;
    assert!(running.shows(FAILED, &["0"]));
    let well = async || running.progress.ailing().is_empty();
    rig.until("end of the refusal", well).await;
    assert_eq!(running.stop().await.failures, []);
}

/// What was there when the mirror began stays behind; what came while the topic was refused does not.
#[tokio::test]
async fn a_topic_that_was_refused_at_first_begins_where_it_would_have_begun_then() {
    let mirror =
        "  delivery: exactly-once\n  startOffset: latest\n  topicSync: {interval: 200ms}\n";
    let rig = Rig::start(1, mirror).await;
    rig.create("t1", 1, &[("cleanup.policy", "compact")]).await;
    produce_keyed(&rig, "t1", 0).await;
    produce_keyed(&rig, "t1", 0).await;
    let running = Running::start(&rig);
    let failed = async || running.shows(FAILED, &["1"]);
    rig.until("the refusal", failed).await;
    produce_keyed(&rig, "t1", 0).await;
    clean_up(&rig, "t1", "delete").await;
    rig.until_target_has("t1", 1).await;
    running.stop().await;
    rig.once().await;
    assert_eq!(count(&rig.on_target("t1").await), 1);
}

/// It keeps its figures, and what comes to the source is missing from then on.
#[tokio::test]
async fn a_topic_that_is_refused_while_it_is_copied_stands_where_it_stood() {
    let mirror = "  delivery: exactly-once\n  topicSync: {interval: 200ms, config: false}\n";
    let rig = Rig::start(1, mirror).await;
    rig.create("t1", 1, &[]).await;
    rig.create("t2", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let running = Running::start(&rig);
    rig.until_target_has("t1", 75).await;
    clean_up(&rig, "t1", "compact").await;
    let failed = async || running.shows(FAILED, &["1"]);
    rig.until("the refusal", failed).await;
    produce_keyed(&rig, "t1", 0).await;
    let lag = async || running.shows(LAG, &["1"]);
    rig.until("lag of the refused topic", lag).await;
    let copied = "mirrorctl_mirror_copied_records_total";
    assert!(running.shows(copied, &["75"]), "what was copied counts");

    rig.source.delete_topics(&["t1".to_owned()]).await.unwrap();
    let none = async || running.shows(FAILED, &["0"]);
    rig.until("end of a topic that is gone", none).await;
    assert_eq!(running.progress.ailing(), []);
    let summary = running.stop().await;
    assert_eq!((summary.failures.len(), summary.records), (0, 75));
}

/// Of a topic that is copied, only the partition that it may not get is missing.
#[tokio::test]
async fn a_partition_that_is_not_made_on_the_target_is_shown_alone() {
    let mirror = "  topicSync: {interval: 200ms, partitions: false}\n";
    let rig = Rig::start(1, mirror).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 5).await;
    let running = Running::start(&rig);
    rig.until_target_has("t1", 75).await;
    rig.source.create_partitions("t1", 2).await.unwrap();
    produce_keyed(&rig, "t1", 1).await;
    let failed = async || running.shows(FAILED, &["1"]);
    rig.until("the refusal", failed).await;
    let lag = async || running.shows(LAG, &["1"]);
    rig.until("lag of the new partition", lag).await;
    produce_keyed(&rig, "t1", 0).await;
    rig.until_target_has("t1", 76).await;
    assert_eq!(count(&rig.on_target("t1").await), 76);
    running.stop().await;
}
