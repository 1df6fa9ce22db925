//! A buffer that lets no length pass that cannot be true.

use std::fmt::Display;
use std::ops::Range;

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::buf::ByteBuf;

/// A number is too large for a length where it exceeds the bytes behind it by more than this. This
/// many elements are no burden, and small numbers at a message's end (the tags of tagged fields)
/// stay what they are.
const SLACK: usize = 1 << 16;

/// What a suspected number reads as: no length, and not the null that −1 is.
const NO_LENGTH: i32 = -2;

/// See [`crate::message::decode`].
#[derive(Debug)]
pub(crate) struct Gauge {
    rest: Bytes,
    /// The last number that was too large for a length.
    replaced: Option<u32>,
}

impl Gauge {
    pub(crate) fn new(rest: Bytes) -> Self {
        Self {
            rest,
            replaced: None,
        }
    }

    /// Some number did not read as it is.
    pub(crate) fn has_replaced(&self) -> bool {
        self.replaced.is_some()
    }

    /// The decoder's words, and ours where we made it fail.
    pub(crate) fn explain(&self, error: &impl Display) -> String {
        match self.replaced {
            None => format!("{error:#}"),
            Some(number) => {
                format!("{error:#} (a length may be {number}, which is more than there is)")
            }
        }
    }

    /// What is not read yet.
    pub(crate) fn into_rest(self) -> Bytes {
        self.rest
    }

    fn exceeds(&self, number: u32) -> bool {
        number as usize > self.rest.len().saturating_add(SLACK)
    }
}

/// The unsigned integer of variable length at the front, as `kafka-protocol` reads it: five bytes
/// at most. Zero where it is cut short.
fn varint(bytes: &[u8]) -> u32 {
    let mut value = 0_u32;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (index * 7);
        if *byte < 0x80 || index == 4 {
            return value;
        }
    }
    0
}

impl Buf for Gauge {
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.rest
    }

    fn advance(&mut self, count: usize) {
        self.rest.advance(count);
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        self.rest.split_to(length)
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let number = self.rest.try_get_i32()?;
        match u32::try_from(number) {
            Ok(large) if self.exceeds(large) => {
                self.replaced = Some(large);
                Ok(NO_LENGTH)
            }
            Ok(_) | Err(_) => Ok(number),
        }
    }

    /// Integers of variable length are read byte by byte. They are lengths, but for the tags of
    /// tagged fields, which are small; truth values are a byte as well, zero or one. So a number
    /// that is too large for a length is an error at once. The bytes of a number after its first
    /// form smaller ones.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let number = varint(&self.rest);
        if self.exceeds(number) {
            self.replaced = Some(number);
            return Err(TryGetError {
                requested: number as usize,
                available: self.rest.len(),
            });
        }
        self.rest.try_get_u8()
    }
}

impl ByteBuf for Gauge {
    fn peek_bytes(&mut self, range: Range<usize>) -> Bytes {
        self.rest.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.rest.split_to(size)
    }
}
