//! Client quotas.

use std::collections::BTreeMap;

use kafka::{QuotaChange, QuotaEntity, QuotaName};

use crate::environment::{Environment, eventually, fresh_name};

const INVALID_REQUEST: i16 = 42;

fn set(key: &str, value: f64) -> QuotaChange {
    QuotaChange::Set {
        key: key.to_owned(),
        value,
    }
}

fn remove(key: &str) -> QuotaChange {
    QuotaChange::Remove {
        key: key.to_owned(),
    }
}

async fn alter(env: &Environment, entity: &QuotaEntity, changes: Vec<QuotaChange>) -> i16 {
    let changes = BTreeMap::from([(entity.clone(), changes)]);
    let outcomes = env.client.alter_client_quotas(&changes).await.unwrap();
    match &outcomes[entity] {
        Ok(()) => 0,
        Err(error) => {
            assert!(error.message.is_some(), "{error}");
            error.code
        }
    }
}

async fn wait_for(env: &Environment, entity: &QuotaEntity, wanted: &[(&str, f64)]) {
    let wanted: BTreeMap<String, f64> = wanted
        .iter()
        .map(|(key, value)| ((*key).to_owned(), *value))
        .collect();
    eventually(wanted, || async {
        env.client.client_quotas_of(entity).await.unwrap()
    })
    .await;
}

pub(crate) async fn quotas_of_every_kind_are_set_and_removed(env: Environment) {
    let named = || QuotaName::Named(fresh_name());
    let default = QuotaName::Default;
    let pair = |user: &QuotaName, client_id: &QuotaName| QuotaEntity::UserClientId {
        user: user.clone(),
        client_id: client_id.clone(),
    };
    let entities = [
        QuotaEntity::User(named()),
        QuotaEntity::User(default.clone()),
        QuotaEntity::ClientId(named()),
        QuotaEntity::ClientId(default.clone()),
        pair(&named(), &named()),
        pair(&named(), &default),
        pair(&default, &named()),
        pair(&default, &default),
    ];
    for entity in &entities {
        let changes = [
            ("producer_byte_rate", 1_048_576.0),
            ("consumer_byte_rate", 2_097_152.0),
            ("request_percentage", 12.5),
            ("controller_mutation_rate", 0.5),
        ];
        assert_eq!(changes.len(), entity.keys().len());
        let all = changes.iter().map(|(key, value)| set(key, *value));
        assert_eq!(alter(&env, entity, all.collect()).await, 0, "{entity}");
        wait_for(&env, entity, &changes).await;
    }
    for entity in [
        QuotaEntity::Ip(QuotaName::Named("10.9.8.7".to_owned())),
        QuotaEntity::Ip(default.clone()),
    ] {
        let key = entity.keys()[0];
        assert_eq!(
            alter(&env, &entity, vec![set(key, 5.0)]).await,
            0,
            "{entity}"
        );
        wait_for(&env, &entity, &[(key, 5.0)]).await;
        assert_eq!(alter(&env, &entity, vec![remove(key)]).await, 0);
        wait_for(&env, &entity, &[]).await;
    }
    let all = env.client.client_quotas().await.unwrap();
    for entity in &entities {
        assert_eq!(all[entity].len(), 4, "{entity}");
        // what is not named stays
        let some = vec![
            remove("producer_byte_rate"),
            set("consumer_byte_rate", 7.0),
            remove("request_percentage"),
        ];
        assert_eq!(alter(&env, entity, some).await, 0);
        let left = [
            ("consumer_byte_rate", 7.0),
            ("controller_mutation_rate", 0.5),
        ];
        wait_for(&env, entity, &left).await;
        let rest = entity.keys().iter().map(|key| remove(key)).collect();
        assert_eq!(
            alter(&env, entity, rest).await,
            0,
            "also what is gone is removed"
        );
        wait_for(&env, entity, &[]).await;
    }
    let all = env.client.client_quotas().await.unwrap();
    assert!(entities.iter().all(|entity| !all.contains_key(entity)));
}

pub(crate) async fn wrong_quotas_are_refused(env: Environment) {
    let user = QuotaEntity::User(QuotaName::Named(fresh_name()));
    let nameless = QuotaEntity::User(QuotaName::Named(String::new()));
    let ip = QuotaEntity::Ip(QuotaName::Named("10.0.0.1".to_owned()));
    let nowhere = QuotaEntity::Ip(QuotaName::Named("no such host".to_owned()));
    for (entity, change) in [
        (&user, set("producer_byte_rate", 0.0)),
        (&user, set("producer_byte_rate", -1.0)),
        (&user, set("producer_byte_rate", 1.5)),
        (&user, set("connection_creation_rate", 1.0)),
        (&user, set("no_such_rate", 1.0)),
        (&nameless, set("producer_byte_rate", 1.0)),
        (&ip, set("producer_byte_rate", 1.0)),
        (&ip, set("connection_creation_rate", 1.5)),
        (&nowhere, set("connection_creation_rate", 1.0)),
    ] {
        let code = alter(&env, entity, vec![change.clone()]).await;
        assert_eq!(code, INVALID_REQUEST, "{entity} {change:?}");
    }
    // one wrong change holds back the others of its entity
    let changes = vec![set("consumer_byte_rate", 1.0), set("no_such_rate", 1.0)];
    assert_eq!(alter(&env, &user, changes).await, INVALID_REQUEST);
    wait_for(&env, &user, &[]).await;
}
