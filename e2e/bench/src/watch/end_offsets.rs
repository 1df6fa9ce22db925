//! How many records the target holds.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

const PAUSE: Duration = Duration::from_millis(20);
/// Ten thousand new partitions take a broker a while.
const PATIENCE: Duration = Duration::from_mins(5);

/// The end offsets of topics, asked for in one request a broker.
pub(crate) struct EndOffsets {
    client: BaseConsumer,
    topic: String,
    partitions: TopicPartitionList,
}

impl EndOffsets {
    /// Of topics with as many partitions each. The first question is slow and the topics must be there for it, so it is
    /// asked here.
    pub(crate) fn of(cluster: &Endpoint, topics: &[&str], partitions: i32) -> Result<Self> {
        let shown = topics.first().copied().unwrap_or_default().to_owned();
        let failed = |source| Error::Offsets {
            topic: shown.clone(),
            source,
        };
        let client: BaseConsumer = cluster.client().create().map_err(failed)?;
        let mut list = TopicPartitionList::new();
        for topic in topics {
            for partition in 0..partitions {
                // as a "timestamp", the end is the special value that asks for the end offset
                list.add_partition_offset(topic, partition, Offset::End)
                    .map_err(failed)?;
            }
        }
        let offsets = Self {
            client,
            topic: shown.clone(),
            partitions: list,
        };
        offsets.total()?;
        Ok(offsets)
    }

    /// The sum over all partitions. Asks again for a while where the broker is not ready: a new topic has no leaders
    /// for a moment.
    pub(crate) fn total(&self) -> Result<u64> {
        let started = Instant::now();
        loop {
            match self.ask() {
                Ok(total) => return Ok(total),
                Err(_) if started.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(source) => {
                    return Err(Error::Offsets {
                        topic: self.topic.clone(),
                        source,
                    });
                }
            }
        }
    }

    fn ask(&self) -> Result<u64, KafkaError> {
        let offsets = self
            .client
            .offsets_for_times(self.partitions.clone(), PATIENCE)?;
        let mut total = 0;
        for element in offsets.elements() {
            element.error()?;
            total += element.offset().to_raw().unwrap_or(0).max(0).unsigned_abs();
        }
        Ok(total)
    }
}
