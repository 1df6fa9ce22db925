//! The same promises with brokers in containers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/restarts.rs"]
mod restarts;

use e2e::{ClusterSpec, KafkaCluster, Provider, record_count, write_mixed};

#[test]
fn a_broker_in_a_container_comes_back_with_its_data() {
    let spec = ClusterSpec {
        provider: Provider::containers(),
        ..ClusterSpec::single()
    };
    let cluster = KafkaCluster::start(&spec).unwrap();
    let servers = cluster.bootstrap_servers();
    let create = [
        "--bootstrap-server",
        &servers,
        "--create",
        "--topic",
        "kept",
    ];
    cluster
        .tool_output("org.apache.kafka.tools.TopicCommand", &create, &[])
        .unwrap();
    write_mixed(&servers, "kept", 1, 1_000).unwrap();
    cluster.kill_broker(1).unwrap();
    cluster.restart_broker(1).unwrap();
    assert_eq!(record_count(&servers, "kept").unwrap(), 1_000);
    cluster.stop_broker(1).unwrap();
    cluster.restart_broker(1).unwrap();
    assert_eq!(record_count(&servers, "kept").unwrap(), 1_000);
}

#[test]
fn a_mirror_survives_crashes_of_three_brokers_in_containers() {
    let spec = ClusterSpec {
        provider: Provider::containers(),
        ..ClusterSpec::three()
    };
    restarts::survive(&spec.with("min.insync.replicas", "2"), 3, 1);
}
