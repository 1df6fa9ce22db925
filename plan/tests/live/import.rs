//! What an import declares of a live cluster is what there is: the plan is empty.

use std::collections::BTreeMap;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use kafka::security::{ScramCredential, ScramHash, Secret};
use kafka::{QuotaChange, QuotaEntity, QuotaName, ScramChange};
use plan::{Permissions, Plan};
use topology::import::{Imported, ImportedCluster};
use topology::{AclOperation, Topology};

use crate::acls;
use crate::bench::Bench;

/// Logins, limits and rules that nobody declared.
async fn inhabit(bench: &Bench) {
    let client = &bench.clients["left"];
    for (name, hash, iterations) in [
        ("orders", ScramHash::Sha512, 4096),
        ("bills", ScramHash::Sha256, 10_000),
    ] {
        let password = Secret::new("somebody-else's");
        let credential = ScramCredential::derive(name, hash, iterations, &password).unwrap();
        let one = [ScramChange::Upsert(credential)];
        client.alter_scram_users(&one).await.unwrap();
    }
    let set = |key: &str, value| QuotaChange::Set {
        key: key.to_owned(),
        value,
    };
    let limits = BTreeMap::from([
        (
            QuotaEntity::User(QuotaName::Named("orders".to_owned())),
            vec![
                set("producer_byte_rate", 1000.0),
                set("request_percentage", 12.5),
            ],
        ),
        (
            QuotaEntity::ClientId(QuotaName::Default),
            vec![set("consumer_byte_rate", 2000.0)],
        ),
    ]);
    client.alter_client_quotas(&limits).await.unwrap();
    for operation in [AclOperation::Read, AclOperation::Describe] {
        acls::meddle(bench, &acls::rule(operation), true).await;
    }
}

async fn imported(bench: &Bench) -> Imported {
    let client = &bench.clients["left"];
    let topics = plan::live_topics("left", client, |_| true).await.unwrap();
    let cluster = ImportedCluster {
        alias: "left".to_owned(),
        bootstrap_servers: client.bootstrap().to_vec(),
        ..ImportedCluster::default()
    };
    Imported {
        clusters: vec![cluster],
        topics,
        ..plan::live_access("left", client).await.unwrap()
    }
}

async fn planned(bench: &Bench, topology: &Topology) -> Plan {
    let observed = plan::observe(topology, &bench.clients).await.unwrap();
    plan::diff(topology, &observed, &Permissions::none())
}

#[tokio::test]
async fn the_plan_of_imported_users_rules_and_quotas_is_empty() {
    let bench = acls::bench().await;
    inhabit(&bench).await;
    let yaml = imported(&bench).await.to_yaml();
    let topology = topology::parse("imported.yaml", &yaml).unwrap().topology;
    let all = (
        topology.users.len(),
        topology.acls.len(),
        topology.quotas.len(),
    );
    assert_eq!(all, (2, 2, 2), "{yaml}");
    let plan = planned(&bench, &topology).await;
    assert_eq!(plan.resource_changes.len(), 6);
    assert!(!plan.has_changes(), "{:?}", plan.resource_changes);
    // and it is not where it is not as it is
    let other = yaml.replace("iterations: 4096", "iterations: 8192");
    let topology = topology::parse("imported.yaml", &other).unwrap().topology;
    assert!(planned(&bench, &topology).await.has_changes());
}

#[tokio::test]
async fn what_the_brokers_do_not_show_is_a_remark() {
    let bench = acls::bench().await;
    inhabit(&bench).await;
    for (api, words) in [
        (ApiKey::DescribeAcls, "access rules could not be read"),
        (ApiKey::DescribeClientQuotas, "quotas could not be read"),
        (
            ApiKey::DescribeUserScramCredentials,
            "users (SCRAM) could not be read",
        ),
    ] {
        let refusal = FaultRule::new(FaultAction::Error(
            ResponseError::ClusterAuthorizationFailed,
        ))
        .api(api);
        let refusal = bench.left.faults().inject(refusal);
        let found = imported(&bench).await;
        assert!(
            found.remarks.iter().any(|it| it.contains(words)),
            "{:?}",
            found.remarks
        );
        topology::parse("imported.yaml", &found.to_yaml()).unwrap();
        refusal.remove();
    }
}

/// `right` has no authorizer, no users and no quotas: nothing is missing, so nothing is said.
#[tokio::test]
async fn what_a_cluster_does_not_have_is_not_spoken_of() {
    let bench = Bench::start().await;
    let found = plan::live_access("right", &bench.clients["right"]).await;
    assert_eq!(found.unwrap(), Imported::default());
}
