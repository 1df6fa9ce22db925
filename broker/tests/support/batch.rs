//! Record batches made by hand, right or wrong in one chosen way.

use bytes::{BufMut, Bytes, BytesMut};

pub(crate) const LOG_APPEND_TIME: i16 = 0x08;
pub(crate) const CONTROL: i16 = 0x20;

/// A batch to be. Every field can be set to something wrong.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) base_offset: i64,
    pub(crate) magic: i8,
    pub(crate) attributes: i16,
    pub(crate) timestamp: i64,
    pub(crate) producer: (i64, i16, i32),
    pub(crate) records: Vec<(Option<&'static str>, Option<String>)>,
    /// Offset deltas of the records; 0, 1, 2 and so on when empty.
    pub(crate) deltas: Vec<i32>,
    pub(crate) last_offset_delta: Option<i32>,
    pub(crate) record_count: Option<i32>,
    pub(crate) crc_error: u32,
    /// Added to each record's timestamp, times its index.
    pub(crate) step_ms: i64,
}

impl Batch {
    /// A right batch of `count` records with keys and values, with the current time.
    pub(crate) fn of(count: usize) -> Self {
        let records = (0..count)
            .map(|i| (Some("key"), Some(format!("value-{i}"))))
            .collect();
        Self {
            base_offset: 0,
            magic: 2,
            attributes: 0,
            timestamp: now_ms(),
            producer: (-1, -1, -1),
            records,
            deltas: Vec::new(),
            last_offset_delta: None,
            record_count: None,
            crc_error: 0,
            step_ms: 0,
        }
    }

    /// The same from an idempotent producer.
    pub(crate) fn by_producer(mut self, id: i64, epoch: i16, sequence: i32) -> Self {
        self.producer = (id, epoch, sequence);
        self
    }

    /// The same with another creation time.
    pub(crate) fn at(mut self, timestamp: i64) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// The bytes.
    pub(crate) fn encode(&self) -> Bytes {
        let count = self.records.len() as i32;
        let mut records = BytesMut::new();
        for (i, (key, value)) in self.records.iter().enumerate() {
            let mut body = BytesMut::new();
            body.put_u8(0);
            put_varint(&mut body, self.step_ms * i as i64);
            let delta = self.deltas.get(i).copied().unwrap_or(i as i32);
            put_varint(&mut body, i64::from(delta));
            put_bytes(&mut body, key.map(str::as_bytes));
            put_bytes(&mut body, value.as_deref().map(str::as_bytes));
            put_varint(&mut body, 0);
            put_varint(&mut records, body.len() as i64);
            records.put_slice(&body);
        }
        let mut checked = BytesMut::new();
        checked.put_i16(self.attributes);
        checked.put_i32(self.last_offset_delta.unwrap_or(count - 1));
        checked.put_i64(self.timestamp);
        checked.put_i64(self.timestamp + self.step_ms * i64::from(count - 1));
        checked.put_i64(self.producer.0);
        checked.put_i16(self.producer.1);
        checked.put_i32(self.producer.2);
        checked.put_i32(self.record_count.unwrap_or(count));
        checked.put_slice(&records);
        let crc = crc32c::crc32c(&checked);
        let mut batch = BytesMut::new();
        batch.put_i64(self.base_offset);
        batch.put_i32(9 + checked.len() as i32);
        batch.put_i32(-1);
        batch.put_i8(self.magic);
        batch.put_u32(crc ^ self.crc_error);
        batch.put_slice(&checked);
        batch.freeze()
    }
}

/// Base offset, leader epoch, attributes, maximum timestamp and record count of a fetched batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) max_timestamp: i64,
    pub(crate) record_count: i32,
    pub(crate) crc_right: bool,
    pub(crate) len: usize,
}

/// Reads the headers of all whole batches of a record set.
pub(crate) fn stored(mut records: &[u8]) -> Vec<Stored> {
    let mut found = Vec::new();
    while records.len() >= 61 {
        let len = 12 + i32::from_be_bytes(records[8..12].try_into().unwrap()) as usize;
        if records.len() < len {
            break;
        }
        let batch = &records[..len];
        let crc = u32::from_be_bytes(batch[17..21].try_into().unwrap());
        found.push(Stored {
            base_offset: i64::from_be_bytes(batch[..8].try_into().unwrap()),
            leader_epoch: i32::from_be_bytes(batch[12..16].try_into().unwrap()),
            attributes: i16::from_be_bytes(batch[21..23].try_into().unwrap()),
            last_offset_delta: i32::from_be_bytes(batch[23..27].try_into().unwrap()),
            max_timestamp: i64::from_be_bytes(batch[35..43].try_into().unwrap()),
            record_count: i32::from_be_bytes(batch[57..61].try_into().unwrap()),
            crc_right: crc == crc32c::crc32c(&batch[21..]),
            len,
        });
        records = &records[len..];
    }
    found
}

pub(crate) fn now_ms() -> i64 {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    elapsed.as_millis() as i64
}

fn put_bytes(out: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(out, -1),
        Some(bytes) => {
            put_varint(out, bytes.len() as i64);
            out.put_slice(bytes);
        }
    }
}

fn put_varint(out: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.put_u8((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}
