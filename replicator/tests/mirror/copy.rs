//! What a quiet run copies, and from where the next one goes on.

use crate::rig::{Rig, count};
use kafka::{Compression, ConfigSource, OffsetSpec, TopicPartition};
use replicator::Options;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn once_copies_every_record_as_it_is_and_a_second_run_copies_nothing() {
    let rig = Rig::start(3, "").await;
    rig.create(
        "t1",
        4,
        &[
            ("retention.ms", "7200000"),
            ("max.message.bytes", "2000000"),
        ],
    )
    .await;
    rig.produce("t1", 4, 0, 40).await;
    let source = rig.on_source("t1").await;
    let summary = rig.once().await;
    assert_eq!(rig.on_target("t1").await, source);
    assert_eq!(summary.records, count(&source));
    assert_eq!(summary.batches_rebuilt, 0, "nothing had to be decoded");
    let again = rig.once().await;
    assert_eq!(again.records, 0);
    assert_eq!(rig.on_target("t1").await, source);
}

#[tokio::test]
async fn the_target_topic_has_the_source_s_partitions_and_configuration() {
    let rig = Rig::start(1, "").await;
    let configs = [
        ("retention.ms", "7200000"),
        ("cleanup.policy", "compact"),
        ("min.insync.replicas", "1"),
    ];
    rig.create("t1", 5, &configs).await;
    rig.once().await;
    let described = rig
        .target
        .describe_topic_configs(&["t1".to_owned()])
        .await
        .unwrap();
    let set: Vec<(String, String)> = described["t1"]
        .as_ref()
        .unwrap()
        .iter()
        .filter(|(_, entry)| entry.source == ConfigSource::Topic)
        .map(|(key, entry)| (key.clone(), entry.value.clone().unwrap()))
        .collect();
    // min.insync.replicas is a matter of each cluster (the default exclusions).
    let expected = [("cleanup.policy", "compact"), ("retention.ms", "7200000")];
    assert_eq!(
        set,
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert_eq!(rig.target_cluster.partition_count("t1"), Some(5));
}

#[tokio::test]
async fn names_follow_the_replication_policy_and_excluded_topics_stay_away() {
    let mut rig = Rig::start(1, "  topicsExcludePattern: \"t-secret\"\n").await;
    rig.mirror.policy = topology::ReplicationPolicy::Prefix {
        prefix: "dc1_".to_owned(),
    };
    for topic in ["t-open", "t-secret", "other"] {
        rig.create(topic, 1, &[]).await;
        rig.produce(topic, 1, 0, 2).await;
    }
    rig.once().await;
    let mut topics = rig.target_cluster.topics();
    topics.retain(|topic| !topic.starts_with("mirrorctl-"));
    assert_eq!(topics, ["dc1_t-open"]);
}

#[tokio::test]
async fn a_grown_source_topic_is_grown_on_the_target_and_its_new_partitions_are_copied() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 3).await;
    rig.once().await;
    rig.source.create_partitions("t1", 4).await.unwrap();
    rig.produce("t1", 4, 3, 3).await;
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn a_compacted_source_is_rebuilt_without_its_holes_and_nothing_else_changes() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 2, &[("cleanup.policy", "compact")]).await;
    for partition in 0..2 {
        for batch in 0..30 {
            let codec = [Compression::None, Compression::Zstd][batch as usize % 2];
            let records: Vec<_> = (0..20)
                .map(|i| kafka::record::Record {
                    offset_delta: 0,
                    timestamp: crate::rig::recent() + batch * 20 + i,
                    key: Some(format!("key-{}", (batch * 20 + i) % 37).into()),
                    value: (i % 9 != 0).then(|| format!("value-{batch}-{i}").into()),
                    headers: Vec::new(),
                })
                .collect();
            let batch = kafka::record::encode(&records, codec).unwrap();
            rig.produce_batch("t1", partition, &batch).await;
        }
    }
    rig.source_cluster.compact_now("t1").unwrap();
    let source = rig.on_source("t1").await;
    assert!(count(&source) < 1200, "compaction removed something");
    let summary = rig.once().await;
    assert!(summary.batches_rebuilt > 0);
    assert_eq!(rig.on_target("t1").await, source);
    assert_eq!(
        rig.once().await.records,
        0,
        "offsets behind the last record are covered too"
    );
}

#[tokio::test]
async fn append_time_of_the_source_becomes_the_record_s_time_where_the_target_keeps_create_time() {
    let rig = Rig::start(
        1,
        "  topicSync: {configExclude: [message.timestamp.type]}\n",
    )
    .await;
    rig.create("t1", 1, &[("message.timestamp.type", "LogAppendTime")])
        .await;
    rig.produce("t1", 1, 0, 5).await;
    let source = rig.on_source("t1").await;
    rig.once().await;
    assert_eq!(
        rig.on_target("t1").await,
        source,
        "as a consumer of the source sees it"
    );
}

#[tokio::test]
async fn start_offset_latest_copies_only_what_comes_after() {
    let rig = Rig::start(1, "  startOffset: latest\n").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    let stop = CancellationToken::new();
    let running = tokio::task::JoinSet::from_iter([rig.run(Options::continuous(), stop.clone())]);
    // The run knows its start once the target topic is there and it reads from the source.
    while rig.target_cluster.topics().len() < 3
        || rig.source_cluster.request_count(broker::ApiKey::Fetch) == 0
    {
        tokio::task::yield_now().await;
    }
    let before = count(&rig.on_source("t1").await);
    rig.produce("t1", 1, 3, 3).await;
    let expected = count(&rig.on_source("t1").await) - before;
    let end = TopicPartition::new("t1", 0);
    loop {
        let ends = rig
            .target
            .list_offsets(std::slice::from_ref(&end), OffsetSpec::Latest)
            .await
            .unwrap();
        if ends[&end].as_ref().unwrap().offset >= expected as i64 {
            break;
        }
        tokio::task::yield_now().await;
    }
    stop.cancel();
    let summary = running.join_all().await.remove(0).unwrap();
    assert_eq!(summary.records, expected);
}

#[tokio::test]
async fn where_a_mirror_started_is_durable_before_its_first_record() {
    let rig = Rig::start(1, "  startOffset: latest\n").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    let before = count(&rig.on_source("t1").await);
    assert_eq!(rig.once().await.records, 0, "nothing came after the start");
    rig.produce("t1", 1, 3, 3).await;
    let expected = count(&rig.on_source("t1").await) - before;
    assert_eq!(rig.once().await.records, expected, "not from a later end");
}
