//! Records of chosen sizes, together in one batch.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};

use super::mixed::milliseconds_ago;
use super::producer::{Sender, Shape};
use crate::Result;

/// Larger than any batch that a test writes.
const LARGEST: &str = "33554432";

/// Writes one record for each of `sizes` (bytes of its value) into a partition, all in one batch, which is larger than
/// brokers take by default where the sizes add up to that. Keys are `k0`, `k1`, …; each record has a header `number`.
/// Returns how many were acknowledged, which is all of them.
pub fn write_batch(
    servers: &str,
    topic: &str,
    partition: i32,
    codec: &str,
    sizes: &[usize],
) -> Result<u64> {
    let settings = [
        ("message.max.bytes", LARGEST),
        ("batch.size", LARGEST),
        // nothing leaves before the flush
        ("linger.ms", "20000"),
    ];
    let sender = Sender::with(servers, topic, codec, &settings)?;
    let now = milliseconds_ago(Duration::ZERO);
    for (number, size) in sizes.iter().enumerate() {
        let text = number.to_string();
        let header = Header {
            key: "number",
            value: Some(text.as_str()),
        };
        let shape = Shape {
            key: Some(format!("k{number}")),
            value: Some(noise(number as u64 + 1, *size)),
            headers: Some(OwnedHeaders::new().insert(header)),
            timestamp: now + number as i64,
        };
        sender.send(partition, shape)?;
    }
    sender.flush()
}

/// Text that codecs make little smaller.
fn noise(seed: u64, length: usize) -> String {
    const DIGITS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let digit = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(DIGITS[(state >> 58) as usize])
    };
    (0..length).map(digit).collect()
}
