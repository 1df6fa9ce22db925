//! Users, access rules and quotas on a real secured cluster: brought about with no more rights than the documentation lists,
//! drifted by Kafka's own tools, repaired, and taken away when that is permitted and asked for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use e2e::{Access, ClusterSpec, KafkaCluster, Security, Way, Workspace, mirrorctl};
use rdkafka::consumer::{BaseConsumer, Consumer as _};

const ACL_COMMAND: &str = "org.apache.kafka.tools.AclCommand";
const CONFIG_COMMAND: &str = "kafka.admin.ConfigCommand";

const LIMIT: Duration = Duration::from_secs(10);
/// For logins that are refused: librdkafka tries again for as long as it may.
const BRIEFLY: Duration = Duration::from_secs(2);

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

fn tool(cluster: &KafkaCluster, class: &str, arguments: &[&str]) -> String {
    let servers = cluster.bootstrap_servers();
    let mut all = vec!["--bootstrap-server", &servers];
    all.extend(arguments);
    cluster.tool_output(class, &all, &[]).unwrap()
}

fn configure(cluster: &KafkaCluster, action: &[&str]) -> String {
    let user = ["--entity-type", "users", "--entity-name", ORDERS];
    tool(cluster, CONFIG_COMMAND, &[action, &user].concat())
}

fn grant(cluster: &KafkaCluster) {
    let principal = format!("User:{KEEPER}");
    for (resource, operations) in RIGHTS {
        let mut arguments = vec!["--force", "--add", "--allow-principal", &principal];
        arguments.extend(resource);
        for operation in operations {
            arguments.extend(["--operation", operation]);
        }
        tool(cluster, ACL_COMMAND, &arguments);
    }
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
fn brought_about_drifted_repaired_and_taken_away() {
    let workspace = Workspace::create("kinds").unwrap();
    let security = Security::new(&[KEEPER]).unwrap();
    let cluster = KafkaCluster::start(&ClusterSpec::single().secured(&security)).unwrap();
    grant(&cluster);
    let keeper = Access::new(&security, &workspace, Way::ScramSha512, KEEPER).unwrap();
    let orders = Access::new(&security, &workspace, Way::ScramSha512, ORDERS).unwrap();
    let head = |allow: &str| {
        let own = keeper.cluster("main", &cluster).unwrap();
        let own = own.strip_suffix('}').unwrap();
        format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {own}, allow: {{{allow}}}}}\n\
             topics:\n- {{name: pay.orders, clusters: [main], partitions: 1, replicationFactor: 1}}\n"
        )
    };
    let declared = format!(
        "{}users:\n- {{name: {ORDERS}, clusters: [main], password: {{file: {}}}}}\n\
         services:\n- {{name: {ORDERS}, principal: \"User:{ORDERS}\", clusters: [main], produces: [pay.orders]}}\n\
         quotas:\n- {{clusters: [main], user: {ORDERS}, consumerBytesPerSecond: 1MiB, requestPercentage: 50}}\n",
        head(""),
        orders.secret_file().display()
    );
    workspace.write("t.yaml", &declared).unwrap();
    let plan = |code| {
        run(
            &workspace,
            &["plan", "-f", "t.yaml", "--detailed-exitcode"],
            code,
        )
    };
    let apply = || run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);

    assert!(!logs_in(&orders, &cluster, BRIEFLY));
    plan(2);
    apply();
    plan(0);
    assert!(logs_in(&orders, &cluster, LIMIT));
    let described = configure(&cluster, &["--describe"]);
    for said in [
        "consumer_byte_rate=1048576",
        "request_percentage=50",
        "SCRAM-SHA-512=iterations=8192",
    ] {
        assert!(described.contains(said), "{described}");
    }
    let rules = |principal: &str| {
        let listed = ["--list", "--principal", principal];
        tool(&cluster, ACL_COMMAND, &listed)
    };
    let written = rules("User:orders");
    assert!(written.contains("operation=WRITE"), "{written}");

    // drifted, each by Kafka's own tools
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
    tool(&cluster, ACL_COMMAND, &remove);
    let limits = "consumer_byte_rate=1,producer_byte_rate=9";
    configure(&cluster, &["--alter", "--add-config", limits]);
    let password = "SCRAM-SHA-512=[iterations=4096,password=another]";
    configure(&cluster, &["--alter", "--add-config", password]);
    assert!(!logs_in(&orders, &cluster, BRIEFLY));
    let drift = ["plan", "-f", "t.yaml", "--drift-only"];
    let seen = run(&workspace, &drift, 0);
    assert!(
        seen.contains("1 to add, 2 to change, 0 to destroy"),
        "{seen}"
    );
    apply();
    plan(0);
    assert!(logs_in(&orders, &cluster, LIMIT));
    assert!(rules("User:orders").contains("operation=WRITE"));
    let described = configure(&cluster, &["--describe"]);
    for said in ["consumer_byte_rate=1048576", "producer_byte_rate=9"] {
        assert!(described.contains(said), "{described}");
    }

    // declared no longer: left, then refused, then gone
    workspace.write("t.yaml", head("")).unwrap();
    plan(0);
    let all = "deleteAcls: true, deleteQuotas: true, deleteUsers: true";
    workspace.write("t.yaml", head(all)).unwrap();
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
    assert!(!logs_in(&orders, &cluster, BRIEFLY));
    assert!(!rules("User:orders").contains("WRITE"));
    let described = configure(&cluster, &["--describe"]);
    assert!(described.contains("producer_byte_rate=9"), "{described}");
    for gone in ["consumer_byte_rate", "request_percentage", "SCRAM"] {
        assert!(!described.contains(gone), "{described}");
    }
}
