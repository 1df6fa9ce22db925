//! A view of a record batch header (message format 2) and the edits a broker makes to it.
//!
//! Layout: `org.apache.kafka.common.record.DefaultRecordBatch`. All integers are big-endian. The
//! checksum is CRC-32C over everything from the attributes to the end, so the base offset and the
//! leader epoch can be stamped without touching it.

use bytes::Bytes;
use thiserror::Error;

/// Bytes before the first record.
pub(crate) const HEADER_LEN: usize = 61;
/// Base offset and batch length: what a reader needs to find the next batch.
const LOG_OVERHEAD: usize = 12;
/// Smallest length any record format can declare.
const MIN_DECLARED_LEN: i32 = 14;
const LEADER_EPOCH: usize = 12;
const MAGIC: usize = 16;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const LAST_OFFSET_DELTA: usize = 23;
const BASE_TIMESTAMP: usize = 27;
const MAX_TIMESTAMP: usize = 35;
const PRODUCER_ID: usize = 43;
const PRODUCER_EPOCH: usize = 51;
const BASE_SEQUENCE: usize = 53;
const RECORD_COUNT: usize = 57;

const COMPRESSION_MASK: i16 = 0x07;
const LOG_APPEND_TIME_BIT: i16 = 0x08;
const TRANSACTIONAL_BIT: i16 = 0x10;
const CONTROL_BIT: i16 = 0x20;

/// Why bytes are not a record batch at all.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The declared length is below what any batch needs.
    #[error("record batch declares a length of {0} bytes, less than any batch has")]
    LengthTooSmall(i32),
    /// The magic byte names no known format.
    #[error("record batch has magic {0}, which is no known message format")]
    UnknownMagic(i8),
}

/// The bytes at the front of a record set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Nothing that could be a whole batch: too few bytes are left.
    End,
    /// A whole batch of `len` bytes with this magic.
    Batch { len: usize, magic: i8 },
}

/// Finds the first batch of a record set, as a reader of the log would.
pub(crate) fn front(records: &[u8]) -> Result<Front, FrameError> {
    if records.len() < LOG_OVERHEAD {
        return Ok(Front::End);
    }
    let declared = i32_at(records, 8);
    if declared < MIN_DECLARED_LEN {
        return Err(FrameError::LengthTooSmall(declared));
    }
    if records.len() <= MAGIC {
        return Ok(Front::End);
    }
    let magic = records[MAGIC] as i8;
    if !(0..=2).contains(&magic) {
        return Err(FrameError::UnknownMagic(magic));
    }
    let len = LOG_OVERHEAD + declared as usize;
    if records.len() < len {
        return Ok(Front::End);
    }
    Ok(Front::Batch { len, magic })
}

/// The header fields of one batch, copied out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) base_offset: i64,
    pub(crate) crc: u32,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) record_count: i32,
}

impl Header {
    /// Reads the header; `None` when the batch is shorter than one.
    pub(crate) fn parse(batch: &[u8]) -> Option<Self> {
        (batch.len() >= HEADER_LEN).then(|| Self {
            base_offset: i64_at(batch, 0),
            crc: i32_at(batch, CRC) as u32,
            attributes: i16_at(batch, ATTRIBUTES),
            last_offset_delta: i32_at(batch, LAST_OFFSET_DELTA),
            base_timestamp: i64_at(batch, BASE_TIMESTAMP),
            max_timestamp: i64_at(batch, MAX_TIMESTAMP),
            producer_id: i64_at(batch, PRODUCER_ID),
            producer_epoch: i16_at(batch, PRODUCER_EPOCH),
            base_sequence: i32_at(batch, BASE_SEQUENCE),
            record_count: i32_at(batch, RECORD_COUNT),
        })
    }

    /// The compression codec's number; 0 is none, 4 is zstd.
    pub(crate) fn compression(&self) -> i16 {
        self.attributes & COMPRESSION_MASK
    }

    /// Whether the timestamps were given by a broker.
    pub(crate) fn is_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME_BIT != 0
    }

    /// Whether the batch belongs to a transaction.
    pub(crate) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Whether the batch is a transaction marker or another control batch.
    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// Whether a producer id is set.
    pub(crate) fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Sequence of the last record; sequences wrap from 2^31-1 to 0.
    pub(crate) fn last_sequence(&self) -> i32 {
        advance_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// Adds to a sequence number, wrapping from 2^31-1 to 0.
pub(crate) fn advance_sequence(sequence: i32, by: i32) -> i32 {
    ((i64::from(sequence) + i64::from(by)) & i64::from(i32::MAX)) as i32
}

/// The checksum the header of this batch should hold.
pub(crate) fn computed_crc(batch: &[u8]) -> u32 {
    crc32c::crc32c(&batch[ATTRIBUTES..])
}

/// Which timestamps a stored batch gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The producer's.
    Kept,
    /// The broker's clock, in milliseconds since 1970.
    LogAppendTime(i64),
    /// The producer's, but marked as create time with this maximum.
    CreateTime { max_timestamp: i64 },
}

/// Copies a batch into storage of its own, with the broker's fields set.
pub(crate) fn stored(batch: &[u8], base_offset: i64, leader_epoch: i32, stamp: Stamp) -> Bytes {
    let mut copy = batch.to_vec();
    copy[..8].copy_from_slice(&base_offset.to_be_bytes());
    copy[LEADER_EPOCH..LEADER_EPOCH + 4].copy_from_slice(&leader_epoch.to_be_bytes());
    let (attributes, max_timestamp) = match stamp {
        Stamp::Kept => return Bytes::from(copy),
        Stamp::LogAppendTime(now) => (i16_at(&copy, ATTRIBUTES) | LOG_APPEND_TIME_BIT, now),
        Stamp::CreateTime { max_timestamp } => (
            i16_at(&copy, ATTRIBUTES) & !LOG_APPEND_TIME_BIT,
            max_timestamp,
        ),
    };
    copy[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&attributes.to_be_bytes());
    copy[MAX_TIMESTAMP..MAX_TIMESTAMP + 8].copy_from_slice(&max_timestamp.to_be_bytes());
    seal(&mut copy);
    Bytes::from(copy)
}

/// Sets the length and the checksum of a batch after its contents changed.
pub(crate) fn seal(batch: &mut [u8]) {
    let len = (batch.len() - LOG_OVERHEAD) as i32;
    batch[8..LOG_OVERHEAD].copy_from_slice(&len.to_be_bytes());
    let crc = computed_crc(batch);
    batch[CRC..CRC + 4].copy_from_slice(&crc.to_be_bytes());
}

/// Sets the record count of a batch; the caller seals it.
pub(crate) fn set_record_count(batch: &mut [u8], count: i32) {
    batch[RECORD_COUNT..RECORD_COUNT + 4].copy_from_slice(&count.to_be_bytes());
}

/// Marks a batch as not compressed; the caller seals it.
pub(crate) fn clear_compression(batch: &mut [u8]) {
    let attributes = i16_at(batch, ATTRIBUTES) & !COMPRESSION_MASK;
    batch[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&attributes.to_be_bytes());
}

fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes(array_at(bytes, at))
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(array_at(bytes, at))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(array_at(bytes, at))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}
