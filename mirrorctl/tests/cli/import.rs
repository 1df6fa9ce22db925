//! `mirrorctl import` from files: what is written can be used as it is.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Ended, Stage, mirrorctl, run, text};

const TOPICS: &str = r#"---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata: {name: pay-orders-1, labels: {strimzi.io/cluster: shop}}
spec:
  topicName: pay.orders
  partitions: 3
  replicas: 1
  config: {retention.ms: 86400000, cleanup.policy: "compact,delete"}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata: {name: audit, labels: {strimzi.io/cluster: shop}}
spec: {partitions: 1, replicas: 1}
"#;

/// A cluster as the operator describes it, at the address of `left`.
fn kafka(stage: &Stage) -> String {
    format!(
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {{name: shop}}\nspec:\n  kafka:\n    listeners:\n    \
         - {{name: outside, port: 9094, type: nodeport, tls: false}}\nstatus:\n  clusterId: {}\n  listeners:\n  \
         - {{name: outside, bootstrapServers: \"{}\"}}\n",
        stage.left.cluster_id(),
        stage.left.bootstrap_servers()
    )
}

#[test]
fn the_plan_of_imported_topics_is_empty_where_they_are_as_declared() {
    let stage = Stage::new();
    let there = stage.topology(
        "topics:\n- {name: audit, clusters: [left], partitions: 1, replicationFactor: 1}\n\
         - {name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1, \
         configs: {retention.ms: 86400000, cleanup.policy: 'compact,delete'}}\n",
    );
    run(&["apply", "-f", text(&there), "--auto-approve"]).code(0);

    let (cluster, topics) = (
        stage.file("kafka.yaml", &kafka(&stage)),
        stage.file("topics.yaml", TOPICS),
    );
    let imported = run(&["import", "strimzi", text(&cluster), text(&topics)]).code(0);
    // an id is quoted where it begins with a digit
    let written = stage
        .stable(&imported.out)
        .replace("\"left-id\"", "left-id");
    insta::assert_snapshot!("import-strimzi", written);
    let file = stage.file("imported.yaml", &imported.out);
    run(&["validate", text(&file)]).code(0);
    run(&["plan", "-f", text(&file), "--detailed-exitcode"])
        .code(0)
        .says("2 declared topics on 1 cluster are as declared");
    // and it is not empty where they are not
    let changed = imported.out.replace("partitions: 3", "partitions: 4");
    let file = stage.file("imported.yaml", &changed);
    run(&["plan", "-f", text(&file), "--detailed-exitcode"]).code(2);
}

fn connector(name: &str, exactly_once: &str) -> String {
    format!(
        r#"{{"name": "{name}", "config": {{
            "connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector",
            "source.cluster.alias": "a", "source.cluster.bootstrap.servers": "a.dc:9092",
            "target.cluster.alias": "b", "target.cluster.bootstrap.servers": "b.dc:9092",
            "topics": "pay.*", "exactly.once.support": "{exactly_once}"}}}}"#
    )
}

fn from_input(kind: &str, input: &str) -> Ended {
    let mut child = mirrorctl()
        .args(["import", kind, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap().into()
}

#[test]
fn connectors_come_from_files_or_from_standard_input() {
    let stage = Stage::new();
    let one = connector("copy", "required");
    let file = stage.file("one.json", &one);
    let from_file = run(&["import", "connect", text(&file)]).code(0);
    assert_eq!(from_input("connect", &one).code(0).out, from_file.out);
    let topology = stage.file("imported.yaml", &from_file.out);
    run(&["validate", text(&topology)]).code(0);

    let missing = run(&["import", "connect", text(&stage.path("none.json"))]).code(1);
    missing.says("none.json");
    let broken = stage.file("broken.json", "{");
    run(&["import", "connect", text(&broken)])
        .code(64)
        .says("not JSON");
    run(&["import", "strimzi", text(&file)])
        .code(64)
        .says("nothing to import");
}

#[test]
fn what_is_no_valid_topology_is_written_and_named() {
    // the pattern looks ahead, which is not understood here
    let pattern = connector("copy", "requested").replace("pay.*", "(?!internal).*");
    let ended = from_input("connect", &pattern).code(1);
    assert!(ended.out.contains("topicsPattern"), "{}", ended.out);
    ended.says("imported topology:");
}
