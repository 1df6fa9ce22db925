//! Access control: the rights that the documentation lists are enough, and the lack of one is said by name.

use std::fmt::Write as _;
use std::process::Output;
use std::thread;
use std::time::Duration;

use e2e::{ADMIN, Access, KafkaCluster, Pair, Way, Workspace, identical, mirrorctl, write_mixed};

use crate::bed::{bed, run, wait_for};

const ACL_COMMAND: &str = "org.apache.kafka.tools.AclCommand";

/// Has exactly the rights of the documentation.
const LEAST: &str = "least";

/// Everybody has the rights of [`LEAST`], except that those named here lack one.
const LACKING: [(&str, Side, &str); 5] = [
    ("no-read", Side::Source, "Read"),
    ("no-describe-configs", Side::Source, "DescribeConfigs"),
    ("no-write", Side::Target, "Write"),
    ("no-create", Side::Target, "Create"),
    ("no-describe", Side::Target, "Describe"),
];

pub(crate) const USERS: [&str; 6] = [
    LEAST,
    LACKING[0].0,
    LACKING[1].0,
    LACKING[2].0,
    LACKING[3].0,
    LACKING[4].0,
];

/// What README.md lists for the mirrored topics on the source.
const ON_SOURCE: [&str; 3] = ["Read", "Describe", "DescribeConfigs"];
/// What README.md lists for the mirrored topics on the target.
const ON_TARGET: [&str; 7] = [
    "Create",
    "Write",
    "Read",
    "Describe",
    "DescribeConfigs",
    "Alter",
    "AlterConfigs",
];
/// What README.md lists for the internal topics on the target.
const ON_INTERNAL: [&str; 5] = ["Create", "Write", "Read", "Describe", "DescribeConfigs"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Target,
}

fn acl(cluster: &KafkaCluster, arguments: &[&str]) {
    let servers = cluster.bootstrap_servers();
    let mut all = vec!["--bootstrap-server", &servers, "--force", "--add"];
    all.extend(arguments);
    cluster.tool_output(ACL_COMMAND, &all, &[]).unwrap();
}

/// Lets all users do `operations` on topics that begin with `prefix`.
fn allow(cluster: &KafkaCluster, prefix: &str, operations: &[&str]) {
    let principals: Vec<String> = USERS.iter().map(|user| format!("User:{user}")).collect();
    let mut arguments = vec!["--topic", prefix, "--resource-pattern-type", "prefixed"];
    for principal in &principals {
        arguments.extend(["--allow-principal", principal]);
    }
    for operation in operations {
        arguments.extend(["--operation", operation]);
    }
    acl(cluster, &arguments);
}

/// Takes one right on one topic from one user.
fn deny(cluster: &KafkaCluster, user: &str, topic: &str, operation: &str) {
    let principal = format!("User:{user}");
    let arguments = [
        "--deny-principal",
        &principal,
        "--operation",
        operation,
        "--topic",
        topic,
    ];
    acl(cluster, &arguments);
}

fn replicate(workspace: &Workspace) -> Output {
    mirrorctl(workspace)
        .unwrap()
        .args(["replicate", "-f", "t.yaml", "--once"])
        .output()
        .unwrap()
}

/// The topics of a user: one that it may copy, and one for which it may lack a right.
fn topics_of(user: &str) -> [String; 2] {
    ["good", "bad"].map(|kind| format!("acl.{user}.{kind}"))
}

/// Creates the topics of all users on the source, as the administrator.
fn create_topics() {
    let workspace = Workspace::create("acl-topics").unwrap();
    let mut topics = String::new();
    for topic in USERS.iter().flat_map(|user| topics_of(user)) {
        // writing to a String cannot fail
        let _ = writeln!(
            topics,
            "- {{name: {topic}, clusters: [source], partitions: 2, replicationFactor: 1}}"
        );
    }
    let topology = bed().pair.topology(&format!("topics:\n{topics}"));
    workspace.write("t.yaml", topology).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
}

/// Records in a user's topics, and a mirror of them for this user. A mirror needs no right to create anything on its
/// source, so no topic is declared.
fn set_up(user: &str) -> (Workspace, u64) {
    let bed = bed();
    let workspace = Workspace::create(user).unwrap();
    let servers = bed.pair.source.bootstrap_servers();
    let written = topics_of(user).map(|topic| write_mixed(&servers, &topic, 2, 500).unwrap());
    let access = Access::new(&bed.security, &workspace, Way::ScramSha512, user).unwrap();
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {}\n\
         - {}\n\
         mirrors:\n\
         - {{name: acl, source: source, target: target, topicsPattern: \"acl\\\\.{user}\\\\..*\", replicationPolicy: {{type: identity}}}}\n",
        access.cluster("source", &bed.pair.source).unwrap(),
        access.cluster("target", &bed.pair.target).unwrap(),
    );
    workspace.write("t.yaml", topology).unwrap();
    (workspace, written[0])
}

/// What `plan` finds out about the mirror: ids, each with its cases.
fn findings(workspace: &Workspace) -> Vec<(String, Vec<String>)> {
    let output = run(workspace, &["plan", "-f", "t.yaml", "--output", "json"], 0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&output).unwrap();
    let findings = plan["findings"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|finding| {
            let cases = finding["evidence"].as_array().unwrap().iter();
            (text(&finding["id"]), cases.map(text).collect())
        })
        .collect()
}

/// Tells what is missing before it is missed, as far as the brokers tell; and never that it is there.
fn is_foreseen(user: &str, side: Side, operation: &str, workspace: &Workspace) {
    let found = findings(workspace);
    let [_, bad] = topics_of(user);
    let of = |id: &str| found.iter().find(|(it, _)| it == id);
    // what may not be described, or does not exist, is known by the rules alone, which this login may not read
    if ["Create", "Describe"].contains(&operation) {
        let rules = "the access rules of target could not be read";
        let untold = found.iter().filter(|(id, _)| id == "not-proven");
        let mut cases = untold.flat_map(|(_, cases)| cases);
        assert!(cases.any(|it| it.starts_with(rules)), "{user}: {found:?}");
        return;
    }
    let side = match side {
        Side::Source => "source",
        Side::Target => "target",
    };
    let case = format!("{bad} on {side}: {operation}");
    let (_, cases) = of("missing-acl").unwrap_or_else(|| panic!("{user}: {found:?}"));
    assert_eq!(*cases, [case]);
    let plan = ["plan", "-f", "t.yaml", "--detailed-exitcode"];
    run(workspace, &plan, 3);
    run(workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 3);
}

/// A super user, of whom no access rule knows, lacks nothing; limits of the live clusters are told with their numbers.
fn the_administrator_may_everything() {
    let bed = bed();
    let workspace = Workspace::create("acl-admin").unwrap();
    let access = bed.access(&workspace, Way::ScramSha512);
    let write = |policy: &str| {
        let topology = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {}\n- {}\nmirrors:\n\
             - {{name: all, source: source, target: target, topicsPattern: \"acl\\\\.{LEAST}\\\\..*\", \
             replicationPolicy: {{type: {policy}}}}}\n",
            access.cluster("source", &bed.pair.source).unwrap(),
            access.cluster("target", &bed.pair.target).unwrap(),
        );
        workspace.write("t.yaml", topology).unwrap();
    };
    // to new topics, then to those that are there
    for policy in ["default", "identity"] {
        write(policy);
        assert_eq!(findings(&workspace), [], "{policy}");
    }
    let configure = |cluster: &KafkaCluster, entity: [&str; 2], config: &str| {
        let servers = cluster.bootstrap_servers();
        let arguments = [
            "--bootstrap-server",
            &servers,
            "--alter",
            "--entity-type",
            entity[0],
            "--entity-name",
            entity[1],
            "--add-config",
            config,
        ];
        let tool = "kafka.admin.ConfigCommand";
        cluster.tool_output(tool, &arguments, &[]).unwrap();
    };
    let [good, _] = topics_of(LEAST);
    let Pair { source, target } = &bed.pair;
    configure(
        target,
        ["topics", &good],
        "message.timestamp.before.max.ms=1",
    );
    configure(source, ["users", ADMIN], "consumer_byte_rate=900000000");
    let expected = |found: &[(String, Vec<String>)]| {
        let [(first, quotas), (second, times)] = found else {
            return false;
        };
        // sorted by kind
        let words =
            format!("source: 900000000 bytes/s a broker may be read from it by user {ADMIN}");
        let age = format!("{good}: its oldest record is ");
        (first.as_str(), second.as_str()) == ("timestamp-limits", "quota")
            && quotas[0].starts_with(&age)
            && times[0].starts_with(&words)
    };
    // brokers learn of it a moment later
    wait_for(Duration::from_secs(30), || expected(&findings(&workspace)));
}

fn has_enough() {
    let (workspace, written) = set_up(LEAST);
    let output = replicate(&workspace);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    for topic in topics_of(LEAST) {
        let (source, target) = bed().pair.sides(&topic);
        assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
    }
    for arguments in [
        &[
            "verify", "-f", "t.yaml", "--mirror", "acl", "--mode", "compare",
        ][..],
        &["status", "-f", "t.yaml"],
        &["plan", "-f", "t.yaml"],
    ] {
        mirrorctl(&workspace)
            .unwrap()
            .args(arguments)
            .assert()
            .code(0);
    }
    let found = findings(&workspace);
    assert!(
        found.iter().all(|(id, _)| id == "not-proven"),
        "{LEAST}: {found:?}"
    );
}

fn lacks(user: &str, side: Side, operation: &str) {
    let (workspace, written) = set_up(user);
    let [good, bad] = topics_of(user);
    let output = replicate(&workspace);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(1), "{user}:\n{said}");
    let right = format!("missing access right: {operation} on the topic");
    for words in [bad.as_str(), &right] {
        assert!(said.contains(words), "{user}: {words} in:\n{said}");
    }
    let (source, target) = bed().pair.sides(&good);
    assert_eq!(
        identical(source.at(), target.at()).unwrap(),
        Ok(written),
        "the neighbour of {user}"
    );
    is_foreseen(user, side, operation, &workspace);
}

#[test]
fn the_rights_of_the_documentation_are_enough_and_each_is_missed_by_name() {
    let bed = bed();
    let Pair { source, target } = &bed.pair;
    thread::scope(|scope| {
        scope.spawn(|| allow(source, "acl.", &ON_SOURCE));
        scope.spawn(|| allow(target, "acl.", &ON_TARGET));
        scope.spawn(|| allow(target, "mirrorctl-", &ON_INTERNAL));
    });
    thread::scope(|scope| {
        for (user, side, operation) in LACKING {
            let cluster = match side {
                Side::Source => source,
                Side::Target => target,
            };
            scope.spawn(move || deny(cluster, user, &format!("acl.{user}.bad"), operation));
        }
    });

    create_topics();
    thread::scope(|scope| {
        scope.spawn(has_enough);
        for (user, side, operation) in LACKING {
            scope.spawn(move || lacks(user, side, operation));
        }
    });
    the_administrator_may_everything();
}
