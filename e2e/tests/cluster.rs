//! The test bed itself: brokers crash, freeze, come back, and never outlive the tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use e2e::{ClusterSpec, KafkaCluster};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_mins(2);
const TOPIC_COMMAND: &str = "org.apache.kafka.tools.TopicCommand";

fn topics(cluster: &KafkaCluster, limit: Duration) -> Result<Vec<String>, String> {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("log_level", "0")
        .create()
        .map_err(|error| error.to_string())?;
    let metadata = client
        .fetch_metadata(None, limit)
        .map_err(|error| error.to_string())?;
    Ok(metadata
        .topics()
        .iter()
        .map(|topic| topic.name().to_owned())
        .collect())
}

fn create(cluster: &KafkaCluster, topic: &str) {
    let servers = cluster.bootstrap_servers();
    let arguments = ["--bootstrap-server", &servers, "--create", "--topic", topic];
    cluster.tool_output(TOPIC_COMMAND, &arguments, &[]).unwrap();
}

#[test]
fn a_broker_comes_back_with_its_data() {
    let cluster = KafkaCluster::start(&ClusterSpec::single()).unwrap();
    create(&cluster, "kept");

    cluster.kill_broker(1).unwrap();
    assert!(topics(&cluster, Duration::from_secs(1)).is_err());
    cluster.restart_broker(1).unwrap();
    assert_eq!(topics(&cluster, LIMIT).unwrap(), ["kept"]);

    cluster.pause_broker(1).unwrap();
    assert!(topics(&cluster, Duration::from_secs(1)).is_err());
    cluster.resume_broker(1).unwrap();
    assert_eq!(topics(&cluster, LIMIT).unwrap(), ["kept"]);

    cluster.stop_broker(1).unwrap();
    assert!(
        cluster.kill_broker(1).is_err(),
        "a stopped broker cannot be killed"
    );
    cluster.restart_broker(1).unwrap();
    assert_eq!(topics(&cluster, LIMIT).unwrap(), ["kept"]);
}

#[test]
fn three_brokers_lose_one_and_go_on() {
    let cluster = KafkaCluster::start(&ClusterSpec::three()).unwrap();
    cluster.kill_broker(2).unwrap();
    create(&cluster, "by-two");
    assert_eq!(topics(&cluster, LIMIT).unwrap(), ["by-two"]);
    cluster.restart_broker(2).unwrap();
}
