//! Kafka's own admin tools against the embedded cluster: ACLs, quotas, SCRAM users, reassignments, log directories and
//! groups. They are pickier readers than our client.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/kafka_tools.rs"]
mod kafka_tools;

use std::sync::Arc;

use broker::{ClusterOptions, EmbeddedCluster, GroupKind, GroupMemberView, GroupView};
use kafka_tools::{Tools, beside};

const CONFIG_COMMAND: &str = "kafka.admin.ConfigCommand";
const ACL_COMMAND: &str = "org.apache.kafka.tools.AclCommand";
const REASSIGN_COMMAND: &str = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand";
const LOG_DIRS_COMMAND: &str = "org.apache.kafka.tools.LogDirsCommand";
const GROUP_COMMAND: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
async fn start() -> Arc<EmbeddedCluster> {
    let authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
    let options = ClusterOptions {
        brokers: 3,
        defaults: [("authorizer.class.name".to_owned(), authorizer.to_owned())].into(),
        ..ClusterOptions::default()
    };
    Arc::new(EmbeddedCluster::start(options).await.unwrap())
}

fn says(printed: &str, words: &str) {
    assert!(printed.contains(words), "`{words}` in:\n{printed}");
}

#[tokio::test]
async fn the_acl_tool_adds_lists_and_removes() {
    let cluster = start().await;
    let tools = Tools::new(&cluster);
    beside(move || {
        let on = [
            "--topic",
            "pay.",
            "--resource-pattern-type",
            "prefixed",
            "--force",
        ];
        let who = ["--allow-principal", "User:a", "--operation", "Read"];
        tools.run(ACL_COMMAND, &[&["--add"], &on[..], &who].concat());
        let listed = tools.run(ACL_COMMAND, &["--list"]);
        says(
            &listed,
            "ResourcePattern(resourceType=TOPIC, name=pay., patternType=PREFIXED)",
        );
        says(
            &listed,
            "(principal=User:a, host=*, operation=READ, permissionType=ALLOW)",
        );
        tools.run(ACL_COMMAND, &[&["--remove"], &on[..], &who].concat());
        assert_eq!(tools.run(ACL_COMMAND, &["--list"]).trim(), "");
    })
    .await;
}

#[tokio::test]
async fn the_config_tool_keeps_quotas_and_scram_users() {
    let cluster = start().await;
    let tools = Tools::new(&cluster);
    beside(move || {
        let user = ["--entity-type", "users", "--entity-name", "a"];
        let add = |added: &str| {
            let change = ["--alter", "--add-config", added];
            tools.run(CONFIG_COMMAND, &[&user[..], &change].concat());
        };
        add("producer_byte_rate=1024,request_percentage=12.5");
        add("SCRAM-SHA-512=[iterations=8192,password=secret]");
        let described = tools.run(CONFIG_COMMAND, &[&user[..], &["--describe"]].concat());
        says(&described, "producer_byte_rate=1024");
        says(&described, "request_percentage=12.5");
        says(&described, "SCRAM-SHA-512=iterations=8192");
        for gone in ["producer_byte_rate", "SCRAM-SHA-512"] {
            let remove = ["--alter", "--delete-config", gone];
            tools.run(CONFIG_COMMAND, &[&user[..], &remove].concat());
        }
        let described = tools.run(CONFIG_COMMAND, &[&user[..], &["--describe"]].concat());
        says(&described, "request_percentage=12.5");
        assert!(!described.contains("producer_byte_rate"), "{described}");
        assert!(!described.contains("SCRAM"), "{described}");
    })
    .await;
}

#[tokio::test]
async fn the_reassignment_tool_moves_throttles_and_clears() {
    let cluster = start().await;
    let tools = Tools::new(&cluster);
    let within = Arc::clone(&cluster);
    beside(move || {
        let create = ["--create", "--topic", "t", "--replica-assignment", "1:2"];
        tools.topics(&create);
        let moves = r#"{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[2,3]}]}"#;
        let file = tools.directory.path().join("moves.json");
        std::fs::write(&file, moves).unwrap();
        let file = file.display().to_string();
        let with_file = ["--reassignment-json-file", file.as_str()];
        within.hold_reassignments();
        let execute = ["--execute", "--throttle", "1000000"];
        let begun = tools.run(REASSIGN_COMMAND, &[&with_file[..], &execute].concat());
        says(
            &begun,
            "Successfully started partition reassignment for t-0",
        );
        let listed = tools.run(REASSIGN_COMMAND, &["--list"]);
        says(&listed, "t-0: replicas: 2,3,1. adding: 3. removing: 1.");
        let verify = [&with_file[..], &["--verify"]].concat();
        says(&tools.run(REASSIGN_COMMAND, &verify), "still in progress");
        within.finish_reassignments();
        let verified = tools.run(REASSIGN_COMMAND, &verify);
        says(&verified, "Reassignment of partition t-0 is completed");
        says(
            &verified,
            "Clearing broker-level throttles on brokers 1,2,3",
        );
        says(&verified, "Clearing topic-level throttles on topic t");
    })
    .await;
    assert_eq!(cluster.leader("t", 0), Some(2));
}

#[tokio::test]
async fn the_tools_for_log_directories_and_groups_read_what_is_there() {
    let cluster = start().await;
    let tools = Tools::new(&cluster);
    for (id, kind) in [("old", GroupKind::Classic), ("new", GroupKind::Consumer)] {
        let member = GroupMemberView {
            client_id: format!("reader-{id}"),
            subscribed: vec!["t".to_owned()],
            assigned: [("t".to_owned(), vec![0])].into(),
        };
        let view = GroupView {
            kind,
            members: vec![member],
            committed: [(("t".to_owned(), 0), 0)].into(),
        };
        cluster.put_group(id, view);
    }
    beside(move || {
        tools.topics(&["--create", "--topic", "t"]);
        let dirs = tools.run(LOG_DIRS_COMMAND, &["--describe", "--topic-list", "t"]);
        says(&dirs, r#""partition":"t-0""#);
        says(&dirs, r#""logDir":"/embedded/3""#);
        let listed = tools.run(GROUP_COMMAND, &["--list"]);
        for id in ["old", "new"] {
            says(&listed, id);
            let described = tools.run(GROUP_COMMAND, &["--describe", "--group", id]);
            says(&described, &format!("reader-{id}"));
        }
    })
    .await;
}
