//! Plan and apply on real clusters: what is planned happens, nothing else does, and then nothing is left to do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::OnceLock;

use e2e::{ClusterSpec, KafkaCluster, Pair, Workspace, end_offsets, mirrorctl};

const TOPIC_COMMAND: &str = "org.apache.kafka.tools.TopicCommand";

/// Shared by the tests of this file, which use topics of their own names.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::start(&ClusterSpec::single()).unwrap())
}

/// Runs `mirrorctl`, checks its exit code, and returns its standard output.
fn run(workspace: &Workspace, arguments: &[&str], code: i32) -> String {
    let assert = mirrorctl(workspace)
        .unwrap()
        .args(arguments)
        .assert()
        .code(code);
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

/// What Kafka's own tool says about a topic.
fn describe(cluster: &KafkaCluster, topic: &str) -> String {
    let servers = cluster.bootstrap_servers();
    let arguments = [
        "--bootstrap-server",
        &servers,
        "--describe",
        "--topic",
        topic,
    ];
    cluster.tool_output(TOPIC_COMMAND, &arguments, &[]).unwrap()
}

fn partitions(cluster: &KafkaCluster, topic: &str) -> usize {
    end_offsets(&cluster.bootstrap_servers(), topic)
        .unwrap()
        .len()
}

fn topic(name: &str, clusters: &str, partitions: u16, configs: &str) -> String {
    format!(
        "topics:\n- {{name: {name}, clusters: [{clusters}], partitions: {partitions}, \
         replicationFactor: 1, configs: {{{configs}}}}}\n"
    )
}

#[test]
fn planned_then_applied_then_nothing_left() {
    let workspace = Workspace::create("plan").unwrap();
    let pair = pair();
    let first = topic("pay.orders", "source, target", 8, "retention.ms: 604800000");
    workspace.write("t.yaml", pair.topology(&first)).unwrap();

    let plan = run(
        &workspace,
        &["plan", "-f", "t.yaml", "--detailed-exitcode"],
        2,
    );
    assert!(
        plan.contains("Plan: 2 to add, 0 to change, 0 to destroy"),
        "{plan}"
    );
    assert_eq!(
        partitions(&pair.source, "pay.orders"),
        0,
        "a plan changes nothing"
    );
    assert_eq!(
        partitions(&pair.target, "pay.orders"),
        0,
        "a plan changes nothing"
    );

    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    for cluster in [&pair.source, &pair.target] {
        let description = describe(cluster, "pay.orders");
        assert!(description.contains("PartitionCount: 8"), "{description}");
        assert!(
            description.contains("retention.ms=604800000"),
            "{description}"
        );
    }
    run(
        &workspace,
        &["plan", "-f", "t.yaml", "--detailed-exitcode"],
        0,
    );

    // growth and another configuration, on one side
    let second = topic(
        "pay.orders",
        "source",
        12,
        "retention.ms: 86400000, cleanup.policy: compact",
    );
    workspace.write("t.yaml", pair.topology(&second)).unwrap();
    let plan = run(
        &workspace,
        &["plan", "-f", "t.yaml", "--detailed-exitcode"],
        2,
    );
    assert!(
        plan.contains("Plan: 0 to add, 1 to change, 0 to destroy"),
        "{plan}"
    );
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    let description = describe(&pair.source, "pay.orders");
    assert!(description.contains("PartitionCount: 12"), "{description}");
    assert!(
        description.contains("retention.ms=86400000"),
        "{description}"
    );
    assert!(
        description.contains("cleanup.policy=compact"),
        "{description}"
    );
    assert_eq!(
        partitions(&pair.target, "pay.orders"),
        8,
        "not declared there any more: left alone"
    );
    run(
        &workspace,
        &["plan", "-f", "t.yaml", "--detailed-exitcode"],
        0,
    );
}

#[test]
fn a_saved_plan_is_applied_as_it_is_or_not_at_all() {
    let workspace = Workspace::create("plan").unwrap();
    let pair = pair();
    workspace
        .write("t.yaml", pair.topology(&topic("saved", "source", 2, "")))
        .unwrap();
    run(
        &workspace,
        &["plan", "-f", "t.yaml", "--out", "create.plan"],
        0,
    );
    run(&workspace, &["apply", "create.plan"], 0);
    assert_eq!(partitions(&pair.source, "saved"), 2);

    workspace
        .write("t.yaml", pair.topology(&topic("saved", "source", 4, "")))
        .unwrap();
    run(
        &workspace,
        &["plan", "-f", "t.yaml", "--out", "grow.plan"],
        0,
    );
    // somebody else is faster
    let servers = pair.source.bootstrap_servers();
    let alter = [
        "--bootstrap-server",
        &servers,
        "--alter",
        "--topic",
        "saved",
        "--partitions",
        "3",
    ];
    pair.source.tool_output(TOPIC_COMMAND, &alter, &[]).unwrap();
    run(&workspace, &["apply", "grow.plan"], 4);
    assert_eq!(
        partitions(&pair.source, "saved"),
        3,
        "a stale plan changes nothing"
    );
}

/// Values that only the brokers know to be wrong: found by the plan, before an apply would stop at them halfway.
#[test]
fn what_brokers_would_refuse_is_found_by_the_plan() {
    let workspace = Workspace::create("plan").unwrap();
    let pair = pair();
    let written = |configs: &str| {
        let text = pair.topology(&topic("values", "target", 1, configs));
        workspace.write("t.yaml", text).unwrap();
    };
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    written("segment.bytes: 20");
    let plan = ["plan", "-f", "t.yaml", "--detailed-exitcode"];
    let refused = run(&workspace, &plan, 3);
    assert!(refused.contains("the brokers would refuse it"), "{refused}");
    assert!(refused.contains("segment.bytes"), "{refused}");
    written("retention.ms: 60000");
    run(&workspace, &apply, 0);
    written("compression.type: gzip, compression.gzip.level: 99");
    run(&workspace, &apply, 3);
    let refused = run(&workspace, &plan, 3);
    assert!(refused.contains("compression.gzip.level"), "{refused}");
    let kept = describe(&pair.target, "values");
    assert!(kept.contains("retention.ms=60000"), "{kept}");
    assert!(!kept.contains("gzip"), "{kept}");
}

/// Files that were rendered stand beside topics in one plan, and an edit of theirs is drift like one of Kafka's own tools.
#[test]
fn rendered_files_stand_beside_topics() {
    const ADDRESS: &str = "file.mirrormaker2/beside/mm2.properties";
    let workspace = Workspace::create("plan").unwrap();
    let pair = pair();
    let more = "mirrors:\n- {name: beside, source: source, target: target, engine: mirrormaker2, \
                topicsPattern: 'beside\\..*', replicationPolicy: {type: default}}\n\
                render: {out: rendered, targets: [mirrormaker2]}\nmetadata: {name: beside}\n";
    let declared = |partitions| {
        let topic = topic(
            "beside.orders",
            "source",
            partitions,
            "retention.ms: 604800000",
        );
        pair.topology(&format!("{topic}{more}"))
    };
    workspace.write("t.yaml", declared(2)).unwrap();
    let plan = ["plan", "-f", "t.yaml", "--detailed-exitcode"];
    let first = run(&workspace, &plan, 2);
    assert!(first.contains(&format!("+ {ADDRESS}")), "{first}");
    assert!(first.contains("Plan: 2 to add"), "{first}");
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    run(&workspace, &plan, 0);

    // both are changed behind its back
    let path = workspace
        .path()
        .join("rendered/mirrormaker2/beside/mm2.properties");
    let rendered = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{rendered}tasks.max = 1\n")).unwrap();
    let servers = pair.source.bootstrap_servers();
    let alter = [
        "--bootstrap-server",
        &servers,
        "--alter",
        "--topic",
        "beside.orders",
        "--partitions",
        "3",
    ];
    workspace.write("t.yaml", declared(4)).unwrap();
    let saving = [
        "plan",
        "-f",
        "t.yaml",
        "--allow-destroy",
        ADDRESS,
        "--out",
        "both.plan",
    ];
    run(&workspace, &saving, 0);
    let drifted = run(&workspace, &[&plan[..], &["--drift-only"]].concat(), 3);
    assert!(
        drifted.contains(&format!("! {ADDRESS}"))
            && drifted.contains("drifted: edited since it was rendered"),
        "{drifted}"
    );
    assert!(drifted.contains("-tasks.max = 1"), "{drifted}");
    assert!(!drifted.contains("beside.orders  "), "{drifted}");

    // the saved plan fits no more, and nothing of it is done
    pair.source.tool_output(TOPIC_COMMAND, &alter, &[]).unwrap();
    run(&workspace, &["apply", "both.plan"], 4);
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("tasks.max"), "{kept}");

    // repaired by name, the topic along with it
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 3);
    let by_name = [
        "apply",
        "-f",
        "t.yaml",
        "--auto-approve",
        "--allow-destroy",
        ADDRESS,
    ];
    run(&workspace, &by_name, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), rendered);
    assert_eq!(partitions(&pair.source, "beside.orders"), 4);
    run(&workspace, &plan, 0);
}

#[test]
fn json_has_the_words_of_terraform() {
    let workspace = Workspace::create("plan").unwrap();
    let pair = pair();
    workspace
        .write("t.yaml", pair.topology(&topic("as-json", "target", 1, "")))
        .unwrap();
    let plan = run(&workspace, &["plan", "-f", "t.yaml", "--output", "json"], 0);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert!(plan["format_version"].is_string(), "{plan:#}");
    let change = &plan["resource_changes"][0];
    assert_eq!(change["address"], "topic.target.as-json", "{plan:#}");
    assert_eq!(
        change["change"]["actions"],
        serde_json::json!(["create"]),
        "{plan:#}"
    );
}
