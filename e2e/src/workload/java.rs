//! Kafka's own producers.

use std::path::Path;

use crate::{KafkaCluster, Result};

/// Writes records of random letters with `ProducerPerformance`.
pub fn producer_performance(
    cluster: &KafkaCluster,
    topic: &str,
    records: u64,
    record_size: u32,
    properties: &[&str],
) -> Result<()> {
    let size = record_size.to_string();
    perform(
        cluster,
        topic,
        records,
        ["--record-size", &size],
        properties,
    )
}

/// Writes records drawn from the lines of a file with `ProducerPerformance`; the same ones each time.
pub fn producer_performance_of(
    cluster: &KafkaCluster,
    topic: &str,
    records: u64,
    lines: &Path,
    properties: &[&str],
) -> Result<()> {
    let lines = lines.to_string_lossy();
    perform(
        cluster,
        topic,
        records,
        ["--payload-file", &lines],
        properties,
    )
}

fn perform(
    cluster: &KafkaCluster,
    topic: &str,
    records: u64,
    payload: [&str; 2],
    properties: &[&str],
) -> Result<()> {
    let (servers, records) = (cluster.bootstrap_servers(), records.to_string());
    let mut arguments = vec![
        "--bootstrap-server",
        &servers,
        "--topic",
        topic,
        "--num-records",
        &records,
        "--throughput",
        "-1",
    ];
    arguments.extend(payload);
    if !properties.is_empty() {
        arguments.push("--command-property");
        arguments.extend(properties);
    }
    cluster
        .tool_output(
            "org.apache.kafka.tools.ProducerPerformance",
            &arguments,
            &[],
        )
        .map(drop)
}

/// Writes one record a line with `ConsoleProducer`: `header:value,header:value<TAB>key<TAB>value`, where `NULL` stands
/// for null.
pub fn console_producer(
    cluster: &KafkaCluster,
    topic: &str,
    codec: &str,
    lines: &str,
) -> Result<()> {
    let servers = cluster.bootstrap_servers();
    let arguments = [
        "--bootstrap-server",
        &servers,
        "--topic",
        topic,
        "--compression-codec",
        codec,
        "--reader-property",
        "parse.key=true",
        "--reader-property",
        "parse.headers=true",
        "--reader-property",
        "null.marker=NULL",
    ];
    cluster
        .tool_output(
            "org.apache.kafka.tools.ConsoleProducer",
            &arguments,
            lines.as_bytes(),
        )
        .map(drop)
}
