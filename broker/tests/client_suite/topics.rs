//! Creating, growing, configuring and deleting topics.

use bytes::{Buf, BufMut, BytesMut};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest,
    IncrementalAlterConfigsRequest, MetadataRequest,
};
use uuid::Uuid;

use crate::environment::{Environment, fresh_name};
use crate::support::raw::{Raw, text, topic_name};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const INVALID_TOPIC: i16 = 17;
const TOPIC_ALREADY_EXISTS: i16 = 36;
const INVALID_PARTITIONS: i16 = 37;
const INVALID_REPLICATION_FACTOR: i16 = 38;
const INVALID_CONFIG: i16 = 40;
const POLICY_VIOLATION: i16 = 44;
const UNKNOWN_TOPIC_ID: i16 = 100;

fn topic(name: &str, partitions: i32, factor: i16, configs: &[(&str, &str)]) -> CreatableTopic {
    let configs = configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    });
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(factor)
        .with_configs(configs.collect())
}

async fn create(raw: &mut Raw, topic: CreatableTopic, dry: bool) -> CreatableTopicResult {
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000)
        .with_validate_only(dry);
    raw.call(7, &request).await.topics.remove(0)
}

pub(crate) async fn creation_is_checked(env: Environment) {
    let (mut raw, existing) = env.with_topic(&[]).await;
    let dotted = format!("{existing}.a_b");
    raw.create_topic(&dotted, 1, &[]).await;
    let long = "n".repeat(250);
    let name = fresh_name();
    for (wanted, error) in [
        (topic(&existing, 1, 1, &[]), TOPIC_ALREADY_EXISTS),
        (topic(&format!("{existing}.a.b"), 1, 1, &[]), INVALID_TOPIC),
        (topic("", 1, 1, &[]), INVALID_TOPIC),
        (topic("..", 1, 1, &[]), INVALID_TOPIC),
        (topic(&long, 1, 1, &[]), INVALID_TOPIC),
        (topic("no spaces", 1, 1, &[]), INVALID_TOPIC),
        (topic(&name, 0, 1, &[]), INVALID_PARTITIONS),
        (topic(&name, -2, 1, &[]), INVALID_PARTITIONS),
        (topic(&name, 10_001, 1, &[]), POLICY_VIOLATION),
        (topic(&name, 1, 0, &[]), INVALID_REPLICATION_FACTOR),
        (topic(&name, 1, 9, &[]), INVALID_REPLICATION_FACTOR),
        (
            topic(&name, 1, 1, &[("no.such.config", "1")]),
            INVALID_CONFIG,
        ),
        (
            topic(&name, 1, 1, &[("retention.ms", "week")]),
            INVALID_CONFIG,
        ),
        (
            topic(&name, 1, 1, &[("cleanup.policy", "burn")]),
            INVALID_CONFIG,
        ),
        (
            topic(&name, 1, 1, &[("segment.bytes", "10")]),
            INVALID_CONFIG,
        ),
    ] {
        let result = create(&mut raw, wanted.clone(), false).await;
        assert_eq!(result.error_code, error, "{wanted:?} answers {result:?}");
        assert!(result.error_message.is_some());
    }
    let dry = create(&mut raw, topic(&name, 3, 1, &[]), true).await;
    assert_eq!(dry.error_code, 0);
    assert_eq!(
        raw.metadata(&name).await.error_code,
        UNKNOWN_TOPIC_OR_PARTITION
    );
}

pub(crate) async fn creation_describes_what_it_made(env: Environment) {
    let mut raw = env.raw().await;
    let name = fresh_name();
    let result = create(
        &mut raw,
        topic(&name, -1, -1, &[("retention.ms", "60000")]),
        false,
    )
    .await;
    assert_eq!(result.error_code, 0);
    assert_eq!((result.num_partitions, result.replication_factor), (1, 1));
    assert!(!result.topic_id.is_nil());
    let configs = result.configs.unwrap();
    let find = |name: &str| configs.iter().find(|config| *config.name == *name).unwrap();
    assert_eq!(find("retention.ms").value.as_deref(), Some("60000"));
    assert_eq!(find("retention.ms").config_source, 1);
    assert_eq!(find("cleanup.policy").value.as_deref(), Some("delete"));
    assert_eq!(find("cleanup.policy").config_source, 5);
}

/// The result of asking for `count` partitions.
async fn grow(raw: &mut Raw, name: &str, count: i32) -> i16 {
    let topic = CreatePartitionsTopic::default()
        .with_name(topic_name(name))
        .with_count(count)
        .with_assignments(None);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    raw.call(3, &request).await.results[0].error_code
}

pub(crate) async fn partitions_only_grow(env: Environment) {
    let mut raw = env.raw().await;
    let name = fresh_name();
    raw.create_topic(&name, 3, &[]).await;
    assert_eq!(grow(&mut raw, &name, 3).await, INVALID_PARTITIONS);
    assert_eq!(grow(&mut raw, &name, 2).await, INVALID_PARTITIONS);
    assert_eq!(
        grow(&mut raw, "never-made", 2).await,
        UNKNOWN_TOPIC_OR_PARTITION
    );
    assert_eq!(grow(&mut raw, &name, 5).await, 0);
    for _ in 0..100 {
        if raw.metadata(&name).await.partitions.len() == 5 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the topic never shows five partitions");
}

async fn describe(raw: &mut Raw, name: &str) -> (i16, Vec<DescribeConfigsResourceResult>) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text(name))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true);
    let mut result = raw.call(4, &request).await.results.remove(0);
    (result.error_code, std::mem::take(&mut result.configs))
}

/// Set is 0, delete 1, append 2, subtract 3.
async fn alter(raw: &mut Raw, name: &str, changes: &[(&str, i8, Option<&str>)]) -> i16 {
    let configs = changes.iter().map(|(name, operation, value)| {
        AlterableConfig::default()
            .with_name(text(name))
            .with_config_operation(*operation)
            .with_value(value.map(text))
    });
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text(name))
        .with_configs(configs.collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    raw.call(1, &request).await.responses[0].error_code
}

/// Asks until the topic has this value: real brokers learn it a moment after the controller.
async fn wait_for_value(raw: &mut Raw, name: &str, config: &str, value: &str, source: i8) {
    let mut last = None;
    for _ in 0..100 {
        let (_, configs) = describe(raw, name).await;
        let found = configs
            .into_iter()
            .find(|found| *found.name == *config)
            .unwrap();
        if found.value.as_deref() == Some(value) && found.config_source == source {
            return;
        }
        last = Some(found);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{config} is never {value}: {last:?}");
}

pub(crate) async fn configs_are_described_and_altered(env: Environment) {
    let (mut raw, name) = env.with_topic(&[("retention.ms", "60000")]).await;
    let (error, configs) = describe(&mut raw, &name).await;
    assert_eq!(error, 0);
    let names: Vec<&str> = configs.iter().map(|config| config.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, EXPECTED_NAMES, "the settings a 4.3 topic has");
    let find = |name: &str| configs.iter().find(|config| *config.name == *name).unwrap();
    let retention = find("retention.ms");
    assert_eq!((retention.config_source, retention.config_type), (1, 5));
    assert_eq!(retention.synonyms[0].value.as_deref(), Some("60000"));
    for (name, value) in EXPECTED_DEFAULTS {
        assert_eq!(find(name).value.as_deref(), Some(*value), "{name}");
        assert_eq!(find(name).config_source, 5, "{name}");
    }
    assert_eq!(
        describe(&mut raw, "never-made").await.0,
        UNKNOWN_TOPIC_OR_PARTITION
    );

    let changes = [
        ("retention.ms", 1, None),
        ("cleanup.policy", 2, Some("compact")),
    ];
    assert_eq!(alter(&mut raw, &name, &changes).await, 0);
    wait_for_value(&mut raw, &name, "cleanup.policy", "delete,compact", 1).await;
    wait_for_value(&mut raw, &name, "retention.ms", "604800000", 5).await;
    assert_eq!(
        alter(&mut raw, &name, &[("cleanup.policy", 3, Some("delete"))]).await,
        0
    );
    wait_for_value(&mut raw, &name, "cleanup.policy", "compact", 1).await;
    for (change, error) in [
        (("retention.ms", 0, Some("soon")), INVALID_CONFIG),
        (("no.such.config", 0, Some("1")), INVALID_CONFIG),
        (("retention.ms", 2, Some("1")), INVALID_CONFIG),
    ] {
        assert_eq!(alter(&mut raw, &name, &[change]).await, error, "{change:?}");
    }
    let unknown = alter(&mut raw, "never-made", &[("retention.ms", 0, Some("1"))]).await;
    assert_eq!(unknown, UNKNOWN_TOPIC_OR_PARTITION);
}

const EXPECTED_NAMES: &[&str] = &[
    "cleanup.policy",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "follower.replication.throttled.replicas",
    "index.interval.bytes",
    "leader.replication.throttled.replicas",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    "remote.storage.enable",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
];

const EXPECTED_DEFAULTS: &[(&str, &str)] = &[
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("compression.lz4.level", "9"),
    ("flush.messages", "9223372036854775807"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.after.max.ms", "3600000"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
    ("message.timestamp.type", "CreateTime"),
    ("min.cleanable.dirty.ratio", "0.5"),
    ("retention.bytes", "-1"),
    ("unclean.leader.election.enable", "false"),
];

pub(crate) async fn topics_are_deleted_by_name_and_id(env: Environment) {
    let (mut raw, by_name) = env.with_topic(&[]).await;
    let by_id = fresh_name();
    raw.create_topic(&by_id, 1, &[]).await;
    let id = raw.metadata(&by_id).await.topic_id;
    let state = |name: Option<&str>, id| {
        DeleteTopicState::default()
            .with_name(name.map(topic_name))
            .with_topic_id(id)
    };
    let states = vec![
        state(Some(&by_name), Uuid::nil()),
        state(None, id),
        state(Some("never-made"), Uuid::nil()),
        state(None, Uuid::from_u128(7)),
    ];
    let request = DeleteTopicsRequest::default()
        .with_topics(states)
        .with_timeout_ms(10_000);
    let response = raw.call(6, &request).await;
    let code = |matches: &dyn Fn(&DeleteResult) -> bool| {
        response
            .responses
            .iter()
            .find(|result| matches(result))
            .unwrap()
            .error_code
    };
    let named =
        |result: &DeleteResult, name: &str| result.name.as_ref().is_some_and(|n| **n == *name);
    assert_eq!(code(&|result| named(result, &by_name)), 0);
    assert_eq!(code(&|result| result.topic_id == id), 0);
    assert_eq!(
        code(&|result| named(result, "never-made")),
        UNKNOWN_TOPIC_OR_PARTITION
    );
    assert_eq!(
        code(&|result| result.topic_id == Uuid::from_u128(7)),
        UNKNOWN_TOPIC_ID
    );
    for name in [&by_name, &by_id] {
        let mut gone = false;
        for _ in 0..100 {
            gone = raw.metadata(name).await.error_code == UNKNOWN_TOPIC_OR_PARTITION;
            if gone {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(gone, "{name} is still there");
    }
}

type DeleteResult = kafka_protocol::messages::delete_topics_response::DeletableTopicResult;

pub(crate) async fn metadata_knows_ids_and_names(env: Environment) {
    let (mut raw, name) = env.with_topic(&[]).await;
    let topic = raw.metadata(&name).await;
    assert_eq!(topic.partitions.len(), 1);
    assert_eq!(topic.partitions[0].leader_epoch, 0);
    let by_id = MetadataRequestTopic::default()
        .with_name(None)
        .with_topic_id(topic.topic_id);
    let request = MetadataRequest::default().with_topics(Some(vec![by_id]));
    let response = raw.call(12, &request).await;
    assert_eq!(
        response.topics[0].name.as_ref().map(|n| n.as_str()),
        Some(name.as_str())
    );
    assert!(response.cluster_id.is_some());
    let unknown = MetadataRequestTopic::default()
        .with_name(None)
        .with_topic_id(Uuid::from_u128(9));
    let request = MetadataRequest::default().with_topics(Some(vec![unknown]));
    assert_eq!(
        raw.call(12, &request).await.topics[0].error_code,
        UNKNOWN_TOPIC_ID
    );
    let odd = MetadataRequestTopic::default().with_name(Some(topic_name("a b")));
    let request = MetadataRequest::default().with_topics(Some(vec![odd]));
    assert_eq!(
        raw.call(12, &request).await.topics[0].error_code,
        INVALID_TOPIC
    );
    for version in 0..=13 {
        let wanted = MetadataRequestTopic::default().with_name(Some(topic_name(&name)));
        let request = MetadataRequest::default().with_topics(Some(vec![wanted]));
        let response = raw.call(version, &request).await;
        assert_eq!(response.topics[0].error_code, 0, "version {version}");
        assert_eq!(response.brokers.len(), 1);
    }
    let all = raw
        .call(12, &MetadataRequest::default().with_topics(None))
        .await;
    assert!(
        all.topics
            .iter()
            .any(|topic| topic.name.as_ref().is_some_and(|n| **n == *name))
    );
}

pub(crate) async fn a_too_new_api_versions_request_gets_the_range(env: Environment) {
    let mut raw = env.raw().await;
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.put_i16(18);
    frame.put_i16(99);
    frame.put_i32(4711);
    frame.put_i16(-1);
    frame.put_u8(0);
    frame.put_slice(b"a body from the future");
    raw.send_frame(frame).await;
    let mut response = raw.receive_frame().await.unwrap();
    assert_eq!(response.get_i32(), 4711);
    assert_eq!(response.get_i16(), 35, "unsupported version");
    assert_eq!(response.get_i32(), 1, "one range: that of ApiVersions");
    assert_eq!(
        (response.get_i16(), response.get_i16(), response.get_i16()),
        (18, 0, 4)
    );
    assert!(!response.has_remaining());
}
