//! Compaction on demand: what the log cleaner of a real broker leaves behind.
//!
//! Per key only the newest record stays. A batch keeps its base offset, last offset, producer and
//! sequence, so its offsets get holes; a batch that loses every record goes, unless it is the last
//! one its producer wrote, which stays with no record in it. Tombstones stay unless they are asked to go. Unlike the real
//! cleaner this one also cleans the newest batches, and it marks no delete horizon (KIP-534).

use std::collections::{BTreeMap, VecDeque};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::compression::{Compressor, Gzip, Lz4, Snappy, Zstd};

use crate::batch::{self, HEADER_LEN, Header};
use crate::log::StoredBatch;
use crate::records::{self, Record, RecordsError};

/// What becomes of records without a value that are the newest of their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tombstones {
    /// As before `delete.retention.ms` is over.
    Stay,
    /// As after it.
    Go,
}

/// Compacts the batches of one partition. `Err` leaves the caller's batches as they were.
pub(crate) fn compact(
    batches: &VecDeque<StoredBatch>,
    tombstones: Tombstones,
) -> Result<VecDeque<StoredBatch>, RecordsError> {
    let mut decoded = Vec::with_capacity(batches.len());
    let mut newest: BTreeMap<Bytes, i64> = BTreeMap::new();
    let mut last_of_producer: BTreeMap<i64, i64> = BTreeMap::new();
    for stored in batches {
        let header = Header::parse(&stored.bytes).ok_or(RecordsError::ShortHeader)?;
        let records = records::decode(&stored.bytes)?;
        for record in &records {
            if let Some(key) = &record.key {
                newest.insert(key.clone(), record.offset);
            }
        }
        if header.has_producer() {
            last_of_producer.insert(header.producer_id, header.base_offset);
        }
        decoded.push((stored, header, records));
    }
    let mut kept = VecDeque::with_capacity(decoded.len());
    for (stored, header, records) in decoded {
        let stays = |record: &&Record| {
            let gone = tombstones == Tombstones::Go && !record.has_value;
            record
                .key
                .as_ref()
                .is_none_or(|key| !gone && newest.get(key) == Some(&record.offset))
        };
        let staying: Vec<&Record> = records.iter().filter(stays).collect();
        let needed = last_of_producer.get(&header.producer_id) == Some(&header.base_offset);
        if staying.len() == records.len() {
            kept.push_back(stored.clone());
        } else if !staying.is_empty() || needed {
            kept.push_back(rewrite(stored, &header, &staying)?);
        }
    }
    Ok(kept)
}

fn rewrite(
    stored: &StoredBatch,
    header: &Header,
    staying: &[&Record],
) -> Result<StoredBatch, RecordsError> {
    let mut bytes = BytesMut::from(&stored.bytes[..HEADER_LEN]);
    batch::set_record_count(&mut bytes, staying.len() as i32);
    if staying.is_empty() {
        batch::clear_compression(&mut bytes);
    } else {
        put_records(&mut bytes, header.compression(), staying)?;
    }
    batch::seal(&mut bytes);
    Ok(StoredBatch {
        bytes: bytes.freeze(),
        ..stored.clone()
    })
}

fn put_records(out: &mut BytesMut, codec: i16, records: &[&Record]) -> Result<(), RecordsError> {
    let put = |buffer: &mut BytesMut| {
        for record in records {
            buffer.put_slice(&record.body);
        }
        Ok(())
    };
    let outcome = match codec {
        0 => put(out),
        1 => Gzip::compress(out, put),
        2 => Snappy::compress(out, put),
        3 => Lz4::compress(out, put),
        4 => Zstd::compress(out, put),
        unknown => {
            let reason = "no such codec".to_owned();
            return Err(RecordsError::Codec {
                codec: unknown,
                reason,
            });
        }
    };
    outcome.map_err(|error| RecordsError::Codec {
        codec,
        reason: format!("{error:#}"),
    })
}
