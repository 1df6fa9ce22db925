//! kcat and Kafka's own tools against the embedded cluster. A missing tool is a failure.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/kafka_tools.rs"]
mod kafka_tools;

use std::io::Write as _;
use std::process::{Command, Stdio};

use broker::{ApiKey, ClusterOptions, EmbeddedCluster};
use kafka_tools::{Tools, beside, success};

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

async fn cluster(brokers: u16) -> EmbeddedCluster {
    EmbeddedCluster::start(ClusterOptions {
        brokers,
        ..ClusterOptions::default()
    })
    .await
    .unwrap()
}

fn kcat(bootstrap: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("kcat")
        .args(["-b", bootstrap])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kcat is installed (apt package kcat)");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    success(&child.wait_with_output().unwrap(), "kcat")
}

#[tokio::test]
async fn kcat_produces_consumes_and_lists() {
    let cluster = cluster(2).await;
    let tools = Tools::new(&cluster);
    beside(move || {
        let create = [
            "--create",
            "--topic",
            "t",
            "--partitions",
            "2",
            "--replication-factor",
            "2",
        ];
        tools.topics(&create);
        let bootstrap = &tools.bootstrap;
        let mut expected = String::new();
        for codec in CODECS {
            let lines: Vec<String> = (0..500).map(|i| format!("{codec}:value {i}\n")).collect();
            let produce = ["-P", "-t", "t", "-p", "1", "-K", ":", "-z", codec];
            kcat(bootstrap, &produce, &lines.concat());
            expected.push_str(&lines.concat());
        }
        let consume = [
            "-C",
            "-t",
            "t",
            "-p",
            "1",
            "-e",
            "-q",
            "-K",
            ":",
            "-X",
            "check.crcs=true",
        ];
        assert_eq!(kcat(bootstrap, &consume, ""), expected);
        let listed = kcat(bootstrap, &["-L"], "");
        assert!(listed.contains("2 brokers:"), "{listed}");
        assert!(listed.contains("topic \"t\" with 2 partitions"), "{listed}");
        let offset = kcat(bootstrap, &["-Q", "-t", "t:1:-1"], "");
        assert_eq!(offset.trim(), "t [1] offset 2500");
    })
    .await;
    // librdkafka falls back to no compression when it thinks the broker cannot do a codec
    let codecs: std::collections::BTreeSet<u8> = cluster
        .batches("t", 1)
        .unwrap()
        .iter()
        .map(|batch| batch.bytes[22] & 7)
        .collect();
    assert_eq!(codecs.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn the_topic_tool_creates_describes_grows_and_deletes() {
    let cluster = cluster(3).await;
    let tools = Tools::new(&cluster);
    beside(move || {
        let create = [
            "--create",
            "--topic",
            "t",
            "--partitions",
            "3",
            "--replication-factor",
            "2",
        ];
        tools.topics(&[&create[..], &["--config", "retention.ms=60000"]].concat());
        let described = tools.topics(&["--describe", "--topic", "t"]);
        assert!(described.contains("PartitionCount: 3"), "{described}");
        assert!(described.contains("ReplicationFactor: 2"), "{described}");
        assert!(described.contains("retention.ms=60000"), "{described}");
        let again = tools.output("org.apache.kafka.tools.TopicCommand", &create);
        assert!(!again.status.success());
        let words = String::from_utf8_lossy(&again.stdout).into_owned();
        assert!(words.contains("Topic 't' already exists."), "{words}");
        tools.topics(&["--alter", "--topic", "t", "--partitions", "5"]);
        assert!(
            tools
                .topics(&["--describe", "--topic", "t"])
                .contains("PartitionCount: 5")
        );
        assert_eq!(tools.topics(&["--list"]).trim(), "t");
        tools.topics(&["--delete", "--topic", "t"]);
        assert_eq!(tools.topics(&["--list"]).trim(), "");
    })
    .await;
    assert_eq!(cluster.topics(), Vec::<String>::new());
}

#[tokio::test]
async fn the_config_tool_alters_and_describes() {
    let cluster = cluster(1).await;
    let tools = Tools::new(&cluster);
    beside(move || {
        tools.topics(&["--create", "--topic", "t"]);
        let class = "kafka.admin.ConfigCommand";
        let on = ["--entity-type", "topics", "--entity-name", "t"];
        let alter =
            |change: &[&str]| tools.output(class, &[&on[..], &["--alter"], change].concat());
        let added = "retention.ms=1234567,cleanup.policy=[compact,delete]";
        success(&alter(&["--add-config", added]), class);
        let describe = || tools.run(class, &[&on[..], &["--describe"]].concat());
        let described = describe();
        assert!(described.contains("retention.ms=1234567"), "{described}");
        assert!(
            described.contains("cleanup.policy=compact,delete"),
            "{described}"
        );
        success(&alter(&["--delete-config", "retention.ms"]), class);
        assert!(!describe().contains("retention.ms=1234567"));
        let refused = alter(&["--add-config", "retention.ms=never"]);
        assert!(!refused.status.success());
        let brokers = [
            "--entity-type",
            "brokers",
            "--entity-name",
            "1",
            "--describe",
            "--all",
        ];
        let described = tools.run(class, &brokers);
        assert!(
            described.contains("message.max.bytes=1048588"),
            "{described}"
        );
    })
    .await;
}

#[tokio::test]
async fn java_producers_and_the_console_consumer_agree() {
    const RECORDS: usize = 2000;
    let cluster = cluster(1).await;
    let tools = Tools::new(&cluster);
    beside(move || {
        tools.topics(&["--create", "--topic", "t"]);
        let records = RECORDS.to_string();
        for codec in CODECS {
            let compression = format!("compression.type={codec}");
            let arguments = [
                "--topic",
                "t",
                "--num-records",
                &records,
                "--record-size",
                "100",
                "--throughput",
                "-1",
                "--command-property",
                &compression,
            ];
            let printed = tools.run("org.apache.kafka.tools.ProducerPerformance", &arguments);
            assert!(
                printed.contains(&format!("{RECORDS} records sent")),
                "{printed}"
            );
        }
        let verifiable = ["--topic", "t", "--max-messages", "100"];
        let printed = tools.run("org.apache.kafka.tools.VerifiableProducer", &verifiable);
        assert!(printed.contains("\"acked\":100"), "{printed}");
        let total = CODECS.len() * RECORDS + 100;
        let offsets = tools.run("org.apache.kafka.tools.GetOffsetShell", &["--topic", "t"]);
        assert_eq!(offsets.trim(), format!("t:0:{total}"));
        let total_text = total.to_string();
        let arguments = [
            "--topic",
            "t",
            "--partition",
            "0",
            "--offset",
            "earliest",
            "--max-messages",
            &total_text,
            "--timeout-ms",
            "20000",
        ];
        let consumed = tools.run(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            &arguments,
        );
        assert_eq!(consumed.lines().count(), total);
        // the verifiable producer writes the numbers from 0
        let tail: Vec<&str> = consumed.lines().skip(total - 100).collect();
        assert_eq!((tail[0], tail[99]), ("0", "99"));
    })
    .await;
    let batches = cluster.batches("t", 0).unwrap();
    let codecs: std::collections::BTreeSet<u8> =
        batches.iter().map(|batch| batch.bytes[22] & 7).collect();
    assert_eq!(codecs.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // the verifiable producer is not idempotent: it retries nothing
    assert_eq!(
        cluster.request_count(ApiKey::InitProducerId),
        CODECS.len() as u64
    );
}
