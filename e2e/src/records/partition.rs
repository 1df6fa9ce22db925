//! Reading one partition from its beginning to its end.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::record::Record;
use crate::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the records of one partition in order.
pub(crate) struct PartitionReader {
    consumer: BaseConsumer,
    what: String,
}

impl PartitionReader {
    pub(crate) fn open(bootstrap_servers: &str, topic: &str, partition: i32) -> Result<Self> {
        let what = format!("reading {topic}-{partition} at {bootstrap_servers}");
        let consumer = reader(bootstrap_servers)?;
        let mut assignment = TopicPartitionList::new();
        assignment
            .add_partition_offset(topic, partition, Offset::Beginning)
            .map_err(Error::client(&what))?;
        consumer.assign(&assignment).map_err(Error::client(&what))?;
        Ok(Self { consumer, what })
    }

    /// The next record, or `None` at the end of the partition.
    pub(crate) fn next(&self) -> Result<Option<Record>> {
        let started = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(started.elapsed());
            match self.consumer.poll(left) {
                Some(Ok(message)) => return Ok(Some(Record::of(&message))),
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
                // of a broker that is down, which need not be the one that leads
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure,
                ))) if !left.is_zero() => {}
                Some(Err(error)) => return Err(Error::client(&self.what)(error)),
                None => {
                    return Err(Error::Timeout {
                        what: self.what.clone(),
                        waited: PATIENCE,
                    });
                }
            }
        }
    }
}

/// The records of a partition from the first one that is there to the end as it is on the way; committed ones only.
pub fn read_partition(bootstrap_servers: &str, topic: &str, partition: i32) -> Result<Vec<Record>> {
    let reader = PartitionReader::open(bootstrap_servers, topic, partition)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push(record);
    }
    Ok(records)
}

fn reader(bootstrap_servers: &str) -> Result<BaseConsumer> {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", "e2e-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        // many readers at a time: each keeps little
        .set("queued.max.messages.kbytes", "8192")
        .set("log_level", "0")
        .create()
        .map_err(Error::client("creating a consumer"))
}

/// The end offset of each partition of a topic.
pub fn end_offsets(bootstrap_servers: &str, topic: &str) -> Result<Vec<i64>> {
    Ok(watermarks(bootstrap_servers, topic)?
        .into_iter()
        .map(|(_, end)| end)
        .collect())
}

/// End offsets minus start offsets of a topic: its records, where nothing was compacted away or aborted.
pub fn record_count(bootstrap_servers: &str, topic: &str) -> Result<u64> {
    let spans = watermarks(bootstrap_servers, topic)?;
    Ok(spans
        .into_iter()
        .map(|(start, end)| (end - start).unsigned_abs())
        .sum())
}

fn watermarks(bootstrap_servers: &str, topic: &str) -> Result<Vec<(i64, i64)>> {
    let what = format!("asking {bootstrap_servers} for the offsets of {topic}");
    let consumer = reader(bootstrap_servers)?;
    let metadata = consumer
        .fetch_metadata(Some(topic), PATIENCE)
        .map_err(Error::client(&what))?;
    let count = metadata
        .topics()
        .first()
        .map_or(0, |topic| topic.partitions().len());
    (0..count as i32)
        .map(|partition| {
            consumer
                .fetch_watermarks(topic, partition, PATIENCE)
                .map_err(Error::client(&what))
        })
        .collect()
}
