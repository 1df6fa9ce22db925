//! Records inside a batch: the slow path, for batches that cannot pass through as they are.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Compression;
use crate::batch::{BatchError, HEADER_LEN, RawBatch, seal};

/// One record (format v2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// `None` is null, which is not the same as empty.
    pub key: Option<Bytes>,
    /// `None` is null: a tombstone on a compacted topic.
    pub value: Option<Bytes>,
    /// In order; names may repeat, values may be null.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// A header block may not claim more than this; a corrupt length must not allocate the memory.
const MAX_PREALLOCATED: usize = 1024;

/// Memory for the records of one batch, besides their bytes. A record takes seven bytes at least,
/// and many times as much here; packed, a thousandth of that.
const MAX_DECODED: usize = 512 << 20;

/// All records of a batch, decompressed. Record timestamps of a log-append-time batch are the
/// append time, as a consumer would see them.
pub fn decode(batch: &RawBatch) -> Result<Vec<Record>, BatchError> {
    let header = &batch.header;
    let malformed = |detail: String| BatchError::Records {
        base_offset: header.base_offset,
        detail,
    };
    let codec = header
        .compression()
        .ok_or_else(|| malformed(format!("unknown codec {}", header.attributes & 7)))?;
    let mut payload = codec
        .decompress(batch.payload())
        .map_err(|error| malformed(error.to_string()))?;
    let count = usize::try_from(header.record_count).unwrap_or_default();
    if count > MAX_DECODED / size_of::<Record>() {
        return Err(malformed(format!("{count} records in one batch")));
    }
    let mut records = Vec::with_capacity(count.min(MAX_PREALLOCATED));
    for index in 0..count {
        let mut record = decode_one(&mut payload, header.base_timestamp)
            .ok_or_else(|| malformed(format!("record {index} of {count} is cut short")))?;
        if header.is_log_append_time() {
            record.timestamp = header.max_timestamp;
        }
        records.push(record);
    }
    if payload.has_remaining() {
        return Err(malformed(format!(
            "{} bytes after the last record",
            payload.remaining()
        )));
    }
    Ok(records)
}

/// A batch of `records`, their offset deltas numbered anew from 0. Neither producer nor sequence:
/// [`RawBatch::stamped`] writes those when it is sent.
pub fn encode(records: &[Record], compression: Compression) -> Result<RawBatch, BatchError> {
    let base_timestamp = records.first().map_or(-1, |record| record.timestamp);
    let max_timestamp = records
        .iter()
        .map(|record| record.timestamp)
        .max()
        .unwrap_or(-1);
    let mut plain = BytesMut::new();
    for (delta, record) in records.iter().enumerate() {
        encode_one(&mut plain, record, delta as i64, base_timestamp);
    }
    let payload = compression
        .compress(plain)
        .map_err(|error| BatchError::Records {
            base_offset: 0,
            detail: error.to_string(),
        })?;
    let mut out = BytesMut::with_capacity(HEADER_LEN + payload.len());
    out.put_i64(0);
    out.put_i32(0); // length, sealed below
    out.put_i32(-1);
    out.put_i8(2);
    out.put_u32(0); // checksum, sealed below
    out.put_i16(compression.bits());
    out.put_i32(records.len() as i32 - 1);
    out.put_i64(base_timestamp);
    out.put_i64(max_timestamp);
    out.put_i64(-1);
    out.put_i16(-1);
    out.put_i32(-1);
    out.put_i32(records.len() as i32);
    out.put_slice(&payload);
    seal(&mut out);
    Ok(RawBatch::from_bytes(out.freeze()))
}

/// The batch that carries the same records and that a broker accepts from a client: no holes in
/// the offsets, create time instead of append time, the codec it had. `None` where no record is
/// left. Offsets within it are new; order, keys, values, headers and timestamps are not.
pub fn rebuild(batch: &RawBatch) -> Result<Option<RawBatch>, BatchError> {
    rebuild_from(batch, batch.header.base_offset)
}

/// As [`rebuild`], without the records before `offset`: a fetch that begins inside a batch gets
/// the whole of it.
pub fn rebuild_from(batch: &RawBatch, offset: i64) -> Result<Option<RawBatch>, BatchError> {
    batch.check_crc()?;
    let base = batch.header.base_offset;
    let mut records = decode(batch)?;
    records.retain(|record| base + i64::from(record.offset_delta) >= offset);
    if records.is_empty() {
        return Ok(None);
    }
    let codec = batch.header.compression().unwrap_or(Compression::None);
    encode(&records, codec).map(Some)
}

fn decode_one(buffer: &mut Bytes, base_timestamp: i64) -> Option<Record> {
    let length = usize::try_from(varint(buffer)?).ok()?;
    if length > buffer.len() {
        return None;
    }
    let mut body = buffer.split_to(length);
    if body.is_empty() {
        return None;
    }
    body.advance(1); // record attributes: unused
    let timestamp = base_timestamp.checked_add(varint(&mut body)?)?;
    let offset_delta = i32::try_from(varint(&mut body)?).ok()?;
    let key = nullable_bytes(&mut body)?;
    let value = nullable_bytes(&mut body)?;
    let count = usize::try_from(varint(&mut body)?).ok()?;
    let mut headers = Vec::with_capacity(count.min(MAX_PREALLOCATED));
    for _ in 0..count {
        headers.push((nullable_bytes(&mut body)??, nullable_bytes(&mut body)?));
    }
    body.is_empty().then_some(Record {
        offset_delta,
        timestamp,
        key,
        value,
        headers,
    })
}

/// Outer `None`: cut short. Inner `None`: null.
#[expect(
    clippy::option_option,
    reason = "both kinds of nothing occur and differ"
)]
fn nullable_bytes(buffer: &mut Bytes) -> Option<Option<Bytes>> {
    match varint(buffer)? {
        -1 => Some(None),
        length => {
            let length = usize::try_from(length)
                .ok()
                .filter(|length| *length <= buffer.len())?;
            Some(Some(buffer.split_to(length)))
        }
    }
}

/// A zigzag varint, as in Protocol Buffers.
fn varint(buffer: &mut Bytes) -> Option<i64> {
    let mut raw = 0_u64;
    for shift in (0..64).step_by(7) {
        if buffer.is_empty() {
            return None;
        }
        let byte = buffer.get_u8();
        raw |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((raw >> 1) as i64 ^ -((raw & 1) as i64));
        }
    }
    None
}

fn put_varint(out: &mut BytesMut, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.put_u8((raw as u8) | 0x80);
        raw >>= 7;
    }
    out.put_u8(raw as u8);
}

fn put_nullable(out: &mut BytesMut, bytes: Option<&Bytes>) {
    match bytes {
        None => put_varint(out, -1),
        Some(bytes) => {
            put_varint(out, bytes.len() as i64);
            out.put_slice(bytes);
        }
    }
}

fn encode_one(out: &mut BytesMut, record: &Record, offset_delta: i64, base_timestamp: i64) {
    let mut body = BytesMut::with_capacity(64);
    body.put_i8(0);
    put_varint(&mut body, record.timestamp.wrapping_sub(base_timestamp));
    put_varint(&mut body, offset_delta);
    put_nullable(&mut body, record.key.as_ref());
    put_nullable(&mut body, record.value.as_ref());
    put_varint(&mut body, record.headers.len() as i64);
    for (name, value) in &record.headers {
        put_nullable(&mut body, Some(name));
        put_nullable(&mut body, value.as_ref());
    }
    put_varint(out, body.len() as i64);
    out.put_slice(&body);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
    }

    fn record() -> impl Strategy<Value = Record> {
        let headers = proptest::collection::vec((bytes(), proptest::option::of(bytes())), 0..4);
        (
            0..i64::from(i32::MAX),
            proptest::option::of(bytes()),
            proptest::option::of(bytes()),
            headers,
        )
            .prop_map(|(timestamp, key, value, headers)| Record {
                offset_delta: 0,
                timestamp,
                key,
                value,
                headers,
            })
    }

    fn codec() -> impl Strategy<Value = Compression> {
        prop_oneof![
            Just(Compression::None),
            Just(Compression::Gzip),
            Just(Compression::Snappy),
            Just(Compression::Lz4),
            Just(Compression::Zstd),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            mut records in proptest::collection::vec(record(), 1..30),
            codec in codec(),
        ) {
            for (i, record) in records.iter_mut().enumerate() {
                record.offset_delta = i as i32;
            }
            let batch = encode(&records, codec).expect("encodes");
            batch.check_crc().expect("crc");
            prop_assert!(batch.header.passes_through());
            prop_assert_eq!(decode(&batch).expect("decodes"), records);
        }

        #[test]
        fn varints_survive(value in any::<i64>()) {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            prop_assert_eq!(varint(&mut out.freeze()), Some(value));
        }
    }

    #[test]
    fn a_compacted_batch_is_rebuilt_without_holes() {
        let record = |timestamp, value: &'static str| Record {
            offset_delta: 0,
            timestamp,
            key: Some(Bytes::from_static(b"k")),
            value: Some(Bytes::from_static(value.as_bytes())),
            headers: vec![
                (Bytes::from_static(b"h"), None),
                (Bytes::from_static(b"h"), None),
            ],
        };
        let kept = [record(10, "a"), record(13, "b")];
        let batch = encode(&kept, Compression::Zstd).expect("encodes");
        let mut holed = batch.bytes().to_vec();
        holed[23..27].copy_from_slice(&9_i32.to_be_bytes()); // last offset delta: 10 offsets, 2 left
        seal(&mut holed);
        let holed = RawBatch::from_bytes(holed.into());
        assert!(!holed.header.passes_through());
        let rebuilt = rebuild(&holed).expect("rebuilds").expect("records");
        assert!(rebuilt.header.passes_through());
        assert_eq!(rebuilt.header.compression(), Some(Compression::Zstd));
        let timestamps: Vec<i64> = decode(&rebuilt)
            .expect("decodes")
            .iter()
            .map(|record| record.timestamp)
            .collect();
        assert_eq!(timestamps, [10, 13]);
    }
}
