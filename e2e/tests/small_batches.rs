//! Producers that do not batch, and a target far away: merged batches hold the records as they were, and a long link
//! is kept full.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, DelayedLink, KafkaCluster, ReservedPort, TopicAt, Workspace, identical, mirrorctl,
    producer_performance, record_count,
};

const RECORDS: u64 = 20_000;
const ONE_WAY: Duration = Duration::from_millis(25);

const NO_BATCHING: [&str; 4] = [
    "batch.size=1",
    "linger.ms=0",
    "max.in.flight.requests.per.connection=5",
    "buffer.memory=8388608",
];

fn topology(source: &KafkaCluster, target: &KafkaCluster, at: &str) -> String {
    format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {{alias: source, clusterId: {}, bootstrapServers: [\"{}\"]}}\n\
         - {{alias: target, clusterId: {}, bootstrapServers: [\"{at}\"]}}\n\
         mirrors:\n\
         - {{name: far, source: source, target: target, topicsPattern: tiny, replicationPolicy: {{type: identity}}}}\n",
        source.cluster_id(),
        source.bootstrap_servers(),
        target.cluster_id(),
    )
}

fn create(cluster: &KafkaCluster) {
    let servers = cluster.bootstrap_servers();
    let arguments = [
        "--bootstrap-server",
        &servers,
        "--create",
        "--topic",
        "tiny",
        "--partitions",
        "2",
    ];
    let command = "org.apache.kafka.tools.TopicCommand";
    cluster.tool_output(command, &arguments, &[]).unwrap();
}

#[test]
fn one_record_batches_cross_a_long_link_merged_and_unchanged() {
    let workspace = Workspace::create("tiny").unwrap();
    let port = ReservedPort::any().unwrap();
    let source = KafkaCluster::start(&ClusterSpec::single()).unwrap();
    let target = KafkaCluster::start(&ClusterSpec::behind(port.number())).unwrap();
    let link = DelayedLink::to(&port, &target, ONE_WAY).unwrap();
    create(&source);
    producer_performance(&source, "tiny", RECORDS, 100, &NO_BATCHING).unwrap();
    let written = record_count(&source.bootstrap_servers(), "tiny").unwrap();
    assert_eq!(written, RECORDS);

    let at = format!("127.0.0.1:{}", link.port());
    workspace
        .write("t.yaml", topology(&source, &target, &at))
        .unwrap();
    let started = Instant::now();
    let run = mirrorctl(&workspace)
        .unwrap()
        .args(["replicate", "-f", "t.yaml", "--once", "--output", "json"])
        .assert()
        .code(0);
    let took = started.elapsed();
    let output = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    let summary: serde_json::Value = serde_json::from_str(&output).unwrap();
    let merged = &summary["runs"][0]["summary"]["batches_merged"];
    // what is left over between two reads goes alone
    assert!(merged.as_u64().unwrap() > RECORDS / 2, "{output}");

    let servers = (source.bootstrap_servers(), target.bootstrap_servers());
    let side = |servers| TopicAt {
        servers,
        topic: "tiny",
    };
    assert_eq!(
        identical(side(&servers.0), side(&servers.1)).unwrap(),
        Ok(RECORDS)
    );
    // five batches of one record each in flight would take a minute and a half
    assert!(took < Duration::from_mins(1), "{took:?}");
}
