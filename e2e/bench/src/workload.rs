//! What is copied.

use clap::ValueEnum;
use e2e::{KafkaCluster, Workspace, producer_performance_of};
use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::{events, topics};

/// Partitions of every topic.
pub(crate) const PARTITIONS: i32 = 8;

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

    /// For names of topics and clients.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
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
            Self::Plain => 4_000_000,
            Self::Zstd => 8_000_000,
            Self::Lz4 => 32_000_000,
        };
        all * percent / 100
    }

    /// Writes the source topic: 512 KB batches, linger 20 ms, events as real systems write them.
    pub(crate) fn prepare(self, source: &KafkaCluster, records: u64) -> Result<()> {
        let near = Endpoint::plain(source.bootstrap_servers());
        topics::create(&near, &[self.topic()], PARTITIONS)?;
        let codec = format!("compression.type={}", self.codec());
        let properties = [codec.as_str(), "batch.size=524288", "linger.ms=20"];
        let folder = Workspace::create("bench-events")?;
        let lines = folder.path().join("events.jsonl");
        events::write(&lines, self.record_size() as usize).map_err(|source| Error::Write {
            path: lines.clone(),
            source,
        })?;
        producer_performance_of(source, self.topic(), records, &lines, &properties)?;
        Ok(())
    }
}
