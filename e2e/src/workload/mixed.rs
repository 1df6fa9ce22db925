//! A bulk of records of every shape, in every codec.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::producer::{Sender, shape};
use crate::Result;

/// Every codec of the record format.
pub const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// How many records go out in one codec before the next takes over.
const TURN: u64 = 20_000;

/// Writes `records` records of mixed shapes over `partitions` partitions, changing the codec as it goes, so that
/// every partition holds batches of every codec. Timestamps lie half a day back and are all different.
/// Returns how many records were acknowledged, which is all of them.
pub fn write_mixed(servers: &str, topic: &str, partitions: u16, records: u64) -> Result<u64> {
    let first_timestamp = milliseconds_ago(Duration::from_hours(12));
    let turn = TURN.min(records.div_ceil(CODECS.len() as u64)).max(1);
    let senders = CODECS
        .into_iter()
        .map(|codec| Sender::new(servers, topic, codec))
        .collect::<Result<Vec<_>>>()?;
    let mut next = 0;
    for sender in senders.iter().cycle() {
        if next == records {
            break;
        }
        let end = records.min(next + turn);
        for number in next..end {
            // a partition gets runs of neighbours, as from a real producer
            let partition = (number / 10) % u64::from(partitions);
            sender.send(partition as i32, shape(first_timestamp, number))?;
        }
        next = end;
        // records of different producers have no order among each other: one turn ends before the next begins
        sender.flush()?;
    }
    senders.iter().map(Sender::flush).sum()
}

/// A point in time before now, in milliseconds since 1970.
pub(crate) fn milliseconds_ago(before: Duration) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_sub(before).as_millis() as i64
}
