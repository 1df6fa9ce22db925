//! Access rules: created, gone and repaired, and deleted only when that is permitted and asked for.

use std::collections::BTreeSet;

use broker::{ClusterOptions, EmbeddedCluster};
use kafka::AclFilter;
use plan::{Action, ApplyError, BlockCode, Clients, Permissions, Plan, Risk};
use topology::{Acl, AclBinding, AclOperation, AclPermission, PatternType, ResourceType, Topology};

use crate::bench::{Bench, client};

pub(crate) const ADDRESS: &str = "acl.left.User:orders/allow/read/topic/prefixed/pay.";

/// A bench whose cluster `left` has an authorizer.
pub(crate) async fn bench() -> Bench {
    let mut bench = Bench::start().await;
    let options = ClusterOptions {
        brokers: 3,
        defaults: [(
            "authorizer.class.name".to_owned(),
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        )]
        .into(),
        ..ClusterOptions::default()
    };
    bench.left = EmbeddedCluster::start(options).await.unwrap();
    bench.clients = Clients::from([
        ("left".to_owned(), client(&bench.left).await),
        ("right".to_owned(), client(&bench.right).await),
    ]);
    bench
}

pub(crate) fn rule(operation: AclOperation) -> AclBinding {
    AclBinding {
        resource_type: ResourceType::Topic,
        resource_name: "pay.".to_owned(),
        pattern: PatternType::Prefixed,
        principal: "User:orders".to_owned(),
        host: "*".to_owned(),
        operation,
        permission: AclPermission::Allow,
    }
}

pub(crate) fn declaring(bench: &Bench, cluster: &str, rules: &[AclBinding]) -> Topology {
    let mut topology = bench.topology(Vec::new());
    topology.acls = rules
        .iter()
        .map(|rule| Acl {
            cluster: cluster.to_owned(),
            binding: rule.clone(),
            origin: "services.orders".to_owned(),
        })
        .collect();
    topology
}

async fn planned(bench: &Bench, topology: &Topology, destroy: &[&str]) -> Plan {
    let observed = plan::observe(topology, &bench.clients).await.unwrap();
    let allowed = Permissions::to_destroy(destroy.iter().map(|address| (*address).to_owned()));
    plan::diff(topology, &observed, &allowed)
}

async fn live(bench: &Bench) -> BTreeSet<String> {
    let found = bench.clients["left"]
        .describe_acls(&AclFilter::default())
        .await;
    found.unwrap().iter().map(ToString::to_string).collect()
}

/// Changes ACLs as somebody else would.
pub(crate) async fn meddle(bench: &Bench, rule: &AclBinding, there: bool) {
    let acl = kafka::AclBinding {
        resource_type: kafka::ResourceType::Topic,
        resource_name: rule.resource_name.clone(),
        pattern_type: kafka::PatternType::Prefixed,
        principal: rule.principal.clone(),
        host: rule.host.clone(),
        operation: rule.operation.kafka_word().parse().unwrap(),
        permission: kafka::AclPermission::Allow,
    };
    let (cluster, one) = (&bench.clients["left"], BTreeSet::from([acl]));
    if there {
        cluster.create_acls(&one).await.unwrap();
    } else {
        cluster.delete_acls(&one).await.unwrap();
    }
}

#[tokio::test]
async fn created_then_gone_then_repaired() {
    let bench = bench().await;
    let rules = [rule(AclOperation::Read), rule(AclOperation::Describe)];
    let topology = declaring(&bench, "left", &rules);
    meddle(&bench, &rule(AclOperation::Write), true).await;

    let plan = planned(&bench, &topology, &[]).await;
    let address = plan.resource_changes[1].address.as_str();
    assert_eq!((address, plan.summary().add), (ADDRESS, 2));
    assert_eq!(
        plan.resource_changes[1].reason,
        "not on the cluster, for services.orders"
    );
    let text = plan.to_json().unwrap();
    let plan: Plan = serde_json::from_str(&text).unwrap();
    bench.apply(&plan).await.unwrap();
    assert_eq!(live(&bench).await.len(), 3, "the foreign one is left alone");
    assert!(!planned(&bench, &topology, &[]).await.has_changes());
    // what is done is not done again
    assert_eq!(bench.apply(&plan).await.unwrap().already_done.len(), 2);

    meddle(&bench, &rules[0], false).await;
    let plan = planned(&bench, &topology, &[]).await;
    let drifted = plan
        .resource_changes
        .iter()
        .find(|change| change.address == ADDRESS)
        .unwrap();
    assert!(drifted.is_drift());
    assert_eq!(drifted.reason, "gone since the last apply");
    bench.apply(&plan).await.unwrap();
    assert!(!planned(&bench, &topology, &[]).await.has_changes());
}

#[tokio::test]
async fn a_dropped_rule_goes_only_when_permitted_and_asked_for() {
    let bench = bench().await;
    let topology = declaring(&bench, "left", &[rule(AclOperation::Read)]);
    let plan = planned(&bench, &topology, &[]).await;
    bench.apply(&plan).await.unwrap();

    let mut without = declaring(&bench, "left", &[]);
    // `is_managed` asks for something to be declared: a topic is enough
    without.topics = vec![crate::bench::topic("t", &["left"], Some(1), &[])];
    let plan = planned(&bench, &without, &[ADDRESS]).await;
    assert!(
        plan.resource_changes[0].notes[0].contains("allow.deleteAcls"),
        "{plan:#?}"
    );
    bench.apply(&plan).await.unwrap();
    assert_eq!(live(&bench).await.len(), 1);

    without.clusters[0].allow.delete_acls = true;
    let plan = planned(&bench, &without, &[]).await;
    let change = &plan.resource_changes[0];
    assert_eq!(change.blocked[0].code, BlockCode::DestroyNotAllowed);
    assert_eq!(change.risk, Risk::CutsOffClients);
    assert!(matches!(
        bench.apply(&plan).await.unwrap_err(),
        ApplyError::Blocked { .. }
    ));
    assert_eq!(live(&bench).await.len(), 1);

    let plan = planned(&bench, &without, &[ADDRESS]).await;
    assert_eq!(plan.resource_changes[0].action(), Action::Delete);
    bench.apply(&plan).await.unwrap();
    assert_eq!(live(&bench).await.len(), 0);
    let again = planned(&bench, &without, &[]).await;
    assert!(!again.has_changes() && again.forget.is_empty());
}

#[tokio::test]
async fn a_forgotten_rule_is_nobodys() {
    let bench = bench().await;
    let topology = declaring(&bench, "left", &[rule(AclOperation::Read)]);
    let plan = planned(&bench, &topology, &[]).await;
    bench.apply(&plan).await.unwrap();
    plan::forget(&bench.clients, None, None, &[ADDRESS.to_owned()])
        .await
        .unwrap();
    let mut without = declaring(&bench, "left", &[]);
    without.clusters[0].allow.delete_acls = true;
    let plan = planned(&bench, &without, &[ADDRESS]).await;
    assert!(plan.resource_changes.is_empty(), "{plan:#?}");
}

#[tokio::test]
async fn without_an_authorizer_rules_are_refused_by_name() {
    let bench = bench().await;
    let topology = declaring(&bench, "right", &[rule(AclOperation::Read)]);
    let plan = planned(&bench, &topology, &[]).await;
    let blocked = &plan.resource_changes[0].blocked;
    assert_eq!(blocked[0].code, BlockCode::NoAuthorizer);
    let refused = bench.apply(&plan).await.unwrap_err().to_string();
    assert!(refused.contains("authorizer.class.name"), "{refused}");
}

#[tokio::test]
async fn what_takes_from_whom_we_log_in_as_is_refused() {
    let bench = bench().await;
    let mut deny = rule(AclOperation::Write);
    deny.permission = AclPermission::Deny;
    let mut topology = declaring(&bench, "left", &[rule(AclOperation::Read), deny]);
    let login = topology::Login {
        username: "orders".to_owned(),
        password: topology::SecretRef::Env("PW".to_owned()),
    };
    topology.clusters[0].sasl = Some(topology::Sasl::ScramSha512(login));
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!((plan.summary().add, plan.summary().blocked), (1, 1));
    topology.acls.truncate(1);
    let plan = planned(&bench, &topology, &[]).await;
    bench.apply(&plan).await.unwrap();

    topology.acls.clear();
    topology.clusters[0].allow.delete_acls = true;
    let plan = planned(&bench, &topology, &[ADDRESS]).await;
    let codes: Vec<BlockCode> = plan.resource_changes[0]
        .blocked
        .iter()
        .map(|block| block.code)
        .collect();
    assert_eq!(codes, [BlockCode::OwnLogin]);
}
