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

/// One batch with the records of several, in order: offsets run on, timestamps, keys, values and headers stay byte for
/// byte. Only the three varints in front of a record are written anew.
///
/// All of them must be [`crate::batch::BatchHeader::is_plain`]; anything else, an empty list included, is an error. The
/// checksums are checked first, so that a flipped bit is not given a new checksum.
pub fn merge(batches: &[RawBatch]) -> Result<RawBatch, BatchError> {
    let base_offset = batches.first().map_or(-1, |batch| batch.header.base_offset);
    let malformed = |base_offset: i64, detail: &str| BatchError::Records {
        base_offset,
        detail: detail.to_owned(),
    };
    let Some(first) = batches.first() else {
        return Err(malformed(base_offset, "no batches to merge"));
    };
    let base_timestamp = first.header.base_timestamp;
    let payload: usize = batches
        .iter()
        .map(|batch| batch.wire_len() - HEADER_LEN)
        .sum();
    let count: i64 = batches
        .iter()
        .map(|batch| i64::from(batch.header.record_count))
        .sum();
    // Each record's head can grow: at most by 4 bytes of offset, 9 of timestamp and 1 of length, seldom by more than 4.
    let mut out = BytesMut::with_capacity(HEADER_LEN + payload + (count as usize * 4).min(payload));
    out.put_bytes(0, HEADER_LEN);
    let mut offset_delta = 0_i64;
    let mut max_timestamp = i64::MIN;
    for batch in batches {
        let header = &batch.header;
        if !header.is_plain() {
            return Err(malformed(header.base_offset, "it cannot be merged"));
        }
        batch.check_crc()?;
        let broken = || malformed(header.base_offset, "a record is cut short");
        let shift = header
            .base_timestamp
            .checked_sub(base_timestamp)
            .ok_or_else(|| malformed(header.base_offset, "its time is too far away"))?;
        let mut records = batch.payload();
        for _ in 0..header.record_count {
            let length = usize::try_from(varint(&mut records).ok_or_else(broken)?)
                .ok()
                .filter(|length| (1..=records.len()).contains(length))
                .ok_or_else(broken)?;
            let mut body = records.split_to(length);
            let attributes = body.get_u8();
            let timestamp = varint(&mut body)
                .and_then(|delta| delta.checked_add(shift))
                .ok_or_else(broken)?;
            varint(&mut body).ok_or_else(broken)?;
            let length = 1 + varint_len(timestamp) + varint_len(offset_delta) + body.len();
            put_varint(&mut out, length as i64);
            out.put_u8(attributes);
            put_varint(&mut out, timestamp);
            put_varint(&mut out, offset_delta);
            out.put_slice(&body);
            offset_delta += 1;
        }
        if records.has_remaining() {
            return Err(malformed(header.base_offset, "bytes after the last record"));
        }
        max_timestamp = max_timestamp.max(header.max_timestamp);
    }
    let mut head = &mut out[..HEADER_LEN];
    head.put_i64(base_offset);
    head.put_i32(0); // length, sealed below
    head.put_i32(-1);
    head.put_i8(2);
    head.put_u32(0); // checksum, sealed below
    head.put_i16(0);
    head.put_i32(offset_delta as i32 - 1);
    head.put_i64(base_timestamp);
    head.put_i64(max_timestamp);
    head.put_i64(-1);
    head.put_i16(-1);
    head.put_i32(-1);
    head.put_i32(offset_delta as i32);
    seal(&mut out);
    Ok(RawBatch::from_bytes(out.freeze()))
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

/// Bytes that [`put_varint`] writes.
fn varint_len(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (raw | 1).leading_zeros() as usize).div_ceil(7)
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

        /// Against the slow way: all records decoded, one behind the other.
        #[test]
        fn merged_batches_hold_the_same_records_in_the_same_order(
            batches in proptest::collection::vec(proptest::collection::vec(record(), 1..20), 1..12),
        ) {
            let raw: Vec<RawBatch> = batches
                .iter()
                .map(|records| encode(records, Compression::None).expect("encodes"))
                .collect();
            let merged = merge(&raw).expect("merges");
            merged.check_crc().expect("crc");
            let mut expected: Vec<Record> = batches.into_iter().flatten().collect();
            for (i, record) in expected.iter_mut().enumerate() {
                record.offset_delta = i as i32;
            }
            prop_assert!(merged.header.is_plain());
            prop_assert_eq!(merged.header.base_offset, raw[0].header.base_offset);
            prop_assert_eq!(
                merged.header.max_timestamp,
                expected.iter().map(|record| record.timestamp).max().expect("records")
            );
            let length = merged.bytes().len();
            prop_assert_eq!(RawBatch::split_from(&mut merged.bytes().clone()).expect("whole"), Some(merged.clone()));
            prop_assert_eq!(length, merged.wire_len());
            prop_assert_eq!(decode(&merged).expect("decodes"), expected);
        }

        #[test]
        fn a_flipped_bit_is_never_merged(
            records in proptest::collection::vec(record(), 1..5),
            at in any::<proptest::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let good = encode(&records, Compression::None).expect("encodes");
            let mut bytes = good.bytes().to_vec();
            let at = HEADER_LEN + at.index(bytes.len() - HEADER_LEN);
            bytes[at] ^= 1 << bit;
            let bad = RawBatch::from_bytes(bytes.into());
            prop_assert!(merge(&[good, bad]).is_err());
        }

        #[test]
        fn varints_survive(value in any::<i64>()) {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            prop_assert_eq!(out.len(), varint_len(value));
            prop_assert_eq!(varint(&mut out.freeze()), Some(value));
        }
    }

    #[test]
    fn only_plain_batches_are_merged() {
        let record = Record {
            offset_delta: 0,
            timestamp: 1,
            key: None,
            value: None,
            headers: Vec::new(),
        };
        let plain = encode(std::slice::from_ref(&record), Compression::None).expect("encodes");
        let compressed = encode(&[record], Compression::Lz4).expect("encodes");
        assert!(merge(&[plain.clone(), compressed]).is_err());
        assert!(merge(&[]).is_err());
        assert!(merge(&[plain]).is_ok());
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
