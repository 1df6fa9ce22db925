//! A librdkafka producer that keeps count of what was acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use crate::{Error, Result};

const FLUSH_LIMIT: Duration = Duration::from_mins(2);

#[derive(Debug, Default)]
struct Deliveries {
    acknowledged: AtomicU64,
    first_failure: Mutex<Option<KafkaError>>,
}

#[derive(Clone)]
struct Context(Arc<Deliveries>);

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.0.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                let mut first = self
                    .0
                    .first_failure
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| error.clone());
            }
        }
    }
}

/// Record number N of a test's workload; every number has a shape of its own and a timestamp of its own.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) headers: Option<OwnedHeaders>,
    pub(crate) timestamp: i64,
}

/// Idempotent, acks=all; order within a partition is the order of [`Sender::send`].
pub(crate) struct Sender {
    producer: ThreadedProducer<Context>,
    deliveries: Arc<Deliveries>,
    topic: String,
}

impl Sender {
    pub(crate) fn new(servers: &str, topic: &str, codec: &str) -> Result<Self> {
        Self::with(servers, topic, codec, &[("linger.ms", "5")])
    }

    /// With these settings of librdkafka besides.
    pub(crate) fn with(
        servers: &str,
        topic: &str,
        codec: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let deliveries = Arc::new(Deliveries::default());
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", servers)
            .set("enable.idempotence", "true")
            // a broker that crashed is sure to recognise only the last batch as a repetition
            .set("max.in.flight.requests.per.connection", "1")
            .set("compression.codec", codec)
            .set("queue.buffering.max.messages", "200000")
            // outlives a broker restart
            .set("message.timeout.ms", "120000")
            .set("reconnect.backoff.max.ms", "500")
            .set("log_level", "0");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let producer = config
            .create_with_context(Context(Arc::clone(&deliveries)))
            .map_err(Error::client("creating a producer"))?;
        Ok(Self {
            producer,
            deliveries,
            topic: topic.to_owned(),
        })
    }

    /// Queues one record; waits while the queue is full.
    pub(crate) fn send(&self, partition: i32, shape: Shape) -> Result<()> {
        let mut record: BaseRecord<'_, str, str> = BaseRecord::to(&self.topic)
            .partition(partition)
            .timestamp(shape.timestamp);
        if let Some(key) = &shape.key {
            record = record.key(key);
        }
        if let Some(value) = &shape.value {
            record = record.payload(value);
        }
        if let Some(headers) = shape.headers {
            record = record.headers(headers);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err((error, _)) => return Err(self.failure(error)),
            }
        }
    }

    /// Waits until every record sent so far is acknowledged, and returns how many that are.
    pub(crate) fn flush(&self) -> Result<u64> {
        self.producer
            .flush(FLUSH_LIMIT)
            .map_err(|error| self.failure(error))?;
        let first = &self.deliveries.first_failure;
        if let Some(error) = first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(self.failure(error));
        }
        Ok(self.deliveries.acknowledged.load(Ordering::Relaxed))
    }

    fn failure(&self, source: KafkaError) -> Error {
        Error::Client {
            action: format!("writing to {}", self.topic),
            source,
        }
    }
}

/// The shape of record `number`: keys, values and headers that are null, empty, repeated or long by turns.
pub(crate) fn shape(first_timestamp: i64, number: u64) -> Shape {
    let key = match number % 5 {
        0 => None,
        1 => Some(String::new()),
        _ => Some(format!("key-{}", number % 1_000)),
    };
    let value = match number % 17 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("{number} {}", "long ".repeat(300))),
        _ => Some(format!(
            "{{\"number\":{number},\"text\":\"{}\"}}",
            "abc ".repeat((number % 40) as usize)
        )),
    };
    let headers = match number % 7 {
        0..=2 => None,
        3 => Some(OwnedHeaders::new().insert(header("trace", Some(number.to_string().as_str())))),
        4 => Some(
            OwnedHeaders::new()
                .insert(header("twice", Some("first")))
                .insert(header("once", Some("between")))
                .insert(header("twice", Some("second"))),
        ),
        5 => Some(OwnedHeaders::new().insert(header("null", None))),
        _ => Some(
            OwnedHeaders::new()
                .insert(header("empty", Some("")))
                .insert(header("", Some("no name"))),
        ),
    };
    // neighbours swapped, so that timestamps do not rise everywhere; still no two are equal
    let timestamp = first_timestamp + (number ^ 1) as i64;
    Shape {
        key,
        value,
        headers,
        timestamp,
    }
}

fn header<'a>(key: &'a str, value: Option<&'a str>) -> Header<'a, &'a str> {
    Header { key, value }
}
