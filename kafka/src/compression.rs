use bytes::{Bytes, BytesMut};
use kafka_protocol::compression::{Compressor, Decompressor, Gzip, Lz4, Snappy, Zstd};

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

    pub(crate) fn decompress(self, mut payload: Bytes) -> Result<Bytes, CompressionError> {
        macro_rules! with {
            ($codec:ty) => {
                <$codec as Decompressor<Bytes>>::decompress(&mut payload, |plain| {
                    Ok(std::mem::take(plain))
                })
            };
        }
        match self {
            Self::None => return Ok(payload),
            Self::Gzip => with!(Gzip),
            Self::Snappy => with!(Snappy),
            Self::Lz4 => with!(Lz4),
            Self::Zstd => with!(Zstd),
        }
        .map_err(|error| CompressionError {
            codec: self,
            detail: error.to_string(),
        })
    }

    pub(crate) fn compress(self, plain: BytesMut) -> Result<Bytes, CompressionError> {
        let mut out = BytesMut::with_capacity(plain.len() / 2 + 64);
        macro_rules! with {
            ($codec:ty) => {
                <$codec as Compressor<BytesMut>>::compress(&mut out, |buffer| {
                    bytes::BufMut::put_slice(buffer, &plain);
                    Ok(())
                })
            };
        }
        match self {
            Self::None => return Ok(plain.freeze()),
            Self::Gzip => with!(Gzip),
            Self::Snappy => with!(Snappy),
            Self::Lz4 => with!(Lz4),
            Self::Zstd => with!(Zstd),
        }
        .map_err(|error| CompressionError {
            codec: self,
            detail: error.to_string(),
        })?;
        Ok(out.freeze())
    }
}
