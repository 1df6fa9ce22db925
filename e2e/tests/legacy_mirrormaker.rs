//! What `render` writes for the legacy MirrorMaker really mirrors: its start script, as it is, with the MirrorMaker of the last
//! Kafka that has it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/installed.rs"]
mod installed;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, Guarded, KafkaCluster, TopicAdmin, Workspace, mirrorctl, record_count, write_mixed,
};
use installed::installed;

const RECORDS: u64 = 5_000;
/// MirrorMaker lets the producer choose a partition, so that with several `verify` would rightly find records in others.
const PARTITIONS: u16 = 1;
/// A JVM on a slow machine starts for a long time.
const LIMIT: Duration = Duration::from_secs(150);

#[test]
fn what_is_rendered_for_the_legacy_mirrormaker_mirrors() {
    let workspace = Workspace::create("legacy").unwrap();
    let (source, target) = (
        KafkaCluster::start(&ClusterSpec::single()).unwrap(),
        KafkaCluster::start(&ClusterSpec::single()).unwrap(),
    );
    let (from, to) = (source.bootstrap_servers(), target.bootstrap_servers());
    for servers in [&from, &to] {
        TopicAdmin::new(servers)
            .unwrap()
            .create("orders", i32::from(PARTITIONS), &[])
            .unwrap();
    }
    let admin = TopicAdmin::new(&from).unwrap();
    admin.create("private", 1, &[]).unwrap();
    write_mixed(&from, "private", 1, 10).unwrap();
    write_mixed(&from, "orders", PARTITIONS, RECORDS).unwrap();
    let topology = workspace
        .write(
            "topology.yaml",
            format!(
                "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
                 - {{alias: a, bootstrapServers: '{from}'}}\n\
                 - {{alias: b, bootstrapServers: '{to}'}}\n\
                 mirrors:\n\
                 - {{name: old, source: a, target: b, engine: mirrormaker, topicsPattern: 'orders|bills', \
                 replicationPolicy: {{type: identity}}}}\n"
            ),
        )
        .unwrap();
    // what Kafka's own scripts do with a main class
    let command = workspace
        .write(
            "kafka-run-class.sh",
            format!(
                "#!/bin/sh\nexec java -Xmx256m -cp '{}/*' \"$@\"\n",
                installed("MIRRORCTL_LEGACY_KAFKA_LIBS").display()
            ),
        )
        .unwrap();
    fs::set_permissions(&command, fs::Permissions::from_mode(0o755)).unwrap();
    mirrorctl(&workspace)
        .unwrap()
        .args(["render", "--target", "mirrormaker", "--out", "out", "-f"])
        .arg(&topology)
        .args(["--set", "mirrormaker.streams=2", "--set"])
        .arg(format!("mirrormaker.command={}", command.display()))
        .assert()
        .code(0);
    let script = workspace.path().join("out/mirrormaker/old/start.sh");
    let mut engine = Guarded::spawn(
        "mirrormaker",
        OsStr::new("sh"),
        &[script.into_os_string()],
        &[],
        workspace.path(),
    )
    .unwrap();
    let started = Instant::now();
    while record_count(&to, "orders").unwrap_or(0) < RECORDS {
        assert!(
            engine.try_wait().unwrap().is_none() && started.elapsed() < LIMIT,
            "{}\n{}",
            engine.stdout(),
            engine.stderr()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    engine.kill().unwrap();
    mirrorctl(&workspace)
        .unwrap()
        .args([
            "verify",
            "-f",
            topology.to_str().unwrap(),
            "--mirror",
            "old",
            "--mode",
            "compare",
        ])
        .assert()
        .code(0);
    assert_eq!(record_count(&to, "private").unwrap_or(0), 0, "not selected");
}
