//! Record batches as they come in a fetch.
#![no_main]

use bytes::{BufMut, Bytes, BytesMut};
use codec::Compression;
use fuzz::exercise_records;
use libfuzzer_sys::fuzz_target;

// The first byte chooses: the bytes as they are; with true length and checksum, so that what is
// behind those checks is reached; or as the records of a batch, packed by one of the codecs.
fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    match how % 8 {
        0 => exercise_records(Bytes::copy_from_slice(rest)),
        1 => exercise_records(sealed(BytesMut::from(rest))),
        2 => {
            // A payload of one's own behind a header of any codec.
            let codec = i16::from(how / 8 % 8);
            exercise_records(batch(codec, rest));
        }
        packed => {
            let codec = Compression::from_attributes(i16::from(packed - 3)).expect("a codec");
            let Some((head, plain)) = rest.split_at_checked(6) else {
                return;
            };
            let Ok(payload) = codec.compress(BytesMut::from(plain)) else {
                return;
            };
            let body = [head, &payload[..]].concat();
            exercise_records(batch(codec.bits(), &body));
        }
    }
});

/// A batch whose attributes' high byte, record count and last offset delta come from `body`.
fn batch(codec: i16, body: &[u8]) -> Bytes {
    let Some((head, payload)) = body.split_at_checked(6) else {
        return Bytes::new();
    };
    let mut out = BytesMut::new();
    out.put_i64(1_000);
    out.put_i32(0);
    out.put_i32(3);
    out.put_i8(2);
    out.put_u32(0);
    out.put_i16(codec | i16::from(head[0] & 7) << 3);
    out.put_i32(i32::from(i16::from_be_bytes([head[1], head[2]])));
    out.put_i64(1_700_000_000_000);
    out.put_i64(1_700_000_000_100);
    out.put_i64(-1);
    out.put_i16(-1);
    out.put_i32(-1);
    out.put_i32(i32::from_be_bytes([0, head[3], head[4], head[5]]));
    out.put_slice(payload);
    sealed(out)
}

fn sealed(mut bytes: BytesMut) -> Bytes {
    if bytes.len() >= 61 {
        let length = (bytes.len() - 12) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[16] = 2;
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    bytes.freeze()
}
