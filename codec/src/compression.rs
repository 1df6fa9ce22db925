//! The codecs of record batches.

use std::io::{Read, Write as _};

use bytes::{Bytes, BytesMut};

/// Bytes that a batch's records may become when they are unpacked. Brokers limit only what is
/// packed, and a megabyte can hold a million times as much.
pub const MAX_PLAIN: usize = 256 << 20;

/// Kafka's own choice of level where it has one; what is unpacked is packed like this again.
const LZ4_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;

/// Bytes before the blocks of snappy-java's stream: magic, version and compatible version.
const SNAPPY_HEADER: &[u8; 16] = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01";
/// snappy-java's block size.
const SNAPPY_BLOCK: usize = 32 << 10;
/// A Snappy element of three bytes copies at most 64: what claims more than this is not true.
const SNAPPY_RATIO: usize = 32;

/// The codec in a record batch's attributes (bits 0–2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip.
    Gzip,
    /// Snappy in snappy-java's block framing.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard (KIP-110).
    Zstd,
}

/// A payload that its codec cannot read or write.
#[derive(Debug, thiserror::Error)]
#[error("{codec:?}: {detail}")]
pub struct CompressionError {
    /// The codec that failed.
    pub codec: Compression,
    /// What it said.
    pub detail: String,
}

impl Compression {
    /// From the low three bits of the attributes; `None` for codes that do not exist.
    pub fn from_attributes(attributes: i16) -> Option<Self> {
        match attributes & 0x07 {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The attribute bits.
    pub fn bits(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// Unpacks a batch's records. Stops with an error at [`MAX_PLAIN`] bytes; memory grows with
    /// what was unpacked, not with what the payload claims.
    pub fn decompress(self, payload: Bytes) -> Result<Bytes, CompressionError> {
        self.unpack(payload, MAX_PLAIN)
    }

    fn unpack(self, payload: Bytes, limit: usize) -> Result<Bytes, CompressionError> {
        let plain = match self {
            Self::None => return Ok(payload),
            Self::Gzip => bounded(flate2::read::MultiGzDecoder::new(&payload[..]), limit),
            Self::Snappy => unsnap(&payload, limit),
            Self::Lz4 => lz4::Decoder::new(&payload[..])
                .map_err(|error| error.to_string())
                .and_then(|reader| bounded(reader, limit)),
            Self::Zstd => zstd::stream::read::Decoder::with_buffer(&payload[..])
                .map_err(|error| error.to_string())
                .and_then(|reader| bounded(reader, limit)),
        };
        plain.map(Bytes::from).map_err(|detail| CompressionError {
            codec: self,
            detail,
        })
    }

    /// Packs records.
    pub fn compress(self, plain: BytesMut) -> Result<Bytes, CompressionError> {
        let packed = match self {
            Self::None => return Ok(plain.freeze()),
            Self::Gzip => gzip(&plain).map_err(|error| error.to_string()),
            Self::Snappy => snap(&plain).map_err(|error| error.to_string()),
            Self::Lz4 => lz4(&plain).map_err(|error| error.to_string()),
            Self::Zstd => {
                zstd::stream::encode_all(&plain[..], ZSTD_LEVEL).map_err(|error| error.to_string())
            }
        };
        packed.map(Bytes::from).map_err(|detail| CompressionError {
            codec: self,
            detail,
        })
    }
}

fn too_large(limit: usize) -> String {
    format!("it unpacks to more than {limit} bytes")
}

fn bounded(reader: impl Read, limit: usize) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    reader
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|error| error.to_string())?;
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    Ok(plain)
}

/// snappy-java's stream, or one plain Snappy block as librdkafka writes it.
fn unsnap(payload: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let Some(mut blocks) = payload.strip_prefix(SNAPPY_HEADER) else {
        let mut plain = Vec::new();
        unsnap_block(payload, &mut plain, limit)?;
        return Ok(plain);
    };
    let mut plain = Vec::new();
    while !blocks.is_empty() {
        let (length, rest) = blocks
            .split_first_chunk::<4>()
            .ok_or("a block's length is cut short")?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, rest) = rest
            .split_at_checked(length)
            .ok_or("a block is cut short")?;
        unsnap_block(block, &mut plain, limit)?;
        blocks = rest;
    }
    Ok(plain)
}

fn unsnap_block(block: &[u8], plain: &mut Vec<u8>, limit: usize) -> Result<(), String> {
    let length = snap::raw::decompress_len(block).map_err(|error| error.to_string())?;
    if length / SNAPPY_RATIO > block.len() {
        return Err(format!("{} bytes claim to unpack to {length}", block.len()));
    }
    let start = plain.len();
    if start + length > limit {
        return Err(too_large(limit));
    }
    plain.resize(start + length, 0);
    snap::raw::Decoder::new()
        .decompress(block, &mut plain[start..])
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let out = Vec::with_capacity(plain.len() / 2 + 64);
    let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn lz4(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = lz4::EncoderBuilder::new()
        .level(LZ4_LEVEL)
        .block_mode(lz4::BlockMode::Independent)
        .build(Vec::with_capacity(plain.len() / 2 + 64))?;
    encoder.write_all(plain)?;
    let (out, result) = encoder.finish();
    result.map(|()| out)
}

fn snap(plain: &[u8]) -> Result<Vec<u8>, snap::Error> {
    let mut out = Vec::with_capacity(plain.len() / 2 + 64);
    out.extend_from_slice(SNAPPY_HEADER);
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(SNAPPY_BLOCK) {
        let packed = encoder.compress_vec(block)?;
        out.extend_from_slice(&(packed.len() as u32).to_be_bytes());
        out.extend_from_slice(&packed);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::compression::{Decompressor as _, Gzip, Lz4, Snappy, Zstd};
    use proptest::prelude::*;

    use super::*;

    const PACKED: [Compression; 4] = [
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    /// The protocol crate's reader, as the oracle of the format.
    fn oracle(codec: Compression, packed: Bytes) -> Bytes {
        let mut packed = packed;
        match codec {
            Compression::None => Ok(packed),
            Compression::Gzip => Gzip::decompress(&mut packed, |plain| Ok(plain.split_off(0))),
            Compression::Snappy => Snappy::decompress(&mut packed, |plain| Ok(plain.split_off(0))),
            Compression::Lz4 => Lz4::decompress(&mut packed, |plain| Ok(plain.split_off(0))),
            Compression::Zstd => Zstd::decompress(&mut packed, |plain| Ok(plain.split_off(0))),
        }
        .expect("unpacks")
    }

    #[test]
    fn a_bomb_is_an_error() {
        const LIMIT: usize = 1 << 20;
        for codec in PACKED {
            let bomb = |size| codec.compress(BytesMut::zeroed(size)).expect("packs");
            let error = codec.unpack(bomb(LIMIT + 1), LIMIT).expect_err("too large");
            assert!(error.to_string().contains("more than 1048576"), "{error}");
            assert_eq!(codec.unpack(bomb(LIMIT), LIMIT).expect("fits").len(), LIMIT);
        }
    }

    #[test]
    fn a_snappy_block_that_claims_gigabytes_is_an_error() {
        let claim = [0xff_u8, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        assert!(
            Compression::Snappy
                .decompress(Bytes::copy_from_slice(&claim))
                .is_err()
        );
    }

    #[test]
    fn a_plain_snappy_block_is_read_too() {
        let block = snap::raw::Encoder::new()
            .compress_vec(&[7; 5_000])
            .expect("packs");
        let plain = Compression::Snappy
            .decompress(block.into())
            .expect("unpacks");
        assert_eq!(plain, [7; 5_000][..]);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            pieces in proptest::collection::vec((any::<u8>(), 0_usize..9_000), 0..20),
        ) {
            let plain: Vec<u8> = pieces
                .iter()
                .flat_map(|(byte, count)| std::iter::repeat_n(*byte, *count))
                .collect();
            for codec in PACKED {
                let packed = codec.compress(BytesMut::from(&plain[..])).expect("packs");
                prop_assert_eq!(&oracle(codec, packed.clone()), &plain);
                prop_assert_eq!(&codec.decompress(packed).expect("unpacks"), &plain);
            }
        }

        #[test]
        fn arbitrary_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for codec in PACKED {
                let _ = codec.decompress(Bytes::from(bytes.clone()));
            }
        }
    }
}
