//! Who reads what: groups, their members and what they have committed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use broker::{GroupKind, GroupMemberView, GroupView};
use e2e::{Guarded, KafkaInstallation};
use kafka::{ListedGroup, NewTopic, TopicPartition};
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::{Offset, TopicPartitionList};
use tokio::task::JoinSet;

use crate::environment::{Environment, eventually, fresh_name};

const GROUP_ID_NOT_FOUND: i16 = 69;
const CLIENT: &str = "reader-of-the-suite";
const COMMITTED: i64 = 5;

/// A topic of two partitions.
async fn topic(env: &Environment) -> String {
    let name = fresh_name();
    let topic = NewTopic {
        name: name.clone(),
        partitions: Some(2),
        replication_factor: Some(1),
        configs: BTreeMap::new(),
    };
    let created = env.client.create_topics(&[topic]).await.unwrap();
    assert_eq!(created[&name], Ok(()));
    name
}

/// A member that reads while this lives.
struct Reader {
    reading: JoinSet<()>,
    /// A tool, and where its output goes.
    process: Option<(Guarded, tempfile::TempDir)>,
}

/// Has one member of a group subscribe to a topic, and commits [`COMMITTED`] for its partition 0.
fn join(env: &Environment, kind: GroupKind, group: &str, topic: &str) -> Reader {
    let mut reading = JoinSet::new();
    if let Some(cluster) = &env.embedded {
        let member = GroupMemberView {
            client_id: CLIENT.to_owned(),
            subscribed: vec![topic.to_owned()],
            assigned: [(topic.to_owned(), vec![0, 1])].into(),
        };
        let view = GroupView {
            kind,
            members: vec![member],
            committed: [((topic.to_owned(), 0), COMMITTED)].into(),
        };
        cluster.put_group(group, view);
        return Reader {
            reading,
            process: None,
        };
    }
    let protocol = match kind {
        GroupKind::Classic => "classic",
        GroupKind::Consumer => "consumer",
        GroupKind::Share => {
            let process = Some(share(env, group, topic));
            return Reader { reading, process };
        }
    };
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", &env.bootstrap)
        .set("client.id", CLIENT)
        .set("group.id", group)
        .set("group.protocol", protocol)
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(topic, 0, Offset::Offset(COMMITTED))
        .unwrap();
    reading.spawn(async move {
        // until it is a member a commit is refused
        loop {
            let patience = Duration::from_millis(100);
            let _ = tokio::time::timeout(patience, consumer.recv()).await;
            if consumer.commit(&offsets, CommitMode::Sync).is_ok() {
                break;
            }
        }
        loop {
            let _ = consumer.recv().await;
        }
    });
    Reader {
        reading,
        process: None,
    }
}

/// librdkafka knows no share groups, so Kafka's own tool has to join.
fn share(env: &Environment, group: &str, topic: &str) -> (Guarded, tempfile::TempDir) {
    let installation = KafkaInstallation::find().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let log_config = directory.path().join("log4j2.properties");
    std::fs::write(&log_config, "rootLogger.level = off\n").unwrap();
    let mut arguments = installation.java_arguments(256, &log_config);
    let client_id = format!("client.id={CLIENT}");
    let tool = [
        "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
        "--bootstrap-server",
        &env.bootstrap,
        "--topic",
        topic,
        "--group",
        group,
        "--command-property",
        &client_id,
    ];
    arguments.extend(tool.map(str::to_owned));
    let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
    let process = Guarded::spawn("share", "java".as_ref(), &arguments, &[], directory.path());
    (process.unwrap(), directory)
}

impl Reader {
    /// The member leaves; what is committed stays.
    async fn leave(mut self, env: &Environment, kind: GroupKind, group: &str, topic: &str) {
        drop(self.process.take());
        self.reading.shutdown().await;
        if let Some(cluster) = &env.embedded {
            let view = GroupView {
                kind,
                members: Vec::new(),
                committed: [((topic.to_owned(), 0), COMMITTED)].into(),
            };
            cluster.put_group(group, view);
        }
    }
}

async fn state(env: &Environment, group: &str) -> Option<ListedGroup> {
    env.client.list_groups().await.unwrap().remove(group)
}

async fn committed(env: &Environment, group: &str) -> Vec<(TopicPartition, i64)> {
    let groups = [group.to_owned()];
    let mut fetched = env.client.committed_offsets(&groups).await.unwrap();
    let offsets = fetched.remove(group).unwrap().unwrap();
    offsets
        .into_iter()
        .map(|(partition, committed)| (partition, committed.offset))
        .collect()
}

async fn a_group_comes_and_goes(env: &Environment, kind: GroupKind, group_type: &str) {
    let (group, topic) = (fresh_name(), topic(env).await);
    let reader = join(env, kind, &group, &topic);
    let listed = |state: &str| {
        Some(ListedGroup {
            protocol_type: "consumer".to_owned(),
            state: state.to_owned(),
            group_type: group_type.to_owned(),
        })
    };
    eventually(listed("Stable"), || state(env, &group)).await;
    let offset = (TopicPartition::new(topic.clone(), 0), COMMITTED);
    eventually(vec![offset.clone()], || committed(env, &group)).await;

    let groups = [group.clone()];
    let described = || async {
        let mut described = env.client.describe_groups(&groups).await.unwrap();
        described.remove(&group).unwrap().unwrap()
    };
    let all: BTreeSet<TopicPartition> = [0, 1]
        .map(|index| TopicPartition::new(topic.clone(), index))
        .into();
    let wanted = vec![(CLIENT.to_owned(), [topic.clone()].into(), all)];
    eventually(wanted, || async {
        let members = described().await.members.into_iter();
        let seen = members.map(|member| (member.client_id, member.subscribed, member.assigned));
        seen.collect::<Vec<_>>()
    })
    .await;
    let now = described().await;
    assert_eq!(now.state, "Stable");
    assert!(now.is_active_on(&topic));
    assert!(!now.is_active_on("another"));
    assert!(now.members[0].host.starts_with('/'), "{now:?}");

    reader.leave(env, kind, &group, &topic).await;
    eventually(listed("Empty"), || state(env, &group)).await;
    let then = described().await;
    assert_eq!((then.state.as_str(), then.members.len()), ("Empty", 0));
    assert!(!then.is_active_on(&topic));
    assert_eq!(committed(env, &group).await, [offset]);
}

pub(crate) async fn classic_groups_are_seen(env: Environment) {
    a_group_comes_and_goes(&env, GroupKind::Classic, "classic").await;
}

pub(crate) async fn groups_of_the_new_protocol_are_seen(env: Environment) {
    a_group_comes_and_goes(&env, GroupKind::Consumer, "consumer").await;
}

/// The offsets of a share group are not committed by its members, and there is no one who leaves in time.
pub(crate) async fn share_groups_are_seen(env: Environment) {
    let (group, topic) = (fresh_name(), topic(&env).await);
    let reader = join(&env, GroupKind::Share, &group, &topic);
    let listed = ListedGroup {
        protocol_type: "share".to_owned(),
        state: "Stable".to_owned(),
        group_type: "share".to_owned(),
    };
    eventually(Some(listed), || state(&env, &group)).await;
    let groups = [group.clone()];
    let all: BTreeSet<TopicPartition> = [0, 1]
        .map(|index| TopicPartition::new(topic.clone(), index))
        .into();
    eventually(vec![(CLIENT.to_owned(), all)], || async {
        let mut described = env.client.describe_groups(&groups).await.unwrap();
        let group = described.remove(&group).unwrap().unwrap();
        assert!(group.is_active_on(&topic));
        let members = group.members.into_iter();
        members
            .map(|member| (member.client_id, member.assigned))
            .collect::<Vec<_>>()
    })
    .await;
    drop(reader);
}

pub(crate) async fn many_groups_are_asked_for_at_once(env: Environment) {
    let topic = topic(&env).await;
    let names: Vec<String> = (0..3).map(|_| fresh_name()).collect();
    let mut readers = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let kind = [GroupKind::Classic, GroupKind::Consumer][index % 2];
        readers.push(join(&env, kind, name, &topic));
    }
    eventually(3, || async {
        let described = env.client.describe_groups(&names).await.unwrap();
        let active = described.into_values().filter(|outcome| {
            let group = outcome.as_ref();
            group.is_ok_and(|group| group.is_active_on(&topic))
        });
        active.count()
    })
    .await;
    eventually(3, || async {
        let fetched = env.client.committed_offsets(&names).await.unwrap();
        fetched
            .into_values()
            .filter(|outcome| outcome.as_ref().is_ok_and(|all| all.len() == 1))
            .count()
    })
    .await;
    drop(readers);
}

pub(crate) async fn a_group_that_is_not_there_is_said_so(env: Environment) {
    // the embedded cluster has coordinators only for groups that were put there
    if env.embedded.is_some() {
        return;
    }
    let names = [fresh_name()];
    let described = env.client.describe_groups(&names).await.unwrap();
    let error = described[&names[0]].clone().unwrap_err();
    assert_eq!(error.code, GROUP_ID_NOT_FOUND, "{error}");
    let fetched = env.client.committed_offsets(&names).await.unwrap();
    assert_eq!(fetched[&names[0]], Ok(BTreeMap::new()));
}
