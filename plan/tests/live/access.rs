//! Limits and logins: created, changed, drifted and repaired, and taken away only as far as they are ours.

use std::collections::BTreeMap;

use broker::{ApiKey, FaultAction, FaultRule};
use kafka::security::{ScramCredential, ScramHash, Secret};
use kafka::{QuotaChange, QuotaEntity as WireEntity, QuotaName, ScramChange};
use plan::{Action, ApplyError, BlockCode, Permissions, Plan, Risk};
use topology::{
    EntityName, Quota, QuotaEntity, QuotaValue, ScramMechanism, ScramUser, SecretRef, Topology,
};

use crate::acls;
use crate::bench::Bench;

const QUOTA: &str = "quota.left.user=orders";
const USER: &str = "user.left.orders";

fn quota(limits: &[(&str, u32)]) -> Quota {
    Quota {
        cluster: "left".to_owned(),
        entity: QuotaEntity {
            user: Some(EntityName::Named("orders".to_owned())),
            ..QuotaEntity::default()
        },
        limits: limits
            .iter()
            .map(|(key, value)| ((*key).to_owned(), QuotaValue::from(*value)))
            .collect(),
        origin: "quotas[0]".to_owned(),
    }
}

fn limiting(bench: &Bench, limits: &[(&str, u32)]) -> Topology {
    let mut topology = bench.topology(Vec::new());
    topology.quotas = vec![quota(limits)];
    topology
}

/// Without anything, and with the right to delete all of it.
fn nothing(bench: &Bench) -> Topology {
    let mut topology = bench.topology(Vec::new());
    for cluster in &mut topology.clusters {
        cluster.allow.delete_quotas = true;
        cluster.allow.delete_users = true;
    }
    topology
}

/// A user whose password is in a file that holds it.
struct Login {
    folder: tempfile::TempDir,
    mechanism: ScramMechanism,
    iterations: u32,
    generation: u32,
}

impl Login {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pw"), "hunter2-hunter2\n").unwrap();
        Self {
            folder,
            mechanism: ScramMechanism::Sha512,
            iterations: 4096,
            generation: 1,
        }
    }

    fn topology(&self, bench: &Bench) -> Topology {
        let mut topology = bench.topology(Vec::new());
        topology.users = vec![ScramUser {
            cluster: "left".to_owned(),
            name: "orders".to_owned(),
            mechanism: self.mechanism,
            password: SecretRef::File(self.folder.path().join("pw")),
            iterations: self.iterations,
            generation: self.generation,
            origin: "users[0]".to_owned(),
        }];
        topology
    }
}

async fn planned(bench: &Bench, topology: &Topology, destroy: &[&str]) -> Plan {
    let observed = plan::observe(topology, &bench.clients).await.unwrap();
    let allowed = Permissions::to_destroy(destroy.iter().map(|address| (*address).to_owned()));
    plan::diff(topology, &observed, &allowed)
}

/// Applies, and makes sure that nothing is left to do.
async fn settle(bench: &Bench, topology: &Topology) {
    let plan = planned(bench, topology, &[]).await;
    bench.apply(&plan).await.unwrap();
    let again = planned(bench, topology, &[]).await;
    assert!(!again.has_changes(), "{again:#?}");
}

fn entity() -> WireEntity {
    WireEntity::User(QuotaName::Named("orders".to_owned()))
}

async fn live_limits(bench: &Bench) -> BTreeMap<String, f64> {
    bench.clients["left"]
        .client_quotas_of(&entity())
        .await
        .unwrap()
}

/// Sets a limit as somebody else would.
async fn meddle(bench: &Bench, key: &str, value: f64) {
    let set = QuotaChange::Set {
        key: key.to_owned(),
        value,
    };
    let one = BTreeMap::from([(entity(), vec![set])]);
    bench.clients["left"]
        .alter_client_quotas(&one)
        .await
        .unwrap();
}

async fn credentials(bench: &Bench) -> BTreeMap<ScramHash, u32> {
    let users = bench.clients["left"].scram_users().await.unwrap();
    users.get("orders").cloned().unwrap_or_default()
}

async fn log_in_with(bench: &Bench, hash: ScramHash, iterations: u32) {
    let password = Secret::new("somebody-else's");
    let credential = ScramCredential::derive("orders", hash, iterations, &password).unwrap();
    let set = ScramChange::Upsert(credential);
    bench.clients["left"]
        .alter_scram_users(&[set])
        .await
        .unwrap();
}

fn orders_login() -> topology::Sasl {
    topology::Sasl::ScramSha512(topology::Login {
        username: "orders".to_owned(),
        password: SecretRef::Env("PW".to_owned()),
    })
}

fn only(plan: &Plan) -> &plan::ResourceChange {
    assert_eq!(plan.resource_changes.len(), 1, "{plan:#?}");
    &plan.resource_changes[0]
}

#[tokio::test]
async fn limits_are_set_changed_dropped_and_repaired_and_foreign_ones_stay() {
    let bench = Bench::start().await;
    meddle(&bench, "request_percentage", 50.0).await;
    let both = [("producer_byte_rate", 1000), ("consumer_byte_rate", 2000)];
    let topology = limiting(&bench, &both);
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!(only(&plan).address, QUOTA);
    assert_eq!(only(&plan).unmanaged["request_percentage"], "50");
    settle(&bench, &topology).await;

    meddle(&bench, "producer_byte_rate", 9.0).await;
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!(only(&plan).reason, "drifted: differs in producer_byte_rate");
    assert!(only(&plan).is_drift());
    settle(&bench, &topology).await;

    settle(&bench, &limiting(&bench, &[("consumer_byte_rate", 3000)])).await;
    let left = [("consumer_byte_rate", 3000.0), ("request_percentage", 50.0)];
    let left = left.map(|(key, value)| (key.to_owned(), value));
    assert_eq!(live_limits(&bench).await, BTreeMap::from(left.clone()));

    // a limit of ours that is gone is not in the way of forgetting it
    let without = nothing(&bench);
    let plan = planned(&bench, &without, &[]).await;
    assert_eq!(only(&plan).blocked[0].code, BlockCode::DestroyNotAllowed);
    assert!(matches!(
        bench.apply(&plan).await.unwrap_err(),
        ApplyError::Blocked { .. }
    ));
    assert_eq!(live_limits(&bench).await, BTreeMap::from(left));
    let plan = planned(&bench, &without, &[QUOTA]).await;
    bench.apply(&plan).await.unwrap();
    let foreign = BTreeMap::from([("request_percentage".to_owned(), 50.0)]);
    assert_eq!(live_limits(&bench).await, foreign);
    let again = planned(&bench, &without, &[]).await;
    assert!(again.resource_changes.is_empty() && again.forget.is_empty());
}

#[tokio::test]
async fn a_dropped_quota_stays_where_the_topology_does_not_permit_its_deletion() {
    let bench = Bench::start().await;
    settle(&bench, &limiting(&bench, &[("producer_byte_rate", 1000)])).await;
    let mut without = nothing(&bench);
    without.clusters[0].allow.delete_quotas = false;
    let plan = planned(&bench, &without, &[QUOTA]).await;
    assert!(only(&plan).notes[0].contains("allow.deleteQuotas"));
    bench.apply(&plan).await.unwrap();
    assert_eq!(live_limits(&bench).await.len(), 1);
}

#[tokio::test]
async fn a_limit_that_somebody_changed_after_the_plan_makes_it_stale() {
    let bench = Bench::start().await;
    settle(&bench, &limiting(&bench, &[("producer_byte_rate", 1000)])).await;
    let plan = planned(
        &bench,
        &limiting(&bench, &[("producer_byte_rate", 2000)]),
        &[],
    )
    .await;
    meddle(&bench, "producer_byte_rate", 1500.0).await;
    let ApplyError::Stale { differences, .. } = bench.apply(&plan).await.unwrap_err() else {
        panic!("not stale")
    };
    assert_eq!(
        differences[0].to_string(),
        "producer_byte_rate: expected 1000, found 1500"
    );
    let kept = BTreeMap::from([("producer_byte_rate".to_owned(), 1500.0)]);
    assert_eq!(live_limits(&bench).await, kept);
}

#[tokio::test]
async fn a_user_is_created_drifts_is_repaired_and_gets_another_password_when_asked_for() {
    let bench = Bench::start().await;
    let mut login = Login::new();
    let topology = login.topology(&bench);
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!(
        (only(&plan).address.as_str(), plan.summary().add),
        (USER, 1)
    );
    let text = plan.to_json().unwrap();
    assert!(!text.contains("hunter2"), "a plan holds no password");
    settle(&bench, &topology).await;
    let own = BTreeMap::from([(ScramHash::Sha512, 4096)]);
    assert_eq!(credentials(&bench).await, own);

    log_in_with(&bench, ScramHash::Sha512, 5000).await;
    log_in_with(&bench, ScramHash::Sha256, 6000).await;
    let plan = planned(&bench, &topology, &[]).await;
    assert!(only(&plan).is_drift());
    assert_eq!(only(&plan).risk, Risk::CutsOffClients);
    settle(&bench, &topology).await;
    let with_foreign = BTreeMap::from([(ScramHash::Sha256, 6000), (ScramHash::Sha512, 4096)]);
    assert_eq!(credentials(&bench).await, with_foreign);

    login.generation = 2;
    let topology = login.topology(&bench);
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!(only(&plan).action(), Action::Update);
    assert_eq!(only(&plan).details[0].attribute, "password");
    bench.apply(&plan).await.unwrap();
    assert!(!planned(&bench, &topology, &[]).await.has_changes());
}

#[tokio::test]
async fn another_mechanism_replaces_ours_and_no_other() {
    let bench = Bench::start().await;
    let mut login = Login::new();
    login.mechanism = ScramMechanism::Sha256;
    settle(&bench, &login.topology(&bench)).await;
    login.mechanism = ScramMechanism::Sha512;
    let topology = login.topology(&bench);
    let plan = planned(&bench, &topology, &[]).await;
    assert_eq!(
        only(&plan).reason,
        "differs in SCRAM-SHA-512, password, SCRAM-SHA-256"
    );
    // whom we log in as keeps what it may be logged in with
    let mut own = topology.clone();
    own.clusters[0].sasl = Some(orders_login());
    let refused = planned(&bench, &own, &[]).await;
    assert_eq!(only(&refused).blocked[0].code, BlockCode::OwnLogin);

    settle(&bench, &topology).await;
    let own = BTreeMap::from([(ScramHash::Sha512, 4096)]);
    assert_eq!(credentials(&bench).await, own);
}

#[tokio::test]
async fn a_missing_password_is_said_before_anything_is_changed() {
    let bench = Bench::start().await;
    let login = Login::new();
    let mut topology = login.topology(&bench);
    topology.quotas = vec![quota(&[("producer_byte_rate", 1000)])];
    let plan = planned(&bench, &topology, &[]).await;
    let file = login.folder.path().join("pw");
    // nothing, and what Kafka's brokers would refuse
    for text in ["", "a\u{ad}b"] {
        std::fs::write(&file, text).unwrap();
        let error = bench.apply(&plan).await.unwrap_err();
        assert!(matches!(error, ApplyError::Password { .. }), "{error}");
        let said = error.to_string();
        assert!(said.starts_with(USER), "{said}");
        assert!(said.ends_with("nothing was changed"), "{said}");
    }
    assert_eq!(live_limits(&bench).await, BTreeMap::new());
    assert_eq!(credentials(&bench).await, BTreeMap::new());
}

#[tokio::test]
async fn a_user_that_was_there_before_is_taken_over_without_a_change() {
    let bench = Bench::start().await;
    log_in_with(&bench, ScramHash::Sha512, 4096).await;
    let topology = Login::new().topology(&bench);
    let plan = planned(&bench, &topology, &[]).await;
    assert!(!plan.has_changes());
    assert!(only(&plan).notes[0].contains("cannot be read back"));
    settle(&bench, &topology).await;
    assert!(
        only(&planned(&bench, &topology, &[]).await)
            .notes
            .is_empty()
    );
}

#[tokio::test]
async fn a_dropped_user_goes_only_when_permitted_asked_for_and_not_our_own() {
    let bench = Bench::start().await;
    let login = Login::new();
    settle(&bench, &login.topology(&bench)).await;
    let mut without = nothing(&bench);
    without.clusters[0].allow.delete_users = false;
    let plan = planned(&bench, &without, &[USER]).await;
    assert!(!plan.has_changes());
    assert!(only(&plan).notes[0].contains("allow.deleteUsers"));

    let mut without = nothing(&bench);
    let plan = planned(&bench, &without, &[]).await;
    assert_eq!(only(&plan).blocked[0].code, BlockCode::DestroyNotAllowed);
    without.clusters[0].sasl = Some(orders_login());
    let own = planned(&bench, &without, &[USER]).await;
    assert_eq!(only(&own).blocked[0].code, BlockCode::OwnLogin);
    assert!(bench.apply(&own).await.is_err());
    assert_eq!(credentials(&bench).await.len(), 1);

    without.clusters[0].sasl = None;
    let plan = planned(&bench, &without, &[USER]).await;
    assert_eq!(only(&plan).risk, Risk::CutsOffClients);
    bench.apply(&plan).await.unwrap();
    assert_eq!(credentials(&bench).await, BTreeMap::new());
    let again = planned(&bench, &without, &[]).await;
    assert!(again.resource_changes.is_empty() && again.forget.is_empty());
}

#[tokio::test]
async fn lost_answers_do_not_fail_what_was_done() {
    for action in [FaultAction::CloseAfter, FaultAction::CloseBefore] {
        let bench = acls::bench().await;
        let lose = |api| {
            let rule = FaultRule::new(action).api(api).times(1);
            bench.left.faults().inject(rule)
        };
        let login = Login::new();
        let mut topology = login.topology(&bench);
        topology.quotas = vec![quota(&[("producer_byte_rate", 1000)])];
        let rules = [acls::rule(topology::AclOperation::Read)];
        topology.acls = acls::declaring(&bench, "left", &rules).acls;
        let faults = [
            ApiKey::CreateAcls,
            ApiKey::AlterClientQuotas,
            ApiKey::AlterUserScramCredentials,
        ]
        .map(lose);
        let plan = planned(&bench, &topology, &[]).await;
        let summary = bench.apply(&plan).await.unwrap();
        // logins come before the rules that name them, limits last
        let order = [USER, acls::ADDRESS, QUOTA].map(str::to_owned);
        assert_eq!(summary.applied, order, "{action:?}");
        for fault in faults {
            assert_eq!(fault.hits(), 1, "{action:?}: every answer was lost once");
        }

        let mut without = nothing(&bench);
        without.clusters[0].allow.delete_acls = true;
        let faults = [
            ApiKey::DeleteAcls,
            ApiKey::AlterClientQuotas,
            ApiKey::AlterUserScramCredentials,
        ]
        .map(lose);
        let plan = planned(&bench, &without, &[USER, acls::ADDRESS, QUOTA]).await;
        let summary = bench.apply(&plan).await.unwrap();
        let order = [QUOTA, acls::ADDRESS, USER].map(str::to_owned);
        assert_eq!(summary.applied, order, "{action:?}");
        for fault in faults {
            assert_eq!(fault.hits(), 1, "{action:?}: every answer was lost once");
        }
        assert!(
            planned(&bench, &without, &[])
                .await
                .resource_changes
                .is_empty()
        );
    }
}
