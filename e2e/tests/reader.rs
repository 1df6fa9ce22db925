//! The reader itself: it sees equal topics as equal, and names what differs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use e2e::{
    ClusterSpec, KafkaCluster, Stream, TopicAt, at_least_once, console_producer, identical,
    producer_performance, record_count, write_mixed,
};

const TOPIC_COMMAND: &str = "org.apache.kafka.tools.TopicCommand";

fn create(cluster: &KafkaCluster, topic: &str) {
    let servers = cluster.bootstrap_servers();
    let arguments = [
        "--bootstrap-server",
        &servers,
        "--create",
        "--topic",
        topic,
        "--partitions",
        "2",
    ];
    cluster.tool_output(TOPIC_COMMAND, &arguments, &[]).unwrap();
}

#[test]
fn every_writer_writes_and_every_difference_is_named() {
    let cluster = KafkaCluster::start(&ClusterSpec::single()).unwrap();
    let servers = cluster.bootstrap_servers();
    let at = |topic| TopicAt {
        servers: &servers,
        topic,
    };
    for topic in ["mixed", "other", "java", "stream"] {
        create(&cluster, topic);
    }

    assert_eq!(write_mixed(&servers, "mixed", 2, 20_000).unwrap(), 20_000);
    assert_eq!(record_count(&servers, "mixed").unwrap(), 20_000);
    assert_eq!(identical(at("mixed"), at("mixed")).unwrap(), Ok(20_000));
    let counts = at_least_once(at("mixed"), at("mixed")).unwrap().unwrap();
    assert_eq!((counts.records, counts.duplicates), (20_000, 0));

    // same shapes, written later: the timestamps differ
    assert_eq!(write_mixed(&servers, "other", 2, 20_000).unwrap(), 20_000);
    let difference = identical(at("mixed"), at("other")).unwrap().unwrap_err();
    assert!(
        difference.to_string().contains("timestamp: expected"),
        "{difference}"
    );
    assert!(at_least_once(at("mixed"), at("other")).unwrap().is_err());

    producer_performance(&cluster, "java", 1_000, 100, &["compression.type=zstd"]).unwrap();
    let lines = "trace:1,twice:a,twice:b\tkey\tvalue\nNULL\tNULL\tno key\nh:x\tgone\tNULL\n";
    console_producer(&cluster, "java", "snappy", lines).unwrap();
    assert_eq!(record_count(&servers, "java").unwrap(), 1_003);
    let difference = identical(at("mixed"), at("java")).unwrap().unwrap_err();
    assert_eq!(difference.partition, 0, "{difference}");

    let stream = Stream::start(&servers, "stream", 2, 5_000, "lz4").unwrap();
    while stream.sent() < 1_000 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let acknowledged = stream.stop().unwrap();
    assert_eq!(record_count(&servers, "stream").unwrap(), acknowledged);
}
