//! Appends to topics of one partition on the target that are our own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka::batch::RawBatch;
use kafka::produce::ProduceBatch;
use kafka::record::{self, Record};
use kafka::{Compression, Connection, Error, ProducerIdentity, RetryClass};
use serde::Serialize;
use tokio::time::Instant;

use crate::leaders::Leaders;

/// What these topics hold is not idempotent: what is said twice counts once, whoever said it.
const NO_PRODUCER: ProducerIdentity = ProducerIdentity { id: -1, epoch: -1 };
/// Pause before a failed append is tried again.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Appends to one topic, one batch at a time.
#[derive(Debug)]
pub(crate) struct Appender {
    leaders: Arc<Leaders>,
    topic: Arc<str>,
    connection: Option<Connection>,
    /// When metadata was last found wanting.
    stale: Option<Instant>,
}

impl Appender {
    /// `leaders` must track the topic.
    pub(crate) fn new(leaders: Arc<Leaders>, topic: &str) -> Self {
        Self {
            leaders,
            topic: topic.into(),
            connection: None,
            stale: None,
        }
    }

    /// Appends one batch with `acks=all`; durable once this returns `Ok`. After an error, or when
    /// dropped, it may be there or not.
    pub(crate) async fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        self.append_batch(&encode(records)?).await
    }

    /// As [`Appender::append`], again and again for as long as that may help, at most for
    /// `patience`. What was written after all is then there twice.
    pub(crate) async fn append_within(
        &mut self,
        patience: Duration,
        records: &[Record],
    ) -> Result<(), Error> {
        let batch = encode(records)?;
        let give_up = Instant::now() + patience;
        loop {
            match self.append_batch(&batch).await {
                Err(error) if error.class() != RetryClass::Fatal && Instant::now() < give_up => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    /// As [`Appender::append`], a batch that is encoded already.
    pub(crate) async fn append_batch(&mut self, batch: &RawBatch) -> Result<(), Error> {
        let appended = self.try_append(batch).await;
        if appended.is_err() {
            self.stale = Some(Instant::now());
        }
        appended
    }

    /// Keeps the connection, but for one on which something went wrong. Where this is dropped, what is appended next goes over
    /// the same connection: over another one it could overtake what is on its way, and stand before it.
    async fn try_append(&mut self, batch: &RawBatch) -> Result<(), Error> {
        let leader = self.leaders.of(&self.topic, 0, self.stale).await?;
        let open = self
            .leaders
            .cluster()
            .reuse_or_open(self.connection.take(), &leader.node)
            .await?;
        self.connection = Some(open.clone());
        let sent = self.send(&open, batch).await;
        if sent.is_err() {
            self.connection = None;
        }
        sent
    }

    async fn send(&self, open: &Connection, batch: &RawBatch) -> Result<(), Error> {
        let batch = ProduceBatch {
            topic: self.topic.clone(),
            partition: 0,
            header: batch.stamped(NO_PRODUCER, -1),
            payload: batch.payload(),
        };
        let timeout = open.request_timeout();
        let produced = kafka::produce::send(open, &[batch], timeout)
            .await?
            .receive()
            .await?;
        for produced in produced {
            produced.outcome.map_err(|error| Error::Broker {
                api: format!("Produce {}", self.topic),
                error,
            })?;
        }
        Ok(())
    }
}

fn encode(records: &[Record]) -> Result<RawBatch, Error> {
    record::encode(records, Compression::None).map_err(|error| unwritable(&error))
}

/// A record of two JSON values.
pub(crate) fn json_record(
    key: &impl Serialize,
    value: &impl Serialize,
    at_ms: i64,
) -> Result<Record, Error> {
    Ok(Record {
        value: Some(json(value)?),
        ..tombstone(key, at_ms)?
    })
}

/// A record that takes back what was said under a JSON key.
pub(crate) fn tombstone(key: &impl Serialize, at_ms: i64) -> Result<Record, Error> {
    Ok(Record {
        offset_delta: 0,
        timestamp: at_ms,
        key: Some(json(key)?),
        value: None,
        headers: Vec::new(),
    })
}

fn json(value: &impl Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| unwritable(&error))
}

fn unwritable(error: &dyn std::fmt::Display) -> Error {
    Error::Malformed {
        address: "this client".to_owned(),
        what: "record",
        detail: error.to_string(),
    }
}
