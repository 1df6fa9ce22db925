//! SCRAM users.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka::security::{
    Login, Sasl, ScramCredential, ScramHash, Secret, SecretSource, SecureTransport,
};
use kafka::{
    AclBinding, AclFilter, AclOperation, AclPermission, BrokerError, ClientOptions, Cluster, Error,
    PatternType, QuotaChange, QuotaEntity, QuotaName, ReassignmentTarget, ResourceType,
    ScramChange, TopicPartition,
};

use crate::environment::{Environment, eventually, fresh_name};

const RESOURCE_NOT_FOUND: i16 = 91;

fn upsert(user: &str, hash: ScramHash, iterations: u32, password: &str) -> ScramChange {
    let credential = ScramCredential::derive(user, hash, iterations, &Secret::new(password));
    ScramChange::Upsert(credential.unwrap())
}

fn delete(user: &str, hash: ScramHash) -> ScramChange {
    ScramChange::Delete {
        user: user.to_owned(),
        hash,
    }
}

/// Makes changes and returns the error code of each user.
async fn alter(env: &Environment, changes: &[ScramChange]) -> BTreeMap<String, i16> {
    let outcomes = env.client.alter_scram_users(changes).await.unwrap();
    outcomes
        .into_iter()
        .map(|(user, outcome)| (user, outcome.err().map_or(0, |error| error.code)))
        .collect()
}

async fn wait_for(env: &Environment, user: &str, wanted: &[(ScramHash, u32)]) {
    let wanted: BTreeMap<ScramHash, u32> = wanted.iter().copied().collect();
    let ask = || async {
        let mut users = env.client.scram_users().await.unwrap();
        users.remove(user).unwrap_or_default()
    };
    eventually(wanted, ask).await;
}

pub(crate) async fn scram_users_come_change_and_go(env: Environment) {
    let (one, other) = (fresh_name(), fresh_name());
    let (sha256, sha512) = (ScramHash::Sha256, ScramHash::Sha512);
    let created = alter(
        &env,
        &[
            upsert(&one, sha512, 4096, "first"),
            upsert(&one, sha256, 8192, "first"),
            upsert(&other, sha512, 16_384, "second"),
        ],
    )
    .await;
    assert_eq!(created, [(one.clone(), 0), (other.clone(), 0)].into());
    wait_for(&env, &one, &[(sha256, 8192), (sha512, 4096)]).await;
    wait_for(&env, &other, &[(sha512, 16_384)]).await;

    alter(&env, &[upsert(&one, sha256, 5000, "another")]).await;
    wait_for(&env, &one, &[(sha256, 5000), (sha512, 4096)]).await;
    alter(&env, &[delete(&one, sha512), delete(&other, sha512)]).await;
    wait_for(&env, &one, &[(sha256, 5000)]).await;
    wait_for(&env, &other, &[]).await;

    // what is not there cannot go, and takes the user's other changes with it
    let refused = alter(
        &env,
        &[
            delete(&one, sha512),
            upsert(&one, sha256, 6000, "third"),
            upsert(&other, sha256, 6000, "third"),
        ],
    )
    .await;
    let expected = [(one.clone(), RESOURCE_NOT_FOUND), (other.clone(), 0)];
    assert_eq!(refused, expected.into());
    wait_for(&env, &other, &[(sha256, 6000)]).await;
    wait_for(&env, &one, &[(sha256, 5000)]).await;
    let twice = [
        upsert(&one, sha256, 7000, "third"),
        upsert(&one, sha256, 7001, "fourth"),
    ];
    assert_eq!(alter(&env, &twice).await[&one], 0);
    wait_for(&env, &one, &[(sha256, 7001)]).await;
    if let Some(secured) = &env.secured {
        a_new_user_logs_in(&env, secured).await;
    }
    alter(&env, &[delete(&one, sha256), delete(&other, sha256)]).await;
    wait_for(&env, &one, &[]).await;
}

/// The proof that what was sent is what the password derives to.
async fn a_new_user_logs_in(env: &Environment, secured: &str) {
    let user = fresh_name();
    let log_in = |password: &'static str| {
        let login = Login {
            username: user.clone(),
            password: SecretSource::Given(Secret::new(password)),
        };
        let transport = SecureTransport {
            tls: None,
            sasl: Some(Arc::new(Sasl::Scram(ScramHash::Sha512, login))),
        };
        let options = ClientOptions::new(secured.split(','));
        async move {
            match Cluster::connect(options, Arc::new(transport)).await {
                Ok(client) => Some(client),
                Err(Error::Security { .. }) => None,
                Err(other) => panic!("{other}"),
            }
        }
    };
    let accepts = async |password| log_in(password).await.is_some();
    assert!(!accepts("of the user").await);
    let change = upsert(&user, ScramHash::Sha512, 4096, "of the user");
    alter(env, &[change]).await;
    eventually(true, || accepts("of the user")).await;
    assert!(!accepts("of another").await);
    let client = log_in("of the user").await.unwrap();
    rights_are_missed_by_name(&client, &user).await;
    alter(env, &[delete(&user, ScramHash::Sha512)]).await;
    eventually(false, || accepts("of the user")).await;
}

/// A user without any right is told which one is missing.
async fn rights_are_missed_by_name(client: &Cluster, user: &str) {
    let acl = AclBinding {
        resource_type: ResourceType::Topic,
        resource_name: "orders".to_owned(),
        pattern_type: PatternType::Literal,
        principal: format!("User:{user}"),
        host: "*".to_owned(),
        operation: AclOperation::Read,
        permission: AclPermission::Allow,
    };
    let acls = [acl.clone()].into();
    let entity = QuotaEntity::User(QuotaName::Default);
    let quota = QuotaChange::Remove {
        key: "request_percentage".to_owned(),
    };
    let quotas = [(entity.clone(), vec![quota])].into();
    let partition = TopicPartition::new("orders", 0);
    let moves = [(partition, ReassignmentTarget::Cancel)].into();
    let item = |api: &str, error: BrokerError| format!("{api}: {}", error.to(api));
    let created = client.create_acls(&acls).await.unwrap().remove(&acl);
    let deleted = client.delete_acls(&acls).await.unwrap().remove(&acl);
    let altered = client.alter_client_quotas(&quotas).await.unwrap();
    let gone = delete(user, ScramHash::Sha512);
    let changed = client.alter_scram_users(&[gone]).await.unwrap();
    for (said, right) in [
        (
            client
                .describe_acls(&AclFilter::default())
                .await
                .unwrap_err()
                .to_string(),
            "Describe",
        ),
        (item("CreateAcls", created.unwrap().unwrap_err()), "Alter"),
        (item("DeleteAcls", deleted.unwrap().unwrap_err()), "Alter"),
        (
            client.client_quotas().await.unwrap_err().to_string(),
            "DescribeConfigs",
        ),
        (
            item("AlterClientQuotas", altered[&entity].clone().unwrap_err()),
            "AlterConfigs",
        ),
        (
            client.scram_users().await.unwrap_err().to_string(),
            "Describe",
        ),
        (
            item(
                "AlterUserScramCredentials",
                changed[user].clone().unwrap_err(),
            ),
            "Alter",
        ),
        (
            client.reassignments().await.unwrap_err().to_string(),
            "Describe",
        ),
        (
            client
                .reassign_partitions(&moves)
                .await
                .unwrap_err()
                .to_string(),
            "Alter",
        ),
        (client.log_dirs().await.unwrap_err().to_string(), "Describe"),
        (
            client.throttle_broker(1, 1).await.unwrap_err().to_string(),
            "AlterConfigs",
        ),
        (
            client.broker_throttle(1).await.unwrap_err().to_string(),
            "DescribeConfigs",
        ),
    ] {
        let words = format!("missing access right: {right} on the cluster");
        assert!(said.ends_with(&words), "`{words}` in: {said}");
    }
    // groups that one may not see are not there
    assert_eq!(client.list_groups().await.unwrap(), BTreeMap::new());
}
