//! Record batches as they lie on the source, and their headers with new sequences.
//!
//! ```text
//!  0 baseOffset i64 │ 8 batchLength i32 │ 12 partitionLeaderEpoch i32 │ 16 magic i8 │ 17 crc u32
//! 21 attributes i16 │ 23 lastOffsetDelta i32 │ 27 timestamps 2 × i64
//! 43 producerId i64 │ 51 producerEpoch i16 │ 53 baseSequence i32 │ 57 recordCount i32 │ 61 records
//! ```

/// Bytes before the records.
pub(crate) const HEADER: usize = 61;
const CRC: usize = 17;
const CHECKED_FROM: usize = 21;

/// Id and epoch.
pub(crate) type Producer = (i64, i16);

/// A batch that can be sent again and again.
#[derive(Debug)]
pub(crate) struct Batch {
    header: [u8; HEADER],
    pub(crate) payload: Vec<u8>,
    pub(crate) records: i32,
    /// Offset after the last record, on the source.
    pub(crate) next_offset: i64,
}

impl Batch {
    /// Takes a whole batch from the front; `None` where the rest is cut short.
    pub(crate) fn take(bytes: &mut &[u8]) -> Option<Self> {
        let header: [u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
        let length = 12 + i32::from_be_bytes(field(&header, 8)) as usize;
        let payload = bytes.get(HEADER..length)?.to_vec();
        *bytes = &bytes[length..];
        Some(Self {
            header,
            payload,
            records: i32::from_be_bytes(field(&header, 57)),
            next_offset: i64::from_be_bytes(field(&header, 0))
                + i64::from(i32::from_be_bytes(field(&header, 23)))
                + 1,
        })
    }

    /// The header for this producer and sequence. CRC-32C is linear, so its change follows from the header alone.
    pub(crate) fn stamped(&self, producer: Producer, sequence: i32) -> [u8; HEADER] {
        let old = &self.header;
        let mut new = *old;
        new[0..8].copy_from_slice(&0_i64.to_be_bytes());
        new[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
        new[43..51].copy_from_slice(&producer.0.to_be_bytes());
        new[51..53].copy_from_slice(&producer.1.to_be_bytes());
        new[53..57].copy_from_slice(&sequence.to_be_bytes());
        let change = crc32c::crc32c(&old[CHECKED_FROM..]) ^ crc32c::crc32c(&new[CHECKED_FROM..]);
        let crc = u32::from_be_bytes(field(old, CRC))
            ^ crc32c::crc32c_combine(change, 0, self.payload.len());
        new[CRC..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
        new
    }
}

/// The sequence after `records` more: from 2³¹ − 1 on to 0.
pub(crate) fn next_sequence(sequence: i32, records: i32) -> i32 {
    ((i64::from(sequence) + i64::from(records)) & i64::from(i32::MAX)) as i32
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..200).collect();
        bytes[8..12].copy_from_slice(&188_i32.to_be_bytes());
        bytes[23..27].copy_from_slice(&4_i32.to_be_bytes());
        bytes[57..61].copy_from_slice(&5_i32.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[CRC..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    #[test]
    fn a_stamped_header_keeps_the_checksum_true() {
        let bytes = bytes();
        let batch = Batch::take(&mut bytes.as_slice()).expect("a batch");
        assert_eq!(batch.records, 5);
        let mut sent = batch.stamped((77, 3), 4_242).to_vec();
        sent.extend_from_slice(&batch.payload);
        let crc = crc32c::crc32c(&sent[CHECKED_FROM..]);
        assert_eq!(sent[CRC..CHECKED_FROM], crc.to_be_bytes());
        assert_eq!(sent[53..57], 4_242_i32.to_be_bytes());
        assert_ne!(sent[..HEADER], bytes[..HEADER]);
    }

    #[test]
    fn what_is_cut_short_stays() {
        let bytes = bytes();
        let mut cut = &bytes[..199];
        assert!(Batch::take(&mut cut).is_none());
        assert_eq!(cut.len(), 199);
    }

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(next_sequence(i32::MAX, 1), 0);
        assert_eq!(next_sequence(7, 3), 10);
    }
}
