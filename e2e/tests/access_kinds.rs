//! Topics, users, access rules and quotas on a real secured cluster of three brokers: brought about with no more rights than
//! the documentation lists, changed, drifted by Kafka's own tools, repaired, and taken away when that is permitted and asked
//! for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::{Duration, Instant};

use e2e::{Access, ClusterSpec, KafkaCluster, Security, Way, Workspace, mirrorctl};
use rdkafka::consumer::{BaseConsumer, Consumer as _};

const ACL_COMMAND: &str = "org.apache.kafka.tools.AclCommand";
const CONFIG_COMMAND: &str = "kafka.admin.ConfigCommand";

const LIMIT: Duration = Duration::from_mins(2);
/// For logins that are refused: librdkafka tries again for as long as it may.
const BRIEFLY: Duration = Duration::from_secs(2);
/// Brokers learn of a change one after the other.
const PATIENCE: Duration = Duration::from_mins(2);

/// Whom `mirrorctl` logs in as: no super user.
const KEEPER: &str = "keeper";
/// Whom it creates.
const ORDERS: &str = "orders";

/// What README.md lists for `plan` and `apply`.
const RIGHTS: [(&[&str], &[&str]); 3] = [
    (
        &["--cluster"],
        &["Describe", "Alter", "DescribeConfigs", "AlterConfigs"],
    ),
    (
        &[
            "--topic",
            "mirrorctl-",
            "--resource-pattern-type",
            "prefixed",
        ],
        &["Read", "Describe", "Create", "Write"],
    ),
    (
        &["--topic", "pay.orders"],
        &[
            "Describe",
            "DescribeConfigs",
            "Create",
            "Alter",
            "AlterConfigs",
        ],
    ),
];

/// Runs tools of Kafka side by side, each a Java program of its own, and returns what they printed.
fn tools<const N: usize>(cluster: &KafkaCluster, calls: [(&str, &[&str]); N]) -> [String; N] {
    let servers = cluster.bootstrap_servers();
    thread::scope(|scope| {
        let running = calls.map(|(class, arguments)| {
            let all = [&["--bootstrap-server", &servers], arguments].concat();
            scope.spawn(move || cluster.tool_output(class, &all, &[]).unwrap())
        });
        running.map(|tool| tool.join().unwrap())
    })
}

/// What Kafka's tools say of the user, of its access rules, and of the topic.
fn described(cluster: &KafkaCluster) -> [String; 3] {
    tools(
        cluster,
        [
            (
                CONFIG_COMMAND,
                &[
                    "--describe",
                    "--entity-type",
                    "users",
                    "--entity-name",
                    ORDERS,
                ],
            ),
            (ACL_COMMAND, &["--list", "--principal", "User:orders"]),
            (
                CONFIG_COMMAND,
                &[
                    "--describe",
                    "--entity-type",
                    "topics",
                    "--entity-name",
                    "pay.orders",
                ],
            ),
        ],
    )
}

fn says(description: &str, words: &[&str]) {
    for said in words {
        assert!(description.contains(said), "{said} in:\n{description}");
    }
}

fn says_nothing_of(description: &str, words: &[&str]) {
    for said in words {
        assert!(!description.contains(said), "{said} in:\n{description}");
    }
}

fn grant(cluster: &KafkaCluster) {
    let principal = format!("User:{KEEPER}");
    let arguments = RIGHTS.map(|(resource, operations)| {
        let mut arguments = vec!["--force", "--add", "--allow-principal", &principal];
        arguments.extend(resource);
        for operation in operations {
            arguments.extend(["--operation", operation]);
        }
        arguments
    });
    let [first, second, third] = &arguments;
    let calls = [first, second, third].map(|arguments| (ACL_COMMAND, arguments.as_slice()));
    tools(cluster, calls);
}

/// Drifts everything that is declared.
fn meddle(cluster: &KafkaCluster) {
    let user = ["--entity-type", "users", "--entity-name", ORDERS];
    let topic = ["--entity-type", "topics", "--entity-name", "pay.orders"];
    let alter = |entity: &[&'static str], config| {
        [&["--alter"], entity, &["--add-config", config]].concat()
    };
    let remove = [
        "--force",
        "--remove",
        "--allow-principal",
        "User:orders",
        "--operation",
        "Write",
        "--topic",
        "pay.orders",
    ];
    tools(
        cluster,
        [
            (ACL_COMMAND, &remove),
            (
                CONFIG_COMMAND,
                &alter(&user, "consumer_byte_rate=1,producer_byte_rate=9"),
            ),
            (CONFIG_COMMAND, &alter(&topic, "retention.ms=1000")),
        ],
    );
    // of the same user, and brokers refuse to set both at once
    let password = "SCRAM-SHA-512=[iterations=5000,password=another]";
    tools(cluster, [(CONFIG_COMMAND, &alter(&user, password))]);
}

/// Runs `mirrorctl`, checks its exit code, and returns its standard output.
fn run(workspace: &Workspace, arguments: &[&str], code: i32) -> String {
    let mut command = mirrorctl(workspace).unwrap();
    let assert = command.args(arguments).assert().code(code);
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

/// Whether the user can log in, within `limit`, with the password that its file holds.
fn logs_in(access: &Access, cluster: &KafkaCluster, limit: Duration) -> bool {
    let client: BaseConsumer = access.client_config(cluster).unwrap().create().unwrap();
    client.fetch_metadata(None, limit).is_ok()
}

/// Waits until the old password is refused.
fn locked_out(access: &Access, cluster: &KafkaCluster) {
    let started = Instant::now();
    while logs_in(access, cluster, BRIEFLY) {
        assert!(started.elapsed() < PATIENCE, "it still logs in");
    }
}

/// The addresses of everything that the plan would delete.
fn deletions(workspace: &Workspace) -> Vec<String> {
    let json = run(workspace, &["plan", "-f", "t.yaml", "--output", "json"], 0);
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap();
    plan["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["change"]["actions"][0] == "delete")
        .map(|change| change["address"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn brought_about_changed_drifted_repaired_and_taken_away() {
    let workspace = Workspace::create("kinds").unwrap();
    let security = Security::new(&[KEEPER]).unwrap();
    let cluster = KafkaCluster::start(&ClusterSpec::three().secured(&security)).unwrap();
    grant(&cluster);
    let keeper = Access::new(&security, &workspace, Way::ScramSha512, KEEPER).unwrap();
    let orders = Access::new(&security, &workspace, Way::ScramSha512, ORDERS).unwrap();
    // `extent` is how many partitions there are and how many days records are kept: both grow
    let head = |allow: &str, extent: u32| {
        let own = keeper.cluster("main", &cluster).unwrap();
        let own = own.strip_suffix('}').unwrap();
        format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {own}, allow: {{{allow}}}}}\n\
             topics:\n- {{name: pay.orders, clusters: [main], partitions: {extent}, replicationFactor: 3, \
             configs: {{retention.ms: {}}}}}\n",
            extent * 86_400_000
        )
    };
    let declared = |mebibytes: u32, iterations: u32, consumes: &str| {
        format!(
            "{}users:\n- {{name: {ORDERS}, clusters: [main], iterations: {iterations}, password: {{file: {}}}}}\n\
             services:\n- {{name: {ORDERS}, principal: \"User:{ORDERS}\", clusters: [main], produces: [pay.orders], \
             consumes: [{consumes}]}}\n\
             quotas:\n- {{clusters: [main], user: {ORDERS}, consumerBytesPerSecond: {mebibytes}MiB, requestPercentage: 50}}\n",
            head("", mebibytes),
            orders.secret_file().display()
        )
    };
    let plan = |code| {
        run(
            &workspace,
            &["plan", "-f", "t.yaml", "--detailed-exitcode"],
            code,
        )
    };
    let apply = || run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);

    // created
    workspace.write("t.yaml", declared(1, 8192, "")).unwrap();
    assert!(!logs_in(&orders, &cluster, BRIEFLY));
    plan(2);
    apply();
    plan(0);
    assert!(logs_in(&orders, &cluster, LIMIT));

    // changed, each by the file
    workspace
        .write("t.yaml", declared(2, 4096, "pay.orders"))
        .unwrap();
    let seen = plan(2);
    says(
        &seen,
        &[
            "topic.main.pay.orders",
            "user.main.orders",
            "quota.main.user=orders",
            "0 to destroy",
        ],
    );
    apply();
    plan(0);
    assert!(logs_in(&orders, &cluster, LIMIT));
    let [user, rules, topic] = described(&cluster);
    says(
        &user,
        &[
            "consumer_byte_rate=2097152",
            "SCRAM-SHA-512=iterations=4096",
        ],
    );
    says(&rules, &["operation=WRITE", "operation=READ"]);
    says(&topic, &["retention.ms=172800000"]);

    // drifted, each by Kafka's own tools
    meddle(&cluster);
    let started = Instant::now();
    let drift = ["plan", "-f", "t.yaml", "--drift-only"];
    loop {
        let seen = run(&workspace, &drift, 0);
        if seen.contains("1 to add, 3 to change, 0 to destroy") {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{seen}");
    }
    locked_out(&orders, &cluster);
    apply();
    plan(0);
    assert!(logs_in(&orders, &cluster, LIMIT));
    let [user, rules, topic] = described(&cluster);
    says(
        &user,
        &[
            "consumer_byte_rate=2097152",
            "producer_byte_rate=9",
            "SCRAM-SHA-512=iterations=4096",
        ],
    );
    says(&rules, &["operation=WRITE"]);
    says(&topic, &["retention.ms=172800000"]);

    // declared no longer: left, then refused, then gone
    workspace.write("t.yaml", head("", 2)).unwrap();
    plan(0);
    let all = "deleteAcls: true, deleteQuotas: true, deleteUsers: true";
    workspace.write("t.yaml", head(all, 2)).unwrap();
    plan(3);
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 3);
    assert!(logs_in(&orders, &cluster, LIMIT));
    let addresses = deletions(&workspace);
    let mut asked_for = vec!["apply", "-f", "t.yaml", "--auto-approve"];
    for address in &addresses {
        asked_for.extend(["--allow-destroy", address]);
    }
    run(&workspace, &asked_for, 0);
    plan(0);
    locked_out(&orders, &cluster);
    let [user, rules, _] = described(&cluster);
    says_nothing_of(&rules, &["operation="]);
    says(&user, &["producer_byte_rate=9"]);
    says_nothing_of(
        &user,
        &["consumer_byte_rate", "request_percentage", "SCRAM"],
    );
}
