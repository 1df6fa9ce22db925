//! Clusters whose brokers do not pass requests on to the controller, as those before KRaft.

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use kafka::{BrokerError, NewTopic};

use crate::environment::{Environment, embedded, fresh_name};

fn refusing(api: ApiKey) -> FaultRule {
    FaultRule::new(FaultAction::Error(ResponseError::NotController)).api(api)
}

fn topic(name: &str) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions: Some(1),
        replication_factor: Some(1),
        configs: [].into(),
    }
}

#[tokio::test]
async fn a_broker_that_is_not_the_controller_is_asked_once() {
    let cluster = embedded().await;
    let env = Environment::of(&cluster).await;
    let name = fresh_name();
    for api in [
        ApiKey::CreateTopics,
        ApiKey::CreatePartitions,
        ApiKey::DeleteTopics,
    ] {
        cluster.faults().inject(refusing(api).times(1));
    }
    let created = env.client.create_topics(&[topic(&name)]).await.unwrap();
    assert_eq!(created[&name], Ok(()));
    env.client.create_partitions(&name, 2).await.unwrap();
    let deleted = env
        .client
        .delete_topics(std::slice::from_ref(&name))
        .await
        .unwrap();
    assert_eq!(deleted[&name], Ok(()));
    for api in [
        ApiKey::CreateTopics,
        ApiKey::CreatePartitions,
        ApiKey::DeleteTopics,
    ] {
        assert_eq!(cluster.request_count(api), 2, "{api:?}");
    }
}

#[tokio::test]
async fn the_answer_comes_from_the_controller() {
    let cluster = embedded().await;
    // the embedded cluster names its first broker as the controller
    let servers = cluster.bootstrap_servers();
    let second = servers.split(',').nth(1).unwrap();
    let env = Environment::at(second).await;
    for broker in [2, 3] {
        cluster
            .faults()
            .inject(refusing(ApiKey::CreateTopics).broker(broker));
    }
    let name = fresh_name();
    let created = env.client.create_topics(&[topic(&name)]).await.unwrap();
    assert_eq!(created[&name], Ok(()));
    assert_eq!(cluster.request_count(ApiKey::CreateTopics), 2);
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_not_repeated() {
    let cluster = embedded().await;
    let env = Environment::of(&cluster).await;
    let name = fresh_name();
    env.client.create_topics(&[topic(&name)]).await.unwrap();
    let lost = FaultRule::new(FaultAction::CloseAfter).api(ApiKey::DeleteTopics);
    cluster.faults().inject(lost);
    let names = [name];
    assert!(env.client.delete_topics(&names).await.is_err());
    assert_eq!(cluster.request_count(ApiKey::DeleteTopics), 1);
    cluster.faults().clear();
    let again = env.client.delete_topics(&names).await.unwrap();
    let unknown = BrokerError {
        code: 3,
        message: None,
    };
    assert_eq!(again[&names[0]], Err(unknown));
}
