//! What follows the source besides records, and what must never go round in circles.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use kafka::{Cluster, ConfigChange, ConfigSource};
use replicator::{Options, Summary};
use tokio_util::sync::CancellationToken;
use topology::{Mirror, OnSourceDelete, Pattern};

use crate::rig::{Rig, count};

async fn set_on(cluster: &Cluster, topic: &str) -> BTreeMap<String, String> {
    let topic = topic.to_owned();
    let described = cluster
        .describe_topic_configs(std::slice::from_ref(&topic))
        .await
        .unwrap();
    described[&topic]
        .as_ref()
        .unwrap()
        .iter()
        .filter(|(_, entry)| entry.source == ConfigSource::Topic)
        .map(|(key, entry)| (key.clone(), entry.value.clone().unwrap()))
        .collect()
}

fn configs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn set(key: &str, value: &str) -> ConfigChange {
    ConfigChange::Set {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn delete(key: &str) -> ConfigChange {
    ConfigChange::Delete {
        key: key.to_owned(),
    }
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} within ten seconds");
}

/// A continuous run, stopped and awaited by [`Running::stop`].
struct Running {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<Summary, replicator::RunError>>,
}

impl Running {
    #[expect(clippy::disallowed_methods, reason = "a test awaits it in `stop`")]
    fn start(rig: &Rig) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(rig.run(Options::continuous(), stop.clone()));
        Self { stop, task }
    }

    async fn stop(self) -> Summary {
        self.stop.cancel();
        self.task.await.unwrap().unwrap()
    }
}

const OFTEN: &str = "  topicSync: {interval: 200ms, configInterval: 200ms}\n";

#[tokio::test]
async fn configuration_follows_and_only_what_was_synced_is_taken_back() {
    let rig = Rig::start(1, OFTEN).await;
    rig.create(
        "t1",
        1,
        &[("retention.ms", "7200000"), ("segment.ms", "60000")],
    )
    .await;
    let running = Running::start(&rig);
    let both = configs(&[("retention.ms", "7200000"), ("segment.ms", "60000")]);
    until("the topic is there", async || {
        rig.target_cluster.partition_count("t1").is_some()
    })
    .await;
    assert_eq!(set_on(&rig.target, "t1").await, both);

    // the target's own wish, an excluded key, a changed key, a removed key
    let own = [
        set("max.message.bytes", "2000000"),
        set("min.insync.replicas", "1"),
    ];
    rig.target.alter_topic_configs("t1", &own).await.unwrap();
    let source = [set("retention.ms", "3600000"), delete("segment.ms")];
    rig.source.alter_topic_configs("t1", &source).await.unwrap();
    let expected = configs(&[
        ("retention.ms", "3600000"),
        ("max.message.bytes", "2000000"),
        ("min.insync.replicas", "1"),
    ]);
    until("it follows", async || {
        set_on(&rig.target, "t1").await == expected
    })
    .await;

    // what somebody changes on the target comes back to what the source says
    let away = [set("retention.ms", "1000")];
    rig.target.alter_topic_configs("t1", &away).await.unwrap();
    until("it comes back", async || {
        set_on(&rig.target, "t1").await == expected
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn equal_configuration_is_not_written() {
    let rig = Rig::start(1, OFTEN).await;
    rig.create("t1", 1, &[("retention.ms", "7200000")]).await;
    rig.once().await;
    let refuse = FaultAction::Error(ResponseError::PolicyViolation);
    let writes = rig
        .target_cluster
        .faults()
        .inject(FaultRule::new(refuse).api(ApiKey::IncrementalAlterConfigs));
    rig.once().await;
    rig.once().await;
    assert_eq!(writes.hits(), 0);
    let away = [set("retention.ms", "1000")];
    rig.source.alter_topic_configs("t1", &away).await.unwrap();
    rig.once().await;
    assert!(writes.hits() > 0, "the fault would have been seen");
}

#[tokio::test]
async fn protected_topics_are_neither_configured_nor_made_nor_grown() {
    let mut rig = Rig::start(1, OFTEN).await;
    rig.create("t1", 1, &[("retention.ms", "7200000")]).await;
    rig.once().await;
    rig.mirror.rails.topics.protected = Some(Pattern::new("t.*").unwrap());
    let change = [set("retention.ms", "3600000")];
    rig.source.alter_topic_configs("t1", &change).await.unwrap();
    rig.create("t2", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    let run = rig.run(Options::once(), CancellationToken::new());
    let summary = run.await.unwrap();
    assert_eq!(summary.failures.len(), 1);
    assert!(
        summary.failures[0].reason.contains("protects"),
        "{:?}",
        summary.failures
    );
    assert_eq!(set_on(&rig.target, "t1").await["retention.ms"], "7200000");
    assert_eq!(rig.target_cluster.partition_count("t2"), None);
    assert_eq!(
        rig.on_target("t1").await,
        rig.on_source("t1").await,
        "records flow"
    );
}

fn deleting(rig: &mut Rig) {
    rig.mirror.topic_sync.on_source_delete = OnSourceDelete::Delete;
    rig.mirror.rails.delete_topics = true;
}

async fn delete_source(rig: &Rig, topic: &str) {
    for (_, outcome) in rig.source.delete_topics(&[topic.to_owned()]).await.unwrap() {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_target_topic_goes_with_its_source_where_that_is_wanted_and_allowed() {
    let mut rig = Rig::start(1, OFTEN).await;
    deleting(&mut rig);
    for topic in ["t1", "t2"] {
        rig.create(topic, 2, &[]).await;
        rig.produce(topic, 2, 0, 3).await;
    }
    let running = Running::start(&rig);
    until("it is copied", async || {
        rig.on_target("t1").await == rig.on_source("t1").await
    })
    .await;
    delete_source(&rig, "t1").await;
    until("it is deleted", async || {
        rig.target_cluster.partition_count("t1").is_none()
    })
    .await;
    // a new topic of the old name is another topic, and is copied from its beginning
    rig.produce("t2", 2, 3, 3).await;
    until("the other goes on", async || {
        rig.on_target("t2").await == rig.on_source("t2").await
    })
    .await;
    running.stop().await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 7, 2).await;
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn nothing_is_deleted_without_permission_or_when_the_source_only_refuses_to_say() {
    let mut rig = Rig::start(1, OFTEN).await;
    deleting(&mut rig);
    for topic in ["t-guarded", "t-hidden"] {
        rig.create(topic, 1, &[]).await;
        rig.produce(topic, 1, 0, 3).await;
    }
    rig.mirror.rails.topics.protected = None;
    rig.once().await;
    rig.mirror.rails.topics.protected = Some(Pattern::new("t-guarded").unwrap());
    // the source answers for this topic as if we were not allowed to know of it
    let refuse = FaultAction::Error(ResponseError::TopicAuthorizationFailed);
    let hidden = rig.source_cluster.faults().inject(
        FaultRule::new(refuse)
            .api(ApiKey::Metadata)
            .topic("t-hidden"),
    );
    delete_source(&rig, "t-guarded").await;
    let running = Running::start(&rig);
    until("several discoveries", async || hidden.hits() > 8).await;
    running.stop().await;
    assert_eq!(rig.target_cluster.partition_count("t-guarded"), Some(1));
    assert_eq!(rig.target_cluster.partition_count("t-hidden"), Some(1));
}

/// A mirror of identity naming between two of the rig's clusters.
pub(crate) fn reversed(mirror: &Mirror, name: &str) -> Mirror {
    Mirror {
        name: name.to_owned(),
        sources: vec![mirror.target.clone()],
        target: mirror.sources[0].clone(),
        ..mirror.clone()
    }
}

pub(crate) async fn run_between(mirror: &Mirror, source: &Cluster, target: &Cluster) -> Summary {
    let source = replicator::Source {
        alias: mirror.sources[0].clone(),
        cluster: source.clone(),
    };
    let progress = replicator::Progress::new();
    let stop = CancellationToken::new();
    replicator::run(
        mirror,
        source,
        target.clone(),
        Options::once(),
        progress,
        stop,
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn the_way_back_under_the_same_name_is_left_out_and_other_topics_flow() {
    let rig = Rig::start(1, "").await;
    rig.create("t-there", 2, &[]).await;
    rig.produce("t-there", 2, 0, 5).await;
    let back = reversed(&rig.mirror, "back");
    rig.once().await;
    // a topic of the other side's own travels the other way
    let new = kafka::NewTopic {
        name: "t-back".to_owned(),
        partitions: Some(1),
        replication_factor: Some(1),
        configs: BTreeMap::new(),
    };
    rig.target.create_topics(&[new]).await.unwrap();
    let before = rig.on_source("t-there").await;
    for _ in 0..3 {
        let summary = run_between(&back, &rig.target, &rig.source).await;
        assert_eq!(summary.failures, [], "leaving out is no failure");
        let summary = rig.once().await;
        assert_eq!(summary.records, 0);
    }
    assert_eq!(rig.on_source("t-there").await, before, "nothing came round");
    assert_eq!(rig.source_cluster.partition_count("t-back"), Some(1));
}

#[tokio::test]
async fn a_ring_of_three_clusters_is_left_open() {
    let rig = Rig::start(1, "").await;
    let third = broker::EmbeddedCluster::start(broker::ClusterOptions::default())
        .await
        .unwrap();
    let bootstrap = third.bootstrap_servers();
    let options = kafka::ClientOptions::new(bootstrap.split(','));
    let c = Cluster::connect(options, std::sync::Arc::new(kafka::Plaintext))
        .await
        .unwrap();
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 5).await;
    let source = rig.on_source("t1").await;
    let mut onward = rig.mirror.clone();
    onward.name = "onward".to_owned();
    let mut round = rig.mirror.clone();
    round.name = "round".to_owned();
    for _ in 0..3 {
        rig.once().await;
        run_between(&onward, &rig.target, &c).await;
        let closing = run_between(&round, &c, &rig.source).await;
        assert_eq!(closing.topics, [], "{closing:?}");
    }
    assert_eq!(rig.on_source("t1").await, source);
    assert_eq!(rig.on_target("t1").await, source);
    assert_eq!(third.partition_count("t1"), Some(2));
}

#[tokio::test]
async fn both_directions_that_begin_at_once_do_not_go_round() {
    let rig = Rig::start(1, OFTEN).await;
    for cluster in [&rig.source, &rig.target] {
        let new = kafka::NewTopic {
            name: "t1".to_owned(),
            partitions: Some(1),
            replication_factor: Some(1),
            configs: BTreeMap::new(),
        };
        cluster.create_topics(&[new]).await.unwrap();
    }
    rig.produce("t1", 1, 0, 5).await;
    let written = count(&rig.on_source("t1").await);
    let back = reversed(&rig.mirror, "back");
    let (stop, progress) = (CancellationToken::new(), replicator::Progress::new());
    let source = replicator::Source {
        alias: "b".to_owned(),
        cluster: rig.target.clone(),
    };
    let there = rig.run(Options::continuous(), stop.clone());
    let returning = replicator::run(
        &back,
        source,
        rig.source.clone(),
        Options::continuous(),
        progress,
        stop.clone(),
    );
    let watch = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let first = count(&rig.on_source("t1").await) + count(&rig.on_target("t1").await);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let second = count(&rig.on_source("t1").await) + count(&rig.on_target("t1").await);
        stop.cancel();
        (first, second)
    };
    let (there, returning, (first, second)) = tokio::join!(there, returning, watch);
    there.unwrap();
    returning.unwrap();
    assert_eq!(first, second, "it does not grow");
    // one direction or none, never both
    assert!([written, 2 * written].contains(&second), "{second}");
}

#[tokio::test]
async fn two_sources_never_fill_one_topic() {
    let first = Rig::start(1, "").await;
    let second = Rig::start(1, "").await;
    for rig in [&first, &second] {
        rig.create("t1", 1, &[]).await;
        rig.produce("t1", 1, 0, 3).await;
    }
    second.create("t-own", 1, &[]).await;
    first.once().await;
    let source = replicator::Source {
        alias: "a".to_owned(),
        cluster: second.source.clone(),
    };
    let (progress, stop) = (replicator::Progress::new(), CancellationToken::new());
    let target = first.target.clone();
    let options = Options::once();
    let summary = replicator::run(&second.mirror, source, target, options, progress, stop)
        .await
        .unwrap();
    assert_eq!(summary.failures.len(), 1, "{summary:?}");
    assert_eq!(summary.failures[0].topic, "t1");
    assert!(
        summary.failures[0]
            .reason
            .contains("two sources in one topic")
    );
    assert_eq!(first.on_target("t1").await, first.on_source("t1").await);
    assert_eq!(first.target_cluster.partition_count("t-own"), Some(1));
}
