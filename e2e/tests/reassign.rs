//! Another replication factor on a real cluster of three brokers: one, three, two, with records in the topic, a kill in
//! the middle, and a move of somebody else. What is left behind is read by Kafka's own tools.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread::sleep;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, KafkaCluster, Workspace, mirrorctl, record_count, start_mirrorctl, write_batch,
};
use serde_json::Value;

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const REASSIGN: &str = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand";
/// More than one batch of moves.
const PARTITIONS: i32 = 7;
const LIMIT: Duration = Duration::from_mins(2);

struct Bench {
    cluster: KafkaCluster,
    workspace: Workspace,
}

impl Bench {
    fn start() -> Self {
        Self {
            cluster: KafkaCluster::start(&ClusterSpec::three()).unwrap(),
            workspace: Workspace::create("reassign").unwrap(),
        }
    }

    fn declare(&self, factor: u16, more: &str) {
        let servers = self.cluster.bootstrap_servers().replace(',', "\", \"");
        let id = self.cluster.cluster_id();
        let topology = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: three, clusterId: {id}, bootstrapServers: [\"{servers}\"]}}\ntopics:\n\
             - {{name: pay, clusters: [three], partitions: {PARTITIONS}, replicationFactor: {factor}}}\n{more}"
        );
        self.workspace.write("t.yaml", topology).unwrap();
    }

    fn run(&self, arguments: &[&str], code: i32) -> (String, String) {
        let assert = mirrorctl(&self.workspace).unwrap().args(arguments).assert();
        let output = assert.get_output();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}\n{out}{err}"
        );
        (out, err)
    }

    fn apply(&self) -> String {
        let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
        self.run(&apply, 0).1
    }

    fn plan(&self, code: i32) -> String {
        let plan = ["plan", "-f", "t.yaml", "--detailed-exitcode"];
        self.run(&plan, code).0
    }

    fn tool(&self, class: &str, arguments: &[&str]) -> String {
        let servers = self.cluster.bootstrap_servers();
        let all = [&["--bootstrap-server", &servers], arguments].concat();
        self.cluster.tool_output(class, &all, &[]).unwrap()
    }

    /// How many replicas each partition has, and how many of them are in sync.
    fn replicas(&self, topic: &str) -> Vec<(usize, usize)> {
        let described = self.tool(TOPICS, &["--describe", "--topic", topic]);
        let count = |line: &str, label: &str| {
            let rest = line.split_once(label).unwrap().1.trim_start();
            let ids = rest.split_whitespace().next().unwrap_or_default();
            ids.split(',').count()
        };
        described
            .lines()
            .filter(|line| line.contains("Partition: "))
            .map(|line| (count(line, "Replicas:"), count(line, "Isr:")))
            .collect()
    }

    /// Everything that Kafka's own tool says about limits of replication.
    fn throttles(&self, topic: &str) -> String {
        let brokers = ["--describe", "--entity-type", "brokers"];
        let of_topic = [
            "--describe",
            "--entity-type",
            "topics",
            "--entity-name",
            topic,
        ];
        let described = [self.tool(CONFIGS, &brokers), self.tool(CONFIGS, &of_topic)].join("\n");
        let lines = described.lines().filter(|line| line.contains("throttled"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn write(&self, topic: &str, partition: i32, batches: usize) {
        let servers = self.cluster.bootstrap_servers();
        for _ in 0..batches {
            write_batch(&servers, topic, partition, "none", &[100_000; 9]).unwrap();
        }
    }

    fn records(&self) -> u64 {
        record_count(&self.cluster.bootstrap_servers(), "pay").unwrap()
    }

    /// From one replica to three, killed while the first partitions are copied.
    fn killed_in_the_middle_and_resumed(&self) {
        self.declare(1, "");
        self.apply();
        for partition in 0..PARTITIONS {
            self.write("pay", partition, 3);
        }
        let records = self.records();
        assert_eq!(records, 3 * 9 * PARTITIONS as u64);
        assert_eq!(self.replicas("pay"), [(1, 1); 7]);

        self.declare(3, "");
        let planned = self.plan(2);
        for words in [
            "replication factor   1 → 3",
            "7 partitions are reassigned: 37",
            "moves data",
        ] {
            assert!(planned.contains(words), "{words} in:\n{planned}");
        }
        let slowly = [
            "apply",
            "-f",
            "t.yaml",
            "--auto-approve",
            "--reassignment-throttle",
            "100kB",
        ];
        let mut first = start_mirrorctl(&self.workspace, "first", &slowly).unwrap();
        let started = Instant::now();
        while !self.tool(REASSIGN, &["--list"]).contains("pay-") {
            assert!(started.elapsed() < LIMIT, "{}", first.stderr());
            sleep(Duration::from_millis(100));
        }
        first.kill().unwrap();
        // nobody took them away
        let set = self.throttles("pay");
        for words in [
            "leader.replication.throttled.rate=100000",
            "follower.replication.throttled.rate=100000",
            "leader.replication.throttled.replicas=0:",
            "follower.replication.throttled.replicas=0:",
        ] {
            assert!(set.contains(words), "{words} in:\n{set}");
        }
        self.plan(2);
        let told = self.apply();
        assert!(told.contains("7 of 7 partitions moved"), "{told}");
        assert_eq!(self.throttles("pay"), "");
        assert_eq!(self.replicas("pay"), [(3, 3); 7]);
        assert_eq!(self.records(), records);
        self.plan(0);
    }

    fn three_then_two(&self) {
        let records = self.records();
        self.declare(2, "");
        let planned = self.plan(2);
        assert!(planned.contains("nothing is copied"), "{planned}");
        self.apply();
        assert_eq!(self.replicas("pay"), [(2, 2); 7]);
        assert_eq!(self.throttles("pay"), "");
        assert_eq!(self.records(), records);
        self.plan(0);
    }

    /// Kafka's own tool moves a partition, slowly.
    fn a_move_of_somebody_else(&self) {
        let other = |factor: u16| {
            format!(
                "- {{name: other, clusters: [three], partitions: 1, replicationFactor: {factor}}}\n"
            )
        };
        self.declare(2, &other(1));
        self.apply();
        self.write("other", 0, 8);
        let described = self.tool(TOPICS, &["--describe", "--topic", "other"]);
        let leader = described.split_once("Leader: ").unwrap().1;
        let leader: i32 = leader.split_whitespace().next().unwrap().parse().unwrap();
        let moves = format!(
            r#"{{"version":1,"partitions":[{{"topic":"other","partition":0,"replicas":[{}]}}]}}"#,
            leader % 3 + 1
        );
        self.workspace.write("moves.json", moves).unwrap();
        let file = self.workspace.path().join("moves.json");
        let file = file.display().to_string();
        let with_file = ["--reassignment-json-file", file.as_str()];
        let execute = [&with_file[..], &["--execute", "--throttle", "1000"]].concat();
        self.tool(REASSIGN, &execute);

        self.declare(2, &other(2));
        let refused = self.plan(3);
        let words = "somebody else is moving its replicas (partitions 0)";
        assert!(refused.contains(words), "{refused}");
        let (_, err) = self.run(&["apply", "-f", "t.yaml", "--auto-approve"], 3);
        assert!(err.contains("nothing was changed"), "{err}");
        let listed = self.tool(REASSIGN, &["--list"]);
        assert!(listed.contains("other-0"), "left as it is: {listed}");

        let cancel = [&with_file[..], &["--cancel"]].concat();
        self.tool(REASSIGN, &cancel);
        self.apply();
        assert_eq!(self.replicas("other"), [(2, 2)]);
        assert_eq!(self.throttles("other"), "");
        let json = ["plan", "-f", "t.yaml", "--output", "json"];
        let plan: Value = serde_json::from_str(&self.run(&json, 0).0).unwrap();
        assert_eq!(plan["summary"]["change"], 0, "{plan:#}");
    }
}

#[test]
fn another_replication_factor() {
    let bench = Bench::start();
    bench.killed_in_the_middle_and_resumed();
    bench.three_then_two();
    bench.a_move_of_somebody_else();
}
