//! What is found out about mirrors from live clusters.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use kafka::{QuotaChange, QuotaEntity, QuotaName};
use plan::proof::{Finding, FindingId, Severity};
use plan::{ApplyError, BlockCode, FailureKind, ObserveError, Permissions, Plan};
use topology::Topology;

use crate::bench::Bench;

const MIRROR: &str = "name: m, source: left, target: right, replicationPolicy: {type: identity}";

/// Both clusters of the bench, and `again`, which is `left` under another name.
fn topology(bench: &Bench, topics: &str, mirrors: &[&str]) -> Topology {
    let servers = |live: &broker::EmbeddedCluster| {
        let servers = live.bootstrap_servers();
        servers.replace(',', "\", \"")
    };
    let (left, right) = (servers(&bench.left), servers(&bench.right));
    let text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {{alias: left, bootstrapServers: [\"{left}\"]}}\n\
         - {{alias: right, bootstrapServers: [\"{right}\"]}}\n- {{alias: again, bootstrapServers: [\"{left}\"]}}\n\
         topics: [{topics}]\nmirrors:\n- {{{}}}\n",
        mirrors.join("}\n- {")
    );
    topology::parse("t.yaml", &text).unwrap().topology
}

async fn planned(bench: &Bench, topology: &Topology) -> Plan {
    let mut clients = bench.clients.clone();
    clients.insert("again".to_owned(), clients["left"].clone());
    let observed = plan::observe(topology, &clients).await.unwrap();
    let evidence = plan::proof::gather(topology, &clients, &BTreeMap::new()).await;
    let findings = plan::proof::judge(topology, &evidence);
    plan::diff(topology, &observed, &Permissions::none()).with_findings(findings)
}

async fn found(bench: &Bench, mirrors: &[&str]) -> Vec<Finding> {
    planned(bench, &topology(bench, "", mirrors)).await.findings
}

fn ids(findings: &[Finding]) -> Vec<(FindingId, Severity)> {
    let ids = findings.iter();
    ids.map(|finding| (finding.id, finding.severity)).collect()
}

/// Writes a record of this age, in milliseconds, to partition 0.
async fn write(bench: &Bench, alias: &str, topic: &str, age_ms: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let record = kafka::record::Record {
        offset_delta: 0,
        timestamp: now.as_millis() as i64 - age_ms,
        key: None,
        value: None,
        headers: Vec::new(),
    };
    let log = kafka::KeyedLog::new(bench.clients[alias].clone(), topic);
    log.append(&[record]).await.unwrap();
}

#[tokio::test]
async fn a_mirror_that_can_keep_its_promises_has_no_finding() {
    let bench = Bench::start().await;
    bench.create("left", "t", 3).await;
    write(&bench, "left", "t", 1_000).await;
    assert_eq!(found(&bench, &[MIRROR]).await, []);
    bench.create("right", "t", 3).await;
    assert_eq!(found(&bench, &[MIRROR]).await, []);
}

#[tokio::test]
async fn one_cluster_under_two_names_is_a_cycle_and_nothing_is_applied() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    let back = "name: back, source: right, target: again, replicationPolicy: {type: identity}";
    let declared = "{name: new, clusters: [right], partitions: 1}";
    let plan = planned(&bench, &topology(&bench, declared, &[MIRROR, back])).await;
    assert_eq!(
        ids(&plan.findings)[0],
        (FindingId::MirrorCycle, Severity::Blocked)
    );
    // what is declared counts like what is there
    assert_eq!(
        plan.findings[0].evidence,
        [
            "new of right → new of again → new of right",
            "t of left → t of right → t of again",
        ]
    );
    assert!(plan.is_blocked());
    assert_eq!(plan.summary.blocked, plan.summary().blocked);
    match bench.apply(&plan).await {
        Err(ApplyError::Blocked { blocked }) => {
            assert_eq!(blocked[0].1.code, BlockCode::MirrorFinding);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.topics("right"), Vec::<String>::new());
    // left out by address, it blocks nothing
    let plan = plan.only_findings(|finding| finding.address != "mirror.back");
    let plan = plan.only(|change| change.address.starts_with("topic."));
    bench.apply(&plan).await.unwrap();
    assert_eq!(bench.topics("right"), ["new"]);
}

/// Each of the two would wait for the other's lease, and undo what the other one sets.
#[tokio::test]
async fn one_cluster_under_two_names_is_refused_where_something_is_declared_on_both() {
    let bench = Bench::start().await;
    let mut clients = bench.clients.clone();
    clients.insert("again".to_owned(), clients["left"].clone());
    let back = "name: back, source: right, target: again, replicationPolicy: {type: identity}";
    let declared = "{name: new, clusters: [left], partitions: 1}";
    let refused = plan::observe(&topology(&bench, declared, &[back]), &clients).await;
    let Err(error @ ObserveError::OneCluster { .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind(), FailureKind::Refused);
    let words = error.to_string();
    assert!(
        words.starts_with("clusters again and left are one and the same"),
        "{words}"
    );
}

#[tokio::test]
async fn what_travels_on_is_told() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    let on = "name: on, source: right, target: again, topicsPattern: \"left.*\", \
        replicationPolicy: {type: identity}";
    let mirror = "name: m, source: left, target: right";
    let found = found(&bench, &[mirror, on]).await;
    // it ends on `left` again, by another alias
    assert_eq!(ids(&found), [(FindingId::MirrorCycle, Severity::Blocked)]);
    assert_eq!(
        found[0].evidence,
        ["t of left → left.t of right → left.t of again"]
    );
}

#[tokio::test]
async fn live_topics_that_become_one_are_refused() {
    let bench = Bench::start().await;
    bench.create("left", "pay.a", 1).await;
    let special = "name: special, source: again, target: right, topicsPattern: \"pay\\\\..*\", \
        replicationPolicy: {type: rename, rules: [{from: \"pay\\\\.(a)\", to: \"pay-$1\"}]}";
    let named = "name: m, source: left, target: right, topicsPattern: \"pay-.*\", \
        replicationPolicy: {type: identity}";
    assert_eq!(found(&bench, &[named, special]).await, []);
    bench.create("left", "pay-a", 1).await;
    let found = found(&bench, &[named, special]).await;
    assert_eq!(
        ids(&found),
        [(FindingId::TargetCollision, Severity::Blocked)]
    );
    assert!(found[0].evidence[0].starts_with("pay-a: "), "{found:?}");
}

#[tokio::test]
async fn larger_records_than_the_target_takes_are_refused() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    bench
        .meddle("left", "t", "max.message.bytes", "3000000")
        .await;
    assert_eq!(found(&bench, &[MIRROR]).await, [], "it follows");
    for (then, severity) in [
        ("fail", Severity::Blocked),
        ("quarantine", Severity::Warning),
    ] {
        let mirror = format!("{MIRROR}, topicSync: {{config: false}}, onOversize: {then}");
        let new = found(&bench, &[&mirror]).await;
        assert_eq!(ids(&new), [(FindingId::MessageSize, severity)]);
        assert_eq!(
            new[0].evidence,
            ["t takes 3000000 bytes on left, t 1048588 on right"]
        );
    }
    bench.create("right", "t", 1).await;
    bench
        .meddle("right", "t", "max.message.bytes", "3000000")
        .await;
    let mirror = format!("{MIRROR}, topicSync: {{config: false}}");
    assert_eq!(found(&bench, &[&mirror]).await, []);
}

#[tokio::test]
async fn records_of_a_time_that_the_target_does_not_take_are_told() {
    let bench = Bench::start().await;
    for alias in ["left", "right"] {
        bench.create(alias, "t", 2).await;
    }
    write(&bench, "left", "t", 7_200_000).await;
    assert_eq!(found(&bench, &[MIRROR]).await, []);
    let limit = "message.timestamp.before.max.ms";
    bench.meddle("right", "t", limit, "3600000").await;
    let old = found(&bench, &[MIRROR]).await;
    assert_eq!(ids(&old), [(FindingId::TimestampLimits, Severity::Warning)]);
    assert_eq!(
        old[0].evidence,
        ["t: its oldest record is 2 h old, t of right takes 1 h"]
    );
    let from_now = format!("{MIRROR}, startOffset: latest");
    assert_eq!(found(&bench, &[&from_now]).await, []);
}

#[tokio::test]
async fn retention_is_held_against_the_outage_budget() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    bench.meddle("left", "t", "retention.ms", "3600000").await;
    assert_eq!(found(&bench, &[MIRROR]).await, []);
    let budget = |time: &str| format!("{MIRROR}, slo: {{outageBudget: {time}}}");
    assert_eq!(found(&bench, &[&budget("30m")]).await, []);
    let short = found(&bench, &[&budget("24h")]).await;
    assert_eq!(
        ids(&short),
        [(FindingId::RetentionOutage, Severity::Warning)]
    );
    assert_eq!(short[0].evidence, ["t is kept for 1 h"]);
    // a partition that is as large as it may be, and young
    bench.meddle("left", "t", "retention.ms", "-1").await;
    write(&bench, "left", "t", 600_000).await;
    bench.meddle("left", "t", "retention.bytes", "10").await;
    let small = found(&bench, &[&budget("24h")]).await;
    assert_eq!(
        ids(&small),
        [(FindingId::RetentionOutage, Severity::Warning)]
    );
    assert!(small[0].evidence[0].contains("10 min"), "{small:?}");
}

#[tokio::test]
async fn quotas_are_held_against_the_throttle() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    let throttled = format!("{MIRROR}, throttle: {{bytesPerSecond: 3000}}");
    let client = QuotaEntity::ClientId(QuotaName::Named("mirrorctl".to_owned()));
    for (rate, says) in [(900.0, true), (1_000.0, false)] {
        let key = "consumer_byte_rate".to_owned();
        let change = QuotaChange::Set { key, value: rate };
        let changes = BTreeMap::from([(client.clone(), vec![change])]);
        let outcome = bench.clients["left"].alter_client_quotas(&changes).await;
        outcome.unwrap();
        let found = found(&bench, &[&throttled]).await;
        let expected = says.then_some((FindingId::Quota, Severity::Warning));
        assert_eq!(ids(&found), Vec::from_iter(expected), "{found:?}");
    }
}

#[tokio::test]
async fn compacted_topics_of_an_exact_mirror_are_refused() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    let exact = format!("{MIRROR}, delivery: exactly-once");
    assert_eq!(found(&bench, &[&exact]).await, []);
    bench.meddle("left", "t", "cleanup.policy", "compact").await;
    assert_eq!(
        ids(&found(&bench, &[&exact]).await),
        [(FindingId::CompactedExactlyOnce, Severity::Blocked)]
    );
    assert_eq!(found(&bench, &[MIRROR]).await, []);
}

#[tokio::test]
async fn what_cannot_be_reached_is_not_proven() {
    let bench = Bench::start().await;
    bench.create("left", "t", 1).await;
    let topology = topology(&bench, "", &[MIRROR]);
    let mut clients = bench.clients.clone();
    clients.remove("right");
    let reason = BTreeMap::from([("right".to_owned(), "nobody answers".to_owned())]);
    let evidence = plan::proof::gather(&topology, &clients, &reason).await;
    let found = plan::proof::judge(&topology, &evidence);
    assert_eq!(ids(&found), [(FindingId::NotProven, Severity::Warning)]);
    assert_eq!(
        found[0].evidence,
        ["right could not be read: nobody answers"]
    );
}
