//! What `render` writes for MirrorMaker 2 really mirrors: in its dedicated mode, and as connectors of Kafka Connect. The
//! target asks for SCRAM over TLS, and the password is nowhere but in the environment of the engines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::{
    ADMIN, Access, ClusterSpec, ConnectWorker, Guarded, KafkaCluster, ReservedPort, Security,
    TopicAdmin, Way, Workspace, mirrorctl, record_count, start_java, write_mixed,
};

const RECORDS: u64 = 20_000;
const PARTITIONS: u16 = 4;
/// A JVM on a slow machine starts for a long time.
const LIMIT: Duration = Duration::from_secs(150);

struct Bed {
    workspace: Workspace,
    source: KafkaCluster,
    target: KafkaCluster,
    password: String,
}

impl Bed {
    fn start() -> Self {
        let workspace = Workspace::create("engines").unwrap();
        let security = Security::new(&[]).unwrap();
        let source = KafkaCluster::start(&ClusterSpec::single()).unwrap();
        let target = KafkaCluster::start(&ClusterSpec::single().secured(&security)).unwrap();
        let access = Access::new(&security, &workspace, Way::ScramSha512, ADMIN).unwrap();
        let admin = TopicAdmin::new(&source.bootstrap_servers()).unwrap();
        for topic in ["orders", "payments"] {
            admin.create(topic, i32::from(PARTITIONS), &[]).unwrap();
            write_mixed(&source.bootstrap_servers(), topic, PARTITIONS, RECORDS).unwrap();
        }
        let written = access.cluster("target", &target).unwrap().replace(
            &format!("{{file: {}}}", access.secret_file().display()),
            "{env: TARGET_PASSWORD}",
        );
        assert!(written.contains("TARGET_PASSWORD"), "{written}");
        let topology = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: source, bootstrapServers: [\"{}\"]}}\n- {written}\n\
             mirrors:\n\
             - {{name: dedicated, source: source, target: target, engine: mirrormaker2, topicsPattern: orders, \
             replicationPolicy: {{type: default}}, topicSync: {{interval: 1s, replicationFactor: 1}}}}\n",
            source.bootstrap_servers()
        );
        workspace.write("dedicated.yaml", &topology).unwrap();
        let connect = topology
            .replace("name: dedicated", "name: connected")
            .replace("topicsPattern: orders", "topicsPattern: payments");
        workspace.write("connected.yaml", connect).unwrap();
        Self {
            workspace,
            source,
            target,
            password: security.secret(ADMIN),
        }
    }

    fn run(&self, arguments: &[&str]) {
        let environment = ("TARGET_PASSWORD", self.password.as_str());
        mirrorctl(&self.workspace)
            .unwrap()
            .envs([environment])
            .args(arguments)
            .assert()
            .code(0);
    }

    fn render(&self, file: &str, target: &str) {
        self.run(&["render", "-f", file, "--out", "out", "--target", target]);
        let folder = self.workspace.path().join("out");
        assert!(
            !contains(&folder, &self.password),
            "a password was rendered"
        );
    }

    /// A main class of Kafka's, with the password in its environment alone.
    fn java(&self, name: &str, main_class: &str, properties: &Path) -> Guarded {
        start_java(
            &self.workspace,
            self.source.installation(),
            name,
            main_class,
            properties,
            &[("TARGET_PASSWORD", &self.password)],
        )
        .unwrap()
    }

    fn wait_for(&self, engine: &mut Guarded, topic: &str) {
        let servers = self.target.bootstrap_servers();
        let started = Instant::now();
        loop {
            let count = record_count(&servers, topic).unwrap_or(0);
            if count >= RECORDS {
                return;
            }
            let ended = engine.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < LIMIT,
                "{topic} has {count} records; {ended:?}\n{}\n{}",
                engine.stdout(),
                engine.stderr()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn verify(&self, file: &str, mirror: &str) {
        self.run(&[
            "verify",
            "-f",
            file,
            "--mirror",
            mirror,
            "--mode",
            "compare",
            "--report-json",
            "report.json",
        ]);
        let report = std::fs::read(self.workspace.path().join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        // what the engine itself says about offsets is true
        let mut checks = report["checks"].as_array().unwrap().iter();
        let synced = checks.find(|check| check["id"] == "offset-map").unwrap();
        assert_eq!(synced["result"], "pass", "{synced}");
        assert!(synced["figures"]["same-record"].as_u64().unwrap() > 0);
    }
}

fn contains(folder: &Path, words: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contains(&path, words)
        } else {
            std::fs::read_to_string(path).unwrap().contains(words)
        }
    })
}

#[test]
fn what_is_rendered_for_mirrormaker2_mirrors() {
    let bed = Bed::start();

    bed.render("dedicated.yaml", "mirrormaker2");
    let properties = bed
        .workspace
        .path()
        .join("out/mirrormaker2/dedicated/mm2.properties");
    let mut dedicated = bed.java(
        "dedicated",
        "org.apache.kafka.connect.mirror.MirrorMaker",
        &properties,
    );
    bed.wait_for(&mut dedicated, "source.orders");
    dedicated.kill().unwrap();
    bed.verify("dedicated.yaml", "dedicated");

    bed.render("connected.yaml", "connect");
    let folder = bed.workspace.path().join("out/connect/connected");
    let reserved = ReservedPort::any().unwrap();
    let port = reserved.number();
    // the port of the worker is the one thing that a test has to choose
    let worker = std::fs::read_to_string(folder.join("worker.properties")).unwrap();
    let worker = worker.replace("127.0.0.1:8083", &format!("127.0.0.1:{port}"));
    let worker = bed.workspace.write("worker.properties", worker).unwrap();
    let mut connect = bed.java(
        "connect",
        "org.apache.kafka.connect.cli.ConnectDistributed",
        &worker,
    );
    let rest = ConnectWorker::at(port, LIMIT);
    rest.wait_until_ready(&mut connect).unwrap();
    for kind in ["source", "checkpoint", "heartbeat"] {
        let json = std::fs::read_to_string(folder.join(format!("source-{kind}.json"))).unwrap();
        rest.create(&mut connect, &json).unwrap();
    }
    bed.wait_for(&mut connect, "source.payments");
    connect.kill().unwrap();
    bed.verify("connected.yaml", "connected");
}
