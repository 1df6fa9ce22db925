//! A steady stream of numbered records, and when each arrives at a reader of the source and one of the target.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::workload::PARTITIONS;

/// Bytes of a record.
pub(crate) const RECORD_SIZE: usize = 1_024;
/// Until a record reaches the target for the first time.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Records of this time after that do not count: the engine catches up, the JVM compiles.
const SETTLE: Duration = Duration::from_secs(4);
/// Until the last record has reached the target.
const END_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// Where records are written and read.
#[derive(Debug)]
pub(crate) struct Sides<'a> {
    pub(crate) source: (&'a Endpoint, &'a str),
    pub(crate) target: (&'a Endpoint, &'a str),
    /// Records a second.
    pub(crate) rate: u64,
}

/// When a record arrived on both sides, or `None` where it did not.
pub(crate) type Arrival = Option<(Instant, Instant)>;

/// What the threads tell each other.
#[derive(Debug, Default)]
struct Shared {
    stop_writing: AtomicBool,
    stop_reading: AtomicBool,
    written: AtomicU64,
    /// One more than the highest number seen on the target.
    reached: AtomicU64,
}

/// Writes, and watches both sides for `window` once the target has been reached and things have settled.
pub(crate) fn watch(sides: &Sides<'_>, window: Duration) -> Result<Vec<Arrival>> {
    let shared = Shared::default();
    thread::scope(|scope| {
        let source = scope.spawn(|| read(sides.source, &shared, None));
        let target = scope.spawn(|| read(sides.target, &shared, Some(&shared.reached)));
        let writer = scope.spawn(|| write(sides, &shared));
        let reached = wait(START_LIMIT, || shared.reached.load(Ordering::Relaxed) > 0);
        let mut counted = 0..0;
        if reached {
            thread::sleep(SETTLE);
            counted.start = shared.written.load(Ordering::Relaxed);
            thread::sleep(window);
            counted.end = shared.written.load(Ordering::Relaxed);
        }
        shared.stop_writing.store(true, Ordering::Relaxed);
        let written = writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if reached {
            wait(END_LIMIT, || {
                shared.reached.load(Ordering::Relaxed) >= shared.written.load(Ordering::Relaxed)
            });
            // the other partitions' last records are as far as this one's
            thread::sleep(POLL);
        }
        shared.stop_reading.store(true, Ordering::Relaxed);
        let [source, target] = [source, target].map(|reader| {
            reader
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        written?;
        let (source, target) = (source?, target?);
        Ok(counted
            .map(|number| {
                let at =
                    |arrived: &[Option<Instant>]| arrived.get(number as usize).copied().flatten();
                at(&source).zip(at(&target))
            })
            .collect())
    })
}

fn wait(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Writes numbered records, one by one as they are due, without lingering.
fn write(sides: &Sides<'_>, shared: &Shared) -> Result<()> {
    let failed = |source| Error::Client {
        action: "writing numbered records",
        source,
    };
    let (cluster, topic) = sides.source;
    let producer: ThreadedProducer<DefaultProducerContext> = cluster
        .client()
        .set("linger.ms", "0")
        .set("acks", "all")
        .create()
        .map_err(failed)?;
    let started = Instant::now();
    let limit = START_LIMIT + Duration::from_mins(3);
    let mut number = 0;
    let mut value = vec![b'x'; RECORD_SIZE];
    while !shared.stop_writing.load(Ordering::Relaxed) && started.elapsed() < limit {
        let due = (started.elapsed().as_secs_f64() * sides.rate as f64) as u64;
        while number < due {
            value[..8].copy_from_slice(&number.to_be_bytes());
            let partition = (number % u64::from(PARTITIONS.unsigned_abs())) as i32;
            let record: BaseRecord<'_, (), [u8]> =
                BaseRecord::to(topic).partition(partition).payload(&value);
            producer.send(record).map_err(|(error, _)| failed(error))?;
            number += 1;
            shared.written.store(number, Ordering::Relaxed);
        }
        thread::sleep(Duration::from_micros(200));
    }
    producer.flush(END_LIMIT).map_err(failed)
}

/// Reads until told to stop; returns by number when each record arrived first.
fn read(
    (cluster, topic): (&Endpoint, &str),
    shared: &Shared,
    reached: Option<&AtomicU64>,
) -> Result<Vec<Option<Instant>>> {
    let failed = |source: KafkaError| Error::Client {
        action: "reading numbered records",
        source,
    };
    let consumer: BaseConsumer = cluster
        .client()
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .create()
        .map_err(failed)?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions
            .add_partition_offset(topic, partition, Offset::Beginning)
            .map_err(failed)?;
    }
    consumer.assign(&partitions).map_err(failed)?;
    let mut arrived: Vec<Option<Instant>> = Vec::new();
    while !shared.stop_reading.load(Ordering::Relaxed) {
        // errors here are those of brokers that are asked too early; what is missing in the end is counted
        let Some(Ok(message)) = consumer.poll(POLL) else {
            continue;
        };
        let now = Instant::now();
        let Some(number) = message
            .payload()
            .and_then(|value| value.get(..8)?.try_into().ok())
            .map(u64::from_be_bytes)
        else {
            continue;
        };
        let index = number as usize;
        if arrived.len() <= index {
            arrived.resize(index + 1, None);
        }
        arrived[index].get_or_insert(now);
        if let Some(reached) = reached {
            reached.fetch_max(number + 1, Ordering::Relaxed);
        }
    }
    Ok(arrived)
}
