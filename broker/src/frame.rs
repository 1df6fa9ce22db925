//! Response frames: small parts are gathered, large ones are sent from where they lie.

use std::io::{self, IoSlice};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::{Encodable, HeaderVersion};
use thiserror::Error;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Parts below this many bytes are copied: a slice of its own would cost more.
const COPY_BELOW: usize = 4096;
/// Slices handed to one vectored write.
const SLICES_PER_WRITE: usize = 64;

/// A response that the codec refuses to write, which is a bug of the handler.
#[derive(Debug, Error)]
#[error("response cannot be encoded: {reason}")]
pub(crate) struct EncodeError {
    reason: String,
}

/// One length-prefixed response.
#[derive(Debug)]
pub(crate) struct Frame {
    parts: Vec<Bytes>,
}

impl Frame {
    /// Encodes a response message behind its header.
    pub(crate) fn message<R: Encodable + HeaderVersion>(
        correlation_id: i32,
        version: i16,
        response: &R,
    ) -> Result<Self, EncodeError> {
        let mut builder = FrameBuilder::new();
        let header = ResponseHeader::default().with_correlation_id(correlation_id);
        header
            .encode(builder.buffer(), R::header_version(version))
            .and_then(|()| response.encode(builder.buffer(), version))
            .map_err(|error| EncodeError {
                reason: format!("{error:#}"),
            })?;
        Ok(builder.finish())
    }

    /// Writes the frame. Not cancellation safe: a dropped write leaves half a frame behind.
    pub(crate) async fn write_to<W: AsyncWrite + Unpin>(mut self, out: &mut W) -> io::Result<()> {
        let mut first = 0;
        while first < self.parts.len() {
            let slices: Vec<IoSlice<'_>> = self.parts[first..]
                .iter()
                .take(SLICES_PER_WRITE)
                .map(|part| IoSlice::new(part))
                .collect();
            let mut written = out.write_vectored(&slices).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            while first < self.parts.len() && written >= self.parts[first].len() {
                written -= self.parts[first].len();
                first += 1;
            }
            if written > 0 {
                self.parts[first].advance(written);
            }
        }
        Ok(())
    }
}

/// Builds a frame piece by piece.
#[derive(Debug)]
pub(crate) struct FrameBuilder {
    parts: Vec<Bytes>,
    current: BytesMut,
}

impl FrameBuilder {
    /// An empty frame.
    pub(crate) fn new() -> Self {
        Self {
            parts: Vec::new(),
            current: BytesMut::with_capacity(256),
        }
    }

    /// Where to write small fields.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.current
    }

    /// Adds a payload without copying it, unless it is small.
    pub(crate) fn payload(&mut self, bytes: Bytes) {
        if bytes.len() < COPY_BELOW {
            self.current.put_slice(&bytes);
        } else {
            self.parts.push(self.current.split().freeze());
            self.parts.push(bytes);
        }
    }

    /// Closes the frame and puts its length in front.
    pub(crate) fn finish(mut self) -> Frame {
        self.parts.push(self.current.freeze());
        let length: usize = self.parts.iter().map(Bytes::len).sum();
        self.parts
            .insert(0, Bytes::copy_from_slice(&(length as i32).to_be_bytes()));
        self.parts.retain(|part| !part.is_empty());
        Frame { parts: self.parts }
    }
}
