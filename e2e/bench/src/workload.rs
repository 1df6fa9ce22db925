//! What is copied.

use clap::ValueEnum;
use e2e::{KafkaCluster, producer_performance};
use serde::Serialize;

use crate::error::Result;

/// Partitions of every topic.
pub(crate) const PARTITIONS: &str = "8";

/// A source topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Workload {
    /// 1 KiB records, not compressed
    Plain,
    /// 1 KiB records in zstd
    Zstd,
    /// 100-byte records in lz4
    Lz4,
}

impl Workload {
    pub(crate) fn topic(self) -> &'static str {
        match self {
            Self::Plain => "bench-plain",
            Self::Zstd => "bench-zstd",
            Self::Lz4 => "bench-lz4",
        }
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Plain => "1 KiB plain",
            Self::Zstd => "1 KiB zstd",
            Self::Lz4 => "100 B lz4",
        }
    }

    pub(crate) fn codec(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    pub(crate) fn record_size(self) -> u32 {
        match self {
            Self::Plain | Self::Zstd => 1_024,
            Self::Lz4 => 100,
        }
    }

    /// Some seconds of work for the fastest engine, and less than 5 GB on either side.
    pub(crate) fn records(self, percent: u64) -> u64 {
        let all = match self {
            Self::Plain | Self::Zstd => 4_000_000,
            Self::Lz4 => 24_000_000,
        };
        all * percent / 100
    }

    /// Writes the source topic: 512 KB batches, linger 20 ms, random letters.
    pub(crate) fn prepare(self, source: &KafkaCluster, records: u64) -> Result<()> {
        create_topic(source, self.topic())?;
        let codec = format!("compression.type={}", self.codec());
        let properties = [codec.as_str(), "batch.size=524288", "linger.ms=20"];
        producer_performance(
            source,
            self.topic(),
            records,
            self.record_size(),
            &properties,
        )?;
        Ok(())
    }
}

/// Creates a topic of 8 partitions.
pub(crate) fn create_topic(cluster: &KafkaCluster, topic: &str) -> Result<()> {
    topic_command(
        cluster,
        &["--create", "--topic", topic, "--partitions", PARTITIONS],
    )
}

/// Deletes a topic.
pub(crate) fn delete_topic(cluster: &KafkaCluster, topic: &str) -> Result<()> {
    topic_command(cluster, &["--delete", "--topic", topic])
}

fn topic_command(cluster: &KafkaCluster, action: &[&str]) -> Result<()> {
    let servers = cluster.bootstrap_servers();
    let mut arguments = vec!["--bootstrap-server", servers.as_str()];
    arguments.extend(action);
    cluster.tool_output("org.apache.kafka.tools.TopicCommand", &arguments, &[])?;
    Ok(())
}
