//! Two clusters with a topic on the source, and how much memory the process that copies it takes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, Guarded, KafkaCluster, Workspace, identical, mirrorctl, producer_performance,
    record_count,
};

/// The default budget, and what the process needs besides: buffers that wait for reuse, the allocator's slack.
pub(crate) const MOST: u64 = (12 + 40) << 20;
/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_mins(3);
pub(crate) const REPLICATE: [&str; 3] = ["replicate", "-f", "t.yaml"];

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
         - {{name: m, source: source, target: target, topicsPattern: heap, stallAfter: 20s, replicationPolicy: {{type: identity}}}}\n",
        source.cluster_id(),
        quoted(source),
        target.cluster_id(),
        quoted(target),
    )
}

/// Clusters with a topic of `records` records of 1 KiB on the source.
pub(crate) fn clusters(
    workspace: &Workspace,
    target: &ClusterSpec,
    records: u64,
) -> [KafkaCluster; 2] {
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

/// The largest resident set a process has had, in bytes, without what it maps of files: the code of a debug build is larger
/// than all its data.
pub(crate) fn peak(process: &Guarded) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let kilobytes = |key: &str| {
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)).unwrap();
        value.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    (kilobytes("VmHWM:") - kilobytes("RssFile:")) * 1024
}

pub(crate) fn copied(target: &KafkaCluster) -> u64 {
    // a partition without a leader has no count
    record_count(&target.bootstrap_servers(), "heap").unwrap_or(0)
}

/// Looks at the process for so long: it never takes more than it may.
pub(crate) fn watch(replicate: &Guarded, during: Duration) {
    let started = Instant::now();
    while started.elapsed() < during {
        thread::sleep(Duration::from_millis(200));
        let peak = peak(replicate);
        assert!(peak < MOST, "{} MiB", peak >> 20);
    }
}

/// Lets the target take a megabyte a second from any client.
pub(crate) fn throttle(target: &KafkaCluster) {
    quota(target, ["--add-config", "producer_byte_rate=1048576"]);
}

/// Lets it take as much as it can.
#[allow(dead_code, reason = "the short tests end under the quota")]
pub(crate) fn lift_throttle(target: &KafkaCluster) {
    quota(target, ["--delete-config", "producer_byte_rate"]);
}

fn quota(target: &KafkaCluster, change: [&str; 2]) {
    let servers = target.bootstrap_servers();
    let clients = [
        "--bootstrap-server",
        &servers,
        "--alter",
        "--entity-type",
        "clients",
        "--entity-default",
    ];
    let alter = [&clients[..], &change].concat();
    target
        .tool_output("kafka.admin.ConfigCommand", &alter, &[])
        .unwrap();
}

/// Waits until the target has a record.
#[allow(dead_code, reason = "the long tests wait for all records")]
pub(crate) fn until_some_is_there(replicate: &Guarded, target: &KafkaCluster) {
    let started = Instant::now();
    while copied(target) == 0 {
        assert!(started.elapsed() < LIMIT, "{}", replicate.stderr());
        thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until the target has all records, and compares.
pub(crate) fn until_all_is_there(
    replicate: &Guarded,
    source: &KafkaCluster,
    target: &KafkaCluster,
    records: u64,
) {
    let resumed = Instant::now();
    while copied(target) < records {
        assert!(resumed.elapsed() < LIMIT, "{} copied", copied(target));
        thread::sleep(Duration::from_millis(200));
    }
    let peak = peak(replicate);
    assert!(peak < MOST, "{} MiB", peak >> 20);
    let servers = (source.bootstrap_servers(), target.bootstrap_servers());
    let side = |servers| e2e::TopicAt {
        servers,
        topic: "heap",
    };
    assert_eq!(
        identical(side(&servers.0), side(&servers.1)).unwrap(),
        Ok(records)
    );
}
