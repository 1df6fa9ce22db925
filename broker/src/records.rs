//! Reading the records inside a batch, for the few places where a broker has to look.

use bytes::{Buf, Bytes};
use codec::Compression;
use thiserror::Error;

use crate::batch::{HEADER_LEN, Header};

/// Why the records of a batch cannot be read.
#[derive(Debug, Error)]
pub(crate) enum RecordsError {
    #[error("the batch is shorter than its header")]
    ShortHeader,
    #[error("the records end in the middle of a field")]
    Truncated,
    #[error("a variable-length integer does not end")]
    Varint,
    #[error("record length {declared} differs from what its fields take")]
    Length { declared: i64 },
    #[error("codec {codec} cannot be read: {reason}")]
    Codec { codec: i16, reason: String },
}

/// One record; `body` is the encoded record with its length, as it lies in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) has_value: bool,
    pub(crate) body: Bytes,
}

/// Offset and time of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordStamp {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
}

/// Offsets and times of all records of a batch.
pub(crate) fn stamps(batch: &[u8]) -> Result<Vec<RecordStamp>, RecordsError> {
    let decoded = decode(batch)?;
    Ok(decoded
        .into_iter()
        .map(|record| RecordStamp {
            offset: record.offset,
            timestamp: record.timestamp,
        })
        .collect())
}

/// Checks that the records of an uncompressed batch are as many as its header says and fill it,
/// without looking into them.
pub(crate) fn check_count(payload: &[u8], count: i32) -> Result<(), RecordsError> {
    let mut at = 0;
    for _ in 0..count {
        let mut raw = 0_u64;
        let mut shift = 0;
        loop {
            let byte = *payload.get(at).ok_or(RecordsError::Truncated)?;
            at += 1;
            raw |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 28 {
                return Err(RecordsError::Varint);
            }
        }
        let declared = (raw >> 1) as i64 ^ -((raw & 1) as i64);
        at += usize::try_from(declared).map_err(|_| RecordsError::Length { declared })?;
    }
    if at == payload.len() {
        Ok(())
    } else {
        Err(RecordsError::Truncated)
    }
}

/// Decompresses and decodes all records of a batch.
pub(crate) fn decode(batch: &[u8]) -> Result<Vec<Record>, RecordsError> {
    let header = Header::parse(batch).ok_or(RecordsError::ShortHeader)?;
    let mut input = decompressed(&header, Bytes::copy_from_slice(&batch[HEADER_LEN..]))?;
    // the count is the client's claim: trust the bytes, not it, with memory
    let mut found = Vec::with_capacity((header.record_count.max(0) as usize).min(input.len() / 7));
    for _ in 0..header.record_count {
        found.push(decode_one(&mut input, &header)?);
    }
    if input.has_remaining() {
        return Err(RecordsError::Length {
            declared: input.remaining() as i64,
        });
    }
    Ok(found)
}

fn decompressed(header: &Header, payload: Bytes) -> Result<Bytes, RecordsError> {
    let unreadable = |reason: String| RecordsError::Codec {
        codec: header.compression(),
        reason,
    };
    Compression::from_attributes(header.attributes)
        .ok_or_else(|| unreadable("no such codec".to_owned()))?
        .decompress(payload)
        .map_err(|error| unreadable(error.to_string()))
}

fn decode_one(input: &mut Bytes, header: &Header) -> Result<Record, RecordsError> {
    let whole = input.clone();
    let declared = varint(input)?;
    let prefix = whole.len() - input.len();
    let length = usize::try_from(declared).map_err(|_| RecordsError::Length { declared })?;
    if input.len() < length {
        return Err(RecordsError::Truncated);
    }
    let mut fields = input.split_to(length);
    take(&mut fields, 1)?; // attributes, unused
    let timestamp_delta = varint(&mut fields)?;
    let offset_delta = varint(&mut fields)?;
    let key = nullable(&mut fields)?;
    let has_value = nullable(&mut fields)?.is_some();
    for _ in 0..varint(&mut fields)? {
        nullable(&mut fields)?;
        nullable(&mut fields)?;
    }
    if fields.has_remaining() {
        return Err(RecordsError::Length { declared });
    }
    let timestamp = if header.is_log_append_time() {
        header.max_timestamp
    } else {
        header.base_timestamp.wrapping_add(timestamp_delta)
    };
    Ok(Record {
        offset: header.base_offset.wrapping_add(offset_delta),
        timestamp,
        key,
        has_value,
        body: whole.slice(..prefix + length),
    })
}

fn nullable(input: &mut Bytes) -> Result<Option<Bytes>, RecordsError> {
    let length = varint(input)?;
    if length < 0 {
        return Ok(None);
    }
    take(input, length as usize).map(Some)
}

fn take(input: &mut Bytes, length: usize) -> Result<Bytes, RecordsError> {
    if input.len() < length {
        return Err(RecordsError::Truncated);
    }
    Ok(input.split_to(length))
}

/// A zigzag variable-length integer.
fn varint(input: &mut Bytes) -> Result<i64, RecordsError> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        if !input.has_remaining() {
            return Err(RecordsError::Truncated);
        }
        let byte = input.get_u8();
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err(RecordsError::Varint)
}
