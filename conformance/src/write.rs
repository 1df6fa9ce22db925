//! Writes a stamped workload and keeps the journal of it.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::Error;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::generate::{Generator, scramble};
use crate::journal::{Journal, StreamJournal};
use crate::observer::Observer;
use crate::record::Record;
use crate::stamp::RecordId;
use crate::supplied::SuppliedRecords;
use crate::topics;
use crate::watched::Board;
use crate::workload::{Codec, WorkloadSpec};

const POLL: Duration = Duration::from_millis(20);
const TELL: Duration = Duration::from_millis(100);
/// One source offset is remembered every so many acknowledged records of a stream.
const ANCHOR_EVERY: u64 = 4096;

/// Writes the workload to the source and returns the journal of every write.
///
/// Blocks the calling thread: from async code call it in `spawn_blocking`. When the observer
/// cancels, writing stops, what is in flight is waited for (at most the delivery timeout), and the
/// journal of what was written so far is returned.
pub fn write_workload(
    source: &Endpoint,
    spec: &WorkloadSpec,
    observer: &dyn Observer,
) -> Result<Journal, Error> {
    let journal = planned(source, spec, None, observer)?;
    write(source, journal, None, observer)
}

/// As [`write_workload`], with the records of a file: a JSON object a line. Where a line is wrong nothing is written.
pub fn write_supplied(
    source: &Endpoint,
    spec: &WorkloadSpec,
    own_records: &Path,
    observer: &dyn Observer,
) -> Result<Journal, Error> {
    let journal = planned(source, spec, Some(own_records), observer)?;
    write(source, journal, None, observer)
}

/// Makes sure that there is a topic to write to; the journal of a run that has written nothing yet.
pub(crate) fn planned(
    source: &Endpoint,
    spec: &WorkloadSpec,
    own_records: Option<&Path>,
    observer: &dyn Observer,
) -> Result<Journal, Error> {
    spec.validate()?;
    let there = topics::partition_count(source, &spec.topic, observer)?;
    let Some(wanted) = there.or(spec.create.as_ref().map(|topic| topic.partitions)) else {
        return Err(Error::TopicMissing {
            topic: spec.topic.clone(),
            bootstrap: source.bootstrap.clone(),
        });
    };
    // a file that is wrong changes nothing, so it is read before a topic is created
    let read = |partitions| {
        own_records
            .map(|path| SuppliedRecords::read(path, partitions))
            .transpose()
    };
    let mut own = read(wanted)?;
    let partitions = match (there, &spec.create) {
        (None, Some(topic)) => topics::create(source, &spec.topic, topic, observer)?,
        (Some(_), _) | (None, None) => wanted,
    };
    if partitions != wanted {
        // somebody else has created it meanwhile
        own = read(partitions)?;
    }
    let (spec, started_ms, run) = (spec.clone(), now_ms(), run_id(spec.seed));
    Ok(match own {
        Some(own) => Journal::supplied(spec, own, partitions, started_ms, run),
        None => Journal::planned(spec, partitions, started_ms, run),
    })
}

/// Writes what is planned. `board` is told about each record.
pub(crate) fn write(
    source: &Endpoint,
    mut journal: Journal,
    board: Option<&Arc<Board>>,
    observer: &dyn Observer,
) -> Result<Journal, Error> {
    let fates = Arc::new(Mutex::new(journal.streams.clone()));
    let mut writer = Writer::new(source, &journal, (&fates, board), observer)?;
    let written = writer.write_all()?;
    drop(writer);
    let mut streams = fates.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (stream, written) in streams.iter_mut().zip(written) {
        stream.written = written;
    }
    journal.streams = streams;
    journal.finished_ms = now_ms();
    Ok(journal)
}

/// Differs from run to run, so that stamps of an earlier run with the same seed are not ours.
fn run_id(seed: u64) -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    scramble(seed ^ scramble(since.as_nanos() as u64))
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis() as i64
}

/// Notes the fate of every write as librdkafka reports it.
struct Fates {
    streams: Arc<Mutex<Vec<StreamJournal>>>,
    board: Option<Arc<Board>>,
    context: Context,
}

impl ClientContext for Fates {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = Context::ENABLE_REFRESH_OAUTH_TOKEN;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn generate_oauth_token(
        &self,
        config: Option<&str>,
    ) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.context.generate_oauth_token(config)
    }
}

impl ProducerContext for Fates {
    type DeliveryOpaque = Box<RecordId>;

    fn delivery(&self, result: &DeliveryResult<'_>, id: Box<RecordId>) {
        if let (Err(_), Some(board)) = (result, &self.board) {
            board.gives_up(*id);
        }
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = &mut streams[id.stream as usize];
        match result {
            Ok(message) => {
                stream.acknowledged.insert(id.sequence);
                if let Some(board) = &self.board {
                    board.acknowledges();
                }
                if id.sequence.is_multiple_of(ANCHOR_EVERY) {
                    stream.anchors.push((id.sequence, message.offset()));
                }
            }
            Err((error, _)) if certainly_not_written(error) => {
                stream.failed.insert(id.sequence);
            }
            Err(_) => {
                stream.unknown.insert(id.sequence);
            }
        }
    }
}

/// Only refusals are certain. Everything else (a timeout, a lost connection) may have been written.
fn certainly_not_written(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidTimestamp
                | RDKafkaErrorCode::InvalidRecord
                | RDKafkaErrorCode::PolicyViolation
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::PurgeQueue
        )
    )
}

struct Writer<'w> {
    source: &'w Endpoint,
    journal: &'w Journal,
    generator: Generator<'w>,
    board: Option<&'w Arc<Board>>,
    producers: Vec<(Codec, BaseProducer<Fates>)>,
    observer: &'w dyn Observer,
    started: Instant,
    told: Cell<Instant>,
    written: u64,
}

impl<'w> Writer<'w> {
    fn new(
        source: &'w Endpoint,
        journal: &'w Journal,
        (streams, board): (&Arc<Mutex<Vec<StreamJournal>>>, Option<&'w Arc<Board>>),
        observer: &'w dyn Observer,
    ) -> Result<Self, Error> {
        let timeout_ms = journal.spec.delivery_timeout.as_millis() as u64;
        let mut producers = Vec::new();
        for &codec in &journal.spec.codecs {
            let producer = source
                .producer(codec.name(), timeout_ms)
                .create_with_context(Fates {
                    streams: streams.clone(),
                    board: board.cloned(),
                    context: source.context(),
                })
                .map_err(
                    source.failed(format!("creating a producer with codec {}", codec.name())),
                )?;
            producers.push((codec, producer));
        }
        Ok(Self {
            source,
            journal,
            generator: Generator::new(journal),
            board,
            producers,
            observer,
            started: Instant::now(),
            told: Cell::new(Instant::now()),
            written: 0,
        })
    }

    /// Writes block after block, the codecs taking turns; returns how many records of each stream
    /// were handed to librdkafka.
    fn write_all(&mut self) -> Result<Vec<u64>, Error> {
        let total = self.journal.spec.records;
        let mut next = vec![0; self.journal.streams.len()];
        self.observer.progress(0, total, "writing");
        let mut turn = 0;
        while self.written < total && !self.observer.cancelled() {
            let block_end = total.min(self.written + self.journal.spec.block());
            while self.written < block_end && !self.observer.cancelled() {
                let stream = self.journal.stream_at(self.written);
                let id = RecordId {
                    stream,
                    sequence: next[stream as usize],
                };
                self.send(turn, id)?;
                next[stream as usize] += 1;
                self.written += 1;
                self.keep_rate(turn);
            }
            self.drain(turn);
            turn = (turn + 1) % self.producers.len();
        }
        self.observer.progress(self.written, total, "writing");
        Ok(next)
    }

    fn send(&mut self, turn: usize, id: RecordId) -> Result<(), Error> {
        let record = self.generator.record(id);
        if let Some(board) = self.board {
            board.writes(id, now_ms());
        }
        let partition = self.journal.streams[id.stream as usize].partition;
        let producer = &self.producers[turn].1;
        let mut pending = to_send(&self.journal.spec.topic, partition, &record, id);
        loop {
            match producer.send(pending) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    pending = back;
                    producer.poll(POLL);
                    self.tell();
                }
                Err((error, _)) => {
                    let topic = &self.journal.spec.topic;
                    return Err(self.source.failed(format!("writing {id} to {topic}"))(
                        error,
                    ));
                }
            }
        }
    }

    /// Waits until it is time for the next record, and hears delivery reports meanwhile.
    fn keep_rate(&self, turn: usize) {
        if let Some(rate) = self.journal.spec.records_per_second {
            let due = Duration::from_secs_f64(self.written as f64 / f64::from(rate));
            loop {
                let early = due.saturating_sub(self.started.elapsed());
                if early.is_zero() || self.observer.cancelled() {
                    break;
                }
                self.producers[turn].1.poll(early.min(POLL));
                self.tell();
            }
        }
        if self.written.is_multiple_of(256) {
            self.producers[turn].1.poll(Duration::ZERO);
            self.tell();
        }
    }

    /// Waits for the fate of everything in flight: librdkafka settles each record within the
    /// delivery timeout, so this ends.
    fn drain(&self, turn: usize) {
        while self.producers[turn].1.in_flight_count() > 0 {
            self.producers[turn].1.poll(POLL);
            self.tell();
        }
    }

    fn tell(&self) {
        if self.told.get().elapsed() >= TELL {
            self.told.set(Instant::now());
            self.observer
                .progress(self.written, self.journal.spec.records, "writing");
        }
    }
}

fn to_send<'r>(
    topic: &'r str,
    partition: i32,
    record: &'r Record,
    id: RecordId,
) -> BaseRecord<'r, [u8], [u8], Box<RecordId>> {
    let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
    for (name, value) in &record.headers {
        headers = headers.insert(Header {
            key: name,
            value: value.as_deref(),
        });
    }
    let mut pending = BaseRecord::with_opaque_to(topic, Box::new(id))
        .partition(partition)
        .timestamp(record.timestamp.millis)
        .headers(headers);
    pending.key = record.key.as_deref();
    pending.payload = record.value.as_deref();
    pending
}
