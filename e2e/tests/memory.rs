//! Memory stays inside the byte budget, whatever the target does: a target that takes a megabyte a second, and a
//! leader that is gone while its neighbours go on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, Guarded, KafkaCluster, Workspace, identical, mirrorctl, producer_performance,
    record_count, start_mirrorctl,
};

/// The default budget, and what the process needs besides: code, buffers that wait for reuse, the allocator's slack.
const MOST: u64 = (16 + 56) << 20;
const REPLICATE: [&str; 3] = ["replicate", "-f", "t.yaml"];

fn topology(source: &KafkaCluster, target: &KafkaCluster) -> String {
    let quoted = |cluster: &KafkaCluster| cluster.bootstrap_servers().replace(',', "\", \"");
    format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {{alias: source, clusterId: {}, bootstrapServers: [\"{}\"]}}\n\
         - {{alias: target, clusterId: {}, bootstrapServers: [\"{}\"]}}\n\
         topics:\n\
         - {{name: heap, clusters: [source, target], partitions: 6, replicationFactor: 1}}\n\
         mirrors:\n\
         - {{name: m, source: source, target: target, topicsPattern: heap, replicationPolicy: {{type: identity}}}}\n",
        source.cluster_id(),
        quoted(source),
        target.cluster_id(),
        quoted(target),
    )
}

/// Clusters with a topic of `records` records of 1 KiB on the source.
fn clusters(workspace: &Workspace, target: &ClusterSpec, records: u64) -> [KafkaCluster; 2] {
    let source = KafkaCluster::start(&ClusterSpec::single()).unwrap();
    let target = KafkaCluster::start(target).unwrap();
    workspace
        .write("t.yaml", topology(&source, &target))
        .unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(workspace).unwrap().args(apply).assert().code(0);
    producer_performance(&source, "heap", records, 1024, &[]).unwrap();
    [source, target]
}

/// The largest resident set a process has had, in bytes.
fn peak(process: &Guarded) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn copied(target: &KafkaCluster) -> u64 {
    // a partition without a leader has no count
    record_count(&target.bootstrap_servers(), "heap").unwrap_or(0)
}

#[test]
fn a_target_that_takes_a_megabyte_a_second() {
    let workspace = Workspace::create("slow").unwrap();
    let [_source, target] = clusters(&workspace, &ClusterSpec::single(), 120_000);
    let servers = target.bootstrap_servers();
    let quota = [
        "--bootstrap-server",
        &servers,
        "--alter",
        "--entity-type",
        "clients",
        "--entity-default",
        "--add-config",
        "producer_byte_rate=1048576",
    ];
    target
        .tool_output("kafka.admin.ConfigCommand", &quota, &[])
        .unwrap();
    let replicate = start_mirrorctl(&workspace, "slow", &REPLICATE).unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(200));
        let peak = peak(&replicate);
        assert!(peak < MOST, "{} MiB", peak >> 20);
    }
    let copied = copied(&target);
    assert!(
        (1..120_000).contains(&copied),
        "{copied} copied: the quota had no effect, or nothing moved"
    );
}

#[test]
fn a_leader_that_is_gone_for_a_while() {
    const RECORDS: u64 = 150_000;
    let workspace = Workspace::create("gone").unwrap();
    let [source, target] = clusters(&workspace, &ClusterSpec::three(), RECORDS);
    target.pause_broker(2).unwrap();
    let replicate = start_mirrorctl(&workspace, "gone", &REPLICATE).unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(25) {
        thread::sleep(Duration::from_millis(200));
        let peak = peak(&replicate);
        assert!(peak < MOST, "{} MiB", peak >> 20);
    }
    target.resume_broker(2).unwrap();
    let limit = Duration::from_mins(1);
    let resumed = Instant::now();
    while copied(&target) < RECORDS {
        assert!(resumed.elapsed() < limit, "{} copied", copied(&target));
        thread::sleep(Duration::from_millis(200));
    }
    let peak = peak(&replicate);
    assert!(peak < MOST, "{} MiB", peak >> 20);
    let servers = (source.bootstrap_servers(), target.bootstrap_servers());
    let side = |servers| e2e::TopicAt {
        servers,
        topic: "heap",
    };
    assert_eq!(
        identical(side(&servers.0), side(&servers.1)).unwrap(),
        Ok(RECORDS)
    );
}
