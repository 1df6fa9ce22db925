//! SCRAM users.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka::security::{
    Login, Sasl, ScramCredential, ScramHash, Secret, SecretSource, SecureTransport,
};
use kafka::{ClientOptions, Cluster, Error, ScramChange};

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
    let logs_in = |password: &'static str| {
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
                Ok(_) => true,
                Err(Error::Security { .. }) => false,
                Err(other) => panic!("{other}"),
            }
        }
    };
    assert!(!logs_in("of the user").await);
    alter(
        env,
        &[upsert(&user, ScramHash::Sha512, 4096, "of the user")],
    )
    .await;
    eventually(true, || logs_in("of the user")).await;
    assert!(!logs_in("of another").await);
    alter(env, &[delete(&user, ScramHash::Sha512)]).await;
    eventually(false, || logs_in("of the user")).await;
}
