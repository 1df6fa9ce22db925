//! One request or response as it is on the wire: its length in four bytes, then itself.

use std::io::{Error, ErrorKind, Read, Result};

/// Nothing that brokers and clients say to each other is longer; what is not Kafka's protocol often claims to be.
const LONGEST: usize = 256 << 20;
const LENGTH: usize = 4;

/// The bytes of a frame, its length included.
#[derive(Debug)]
pub(super) struct Frame(pub(super) Vec<u8>);

/// What a request says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestHeader {
    pub(super) api_key: i16,
    pub(super) api_version: i16,
    pub(super) correlation: i32,
}

impl Frame {
    /// The next frame; `None` where the stream ends between two.
    pub(super) fn read(from: &mut impl Read) -> Result<Option<Self>> {
        let mut length = [0; LENGTH];
        let first = loop {
            match from.read(&mut length) {
                Ok(read) => break read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        if first == 0 {
            return Ok(None);
        }
        from.read_exact(&mut length[first..])?;
        let body = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if body > LONGEST {
            return Err(Error::from(ErrorKind::InvalidData));
        }
        let mut bytes = vec![0; LENGTH + body];
        bytes[..LENGTH].copy_from_slice(&length);
        from.read_exact(&mut bytes[LENGTH..])?;
        Ok(Some(Self(bytes)))
    }

    /// The header, if this is a request and long enough for one.
    pub(super) fn request_header(&self) -> Option<RequestHeader> {
        Some(RequestHeader {
            api_key: self.short(LENGTH)?,
            api_version: self.short(LENGTH + 2)?,
            correlation: self.int(LENGTH + 4)?,
        })
    }

    /// Which request it answers, if this is a response.
    pub(super) fn correlation(&self) -> Option<i32> {
        self.int(LENGTH)
    }

    /// The response behind its correlation id.
    pub(super) fn answer(&mut self) -> &mut [u8] {
        let start = self.0.len().min(LENGTH + 4);
        &mut self.0[start..]
    }

    fn short(&self, at: usize) -> Option<i16> {
        let bytes = self.0.get(at..at + 2)?;
        bytes.try_into().ok().map(i16::from_be_bytes)
    }

    fn int(&self, at: usize) -> Option<i32> {
        let bytes = self.0.get(at..at + 4)?;
        bytes.try_into().ok().map(i32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_one_by_one_and_half_ones_are_errors() {
        let request = [0, 0, 0, 9, 0, 3, 0, 12, 0, 0, 1, 0, 7];
        let twice = [request, request].concat();
        let mut wire = twice.as_slice();
        for _ in 0..2 {
            let frame = Frame::read(&mut wire).expect("read").expect("a frame");
            assert_eq!(frame.0, request);
            let header = frame.request_header().expect("a header");
            let said = (header.api_key, header.api_version, header.correlation);
            assert_eq!(said, (3, 12, 256));
        }
        assert!(Frame::read(&mut wire).expect("the end").is_none());
        for wrong in [
            &request[..2],
            &request[..11],
            b"\xff\xff\xff\xff",
            b"GET / HTTP",
        ] {
            let mut wire = wrong;
            assert!(Frame::read(&mut wire).is_err(), "{wrong:?}");
        }
    }
}
