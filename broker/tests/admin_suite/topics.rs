//! Topics: keys that go back to their default, and deletion by id.

use kafka::{ConfigChange, ConfigSource, NewTopic, Uuid};

use crate::environment::{Environment, eventually, fresh_name};

const UNKNOWN_TOPIC_ID: i16 = 100;

async fn create(env: &Environment, name: &str, configs: &[(&str, &str)]) -> Uuid {
    let configs = configs.iter();
    let topic = NewTopic {
        name: name.to_owned(),
        partitions: Some(1),
        replication_factor: Some(1),
        configs: configs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let created = env.client.create_topics(&[topic]).await.unwrap();
    assert_eq!(created[name], Ok(()));
    eventually(true, || async { id_of(env, name).await.is_some() }).await;
    id_of(env, name).await.unwrap()
}

async fn id_of(env: &Environment, name: &str) -> Option<Uuid> {
    let metadata = env.client.metadata_of(&[name.to_owned()]).await.unwrap();
    metadata.topics.get(name).map(|topic| topic.id)
}

pub(crate) async fn a_key_goes_back_to_its_default(env: Environment) {
    let name = fresh_name();
    create(
        &env,
        &name,
        &[("retention.ms", "60000"), ("max.message.bytes", "2000")],
    )
    .await;
    let changes = [
        ConfigChange::Delete {
            key: "retention.ms".to_owned(),
        },
        ConfigChange::Delete {
            key: "segment.ms".to_owned(),
        },
    ];
    env.client
        .alter_topic_configs(&name, &changes)
        .await
        .unwrap();
    let names = [name.clone()];
    let seen = || async {
        let mut described = env.client.describe_topic_configs(&names).await.unwrap();
        let configs = described.remove(&name).unwrap().unwrap();
        ["retention.ms", "segment.ms", "max.message.bytes"].map(|key| {
            let entry = &configs[key];
            (entry.source, entry.value.clone().unwrap())
        })
    };
    let wanted = [
        (ConfigSource::Default, "604800000".to_owned()),
        (ConfigSource::Default, "604800000".to_owned()),
        (ConfigSource::Topic, "2000".to_owned()),
    ];
    eventually(wanted, seen).await;
}

pub(crate) async fn a_topic_that_was_made_anew_is_not_deleted_by_the_old_id(env: Environment) {
    let name = fresh_name();
    let old = create(&env, &name, &[]).await;
    env.client.delete_topic(&name, old).await.unwrap();
    eventually(None, || id_of(&env, &name)).await;
    let new = create(&env, &name, &[]).await;
    assert_ne!(old, new);
    let refused = env.client.delete_topic(&name, old).await.unwrap_err();
    let kafka::Error::Broker { error, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(error.code, UNKNOWN_TOPIC_ID, "{refused}");
    assert_eq!(id_of(&env, &name).await, Some(new));
}
