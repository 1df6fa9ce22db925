//! What a stamped workload consists of.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::supplied::SuppliedFile;

/// A compression codec of the producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// Uncompressed.
    None,
    /// gzip.
    Gzip,
    /// snappy.
    Snappy,
    /// lz4.
    Lz4,
    /// zstd.
    Zstd,
}

impl Codec {
    /// Every codec Kafka knows.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// librdkafka's name of the codec.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// A topic to create before the first write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSpec {
    /// Partitions.
    pub partitions: i32,
    /// Replicas of each partition; −1 takes the broker's default.
    pub replication_factor: i32,
    /// Topic configuration.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

/// A stamped workload: the same seed on the same partition count writes the same keys, values and
/// headers; only the run id and the timestamps' base differ from run to run.
///
/// Every partition gets one stream, so the order inside a partition is fully known. The codecs
/// take turns in blocks; a block is acknowledged in full before the next codec starts, so that
/// several producers still write one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadSpec {
    /// The topic to write to.
    pub topic: String,
    /// Records over all partitions.
    pub records: u64,
    /// Decides every key, value and header.
    pub seed: u64,
    /// Codecs that take turns; at least one.
    pub codecs: Vec<Codec>,
    /// Smallest value in bytes, of those that are neither null nor empty.
    pub min_value_bytes: u32,
    /// Largest value in bytes.
    pub max_value_bytes: u32,
    /// Create times are spread over this much time before the start of the run.
    pub spread: Duration,
    /// Upper bound on the write rate over all partitions; `None` writes as fast as acknowledged.
    pub records_per_second: Option<u32>,
    /// How long librdkafka retries one record before its fate is called unknown.
    pub delivery_timeout: Duration,
    /// Create the topic when it does not exist; `None` makes a missing topic an error.
    pub create: Option<TopicSpec>,
    /// Where the records come from, when not from the seed. Set by [`crate::Journal::supplied`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplied: Option<SuppliedFile>,
}

impl WorkloadSpec {
    /// `records` records of 1 to 512 bytes in all codecs, spread over the hour before the run.
    pub fn new(topic: impl Into<String>, records: u64, seed: u64) -> Self {
        Self {
            topic: topic.into(),
            records,
            seed,
            codecs: Codec::ALL.to_vec(),
            min_value_bytes: 1,
            max_value_bytes: 512,
            spread: Duration::from_hours(1),
            records_per_second: None,
            delivery_timeout: Duration::from_mins(2),
            create: None,
            supplied: None,
        }
    }

    /// Records per block of one codec: every codec gets about four turns.
    pub(crate) fn block(&self) -> u64 {
        (self.records / (4 * self.codecs.len().max(1) as u64)).clamp(500, 50_000)
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.codecs.is_empty() {
            return Err(Error::Invalid(
                "a workload needs at least one codec".to_owned(),
            ));
        }
        if self.min_value_bytes > self.max_value_bytes || self.min_value_bytes == 0 {
            return Err(Error::Invalid(format!(
                "value sizes from {} to {} bytes make no sense: the smallest must be at least 1 \
                 and at most the largest",
                self.min_value_bytes, self.max_value_bytes
            )));
        }
        if self.records_per_second == Some(0) {
            return Err(Error::Invalid(
                "a rate of 0 records per second never ends".to_owned(),
            ));
        }
        Ok(())
    }
}
