//! Brokers that crash and come back under a continuous mirror.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::Duration;

use e2e::{
    ClusterSpec, KafkaCluster, Pair, Stream, Workspace, at_least_once, mirrorctl, record_count,
    start_mirrorctl,
};
use rustix::process::Signal;

const RECOVERY: Duration = Duration::from_mins(2);

fn topology(pair: &Pair, replicas: u16) -> String {
    pair.topology(&format!(
        "topics:\n\
         - {{name: live, clusters: [source], partitions: 6, replicationFactor: {replicas}}}\n\
         mirrors:\n\
         - {{name: live, source: source, target: target, topicsPattern: live, \
              replicationPolicy: {{type: identity}}}}\n"
    ))
}

/// Kills a broker, leaves it dead for a while, and waits until the mirror copies again.
fn crash(pair: &Pair, cluster: &KafkaCluster, broker: u16, stream: &Stream) {
    cluster.kill_broker(broker).unwrap();
    thread::sleep(Duration::from_secs(3));
    cluster.restart_broker(broker).unwrap();
    // more than was written before the broker came back
    pair.wait_for_records("live", stream.sent() + 1_000, RECOVERY)
        .unwrap();
}

/// Crashes the first `brokers` brokers of each side in turn, under load.
pub(crate) fn survive(spec: &ClusterSpec, replicas: u16, brokers: usize) {
    let workspace = Workspace::create("restart").unwrap();
    let pair = Pair::start(spec).unwrap();
    workspace
        .write("t.yaml", topology(&pair, replicas))
        .unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);

    let stream = Stream::start(&pair.source.bootstrap_servers(), "live", 6, 1_000, "zstd").unwrap();
    let mut replicate =
        start_mirrorctl(&workspace, "replicate", &["replicate", "-f", "t.yaml"]).unwrap();
    pair.wait_for_records("live", 2_000, RECOVERY).unwrap();
    for broker in pair.source.brokers().take(brokers) {
        crash(&pair, &pair.source, broker, &stream);
        crash(&pair, &pair.target, broker, &stream);
    }

    let written = stream.stop().unwrap();
    assert_eq!(
        record_count(&pair.source.bootstrap_servers(), "live").unwrap(),
        written
    );
    pair.wait_until_copied("live", RECOVERY).unwrap();
    assert_eq!(
        replicate.try_wait().unwrap(),
        None,
        "still the same process"
    );
    replicate.signal(Signal::TERM).unwrap();
    let status = replicate.wait(RECOVERY).unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "{}{}",
        replicate.stdout(),
        replicate.stderr()
    );

    let (source, target) = pair.sides("live");
    let counts = at_least_once(source.at(), target.at()).unwrap().unwrap();
    assert_eq!(counts.records, written);
}
