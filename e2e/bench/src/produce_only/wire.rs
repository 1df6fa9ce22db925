//! As much of Kafka's protocol as this takes: the oldest versions that current brokers speak, by hand.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::batch::{Batch, Producer};
use super::error::Error;

const PRODUCE: (i16, i16) = (0, 8);
const FETCH: (i16, i16) = (1, 4);
const INIT_PRODUCER_ID: (i16, i16) = (22, 1);
const FETCH_BYTES: i32 = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(30);
/// A broker that has just come up answers so until it is ready.
const COORDINATOR_LOADING: i16 = 14;

/// A connection on which requests are answered one after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    address: String,
    pub(crate) stream: TcpStream,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self, Error> {
        let failed = |source| Error::Io {
            address: address.to_owned(),
            source,
        };
        let stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        Ok(Self {
            address: address.to_owned(),
            stream,
        })
    }

    /// The same connection, for a thread that reads.
    pub(crate) fn reader(&self) -> Result<Self, Error> {
        Ok(Self {
            address: self.address.clone(),
            stream: self.stream.try_clone().map_err(self.failed())?,
        })
    }

    pub(crate) fn failed(&self) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let address = self.address.clone();
        move |source| Error::Io { address, source }
    }

    pub(crate) fn refused(&self, api: &'static str, code: i16) -> Error {
        Error::Refused {
            address: self.address.clone(),
            api,
            code,
        }
    }

    /// Reads one answer; it begins behind the correlation id.
    pub(crate) fn receive(&mut self) -> Result<Answer, Error> {
        let mut length = [0; 4];
        let failed = self.failed();
        self.stream
            .read_exact(&mut length)
            .and_then(|()| {
                let mut bytes = vec![0; i32::from_be_bytes(length) as usize];
                self.stream.read_exact(&mut bytes).map(|()| bytes)
            })
            .map(|bytes| Answer {
                address: self.address.clone(),
                bytes,
                at: 4,
            })
            .map_err(failed)
    }

    fn ask(&mut self, request: Request) -> Result<Answer, Error> {
        let bytes = request.finish(0);
        self.stream.write_all(&bytes).map_err(self.failed())?;
        self.receive()
    }

    /// A fresh producer id.
    pub(crate) fn producer_id(&mut self) -> Result<Producer, Error> {
        for _ in 0..100 {
            let mut request = Request::new(INIT_PRODUCER_ID);
            request.i16(-1); // no transactional id
            request.i32(60_000);
            let mut answer = self.ask(request)?;
            answer.skip(4)?; // throttle time
            match answer.i16()? {
                0 => return Ok((answer.i64()?, answer.i16()?)),
                COORDINATOR_LOADING => std::thread::sleep(Duration::from_millis(100)),
                code => return Err(self.refused("InitProducerId", code)),
            }
        }
        Err(self.refused("InitProducerId", COORDINATOR_LOADING))
    }

    /// The first batches of a partition, up to about `limit` bytes, or all that there are.
    pub(crate) fn batches(
        &mut self,
        topic: &str,
        partition: i32,
        limit: usize,
    ) -> Result<Vec<Batch>, Error> {
        let mut batches: Vec<Batch> = Vec::new();
        let mut bytes = 0;
        while bytes < limit {
            let offset = batches.last().map_or(0, |batch| batch.next_offset);
            let records = self.fetch(topic, partition, offset)?;
            let mut rest = records.as_slice();
            let before = batches.len();
            while let Some(batch) = Batch::take(&mut rest) {
                bytes += batch.payload.len();
                batches.push(batch);
            }
            if batches.len() == before {
                break;
            }
        }
        Ok(batches)
    }

    fn fetch(&mut self, topic: &str, partition: i32, offset: i64) -> Result<Vec<u8>, Error> {
        let mut request = Request::new(FETCH);
        request.i32(-1); // no replica
        request.i32(0); // do not wait
        request.i32(0);
        request.i32(FETCH_BYTES);
        request.bytes.push(0); // read uncommitted
        request.i32(1);
        request.text(topic);
        request.i32(1);
        request.i32(partition);
        request.i64(offset);
        request.i32(FETCH_BYTES);
        let mut answer = self.ask(request)?;
        answer.skip(4 + 4)?; // throttle time, one topic
        let name = answer.i16()?;
        answer.skip(name as usize + 4 + 4)?; // one partition, its index
        let code = answer.i16()?;
        if code != 0 {
            return Err(self.refused("Fetch", code));
        }
        answer.skip(8 + 8)?; // high watermark, last stable offset
        let aborted = answer.i32()?;
        answer.skip(16 * aborted.max(0) as usize)?;
        let length = answer.i32()?.max(0) as usize;
        answer.take(length).map(<[u8]>::to_vec)
    }
}

/// A request, up to where its body ends or batches follow.
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
}

impl Request {
    fn new((api, version): (i16, i16)) -> Self {
        let mut request = Self { bytes: vec![0; 4] };
        request.i16(api);
        request.i16(version);
        request.i32(0); // correlation id: answers come in order
        request.text("produce-only");
        request
    }

    /// The head of a Produce request with `acks=all`, up to the first partition.
    pub(crate) fn produce(topic: &str, partitions: usize) -> Self {
        let mut request = Self::new(PRODUCE);
        request.i16(-1); // no transactional id
        request.i16(-1); // acks=all
        request.i32(PATIENCE.as_millis() as i32);
        request.i32(1);
        request.text(topic);
        request.i32(partitions as i32);
        request
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.i16(text.len() as i16);
        self.bytes.extend(text.as_bytes());
    }

    /// Fills in the length, `following` bytes more than are in here.
    pub(crate) fn finish(mut self, following: usize) -> Vec<u8> {
        let length = (self.bytes.len() - 4 + following) as i32;
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }
}

/// An answer, read from front to back.
pub(crate) struct Answer {
    address: String,
    bytes: Vec<u8>,
    at: usize,
}

impl Answer {
    fn take(&mut self, length: usize) -> Result<&[u8], Error> {
        let end = self.at + length;
        let taken = self.bytes.get(self.at..end).ok_or_else(|| Error::Short {
            address: self.address.clone(),
            length: self.bytes.len(),
        })?;
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn skip(&mut self, length: usize) -> Result<(), Error> {
        self.take(length).map(drop)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Error> {
        self.number().map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Error> {
        self.number().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, Error> {
        self.number().map(i64::from_be_bytes)
    }
}
