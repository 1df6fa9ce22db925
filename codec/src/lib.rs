//! Bytes from the network into messages and payloads, within bounds: whatever a peer sends, the
//! answer is a value or an error, never a panic, and never much more memory than the bytes that
//! came.
//!
//! - [`message::decode`] reads a protocol message,
//! - [`Compression`] unpacks the records of a batch.

mod compression;
mod gauge;
pub mod message;

pub use compression::{Compression, CompressionError, MAX_PLAIN};
