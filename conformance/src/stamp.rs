//! The header that says which record of which run this is.

use crate::record::{HeaderView, RecordHasher};

/// The name of the header that carries a stamp. It is always the last header of its record.
pub const STAMP_HEADER: &str = "mirrorctl-stamp";

const VERSION: u8 = 1;
const LENGTH: usize = 1 + 8 + 4 + 8 + 16;

/// Names one record of a run: the stream it belongs to and its place in it, from 0.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub struct RecordId {
    /// The stream, pinned to one source partition.
    pub stream: u32,
    /// The place in the stream, from 0, without holes as written.
    pub sequence: u64,
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record {} of stream {}", self.sequence, self.stream)
    }
}

/// What a stamp header holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The run that wrote the record.
    pub run: u64,
    /// Which record of the run.
    pub id: RecordId,
    /// xxh3-128 over key, value, the other headers in order and the create time.
    pub hash: u128,
}

impl Stamp {
    /// Encodes the stamp: version, run, stream, sequence, hash; all big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.run.to_be_bytes());
        bytes.extend_from_slice(&self.id.stream.to_be_bytes());
        bytes.extend_from_slice(&self.id.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.hash.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        let (version, rest) = bytes.split_first()?;
        let (run, rest) = rest.split_first_chunk()?;
        let (stream, rest) = rest.split_first_chunk()?;
        let (sequence, hash) = rest.split_first_chunk()?;
        (*version == VERSION).then_some(Self {
            run: u64::from_be_bytes(*run),
            id: RecordId {
                stream: u32::from_be_bytes(*stream),
                sequence: u64::from_be_bytes(*sequence),
            },
            hash: u128::from_be_bytes(hash.try_into().ok()?),
        })
    }
}

/// What the headers of a record say about its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampRead {
    /// One stamp, readable, the last header.
    Whole(Stamp),
    /// One stamp, readable, but other headers follow it: somebody reordered or added headers.
    NotLast(Stamp),
    /// No stamp header at all.
    Missing,
    /// More than one stamp header, or one that cannot be read.
    Damaged,
}

/// Looks for the stamp among the headers of a record.
pub(crate) fn read_stamp(headers: &[HeaderView<'_>]) -> StampRead {
    let mut stamps = headers
        .iter()
        .enumerate()
        .filter(|(_, header)| header.0 == STAMP_HEADER);
    let Some((index, (_, value))) = stamps.next() else {
        return StampRead::Missing;
    };
    if stamps.next().is_some() {
        return StampRead::Damaged;
    }
    match value.and_then(Stamp::decode) {
        None => StampRead::Damaged,
        Some(stamp) if index + 1 == headers.len() => StampRead::Whole(stamp),
        Some(stamp) => StampRead::NotLast(stamp),
    }
}

/// The hash a stamp carries: over everything of the record but the stamp itself.
pub(crate) fn stamp_hash(
    hasher: &mut RecordHasher,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    other_headers: &[HeaderView<'_>],
    create_millis: i64,
) -> u128 {
    hasher.content_at(key, value, other_headers, create_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        run: 7,
        id: RecordId {
            stream: 3,
            sequence: 1 << 40,
        },
        hash: u128::MAX - 5,
    };

    #[test]
    fn a_stamp_survives_encoding() {
        let bytes = STAMP.encode();
        assert_eq!(bytes.len(), LENGTH);
        let headers = [("x", None), (STAMP_HEADER, Some(bytes.as_slice()))];
        assert_eq!(read_stamp(&headers), StampRead::Whole(STAMP));
    }

    #[test]
    fn misplaced_doubled_short_and_missing_stamps_are_told_apart() {
        let bytes = STAMP.encode();
        let stamp = (STAMP_HEADER, Some(bytes.as_slice()));
        assert_eq!(read_stamp(&[stamp, ("x", None)]), StampRead::NotLast(STAMP));
        assert_eq!(read_stamp(&[stamp, stamp]), StampRead::Damaged);
        assert_eq!(
            read_stamp(&[(STAMP_HEADER, Some(&bytes[1..]))]),
            StampRead::Damaged
        );
        assert_eq!(read_stamp(&[(STAMP_HEADER, None)]), StampRead::Damaged);
        assert_eq!(read_stamp(&[("x", None)]), StampRead::Missing);
        let mut newer = bytes.clone();
        newer[0] = 2;
        assert_eq!(
            read_stamp(&[(STAMP_HEADER, Some(&newer))]),
            StampRead::Damaged
        );
    }
}
