//! Plan and apply on a real cluster of three brokers: drift by Kafka's own tools, what is dropped, stale plans, one
//! apply at a time, and a kill in the middle.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, KafkaCluster, TopicAdmin, Workspace, console_producer, end_offsets, mirrorctl,
    start_mirrorctl,
};
use serde_json::Value;

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";

fn cluster() -> &'static KafkaCluster {
    static CLUSTER: OnceLock<KafkaCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| KafkaCluster::start(&ClusterSpec::three()).unwrap())
}

/// A topology of this cluster; `managed` keeps the tests of this file out of each other's plans.
fn topology(extra: &str, topics: &str) -> String {
    let servers = cluster().bootstrap_servers().replace(',', "\", \"");
    format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {{alias: three, bootstrapServers: [\"{servers}\"]{extra}}}\ntopics:\n{topics}"
    )
}

struct Ran {
    out: String,
    err: String,
}

fn run(workspace: &Workspace, arguments: &[&str], code: i32) -> Ran {
    let assert = mirrorctl(workspace).unwrap().args(arguments).assert();
    let output = assert.get_output().clone();
    let ran = Ran {
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{}{}",
        ran.out,
        ran.err
    );
    ran
}

fn tool(class: &str, arguments: &[&str]) -> String {
    let servers = cluster().bootstrap_servers();
    let all = [&["--bootstrap-server", &servers], arguments].concat();
    cluster().tool_output(class, &all, &[]).unwrap()
}

/// Waits until every broker knows the topic with so many partitions: they learn it one after the other, and a command
/// asks any of them.
fn known_everywhere(topic: &str, partitions: usize) {
    let started = Instant::now();
    for broker in cluster().bootstrap_servers().split(',') {
        while end_offsets(broker, topic).map_or(0, |ends| ends.len()) != partitions {
            assert!(
                started.elapsed() < Duration::from_mins(2),
                "{topic} at {broker}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Waits until every broker, asked alone, shows this of the topic: Kafka's own tools return before they do.
fn shown_everywhere(workspace: &Workspace, topic: &str, shown: &str) {
    let started = Instant::now();
    for broker in cluster().bootstrap_servers().split(',') {
        let import = ["import", "cluster", "--alias", "three", "--topics", topic];
        let import = [&import[..], &["--bootstrap-servers", broker]].concat();
        while !run(workspace, &import, 0).out.contains(shown) {
            assert!(
                started.elapsed() < Duration::from_mins(2),
                "{shown} of {topic} at {broker}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn topics() -> BTreeSet<String> {
    tool(TOPICS, &["--list"])
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn drift_by_kafkas_own_tools_is_shown_and_repaired_and_dropped_keys_are_reset() {
    let workspace = Workspace::create("plan").unwrap();
    let drift = |configs: &str| {
        topology(
            "",
            &format!(
                "- {{name: drift.a, clusters: [three], partitions: 3, replicationFactor: 3, configs: {{{configs}}}}}\n"
            ),
        )
    };
    let both = "retention.ms: 86400000, max.message.bytes: 2000000";
    workspace.write("t.yaml", drift(both)).unwrap();
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    let clean = [
        "plan",
        "-f",
        "t.yaml",
        "--target",
        "topic.three.drift.*",
        "--detailed-exitcode",
    ];
    run(&workspace, &clean, 0);

    let entity = ["--entity-type", "topics", "--entity-name", "drift.a"];
    let alter = [
        &["--alter"],
        &entity[..],
        &["--add-config", "retention.ms=1000,segment.bytes=1048576"],
    ]
    .concat();
    tool(CONFIGS, &alter);
    shown_everywhere(&workspace, "drift\\.a", "segment.bytes");
    let ran = run(
        &workspace,
        &[
            "plan",
            "-f",
            "t.yaml",
            "--drift-only",
            "--detailed-exitcode",
        ],
        2,
    );
    for words in [
        "drifted: differs in retention.ms",
        "1000 (1 s) → 86400000 (1 d)",
    ] {
        assert!(ran.out.contains(words), "{words} in:\n{}", ran.out);
    }
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    run(&workspace, &clean, 0);

    // a key that is declared no longer goes back to the default; one that somebody else set stays
    workspace
        .write("t.yaml", drift("retention.ms: 86400000"))
        .unwrap();
    let ran = run(&workspace, &clean, 2);
    assert!(ran.out.contains("the brokers' default"), "{}", ran.out);
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    let described = tool(CONFIGS, &[&["--describe"], &entity[..]].concat());
    assert!(!described.contains("max.message.bytes"), "{described}");
    for kept in ["retention.ms=86400000", "segment.bytes=1048576"] {
        assert!(described.contains(kept), "{kept} in:\n{described}");
    }
    run(&workspace, &clean, 0);
}

#[test]
fn the_plan_of_an_imported_cluster_is_empty() {
    let workspace = Workspace::create("plan").unwrap();
    let servers = cluster().bootstrap_servers();
    let admin = TopicAdmin::new(&servers).unwrap();
    let configs = [("cleanup.policy", "compact"), ("retention.ms", "-1")];
    admin.create("import.a", 5, &configs).unwrap();
    admin.create("import.b", 1, &[]).unwrap();
    known_everywhere("import.a", 5);
    known_everywhere("import.b", 1);
    let import = [
        "import",
        "cluster",
        "--alias",
        "three",
        "--bootstrap-servers",
        &servers,
        "--topics",
        "import\\..*",
    ];
    let ran = run(&workspace, &import, 0);
    workspace.write("t.yaml", &ran.out).unwrap();
    for words in ["import.a", "import.b", "cleanup.policy: compact"] {
        assert!(ran.out.contains(words), "{words} in:\n{}", ran.out);
    }
    let plan = ["plan", "-f", "t.yaml", "--detailed-exitcode"];
    let ran = run(&workspace, &plan, 0);
    assert!(
        ran.out
            .contains("2 declared topics on 1 cluster are as declared"),
        "{}",
        ran.out
    );
}

#[test]
fn a_dropped_topic_is_deleted_only_when_permitted_asked_for_and_unused() {
    let workspace = Workspace::create("plan").unwrap();
    let permitting = ", topics: {managed: \"gone\\\\..*\"}, allow: {deleteTopics: true}";
    let both = "- {name: gone.old, clusters: [three], partitions: 1, replicationFactor: 3}\n\
                - {name: gone.busy, clusters: [three], partitions: 1, replicationFactor: 3}\n\
                - {name: gone.kept, clusters: [three], partitions: 1, replicationFactor: 3}\n";
    let one = "- {name: gone.kept, clusters: [three], partitions: 1, replicationFactor: 3}\n";
    workspace.write("t.yaml", topology("", both)).unwrap();
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);

    workspace.write("t.yaml", topology("", one)).unwrap();
    let target = ["--target", "topic.three.gone.*"];
    let plan = [
        "plan",
        "-f",
        "t.yaml",
        "--detailed-exitcode",
        target[0],
        target[1],
    ];
    let ran = run(&workspace, &plan, 0);
    assert!(ran.out.contains("declared no longer"), "{}", ran.out);

    workspace
        .write("t.yaml", topology(permitting, one))
        .unwrap();
    let ran = run(&workspace, &plan, 3);
    let missing = "needs `--allow-destroy topic.three.gone.old`";
    assert!(ran.out.contains(missing), "{}", ran.out);
    let apply = [
        "apply",
        "-f",
        "t.yaml",
        "--auto-approve",
        target[0],
        target[1],
    ];
    run(&workspace, &apply, 3);

    console_producer(cluster(), "gone.busy", "none", "NULL\tk\tv\n").unwrap();
    let allow = |address| ["--allow-destroy", address];
    let busy = [
        &apply[..],
        &allow("topic.three.gone.busy"),
        &allow("topic.three.gone.old"),
    ]
    .concat();
    run(&workspace, &busy, 3);
    assert!(
        topics().is_superset(
            &["gone.old", "gone.busy", "gone.kept"]
                .map(str::to_owned)
                .into()
        )
    );

    let old_only = [
        &apply[..],
        &allow("topic.three.gone.old"),
        &["--exclude", "topic.three.gone.busy"],
    ]
    .concat();
    run(&workspace, &old_only, 0);
    let left = topics();
    assert!(
        !left.contains("gone.old") && left.contains("gone.busy"),
        "{left:?}"
    );

    // destroying says the same of what is still declared, and leaves what was not named
    let destroy = [
        "destroy",
        "-f",
        "t.yaml",
        "--target",
        "topic.three.gone.kept",
        "--auto-approve",
    ];
    let ran = run(&workspace, &destroy, 3);
    assert!(
        ran.out.contains("--allow-destroy topic.three.gone.kept"),
        "{}",
        ran.out
    );
    run(
        &workspace,
        &[&destroy[..], &allow("topic.three.gone.kept")].concat(),
        0,
    );
    let left = topics();
    assert!(
        !left.contains("gone.kept") && left.contains("gone.busy"),
        "{left:?}"
    );

    // what is forgotten is no longer shown
    run(
        &workspace,
        &["forget", "-f", "t.yaml", "topic.three.gone.busy"],
        0,
    );
    let ran = run(&workspace, &plan, 2);
    assert!(!ran.out.contains("gone.busy"), "{}", ran.out);
    let again = "+ topic.three.gone.kept  gone since the last apply";
    assert!(
        !ran.out.contains(again),
        "what was destroyed is remembered no longer:\n{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("+ topic.three.gone.kept  not on the cluster"),
        "{}",
        ran.out
    );
}

#[test]
fn a_stale_plan_changes_nothing_at_all() {
    let workspace = Workspace::create("plan").unwrap();
    let two = |retention: u32| {
        let line = |name: &str| {
            format!(
                "- {{name: {name}, clusters: [three], partitions: 1, replicationFactor: 3, configs: {{retention.ms: {retention}}}}}\n"
            )
        };
        topology("", &format!("{}{}", line("stale.a"), line("stale.b")))
    };
    workspace.write("t.yaml", two(1_000_000)).unwrap();
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    workspace.write("t.yaml", two(2_000_000)).unwrap();
    let save = ["plan", "-f", "t.yaml", "--out", "saved.plan"];
    run(&workspace, &save, 0);
    TopicAdmin::new(&cluster().bootstrap_servers())
        .unwrap()
        .grow("stale.b", 3)
        .unwrap();
    known_everywhere("stale.b", 3);
    let ran = run(&workspace, &["apply", "saved.plan"], 4);
    assert!(ran.err.contains("stale.b"), "{}", ran.err);
    let described = tool(
        CONFIGS,
        &[
            "--describe",
            "--entity-type",
            "topics",
            "--entity-name",
            "stale.a",
        ],
    );
    assert!(described.contains("retention.ms=1000000"), "{described}");
}

/// A mirror's record is drifted by Kafka's own producer, a rendered file by whoever has an editor. The source need not be there.
#[test]
fn a_mirror_and_a_file_are_brought_about_changed_drifted_and_repaired() {
    const RECORDS: &str = "mirrorctl-mirrors.internal";
    const FILE: &str = "rendered/mirrormaker2/others/mm2.properties";
    let workspace = Workspace::create("plan").unwrap();
    let declare = |state: &str, pattern: &str| {
        let servers = cluster().bootstrap_servers().replace(',', "\", \"");
        let mirror = |name: &str, more: &str| {
            format!(
                "- {{name: {name}, source: away, target: three, topicsPattern: {name}-{pattern}, \
                 replicationPolicy: {{type: default}}, {more}}}\n"
            )
        };
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nmetadata: {{name: kinds}}\nclusters:\n\
             - {{alias: three, bootstrapServers: [\"{servers}\"]}}\n\
             - {{alias: away, bootstrapServers: [\"127.0.0.1:1\"]}}\nmirrors:\n{}{}\
             render: {{out: rendered, targets: [mirrormaker2]}}\n",
            mirror("kinds", &format!("state: {state}")),
            mirror("others", "engine: mirrormaker2"),
        );
        workspace.write("t.yaml", text).unwrap();
    };
    let plan = ["plan", "-f", "t.yaml", "--detailed-exitcode"];
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    let says = |ran: &Ran, words: &[&str]| {
        for word in words {
            assert!(ran.out.contains(word), "{word} in:\n{}", ran.out);
        }
    };

    declare("running", "pay");
    says(&run(&workspace, &plan, 2), &["2 to add, 0 to change"]);
    run(&workspace, &apply, 0);
    run(&workspace, &plan, 0);
    assert!(topics().contains(RECORDS));

    declare("paused", "orders");
    says(
        &run(&workspace, &plan, 2),
        &[
            "running → paused",
            "~ file.mirrormaker2/others/mm2.properties",
            "0 to add, 2 to change",
        ],
    );
    run(&workspace, &apply, 0);
    run(&workspace, &plan, 0);

    let tombstone = "by:hand\t{\"mirror\":\"kinds\"}\tNULL\n";
    console_producer(cluster(), RECORDS, "none", tombstone).unwrap();
    let path = workspace.path().join(FILE);
    let rendered = std::fs::read_to_string(&path).unwrap();
    let edited = format!("{rendered}fetch.max.bytes = 1\n");
    std::fs::write(&path, &edited).unwrap();
    let drift = [&plan[..], &["--drift-only"]].concat();
    says(
        &run(&workspace, &drift, 3),
        &[
            "gone since the last apply",
            "drifted: edited since it was rendered",
        ],
    );
    // an edit is lost only where that is asked for, and until then nothing at all is changed
    run(&workspace, &apply, 3);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
    run(&workspace, &drift, 3);
    let allowed = ["--allow-destroy", "file.mirrormaker2/others/mm2.properties"];
    run(&workspace, &[&apply[..], &allowed].concat(), 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), rendered);
    run(&workspace, &plan, 0);
}

/// What of the planned topics there is yet to create, by name.
fn planned(workspace: &Workspace) -> BTreeSet<String> {
    let ran = run(
        workspace,
        &[
            "plan",
            "-f",
            "t.yaml",
            "--output",
            "json",
            "--target",
            "topic.three.kill.*",
        ],
        0,
    );
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap();
    changes
        .iter()
        .filter(|change| change["change"]["actions"][0] != "no-op")
        .map(|change| change["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn after_a_kill_in_the_middle_the_next_plan_holds_exactly_the_rest() {
    const TOPICS: usize = 40;
    let workspace = Workspace::create("plan").unwrap();
    let mut list = String::new();
    for number in 0..TOPICS {
        // writing to a String cannot fail
        let _ = writeln!(
            list,
            "- {{name: kill.{number:02}, clusters: [three], partitions: 6, replicationFactor: 3}}"
        );
    }
    workspace.write("t.yaml", topology("", &list)).unwrap();
    let apply = [
        "apply",
        "-f",
        "t.yaml",
        "--auto-approve",
        "--parallelism",
        "1",
        "--lock-timeout",
        "2m",
    ];
    let mut first = start_mirrorctl(&workspace, "first", &apply).unwrap();
    let started = Instant::now();
    while first.stderr().matches("done").count() < 5 {
        assert!(
            started.elapsed() < Duration::from_mins(3),
            "{}",
            first.stderr()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    // while one is at it, another is refused, and told who
    let second = [
        "apply",
        "-f",
        "t.yaml",
        "--auto-approve",
        "--lock-timeout",
        "0s",
        "--target",
        "topic.three.kill.39",
    ];
    let ran = run(&workspace, &second, 3);
    let pid = format!("(process {})", first.pid());
    for words in ["another apply is under way", &pid] {
        assert!(ran.err.contains(words), "{words} in:\n{}", ran.err);
    }
    first.kill().unwrap();

    let there = || -> BTreeSet<String> {
        let topics = topics().into_iter();
        topics.filter(|topic| topic.starts_with("kill.")).collect()
    };
    let (mut made, mut rest) = (there(), planned(&workspace));
    // one that was on its way is known to one broker and not yet to another
    while made.len() + rest.len() != TOPICS || !made.is_disjoint(&rest) {
        assert!(
            started.elapsed() < Duration::from_mins(4),
            "{made:?} {rest:?}"
        );
        (made, rest) = (there(), planned(&workspace));
    }
    assert!(made.len() < TOPICS, "killed too late: {}", made.len());

    // the lease of a process that is gone from this machine holds nobody up
    let ran = run(
        &workspace,
        &[
            "apply",
            "-f",
            "t.yaml",
            "--auto-approve",
            "--target",
            "topic.three.kill.*",
        ],
        0,
    );
    let made = format!("{} changes made", rest.len());
    assert!(ran.out.contains(&made), "{made} in:\n{}", ran.out);
    assert!(planned(&workspace).is_empty());
    let history = run(&workspace, &["history", "-f", "t.yaml", "--last", "100"], 0);
    assert!(history.out.contains("no end on record"), "{}", history.out);
}
