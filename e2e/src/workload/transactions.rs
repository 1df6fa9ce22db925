//! Transactions in the background, several producers at a time, for faults to happen to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::mixed::milliseconds_ago;
use super::producer::{Shape, shape};
use crate::{Error, Result};

/// No workload outlives this, whatever its test does.
const LIMIT: Duration = Duration::from_mins(20);
/// For each step of a transaction.
const PATIENCE: Duration = Duration::from_secs(30);
/// Producers side by side, each with its own codec.
const CODECS: [&str; 3] = ["none", "lz4", "zstd"];
/// The longest pause within a transaction, so that those of different producers interleave.
const LONGEST_PAUSE: u64 = 15;

/// What became of the records of finished transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transacted {
    /// Records of committed transactions.
    pub committed: u64,
    /// Records that are in the log and were aborted, by their producer or, where it vanished, by its successor.
    pub aborted: u64,
}

/// Producers that write in transactions over all partitions of a topic until they are stopped. Most transactions are
/// committed, some aborted, and of some the producer vanishes.
#[derive(Debug)]
pub struct Transactions {
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Result<Transacted>>>,
}

impl Transactions {
    /// Starts writing; `seed` decides sizes, moments and ends of the transactions.
    pub fn start(servers: &str, topic: &str, partitions: u16, seed: u64) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let writers = CODECS
            .into_iter()
            .enumerate()
            .map(|(number, codec)| {
                let mut writer = Writer {
                    servers: servers.to_owned(),
                    topic: topic.to_owned(),
                    partitions: u64::from(partitions),
                    codec,
                    moments: seed.wrapping_add(number as u64).max(1),
                    next: 0,
                    first_timestamp: milliseconds_ago(Duration::from_hours(1)),
                };
                let stop = Arc::clone(&stop);
                thread::spawn(move || writer.run(&stop))
            })
            .collect();
        Ok(Self { stop, writers })
    }

    /// Stops after the transactions that are open, none of which is left open.
    pub fn stop(self) -> Result<Transacted> {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = Transacted::default();
        for writer in self.writers {
            let written = writer
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            sum.committed += written.committed;
            sum.aborted += written.aborted;
        }
        Ok(sum)
    }
}

struct Writer {
    servers: String,
    topic: String,
    partitions: u64,
    codec: &'static str,
    moments: u64,
    next: u64,
    first_timestamp: i64,
}

impl Writer {
    fn run(&mut self, stop: &AtomicBool) -> Result<Transacted> {
        let mut written = Transacted::default();
        let mut producer = self.producer()?;
        let started = Instant::now();
        while !stop.load(Ordering::Relaxed) && started.elapsed() < LIMIT {
            producer
                .begin_transaction()
                .map_err(Error::client("beginning a transaction"))?;
            let mut records = 0;
            for _ in 0..=self.below(3) {
                let portion = 1 + self.below(60);
                self.write(&producer, portion)?;
                records += portion;
                thread::sleep(Duration::from_millis(self.below(LONGEST_PAUSE)));
            }
            match self.below(20) {
                0 => {
                    // Its successor ends the transaction.
                    producer = self.producer()?;
                    written.aborted += records;
                }
                1..=5 => {
                    producer
                        .abort_transaction(PATIENCE)
                        .map_err(Error::client("aborting a transaction"))?;
                    written.aborted += records;
                }
                _ => {
                    producer
                        .commit_transaction(PATIENCE)
                        .map_err(Error::client("committing a transaction"))?;
                    written.committed += records;
                }
            }
        }
        Ok(written)
    }

    /// What an earlier producer of the same name left open is aborted when this returns.
    fn producer(&self) -> Result<BaseProducer> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.servers)
            .set("transactional.id", format!("{}-{}", self.topic, self.codec))
            .set("compression.type", self.codec)
            .set("linger.ms", "1")
            .set("log_level", "0")
            .create()
            .map_err(Error::client("creating a transactional producer"))?;
        producer
            .init_transactions(PATIENCE)
            .map_err(Error::client("preparing transactions"))?;
        Ok(producer)
    }

    /// In the log of the source when this returns.
    fn write(&mut self, producer: &BaseProducer, records: u64) -> Result<()> {
        for _ in 0..records {
            let Shape {
                key,
                value,
                headers,
                timestamp,
            } = shape(self.first_timestamp, self.next);
            let partition = (self.next / 5) % self.partitions;
            self.next += 1;
            let mut record: BaseRecord<'_, str, str> = BaseRecord::to(&self.topic)
                .partition(partition as i32)
                .timestamp(timestamp);
            if let Some(key) = &key {
                record = record.key(key);
            }
            if let Some(value) = &value {
                record = record.payload(value);
            }
            if let Some(headers) = headers {
                record = record.headers(headers);
            }
            producer
                .send(record)
                .map_err(|(error, _)| Error::client("writing in a transaction")(error))?;
        }
        producer
            .flush(PATIENCE)
            .map_err(Error::client("writing in a transaction"))
    }

    /// xorshift.
    fn below(&mut self, bound: u64) -> u64 {
        self.moments ^= self.moments << 13;
        self.moments ^= self.moments >> 7;
        self.moments ^= self.moments << 17;
        self.moments % bound
    }
}
