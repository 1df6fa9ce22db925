//! Targets that cannot be rendered: all of them are named, and those that were not asked for are not looked at.

use mirrorctl_render::{RenderError, Templates};

use crate::support::{rendering, set, try_rendering};

/// MirrorMaker 2 cannot begin at a time, and a service has no profile of AWS.
const TOPOLOGY: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: a
  bootstrapServers: ["a:9098"]
  tls: {}
  sasl: {mechanism: aws-msk-iam, aws: {region: eu-west-1, profile: mine}}
- {alias: b, bootstrapServers: ["b:9092"]}
mirrors:
- {name: ours, source: a, target: b, topicsPattern: x}
- name: theirs
  source: a
  target: b
  engine: mirrormaker2
  topicsPattern: y
  startOffset: {timestamp: "2026-01-01T00:00:00Z"}
  replicationPolicy: {type: default}
"#;

fn complaining(targets: &[&str]) -> Vec<&'static str> {
    match try_rendering(TOPOLOGY, targets, &Templates::embedded().unwrap()) {
        Err(RenderError::Targets(complaints)) => complaints.iter().map(|it| it.target).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_complaints_come_at_once() {
    assert_eq!(
        complaining(&[]),
        ["ci", "connect", "kubernetes", "mirrormaker2", "systemd"]
    );
    let error = try_rendering(TOPOLOGY, &[], &Templates::embedded().unwrap()).unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(
        text.contains("systemd: mirror `ours`: `sasl.aws.profile`"),
        "{text}"
    );
    assert!(text.contains("mirrormaker2: mirror `theirs`"), "{text}");
}

#[test]
fn a_target_does_without_the_others() {
    assert_eq!(complaining(&["systemd", "monitoring"]), ["systemd"]);
    for target in ["monitoring", "container"] {
        assert!(!rendering(TOPOLOGY, &[target]).files.is_empty(), "{target}");
    }
    // which has nothing to say about this topology, and so nothing to complain about
    assert!(rendering(TOPOLOGY, &["ansible"]).files.is_empty());
}

#[test]
fn all_users_that_strimzi_cannot_have_are_named_and_other_targets_have_them() {
    let text = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
        - {alias: a, platform: strimzi, bootstrapServers: 'a:9092', brokers: {count: 3}, storage: {size: 20GiB}, kubernetes: {entityOperator: true, listeners: [plain]}}\n\
        - {alias: b, bootstrapServers: 'b:9092'}\n\
        users:\n\
        - {name: Alice, clusters: [a], password: {env: ALICE}}\n\
        - {name: carol, clusters: [a], password: {env: CAROL}}\n\
        - {name: o_b, clusters: [a], password: {env: OB}}\n\
        mirrors:\n- {name: m, source: a, target: b}\n";
    let error = try_rendering(text, &["strimzi"], &Templates::embedded().unwrap()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("\"Alice\" or \"o_b\"") && !error.contains("carol"),
        "{error}"
    );
    assert!(!rendering(text, &["kubernetes"]).files.is_empty());
}

#[test]
fn a_login_that_strimzi_does_not_make_is_said() {
    const TOPOLOGY: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: eu
  platform: strimzi
  bootstrapServers: ["eu-kafka-bootstrap.kafka.svc:9093"]
  tls: {}
  sasl: {mechanism: scram-sha-512, username: mirror, password: {env: EU_PW}}
  brokers: {count: 3}
  storage: {type: persistent-claim, size: 20Gi}
  kubernetes: {namespace: kafka, listeners: [tls], entityOperator: true}
"#;
    let said = |text: &str| -> Vec<String> {
        let remarks = set(text, "strimzi", &[]).remarks.into_iter();
        remarks
            .filter(|it| it.contains("is logged in to as `mirror`"))
            .collect()
    };
    assert_eq!(said(TOPOLOGY).len(), 1);
    let declared = "users:\n- {name: mirror, clusters: [eu], password: {env: EU_PW}}\n";
    assert!(said(&format!("{TOPOLOGY}{declared}")).is_empty());
}
