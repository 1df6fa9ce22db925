//! `mirrorctl import`: what is written can be used as it is.

use std::fs::{OpenOptions, read_to_string};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

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

/// A topology that reaches `left` as `aws`, with comments, and a list of topics in the middle.
fn half_declared(stage: &Stage) -> String {
    format!(
        "# ours\napiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {{alias: aws, bootstrapServers: [\"{}\"]}}\n- {{alias: dc, bootstrapServers: [\"{}\"]}}\n\
         topics:\n  # the first\n  - name: pay.orders\n    clusters: [aws]\n    partitions: 3\n\n# and back\n\
         mirrors:\n- {{name: m, source: dc, target: aws, topicsPattern: x, replicationPolicy: {{type: default}}}}\n",
        stage.left.bootstrap_servers(),
        stage.right.bootstrap_servers()
    )
}

/// `pay.orders`, `pay.bills` and `other` on `left`, and a user and a quota.
fn inhabit(stage: &Stage) {
    let there = stage.topology(
        "topics:\n- {name: pay.orders, clusters: [left], partitions: 3}\n\
         - {name: pay.bills, clusters: [left], partitions: 2, configs: {retention.ms: 3600000}}\n\
         - {name: other, clusters: [left], partitions: 1}\n\
         users:\n- {name: shop, clusters: [left], iterations: 5000, password: {file: pw}}\n\
         quotas:\n- {clusters: [left], user: shop, producerBytesPerSecond: 1MB}\n",
    );
    stage.file("pw", "hunter2-hunter2");
    run(&["apply", "-f", text(&there), "--auto-approve"]).code(0);
}

/// As a shell runs it in the stage's folder.
fn in_shell(stage: &Stage, line: &str) -> Ended {
    let binary = Path::new(env!("CARGO_BIN_EXE_mirrorctl"));
    let path = format!(
        "{}:{}",
        text(binary.parent().unwrap()),
        std::env::var("PATH").unwrap()
    );
    Command::new("bash")
        .args(["--norc", "-c", line])
        .current_dir(stage.folder.path())
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap()
        .into()
}

#[test]
fn the_example_of_the_help_completes_a_topology_when_it_is_pasted() {
    let stage = Stage::new();
    inhabit(&stage);
    let before = half_declared(&stage);
    let file = stage.file("topology.yaml", &before);
    let help = run(&["import", "--help"]).code(0).out;
    let example = help
        .lines()
        .find(|line| line.contains("import cluster") && line.contains("-f topology.yaml"))
        .unwrap();
    in_shell(&stage, example).code(0);
    let after = read_to_string(&file).unwrap();
    insta::assert_snapshot!("import-cluster-write", stage.stable(&after));
    run(&[
        "plan",
        "-f",
        text(&file),
        "--target",
        "topic.*",
        "--detailed-exitcode",
    ])
    .code(0)
    .says("2 declared topics on 1 cluster are as declared");
    // again: nothing is new
    in_shell(&stage, example).code(0);
    assert_eq!(read_to_string(&file).unwrap(), after);
    let left_behind = std::fs::read_dir(stage.folder.path()).unwrap().count();
    assert_eq!(left_behind, 3, "t.yaml, pw and topology.yaml");
}

#[test]
fn the_plan_of_an_imported_cluster_is_empty_with_its_users_and_quotas() {
    let stage = Stage::new();
    inhabit(&stage);
    let address = stage.left.bootstrap_servers();
    let imported = run(&[
        "import",
        "cluster",
        "--alias",
        "dc",
        "--bootstrap-servers",
        &address,
    ]);
    let imported = imported.code(0).out;
    let file = stage.file("imported.yaml", &imported);
    run(&["plan", "-f", text(&file), "--detailed-exitcode"]).code(0);
    let written = stage.stable(&imported).replace("\"left-id\"", "left-id");
    insta::assert_snapshot!("import-cluster", written);

    // the whole of a file that declares a part, too, and what is in it already once
    let file = stage.file("topology.yaml", &half_declared(&stage));
    let whole = run(&["import", "cluster", "--alias", "aws", "-f", text(&file)]).code(0);
    let whole = stage.file("whole.yaml", &whole.out);
    run(&[
        "plan",
        "-f",
        text(&whole),
        "--exclude",
        "mirror.*",
        "--detailed-exitcode",
    ])
    .code(0);
}

#[test]
fn a_file_is_neither_appended_to_itself_nor_replaced_by_what_is_not_valid() {
    let stage = Stage::new();
    inhabit(&stage);
    let before = half_declared(&stage);
    let file = stage.file("topology.yaml", &before);
    let arguments = ["import", "cluster", "--alias", "aws", "-f", text(&file)];
    let appended = mirrorctl()
        .args(arguments)
        .stdout(OpenOptions::new().append(true).open(&file).unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    Ended::from(appended).code(64).says("--write");
    assert_eq!(read_to_string(&file).unwrap(), before);

    let brackets = before.replace(
        "topics:\n  # the first\n  - name: pay.orders\n    clusters: [aws]\n    partitions: 3\n",
        "topics: [{name: pay.orders, clusters: [aws]}]\n",
    );
    let file = stage.file("topology.yaml", &brackets);
    run(&[
        "import",
        "cluster",
        "--alias",
        "aws",
        "-f",
        text(&file),
        "--write",
    ])
    .code(64)
    .says("`topics`");
    assert_eq!(read_to_string(&file).unwrap(), brackets);
}
