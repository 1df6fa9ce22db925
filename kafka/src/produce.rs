//! Raw produce: stamped headers and payload slices, written without copying the payload.
//!
//! The frame is version 8 of Produce, encoded by hand: the message codec would copy every
//! payload. One batch a partition a request; the same partition twice is silently lost by brokers,
//! so [`frame`] refuses it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::protocol::{Request, StrBytes};

use crate::batch::HEADER_LEN;
use crate::connection::{Connection, Frame, PendingResponse};
use crate::error::{BrokerError, Error};

/// The version that [`frame`] writes: the newest that is not flexible; brokers up to 4.x take it.
const VERSION: i16 = 8;

/// One batch for one partition.
#[derive(Debug, Clone)]
pub struct ProduceBatch {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition index.
    pub partition: i32,
    /// From [`crate::batch::RawBatch::stamped`].
    pub header: [u8; HEADER_LEN],
    /// The bytes after the header.
    pub payload: Bytes,
}

impl ProduceBatch {
    fn len(&self) -> usize {
        HEADER_LEN + self.payload.len()
    }
}

/// What the leader says of one partition's batch.
#[derive(Debug, Clone)]
pub struct Produced {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition index.
    pub partition: i32,
    /// The target offset of the first record, or the refusal.
    pub outcome: Result<i64, BrokerError>,
}

/// A produce request on its way.
#[derive(Debug)]
pub struct PendingProduce {
    response: PendingResponse,
    connection: Connection,
    timeout: Duration,
}

/// Sends batches with `acks=all`. Waits only while the connection's write queue is full.
///
/// `batches` must be sorted by topic and name each partition once; anything else is
/// [`Error::Malformed`] before a byte is sent.
pub async fn send(
    connection: &Connection,
    batches: &[ProduceBatch],
    timeout: Duration,
) -> Result<PendingProduce, Error> {
    // Fails where the broker no longer takes the version we write.
    connection.version_of::<ProduceRequest>()?;
    let frame = frame(connection, batches, timeout)?;
    Ok(PendingProduce {
        response: connection.send(frame).await?,
        connection: connection.clone(),
        timeout: timeout + connection.request_timeout(),
    })
}

impl PendingProduce {
    /// Waits for the response: one outcome a partition sent.
    pub async fn receive(self) -> Result<Vec<Produced>, Error> {
        let body = self.response.within("Produce", self.timeout).await?;
        let response = self.connection.decode::<ProduceRequest>(body, VERSION)?;
        let mut produced = Vec::new();
        for topic in response.responses {
            let name: Arc<str> = topic.name.0.as_str().into();
            for partition in topic.partition_responses {
                let message = partition.error_message.as_ref().map(StrBytes::as_str);
                produced.push(Produced {
                    topic: name.clone(),
                    partition: partition.index,
                    outcome: match BrokerError::from_code(partition.error_code, message) {
                        Some(error) => Err(error),
                        None => Ok(partition.base_offset),
                    },
                });
            }
        }
        Ok(produced)
    }
}

fn frame(
    connection: &Connection,
    batches: &[ProduceBatch],
    timeout: Duration,
) -> Result<Frame, Error> {
    let in_order = batches
        .windows(2)
        .all(|pair| (&pair[0].topic, pair[0].partition) < (&pair[1].topic, pair[1].partition));
    if !in_order {
        return Err(Error::Malformed {
            address: "this client".to_owned(),
            what: "Produce",
            detail: "partitions must be sorted and named once".to_owned(),
        });
    }
    let by_topic: Vec<&[ProduceBatch]> = batches.chunk_by(|a, b| a.topic == b.topic).collect();
    let mut small = BytesMut::with_capacity(64 + batches.len() * (HEADER_LEN + 64));
    small.put_i32(0); // length, filled in by the connection
    small.put_i16(ProduceRequest::KEY);
    small.put_i16(VERSION);
    small.put_i32(0); // correlation id, filled in by the connection
    put_string(&mut small, connection.client_id());
    small.put_i16(-1); // transactional id: null
    small.put_i16(-1); // acks: all in-sync replicas
    small.put_i32(timeout.as_millis() as i32);
    small.put_i32(by_topic.len() as i32);
    let mut pieces: Vec<BytesMut> = Vec::with_capacity(batches.len());
    for topic in by_topic {
        put_string(&mut small, &topic[0].topic);
        small.put_i32(topic.len() as i32);
        for batch in topic {
            small.put_i32(batch.partition);
            small.put_i32(batch.len() as i32);
            small.put_slice(&batch.header);
            pieces.push(small.split());
        }
    }
    let mut pieces = pieces.into_iter();
    let head = pieces.next().unwrap_or(small);
    let mut rest = Vec::with_capacity(batches.len() * 2);
    for batch in batches {
        rest.push(batch.payload.clone());
        rest.extend(pieces.next().map(BytesMut::freeze));
    }
    Ok(Frame {
        api_key: ProduceRequest::KEY,
        head,
        rest,
    })
}

fn put_string(out: &mut BytesMut, text: &str) {
    out.put_i16(text.len() as i16);
    out.put_slice(text.as_bytes());
}
