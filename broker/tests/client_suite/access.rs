//! Who may do what: what a cluster without an authorizer says, and SCRAM users as no client of ours would change them.

use std::sync::Arc;

use kafka_protocol::messages::AlterUserScramCredentialsRequest;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};

use kafka::{
    AclBinding, AclFilter, AclOperation, AclPermission, ClientOptions, Cluster, Error, PatternType,
    Plaintext, ResourceType,
};

use crate::environment::{Environment, fresh_name};
use crate::support::raw::text;

pub(crate) async fn without_an_authorizer_there_are_no_acls(env: Environment) {
    let options = ClientOptions::new(env.bootstrap.split(','));
    let client = Cluster::connect(options, Arc::new(Plaintext))
        .await
        .unwrap();
    let acl = AclBinding {
        resource_type: ResourceType::Topic,
        resource_name: "orders".to_owned(),
        pattern_type: PatternType::Literal,
        principal: "User:orders".to_owned(),
        host: "*".to_owned(),
        operation: AclOperation::Read,
        permission: AclPermission::Allow,
    };
    let acls = [acl].into();
    let found = client.describe_acls(&AclFilter::default()).await;
    let created = client.create_acls(&acls).await;
    let deleted = client.delete_acls(&acls).await;
    for refused in [
        found.unwrap_err(),
        created.unwrap_err(),
        deleted.unwrap_err(),
    ] {
        assert!(matches!(refused, Error::NoAuthorizer { .. }), "{refused}");
        assert!(refused.to_string().contains("no authorizer"), "{refused}");
        assert!(refused.hint().is_some());
    }
}

const UNSUPPORTED_SASL_MECHANISM: i16 = 33;
const RESOURCE_NOT_FOUND: i16 = 91;
const DUPLICATE_RESOURCE: i16 = 92;
const UNACCEPTABLE_CREDENTIAL: i16 = 93;

pub(crate) async fn wrong_scram_changes_are_refused(env: Environment) {
    let mut raw = env.raw().await;
    let user = fresh_name();
    let upsert = |name: &str, mechanism, iterations| {
        ScramCredentialUpsertion::default()
            .with_name(text(name))
            .with_mechanism(mechanism)
            .with_iterations(iterations)
            .with_salt(vec![7; 16].into())
            .with_salted_password(vec![7; 32].into())
    };
    let delete = |name: &str, mechanism| {
        ScramCredentialDeletion::default()
            .with_name(text(name))
            .with_mechanism(mechanism)
    };
    for (deletions, upsertions, error) in [
        (
            vec![],
            vec![upsert(&user, 1, 4095)],
            UNACCEPTABLE_CREDENTIAL,
        ),
        (
            vec![],
            vec![upsert(&user, 1, 16_385)],
            UNACCEPTABLE_CREDENTIAL,
        ),
        (vec![], vec![upsert("", 1, 4096)], UNACCEPTABLE_CREDENTIAL),
        (
            vec![],
            vec![upsert(&user, 3, 4096)],
            UNSUPPORTED_SASL_MECHANISM,
        ),
        (vec![delete(&user, 3)], vec![], UNSUPPORTED_SASL_MECHANISM),
        (vec![delete(&user, 1)], vec![], RESOURCE_NOT_FOUND),
        (
            vec![],
            vec![upsert(&user, 1, 4096), upsert(&user, 2, 4096)],
            DUPLICATE_RESOURCE,
        ),
        (
            vec![delete(&user, 1)],
            vec![upsert(&user, 2, 4096)],
            RESOURCE_NOT_FOUND,
        ),
    ] {
        let request = AlterUserScramCredentialsRequest::default()
            .with_deletions(deletions)
            .with_upsertions(upsertions);
        let response = raw.call(0, &request).await;
        let codes: Vec<i16> = response
            .results
            .iter()
            .map(|result| result.error_code)
            .collect();
        assert_eq!(codes, [error], "{request:?}");
    }
}
