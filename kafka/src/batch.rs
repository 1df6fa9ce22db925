//! Record batches, format v2 (KIP-98), as they lie on the broker and travel on the wire.
//!
//! ```text
//!  0 baseOffset i64 │ 8 batchLength i32 │ 12 partitionLeaderEpoch i32 │ 16 magic i8 │ 17 crc u32
//! 21 attributes i16 │ 23 lastOffsetDelta i32 │ 27 baseTimestamp i64 │ 35 maxTimestamp i64
//! 43 producerId i64 │ 51 producerEpoch i16 │ 53 baseSequence i32 │ 57 recordCount i32 │ 61 records
//! ```
//! `batchLength` counts what follows it; `crc` is CRC-32C over everything from the attributes on.

use bytes::Bytes;

use crate::Compression;
use crate::crc_shift::over_zeros;
use crate::producer_id::ProducerIdentity;

/// Bytes before the records.
pub const HEADER_LEN: usize = 61;
const CRC_AT: usize = 17;
const CRC_FROM: usize = 21;
/// `baseOffset` and `batchLength` themselves.
const LENGTH_OVERHEAD: usize = 12;

const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
const DELETE_HORIZON: i16 = 1 << 6;

/// Bytes that are not a record batch we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A message format older than v2; Kafka 4 brokers no longer write it.
    #[error("message format v{magic} at offset {base_offset} is not supported (only v2)")]
    OldFormat {
        /// The magic byte.
        magic: i8,
        /// Offset of the batch.
        base_offset: i64,
    },
    /// A length field that cannot be.
    #[error("a batch at offset {base_offset} claims {length} bytes")]
    Length {
        /// Offset of the batch.
        base_offset: i64,
        /// The batch length field.
        length: i32,
    },
    /// The checksum does not match.
    #[error("the batch at offset {base_offset} fails its CRC-32C")]
    Crc {
        /// Offset of the batch.
        base_offset: i64,
    },
    /// The records inside are not what the header says.
    #[error("the batch at offset {base_offset} is malformed: {detail}")]
    Records {
        /// Offset of the batch.
        base_offset: i64,
        /// What is wrong.
        detail: String,
    },
}

/// The fixed part of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Leader epoch in which the source broker took the batch (KIP-101); −1 before it did.
    pub leader_epoch: i32,
    /// Checksum as on the wire.
    pub crc: u32,
    /// Codec, timestamp type, transactional and control bits.
    pub attributes: i16,
    /// Offset of the last record minus base offset; compaction leaves it as it was.
    pub last_offset_delta: i32,
    /// Milliseconds since the epoch, of the first record.
    pub base_timestamp: i64,
    /// Milliseconds since the epoch, the largest; the append time where that is the type.
    pub max_timestamp: i64,
    /// −1 for none.
    pub producer_id: i64,
    /// −1 for none.
    pub producer_epoch: i16,
    /// −1 for none.
    pub base_sequence: i32,
    /// Records inside, which compaction makes fewer than `last_offset_delta + 1`.
    pub record_count: i32,
}

impl BatchHeader {
    fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        Self {
            base_offset: i64::from_be_bytes(field(bytes, 0)),
            leader_epoch: i32::from_be_bytes(field(bytes, 12)),
            crc: u32::from_be_bytes(field(bytes, CRC_AT)),
            attributes: i16::from_be_bytes(field(bytes, 21)),
            last_offset_delta: i32::from_be_bytes(field(bytes, 23)),
            base_timestamp: i64::from_be_bytes(field(bytes, 27)),
            max_timestamp: i64::from_be_bytes(field(bytes, 35)),
            producer_id: i64::from_be_bytes(field(bytes, 43)),
            producer_epoch: i16::from_be_bytes(field(bytes, 51)),
            base_sequence: i32::from_be_bytes(field(bytes, 53)),
            record_count: i32::from_be_bytes(field(bytes, 57)),
        }
    }

    /// Offset after the last one this batch covers.
    pub fn next_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta) + 1
    }

    /// Transaction markers and other records that are the brokers' own.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// Part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// The broker's clock stamped it; record timestamps inside mean nothing.
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    /// The codec; `None` for a code that does not exist.
    pub fn compression(&self) -> Option<Compression> {
        Compression::from_attributes(self.attributes)
    }

    /// Uncompressed, with the records' own times and nothing missing: [`crate::record::merge`] may put its records
    /// behind another one's. Whether it was in a transaction does not matter, the copy is in none.
    pub fn is_plain(&self) -> bool {
        self.passes_through() && self.attributes & !TRANSACTIONAL == 0
    }

    /// A broker accepts it from a client as it is, once the header is stamped. The rest needs
    /// [`crate::record::rebuild`]: holes are refused, append time would silently become ours.
    pub fn passes_through(&self) -> bool {
        !self.is_control()
            && !self.is_log_append_time()
            && self.record_count > 0
            && self.record_count == self.last_offset_delta.wrapping_add(1)
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// A whole batch: header parsed, bytes shared with the response it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBatch {
    /// The parsed header.
    pub header: BatchHeader,
    bytes: Bytes,
}

impl RawBatch {
    /// Takes exactly one batch from the front of `bytes`, whole and in format v2. `None` where
    /// fewer bytes are left than the batch has: a fetch ends mid-batch at its size limit.
    pub fn split_from(bytes: &mut Bytes) -> Result<Option<Self>, BatchError> {
        if bytes.len() < CRC_AT {
            return Ok(None);
        }
        let base_offset = i64::from_be_bytes(field(bytes, 0));
        let length = i32::from_be_bytes(field(bytes, 8));
        let magic = bytes[16] as i8;
        if magic != 2 {
            return Err(BatchError::OldFormat { magic, base_offset });
        }
        let total = usize::try_from(length)
            .ok()
            .map(|length| length + LENGTH_OVERHEAD)
            .filter(|total| *total >= HEADER_LEN)
            .ok_or(BatchError::Length {
                base_offset,
                length,
            })?;
        if bytes.len() < total {
            return Ok(None);
        }
        let bytes = bytes.split_to(total);
        let header = BatchHeader::parse(&field(&bytes, 0));
        // Below the limit no record's offset overflows, whatever its delta says.
        let in_range = (0..=i64::MAX - i64::from(u32::MAX)).contains(&base_offset);
        if !in_range || header.last_offset_delta < 0 || header.record_count < 0 {
            let detail = format!(
                "base offset {base_offset}, last offset delta {}, record count {}",
                header.last_offset_delta, header.record_count
            );
            return Err(BatchError::Records {
                base_offset,
                detail,
            });
        }
        Ok(Some(Self { header, bytes }))
    }

    /// All bytes, header included.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes after the header.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(HEADER_LEN..)
    }

    /// Length on the wire.
    pub fn wire_len(&self) -> usize {
        self.bytes.len()
    }

    /// Reads everything once and compares with the header's checksum.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        if crc32c::crc32c(&self.bytes[CRC_FROM..]) == self.header.crc {
            Ok(())
        } else {
            Err(BatchError::Crc {
                base_offset: self.header.base_offset,
            })
        }
    }

    /// The header as our producer sends it; the payload is not touched.
    ///
    /// Base offset and leader epoch go to what a client sends, the source's producer is replaced
    /// by ours, and the transactional bit is cleared (the target sees no transaction). The
    /// checksum is patched, not computed: CRC-32C is linear, so a flipped bit in the payload
    /// still fails the check on the target broker.
    pub fn stamped(&self, producer: ProducerIdentity, base_sequence: i32) -> [u8; HEADER_LEN] {
        let old: [u8; HEADER_LEN] = field(&self.bytes, 0);
        let mut new = old;
        new[0..8].copy_from_slice(&0_i64.to_be_bytes());
        new[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
        // Nor is it the target's concern when the source may drop tombstones (KIP-534).
        let attributes = self.header.attributes & !TRANSACTIONAL & !DELETE_HORIZON;
        new[21..23].copy_from_slice(&attributes.to_be_bytes());
        new[43..51].copy_from_slice(&producer.id.to_be_bytes());
        new[51..53].copy_from_slice(&producer.epoch.to_be_bytes());
        new[53..57].copy_from_slice(&base_sequence.to_be_bytes());
        let change = crc32c::crc32c(&old[CRC_FROM..]) ^ crc32c::crc32c(&new[CRC_FROM..]);
        let crc = self.header.crc ^ over_zeros(change, self.bytes.len() - HEADER_LEN);
        new[CRC_AT..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
        new
    }

    pub(crate) fn from_bytes(bytes: Bytes) -> Self {
        Self {
            header: BatchHeader::parse(&field(&bytes, 0)),
            bytes,
        }
    }
}

/// Writes length and checksum into a batch whose other fields are in place.
pub(crate) fn seal(batch: &mut [u8]) {
    let length = (batch.len() - LENGTH_OVERHEAD) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c::crc32c(&batch[CRC_FROM..]);
    batch[CRC_AT..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
}

/// The sequence after `count` more records: wraps from 2³¹−1 to 0 (`DefaultRecordBatch` in Kafka).
pub fn next_sequence(sequence: i32, count: i32) -> i32 {
    let sum = i64::from(sequence) + i64::from(count);
    (sum & i64::from(i32::MAX)) as i32
}

/// How many records lie between two sequences of one producer, `from` included and `to` not: the inverse of
/// [`next_sequence`]. A `to` that lies before `from` comes out as more than half of the circle of 2³¹.
pub fn sequences_between(from: i32, to: i32) -> u32 {
    let difference = i64::from(to) - i64::from(from);
    (difference & i64::from(i32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Record, encode};

    fn batch(compression: Compression) -> RawBatch {
        let records: Vec<Record> = (0..20)
            .map(|i| Record {
                offset_delta: i,
                timestamp: 1_700_000_000_000 + i64::from(i),
                key: Some(Bytes::from(format!("key-{i}"))),
                value: Some(Bytes::from(vec![b'v'; 100])),
                headers: Vec::new(),
            })
            .collect();
        encode(&records, compression).expect("encodes")
    }

    #[test]
    fn a_stamped_header_keeps_the_checksum_true() {
        for codec in [
            Compression::None,
            Compression::Gzip,
            Compression::Snappy,
            Compression::Lz4,
            Compression::Zstd,
        ] {
            let batch = batch(codec);
            let header = batch.stamped(ProducerIdentity { id: 77, epoch: 3 }, 4242);
            let mut sent = header.to_vec();
            sent.extend_from_slice(&batch.payload());
            let sent = RawBatch::from_bytes(sent.into());
            sent.check_crc().expect("crc");
            assert_eq!(sent.header.producer_id, 77);
            assert_eq!(sent.header.producer_epoch, 3);
            assert_eq!(sent.header.base_sequence, 4242);
            assert_eq!(sent.header.base_offset, 0);
            assert!(!sent.header.is_transactional());
        }
    }

    #[test]
    fn a_flipped_payload_bit_still_fails_after_stamping() {
        let batch = batch(Compression::None);
        let mut bytes = batch.bytes().to_vec();
        bytes[80] ^= 1;
        let broken = RawBatch::from_bytes(bytes.into());
        let mut sent = broken
            .stamped(ProducerIdentity { id: 1, epoch: 0 }, 0)
            .to_vec();
        sent.extend_from_slice(&broken.payload());
        assert!(RawBatch::from_bytes(sent.into()).check_crc().is_err());
    }

    #[test]
    fn a_batch_cut_short_is_left_for_the_next_fetch() {
        let whole = batch(Compression::Lz4).bytes().clone();
        for length in [0, 5, HEADER_LEN - 1, HEADER_LEN, whole.len() - 1] {
            let mut cut = whole.slice(..length);
            assert_eq!(RawBatch::split_from(&mut cut), Ok(None), "{length} bytes");
        }
    }

    #[test]
    fn an_offset_that_would_overflow_is_an_error() {
        for base in [i64::MAX, i64::MAX - 10, -1, i64::MIN] {
            let mut bytes = batch(Compression::None).bytes().to_vec();
            bytes[..8].copy_from_slice(&base.to_be_bytes());
            let split = RawBatch::split_from(&mut bytes.into());
            assert!(matches!(split, Err(BatchError::Records { .. })), "{base}");
        }
    }

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(next_sequence(i32::MAX, 1), 0);
        assert_eq!(next_sequence(i32::MAX - 1, 3), 1);
        assert_eq!(next_sequence(0, 5), 5);
    }

    proptest! {
        /// Sequences are the numbers modulo 2³¹: the model counts in i128.
        #[test]
        fn sequences_follow_the_records(
            start in 0..=i32::MAX,
            counts in proptest::collection::vec(prop_oneof![1..1_000, 1..=i32::MAX], 0..50),
        ) {
            let mut sequence = start;
            let mut records = i128::from(start);
            for count in counts {
                sequence = next_sequence(sequence, count);
                records += i128::from(count);
                prop_assert!(sequence >= 0);
                prop_assert_eq!(i128::from(sequence), records % (1_i128 << 31));
            }
        }

        #[test]
        fn the_distance_of_sequences_undoes_the_step(from in 0..=i32::MAX, count in 0..=i32::MAX) {
            prop_assert_eq!(sequences_between(from, next_sequence(from, count)), count as u32);
        }

        #[test]
        fn splitting_arbitrary_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = Bytes::from(bytes);
            while let Ok(Some(batch)) = RawBatch::split_from(&mut bytes) {
                let _ = batch.header.next_offset();
                let _ = crate::record::decode(&batch);
            }
        }
    }
}
