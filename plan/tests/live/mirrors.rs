//! Mirrors' records: written, changed, drifted and repaired, never back from promoted, and deleted only when permitted.

use bytes::Bytes;
use kafka::KeyedLog;
use kafka::record::Record;
use plan::{Action, ApplyError, BlockCode, FailureKind, Permissions, Plan, Risk};
use register::{Entry, MIRRORS_TOPIC, RegisterLog, Standing};
use topology::{MirrorState, Topology};

use crate::bench::Bench;

const PAY: &str = "mirror.pay";
const KEY: &[u8] = br#"{"mirror":"pay"}"#;

/// Both clusters of the bench, and what else the file says.
fn topology(bench: &Bench, rest: &str) -> Topology {
    let servers = |live: &broker::EmbeddedCluster| {
        let servers = live.bootstrap_servers();
        servers.replace(',', "\", \"")
    };
    let (left, right) = (servers(&bench.left), servers(&bench.right));
    let text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {{alias: left, bootstrapServers: [\"{left}\"]}}\n\
         - {{alias: right, bootstrapServers: [\"{right}\"], allow: {{deleteMirrors: true}}}}\n{rest}"
    );
    topology::parse("t.yaml", &text).unwrap().topology
}

/// With the mirror in this state.
fn meaning(bench: &Bench, state: &str) -> Topology {
    topology(bench, &mirror(state))
}

fn mirror(state: &str) -> String {
    format!(
        "mirrors:\n- {{name: pay, source: left, target: right, topicsPattern: 'pay\\..*', state: {state}}}\n"
    )
}

fn codes(plan: &Plan) -> Vec<BlockCode> {
    let blocked = plan.resource_changes[0].blocked.iter();
    blocked.map(|block| block.code).collect()
}

async fn planned(bench: &Bench, topology: &Topology, destroy: &[&str]) -> Plan {
    let observed = plan::observe(topology, &bench.clients).await.unwrap();
    let allowed = Permissions::to_destroy(destroy.iter().map(|address| (*address).to_owned()));
    plan::diff(topology, &observed, &allowed)
}

async fn plan_for(bench: &Bench, state: &str) -> Plan {
    planned(bench, &meaning(bench, state), &[]).await
}

async fn settle(bench: &Bench, state: &str) {
    bench.apply(&plan_for(bench, state).await).await.unwrap();
    let again = plan_for(bench, state).await;
    assert!(!again.has_changes(), "{again:#?}");
    assert!(again.resource_changes[0].record.is_none(), "{again:#?}");
}

async fn entry(bench: &Bench) -> Entry {
    let register = RegisterLog::new(bench.clients["right"].clone())
        .read()
        .await;
    register.unwrap().entry("pay")
}

async fn live(bench: &Bench) -> MirrorState {
    match entry(bench).await.standing {
        Some(Standing::Known { record, .. }) => record.state,
        other => panic!("{other:?}"),
    }
}

/// Writes to the topic of records, as somebody else would.
async fn meddle(bench: &Bench, value: Option<&'static str>) {
    let record = Record {
        offset_delta: 0,
        timestamp: 0,
        key: Some(Bytes::from_static(KEY)),
        value: value.map(|it| Bytes::from_static(it.as_bytes())),
        headers: Vec::new(),
    };
    let log = KeyedLog::new(bench.clients["right"].clone(), MIRRORS_TOPIC);
    log.append(&[record]).await.unwrap();
}

#[tokio::test]
async fn a_mirror_is_recorded_on_its_target_paused_and_resumed() {
    let bench = Bench::start().await;
    let plan = plan_for(&bench, "running").await;
    let change = &plan.resource_changes[0];
    assert_eq!(
        (
            change.address.as_str(),
            change.home.cluster().unwrap_or_default()
        ),
        (PAY, "right")
    );
    assert_eq!((change.action(), change.risk), (Action::Create, Risk::Safe));
    settle(&bench, "running").await;
    let Some(Standing::Known { record, since_ms }) = entry(&bench).await.standing else {
        panic!("no record");
    };
    assert_eq!(record.state, MirrorState::Running);
    assert!(since_ms > 0, "the brokers' time");
    assert!(
        !bench.left.topics().contains(&MIRRORS_TOPIC.to_owned()),
        "nothing on the source"
    );

    let plan = plan_for(&bench, "paused").await;
    let change = &plan.resource_changes[0];
    assert_eq!(change.action(), Action::Update);
    assert_eq!(change.details[0].attribute, "state");
    assert_eq!(change.details[0].before.as_deref(), Some("running"));
    assert_eq!(change.details[0].after.as_deref(), Some("paused"));
    assert!(
        change.details[0]
            .reason
            .as_ref()
            .unwrap()
            .contains("lag grows")
    );
    assert!(!change.is_drift());
    settle(&bench, "paused").await;
    assert_eq!(live(&bench).await, MirrorState::Paused);
    settle(&bench, "running").await;
    assert_eq!(live(&bench).await, MirrorState::Running);
}

#[tokio::test]
async fn what_others_write_is_drift_and_repaired() {
    let bench = Bench::start().await;
    settle(&bench, "running").await;
    for (foreign, before) in [
        (Some(r#"{"version":1,"state":"paused"}"#), Some("paused")),
        (Some("not json"), Some("unreadable")),
        (
            Some(r#"{"version":1,"state":"halted"}"#),
            Some("unreadable"),
        ),
        (None, None),
    ] {
        meddle(&bench, foreign).await;
        let plan = plan_for(&bench, "running").await;
        let change = &plan.resource_changes[0];
        assert!(change.is_drift() && !plan.is_blocked(), "{change:#?}");
        assert_eq!(change.details[0].before.as_deref(), before, "{foreign:?}");
        settle(&bench, "running").await;
        assert_eq!(live(&bench).await, MirrorState::Running);
    }
    meddle(&bench, Some(r#"{"version":7,"state":"paused"}"#)).await;
    let plan = plan_for(&bench, "running").await;
    assert_eq!(
        plan.resource_changes[0].blocked[0].code,
        BlockCode::MirrorRecordNewer
    );
}

#[tokio::test]
async fn a_record_written_in_between_makes_the_plan_stale() {
    let bench = Bench::start().await;
    settle(&bench, "running").await;
    let plan = plan_for(&bench, "paused").await;
    meddle(
        &bench,
        Some(r#"{"version":1,"state":"promoted","sources":{"left":null}}"#),
    )
    .await;
    let error = bench.apply(&plan).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale, "{error}");
    let ApplyError::Stale { differences, .. } = &error else {
        panic!("{error}");
    };
    let source = format!(
        "source.left: expected {}, found unknown",
        bench.left.cluster_id()
    );
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["state: expected running, found promoted".to_owned(), source]
    );
    assert_eq!(live(&bench).await, MirrorState::Promoted);
}

#[tokio::test]
async fn a_promotion_is_irreversible_whoever_remembers_it() {
    let bench = Bench::start().await;
    settle(&bench, "running").await;
    let plan = plan_for(&bench, "promoted").await;
    assert_eq!(plan.resource_changes[0].risk, Risk::Irreversible);
    settle(&bench, "promoted").await;
    for state in ["running", "paused"] {
        let plan = plan_for(&bench, state).await;
        assert_eq!(codes(&plan), [BlockCode::MirrorPromoted]);
        let message = &plan.resource_changes[0].blocked[0].message;
        assert!(message.contains("another name"), "{message}");
        let error = bench.apply(&plan).await.unwrap_err();
        assert!(matches!(error, ApplyError::Blocked { .. }), "{error}");
    }
    // without its record the cluster still remembers what was applied
    meddle(&bench, None).await;
    let plan = plan_for(&bench, "running").await;
    assert_eq!(codes(&plan), [BlockCode::MirrorPromoted]);
    settle(&bench, "promoted").await;
    // and without that, the record
    let addresses = [PAY.to_owned()];
    plan::forget(&bench.clients, None, None, &addresses)
        .await
        .unwrap();
    let plan = plan_for(&bench, "running").await;
    assert_eq!(codes(&plan), [BlockCode::MirrorPromoted]);
    assert_eq!(live(&bench).await, MirrorState::Promoted);
}

#[tokio::test]
async fn who_drops_a_promoted_mirror_is_told_how_it_stays_promoted() {
    let bench = Bench::start().await;
    settle(&bench, "running").await;
    settle(&bench, "promoted").await;
    let none = topology(&bench, "");
    let plan = planned(&bench, &none, &[]).await;
    assert_eq!(codes(&plan), [BlockCode::DestroyNotAllowed]);
    let message = &plan.resource_changes[0].blocked[0].message;
    for words in [
        "Leave it declared",
        "`mirrorctl forget mirror.pay`",
        "only `--allow-destroy mirror.pay` deletes the record itself",
    ] {
        assert!(message.contains(words), "{words} in {message}");
    }
    let addresses = [PAY.to_owned()];
    let forgotten = plan::forget(&bench.clients, None, None, &addresses).await;
    forgotten.unwrap();
    let plan = planned(&bench, &none, &[]).await;
    assert!(!plan.has_changes() && !plan.is_blocked(), "{plan:#?}");
    assert_eq!(live(&bench).await, MirrorState::Promoted);
}

#[tokio::test]
async fn a_mirror_of_another_topology_is_taken_over_only_by_its_address() {
    let bench = Bench::start().await;
    let named = |name: &str, state: &str| {
        let metadata = format!("metadata: {{name: {name}}}\n");
        topology(&bench, &(metadata + &mirror(state)))
    };
    let first = planned(&bench, &named("a", "running"), &[]).await;
    bench.apply(&first).await.unwrap();
    // in the same state it may be another mirror all the same
    for state in ["running", "paused", "promoted"] {
        let plan = planned(&bench, &named("b", state), &[]).await;
        assert_eq!(codes(&plan), [BlockCode::MirrorOfAnotherTopology]);
        let message = &plan.resource_changes[0].blocked[0].message;
        for words in ["topology `a`", "--allow-destroy mirror.pay", "another name"] {
            assert!(message.contains(words), "{words} in {message}");
        }
        let error = bench.apply(&plan).await.unwrap_err();
        assert!(matches!(error, ApplyError::Blocked { .. }), "{error}");
        assert_eq!(live(&bench).await, MirrorState::Running);
    }
    let asked_for = planned(&bench, &named("b", "paused"), &[PAY]).await;
    let from = asked_for.resource_changes[0].taken_from.as_deref();
    assert_eq!(from, Some("a"));
    bench.apply(&asked_for).await.unwrap();
    assert_eq!(live(&bench).await, MirrorState::Paused);
    // it is the other one's from here on
    for topology in [named("a", "running"), meaning(&bench, "running")] {
        let plan = planned(&bench, &topology, &[]).await;
        assert_eq!(codes(&plan), [BlockCode::MirrorOfAnotherTopology]);
    }
    let addresses = [PAY.to_owned()];
    let forget = |name| plan::forget(&bench.clients, None, name, &addresses);
    for other in [Some("a"), None] {
        let error = forget(other).await.unwrap_err().to_string();
        assert!(error.contains("mirror.pay (`b`)"), "{error}");
    }
    forget(Some("b")).await.unwrap();
    let plan = planned(&bench, &named("a", "running"), &[]).await;
    bench.apply(&plan).await.unwrap();
    assert_eq!(live(&bench).await, MirrorState::Running);
}

/// The same of a topology with this name.
fn named(bench: &Bench, name: &str, state: &str) -> Topology {
    let metadata = format!("metadata: {{name: {name}}}\n");
    topology(bench, &(metadata + &mirror(state)))
}

#[tokio::test]
async fn a_name_takes_over_mirrors_as_they_are_and_says_so() {
    let bench = Bench::start().await;
    settle(&bench, "running").await;
    // it may be somebody else's: nothing about it changes with that
    let changed = planned(&bench, &named(&bench, "a", "paused"), &[]).await;
    assert_eq!(codes(&changed), [BlockCode::MirrorOfAnotherTopology]);
    let message = &changed.resource_changes[0].blocked[0].message;
    for words in [
        "a topology without a name has a mirror of this name",
        "apply the name alone first",
        "--allow-destroy mirror.pay",
    ] {
        assert!(message.contains(words), "{words} in {message}");
    }
    let error = bench.apply(&changed).await.unwrap_err();
    assert!(matches!(error, ApplyError::Blocked { .. }), "{error}");
    assert_eq!(live(&bench).await, MirrorState::Running);
    // by its address
    let asked_for = planned(&bench, &named(&bench, "a", "paused"), &[PAY]).await;
    assert!(!asked_for.is_blocked(), "{asked_for:#?}");

    let same = planned(&bench, &named(&bench, "a", "running"), &[]).await;
    assert!(!same.has_changes() && !same.is_blocked(), "{same:#?}");
    let note = &same.resource_changes[0].notes[0];
    assert!(
        note.contains("a topology without a name declared it"),
        "{note}"
    );
    bench.apply(&same).await.unwrap();
    let again = planned(&bench, &named(&bench, "a", "running"), &[]).await;
    assert!(again.resource_changes[0].notes.is_empty(), "{again:#?}");
    let paused = planned(&bench, &named(&bench, "a", "paused"), &[]).await;
    bench.apply(&paused).await.unwrap();
    assert_eq!(live(&bench).await, MirrorState::Paused);
    let plan = plan_for(&bench, "running").await;
    assert_eq!(codes(&plan), [BlockCode::MirrorOfAnotherTopology]);
}

#[tokio::test]
async fn a_plan_is_stale_where_a_mirror_changed_hands_since() {
    let bench = Bench::start().await;
    let own = planned(&bench, &named(&bench, "a", "running"), &[]).await;
    bench.apply(&own).await.unwrap();
    let saved = planned(&bench, &named(&bench, "a", "paused"), &[]).await;
    // its record stays as it is
    let taken = planned(&bench, &named(&bench, "b", "running"), &[PAY]).await;
    assert!(!taken.has_changes(), "{taken:#?}");
    bench.apply(&taken).await.unwrap();
    let error = bench.apply(&saved).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale);
    let words = "owner: expected the topology `a`, found the topology `b`";
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(live(&bench).await, MirrorState::Running);
    // nor is it taken back by a plan that changes nothing but that
    let again = planned(&bench, &named(&bench, "a", "running"), &[PAY]).await;
    let other = planned(&bench, &named(&bench, "c", "running"), &[PAY]).await;
    bench.apply(&other).await.unwrap();
    let error = bench.apply(&again).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Stale);
    // what was applied is applied again without harm
    assert!(bench.apply(&other).await.is_ok());
}

#[tokio::test]
async fn a_dropped_mirror_is_shown_and_deleted_only_when_permitted_and_asked_for() {
    let bench = Bench::start().await;
    settle(&bench, "paused").await;
    let none = topology(&bench, "");
    let mut forbidding = none.clone();
    forbidding.clusters[1].allow.delete_mirrors = false;
    // nothing is declared on the cluster any more: something has to be, for it to be looked at
    forbidding.clusters[1].allow.delete_acls = true;
    let plan = planned(&bench, &forbidding, &[PAY]).await;
    assert!(!plan.has_changes());
    assert!(
        plan.resource_changes[0].notes[0].contains("deleteMirrors"),
        "{plan:#?}"
    );

    let plan = planned(&bench, &none, &[]).await;
    assert_eq!(
        plan.resource_changes[0].blocked[0].code,
        BlockCode::DestroyNotAllowed
    );
    let plan = planned(&bench, &none, &[PAY]).await;
    assert_eq!(plan.summary().destroy, 1);
    let applied = bench.apply(&plan).await.unwrap().applied;
    assert_eq!(applied, [PAY.to_owned()]);
    let left = entry(&bench).await;
    assert_eq!((left.standing, left.deleted), (None, true));
    let again = planned(&bench, &none, &[]).await;
    assert!(again.resource_changes.is_empty() && again.forget.is_empty());
}

#[tokio::test]
async fn only_mirrors_of_the_built_in_engine_have_records() {
    let bench = Bench::start().await;
    let other = topology(
        &bench,
        "mirrors:\n- {name: pay, source: left, target: right, engine: mirrormaker2}\n",
    );
    let plan = planned(&bench, &other, &[]).await;
    assert!(plan.resource_changes.is_empty(), "{plan:#?}");
}
