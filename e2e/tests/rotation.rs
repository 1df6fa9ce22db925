//! Certificates and passwords are replaced under a mirror that runs, which goes on without a restart.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;
use std::time::Duration;

use e2e::{
    ADMIN, Access, Authority, ClusterSpec, KafkaCluster, Pair, Security, Stream, Way, Workspace,
    at_least_once, mirrorctl, start_mirrorctl,
};
use rustix::process::Signal;

const CONFIG_COMMAND: &str = "kafka.admin.ConfigCommand";
const NEW_PASSWORD: &str = "rotated-4Hk2";
const LIMIT: Duration = Duration::from_mins(2);

fn change_password(cluster: &KafkaCluster) {
    let servers = cluster.bootstrap_servers();
    let password = format!("SCRAM-SHA-512=[password={NEW_PASSWORD}]");
    let arguments = [
        "--bootstrap-server",
        &servers,
        "--alter",
        "--entity-type",
        "users",
        "--entity-name",
        ADMIN,
        "--add-config",
        &password,
    ];
    cluster
        .tool_output(CONFIG_COMMAND, &arguments, &[])
        .unwrap();
}

#[test]
fn a_running_mirror_takes_up_new_authorities_and_passwords() {
    let workspace = Workspace::create("rotation").unwrap();
    let security = Security::new(&[]).unwrap();
    let pair = Pair::start(&ClusterSpec::single().secured(&security)).unwrap();
    let access = Access::new(&security, &workspace, Way::ScramSha512, ADMIN).unwrap();
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {}\n\
         - {}\n\
         topics:\n\
         - {{name: kept, clusters: [source], partitions: 2, replicationFactor: 1}}\n\
         mirrors:\n\
         - {{name: kept, source: source, target: target, topicsPattern: kept, replicationPolicy: {{type: identity}}}}\n",
        access.cluster("source", &pair.source).unwrap(),
        access.cluster("target", &pair.target).unwrap(),
    );
    workspace.write("t.yaml", topology).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
    let servers = pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, "kept", 2, 500, "none").unwrap();
    let mut running =
        start_mirrorctl(&workspace, "running", &["replicate", "-f", "t.yaml"]).unwrap();
    pair.wait_for_records("kept", 500, LIMIT).unwrap();

    // nothing that was good until now is good afterwards
    let successor = Authority::new("successor").unwrap();
    fs::write(access.ca_file(), successor.certificate()).unwrap();
    fs::write(access.secret_file(), NEW_PASSWORD).unwrap();
    thread::scope(|scope| {
        for cluster in [&pair.source, &pair.target] {
            let successor = &successor;
            scope.spawn(move || {
                change_password(cluster);
                cluster.replace_certificate(1, successor).unwrap();
                // ends every connection
                cluster.stop_broker(1).unwrap();
                cluster.restart_broker(1).unwrap();
            });
        }
    });
    let before = stream.sent();
    pair.wait_for_records("kept", before + 500, LIMIT).unwrap();
    assert_eq!(running.try_wait().unwrap(), None, "{}", running.stderr());

    let written = stream.stop().unwrap();
    pair.wait_until_copied("kept", LIMIT).unwrap();
    running.signal(Signal::TERM).unwrap();
    let status = running.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", running.stderr());
    let (source, target) = pair.sides("kept");
    let copied = at_least_once(source.at(), target.at()).unwrap().unwrap();
    assert_eq!(copied.records, written);
}
