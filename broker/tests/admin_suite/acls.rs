//! Creating, finding and deleting ACLs.

use std::collections::BTreeSet;

use kafka::{
    AclBinding, AclFilter, AclOperation, AclPermission, CLUSTER_RESOURCE, PatternFilter,
    PatternType, ResourceType, WILDCARD,
};

use crate::environment::{Environment, eventually, fresh_name};

const INVALID_REQUEST: i16 = 42;

/// `principal` may read the topics of a pattern.
fn may_read(principal: &str, pattern_type: PatternType, name: &str) -> AclBinding {
    AclBinding {
        resource_type: ResourceType::Topic,
        resource_name: name.to_owned(),
        pattern_type,
        principal: principal.to_owned(),
        host: WILDCARD.to_owned(),
        operation: AclOperation::Read,
        permission: AclPermission::Allow,
    }
}

async fn create(env: &Environment, acls: &BTreeSet<AclBinding>) {
    let outcomes = env.client.create_acls(acls).await.unwrap();
    assert_eq!(outcomes.keys().cloned().collect::<BTreeSet<_>>(), *acls);
    for (acl, outcome) in outcomes {
        assert_eq!(outcome, Ok(()), "{acl}");
    }
}

async fn wait_for(
    env: &Environment,
    filter: AclFilter,
    wanted: impl IntoIterator<Item = &AclBinding>,
) {
    let wanted: BTreeSet<AclBinding> = wanted.into_iter().cloned().collect();
    eventually(wanted, || async {
        env.client.describe_acls(&filter).await.unwrap()
    })
    .await;
}

pub(crate) async fn acls_are_created_found_and_deleted(env: Environment) {
    let name = fresh_name();
    let principal = format!("User:{name}");
    let literal = may_read(&principal, PatternType::Literal, &name);
    let prefixed = may_read(&principal, PatternType::Prefixed, &name);
    let everything = may_read(&principal, PatternType::Literal, WILDCARD);
    let longer = may_read(&principal, PatternType::Literal, &format!("{name}.in"));
    let all = BTreeSet::from([
        literal.clone(),
        prefixed.clone(),
        everything.clone(),
        longer.clone(),
    ]);
    create(&env, &all).await;
    // what exists is created once more without complaint
    create(&env, &all).await;
    let of_principal = || AclFilter {
        principal: Some(principal.clone()),
        ..AclFilter::default()
    };
    let with = |pattern, resource_name: &str| AclFilter {
        resource_type: Some(ResourceType::Topic),
        pattern,
        resource_name: Some(resource_name.to_owned()),
        ..of_principal()
    };
    wait_for(&env, of_principal(), &all).await;
    wait_for(&env, with(PatternFilter::Any, &name), [&literal, &prefixed]).await;
    wait_for(&env, with(PatternFilter::Literal, &name), [&literal]).await;
    wait_for(&env, with(PatternFilter::Prefixed, &name), [&prefixed]).await;
    let applies = with(PatternFilter::Match, &format!("{name}.in"));
    wait_for(&env, applies, [&prefixed, &everything, &longer]).await;
    for nothing in [
        AclFilter {
            resource_type: Some(ResourceType::Group),
            ..of_principal()
        },
        AclFilter {
            operation: Some(AclOperation::All),
            ..of_principal()
        },
        AclFilter {
            permission: Some(AclPermission::Deny),
            ..of_principal()
        },
        AclFilter {
            host: Some("10.0.0.1".to_owned()),
            ..of_principal()
        },
    ] {
        wait_for(&env, nothing, []).await;
    }

    let strange = may_read(&principal, PatternType::Literal, "never-there");
    let gone = BTreeSet::from([literal.clone(), everything.clone(), strange.clone()]);
    let outcomes = env.client.delete_acls(&gone).await.unwrap();
    assert_eq!(outcomes[&literal], Ok(true));
    assert_eq!(outcomes[&everything], Ok(true));
    assert_eq!(outcomes[&strange], Ok(false));
    wait_for(&env, of_principal(), [&prefixed, &longer]).await;
    env.client.delete_acls(&all).await.unwrap();
    wait_for(&env, of_principal(), []).await;
}

/// One of every resource type, and one of every operation.
pub(crate) async fn every_kind_of_acl_survives(env: Environment) {
    let principal = format!("User:{}", fresh_name());
    let template = AclBinding {
        host: "10.1.2.3".to_owned(),
        permission: AclPermission::Deny,
        ..may_read(&principal, PatternType::Literal, "orders")
    };
    let of_types = ResourceType::ALL.iter().map(|resource_type| AclBinding {
        resource_type: *resource_type,
        resource_name: match resource_type {
            ResourceType::Cluster => CLUSTER_RESOURCE.to_owned(),
            _ => "orders".to_owned(),
        },
        operation: AclOperation::Describe,
        ..template.clone()
    });
    let of_operations = AclOperation::ALL.iter().map(|operation| AclBinding {
        operation: *operation,
        ..template.clone()
    });
    let all: BTreeSet<AclBinding> = of_types.chain(of_operations).collect();
    create(&env, &all).await;
    let filter = AclFilter {
        principal: Some(principal),
        ..AclFilter::default()
    };
    wait_for(&env, filter, &all).await;
    let deleted = env.client.delete_acls(&all).await.unwrap();
    assert!(deleted.values().all(|outcome| *outcome == Ok(true)));
}

pub(crate) async fn wrong_acls_are_refused_one_by_one(env: Environment) {
    let principal = format!("User:{}", fresh_name());
    let right = may_read(&principal, PatternType::Literal, "orders");
    let wrong = [
        AclBinding {
            principal: "nobody".to_owned(),
            ..right.clone()
        },
        AclBinding {
            resource_name: String::new(),
            ..right.clone()
        },
        AclBinding {
            resource_type: ResourceType::Cluster,
            ..right.clone()
        },
    ];
    let all: BTreeSet<AclBinding> = wrong.iter().chain([&right]).cloned().collect();
    let outcomes = env.client.create_acls(&all).await.unwrap();
    for acl in &wrong {
        let error = outcomes[acl].clone().unwrap_err();
        assert_eq!(error.code, INVALID_REQUEST, "{acl}: {error}");
        assert!(
            error.message.is_some_and(|words| !words.is_empty()),
            "{acl}"
        );
    }
    assert_eq!(
        outcomes[&right],
        Ok(()),
        "its neighbours do not hold it back"
    );
    env.client.delete_acls(&[right].into()).await.unwrap();
}
