//! One partition's log: batches in memory, checked on the way in as a real broker checks them.

use std::collections::VecDeque;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use thiserror::Error;

use crate::batch::{self, FrameError, Front, Header, Stamp};
use crate::compaction::{self, Tombstones};
use crate::configs::TopicSettings;
use crate::producer_state::{Producers, SequenceError, Verdict};
use crate::records::{self, RecordsError};

/// Why a record set was not appended.
#[derive(Debug, Error)]
pub(crate) enum AppendError {
    #[error("the record set is corrupt")]
    Frame(#[from] FrameError),
    #[error("the record set holds no whole batch")]
    Empty,
    #[error("record batches need magic 2, got {0}")]
    Magic(i8),
    #[error("a produce request has exactly one record batch per partition")]
    SeveralBatches,
    #[error("record batch of {0} bytes is shorter than a header")]
    ShortHeader(usize),
    #[error("record is corrupt: stored checksum {stored}, computed {computed}")]
    Checksum { stored: u32, computed: u32 },
    #[error("the base offset of an appended record batch should be 0, but it is {0}")]
    BaseOffset(i64),
    #[error("record batch of {size} bytes exceeds the maximum of {max} bytes")]
    TooLarge { size: usize, max: i64 },
    #[error("offset range of {span} does not match the record count of {count}")]
    CountMismatch { span: i64, count: i32 },
    #[error("clients are not allowed to write control records")]
    Control,
    #[error("invalid sequence number {0} in a record batch with a producer id")]
    NoSequence(i32),
    #[error("transactions are not supported")]
    Transactional,
    #[error("zstd needs produce version 7 or newer")]
    CodecTooNew,
    #[error("timestamp {timestamp} is outside [{earliest}, {latest}]")]
    Timestamp {
        timestamp: i64,
        earliest: i64,
        latest: i64,
    },
    #[error("compacted topic cannot accept a message without key")]
    NoKey,
    #[error("the records of the batch cannot be read")]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    #[error("only {have} replicas in sync, {need} are needed")]
    NotEnoughReplicas { have: usize, need: i64 },
    #[error("the cluster's memory limit of {limit} bytes is reached")]
    StorageFull { limit: u64 },
}

impl AppendError {
    /// The error the client gets.
    pub(crate) fn response(&self) -> ResponseError {
        match self {
            Self::Frame(_) | Self::Checksum { .. } | Self::ShortHeader(_) => {
                ResponseError::CorruptMessage
            }
            Self::Empty
            | Self::Magic(_)
            | Self::SeveralBatches
            | Self::BaseOffset(_)
            | Self::CountMismatch { .. }
            | Self::Control
            | Self::NoSequence(_)
            | Self::NoKey
            | Self::Records(_) => ResponseError::InvalidRecord,
            Self::TooLarge { .. } => ResponseError::MessageTooLarge,
            Self::Transactional => ResponseError::InvalidTxnState,
            Self::CodecTooNew => ResponseError::UnsupportedCompressionType,
            Self::Timestamp { .. } => ResponseError::InvalidTimestamp,
            Self::Sequence(
                SequenceError::OutOfOrder { .. } | SequenceError::NewEpochNotAtZero { .. },
            ) => ResponseError::OutOfOrderSequenceNumber,
            Self::Sequence(SequenceError::Fenced { .. }) => ResponseError::InvalidProducerEpoch,
            Self::NotEnoughReplicas { .. } => ResponseError::NotEnoughReplicas,
            Self::StorageFull { .. } => ResponseError::KafkaStorageError,
        }
    }
}

/// Where an accepted batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) base_offset: i64,
    /// Milliseconds since 1970, or -1 where the producer's timestamps were kept.
    pub(crate) log_append_time: i64,
    /// Bytes now in the log that were not before; 0 for a duplicate.
    pub(crate) added: usize,
}

/// What an append needs to know of its surroundings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppendContext<'a> {
    pub(crate) settings: &'a TopicSettings,
    /// Version of the produce request.
    pub(crate) version: i16,
    pub(crate) leader_epoch: i32,
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
}

/// One batch as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredBatch {
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) bytes: Bytes,
}

/// What a read found.
#[derive(Debug, Default)]
pub(crate) struct Slices {
    pub(crate) parts: Vec<Bytes>,
    pub(crate) len: usize,
}

/// A position found by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
}

/// The log of one partition. High watermark and last stable offset are its end: replicas share
/// one memory, and there are no transactions.
#[derive(Debug, Default)]
pub(crate) struct PartitionLog {
    start: i64,
    end: i64,
    bytes: u64,
    batches: VecDeque<StoredBatch>,
    producers: Producers,
    /// Leader epochs with the offset each began at, oldest first.
    epochs: Vec<(i32, i64)>,
}

impl PartitionLog {
    /// First offset that can be read.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// Offset the next record gets.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Bytes of its batches.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn batches(&self) -> &VecDeque<StoredBatch> {
        &self.batches
    }

    pub(crate) fn producers(&self) -> &Producers {
        &self.producers
    }

    pub(crate) fn producers_mut(&mut self) -> &mut Producers {
        &mut self.producers
    }

    /// Checks one record set and appends it.
    pub(crate) fn append(
        &mut self,
        record_set: &[u8],
        context: AppendContext<'_>,
    ) -> Result<Appended, AppendError> {
        let (bytes, header) = check_batch(record_set, &context)?;
        let settings = context.settings;
        let max_timestamp = if settings.log_append_time {
            context.now_ms
        } else {
            header.max_timestamp
        };
        if header.has_producer()
            && let Verdict::Duplicate(seen) = self.producers.check(&header)?
        {
            let log_append_time = if settings.log_append_time {
                seen.max_timestamp
            } else {
                -1
            };
            return Ok(Appended {
                base_offset: seen.base_offset,
                log_append_time,
                added: 0,
            });
        }
        let base_offset = self.end;
        let stamp = match (settings.log_append_time, header.is_log_append_time()) {
            (true, _) => Stamp::LogAppendTime(context.now_ms),
            (false, true) => Stamp::CreateTime { max_timestamp },
            (false, false) => Stamp::Kept,
        };
        let stored = batch::stored(bytes, base_offset, context.leader_epoch, stamp);
        if header.has_producer() {
            self.producers.record(&header, base_offset, max_timestamp);
        }
        if self
            .epochs
            .last()
            .is_none_or(|(epoch, _)| *epoch < context.leader_epoch)
        {
            self.epochs.push((context.leader_epoch, base_offset));
        }
        let last_offset = base_offset + i64::from(header.last_offset_delta);
        let added = stored.len();
        self.batches.push_back(StoredBatch {
            base_offset,
            last_offset,
            max_timestamp,
            bytes: stored,
        });
        self.bytes += added as u64;
        self.end = last_offset + 1;
        let log_append_time = if settings.log_append_time {
            context.now_ms
        } else {
            -1
        };
        Ok(Appended {
            base_offset,
            log_append_time,
            added,
        })
    }

    /// Reads whole batches from the one that holds `offset` on, up to `max_bytes`.
    ///
    /// As on a real broker the last batch may be cut off by the limit; with `at_least_one` the
    /// first batch comes whole whatever its size, without it a first batch that does not fit
    /// yields nothing. `offset` lies between start and end.
    pub(crate) fn read(&self, offset: i64, max_bytes: usize, at_least_one: bool) -> Slices {
        let mut found = Slices::default();
        let first = self
            .batches
            .partition_point(|batch| batch.last_offset < offset);
        for batch in self.batches.range(first..) {
            let room = max_bytes.saturating_sub(found.len);
            let whole = batch.bytes.len() <= room;
            if !whole && found.parts.is_empty() && !at_least_one {
                break;
            }
            let take = if whole || found.parts.is_empty() {
                batch.bytes.len()
            } else {
                room
            };
            if take == 0 {
                break;
            }
            found.parts.push(batch.bytes.slice(..take));
            found.len += take;
            if !whole {
                break;
            }
        }
        found
    }

    /// Moves the start forward and drops batches wholly before it. Returns the bytes freed.
    pub(crate) fn delete_before(&mut self, offset: i64) -> u64 {
        self.start = self.start.max(offset.min(self.end));
        let mut freed = 0;
        while let Some(batch) = self.batches.front()
            && batch.last_offset < self.start
        {
            freed += batch.bytes.len() as u64;
            self.batches.pop_front();
        }
        self.bytes -= freed;
        freed
    }

    /// Takes back everything from `offset` on; a batch that holds it goes whole. Returns the bytes
    /// freed.
    pub(crate) fn truncate(&mut self, offset: i64) -> u64 {
        let mut freed = 0;
        while let Some(batch) = self.batches.back()
            && batch.last_offset >= offset
        {
            freed += batch.bytes.len() as u64;
            self.end = batch.base_offset;
            self.batches.pop_back();
        }
        self.bytes -= freed;
        let end = self.end;
        self.epochs.retain(|(_, start)| *start < end);
        self.producers = Producers::default();
        freed
    }

    /// Applies size and time retention. Returns the bytes freed.
    ///
    /// Real brokers drop whole segments; here a batch is the unit.
    pub(crate) fn retain(&mut self, settings: &TopicSettings, now_ms: i64) -> u64 {
        let mut freed = self.retain_bytes(settings);
        if !settings.delete_policy || settings.retention_ms < 0 {
            return freed;
        }
        while let Some(batch) = self.batches.front()
            && now_ms.saturating_sub(batch.max_timestamp) > settings.retention_ms
        {
            freed += self.delete_before(batch.last_offset + 1);
        }
        freed
    }

    /// Applies size retention: the oldest batches go while the rest still is as large as wanted.
    /// Returns the bytes freed.
    pub(crate) fn retain_bytes(&mut self, settings: &TopicSettings) -> u64 {
        let mut freed = 0;
        if !settings.delete_policy || settings.retention_bytes < 0 {
            return freed;
        }
        while let Some(batch) = self.batches.front()
            && self.bytes as i64 - batch.bytes.len() as i64 >= settings.retention_bytes
        {
            freed += self.delete_before(batch.last_offset + 1);
        }
        freed
    }

    /// First record with this timestamp or a later one.
    pub(crate) fn find_by_time(&self, timestamp: i64) -> Result<Option<Found>, RecordsError> {
        for batch in &self.batches {
            if batch.max_timestamp < timestamp {
                continue;
            }
            let found = records::stamps(&batch.bytes)?
                .into_iter()
                .find(|stamp| stamp.offset >= self.start && stamp.timestamp >= timestamp);
            if let Some(stamp) = found {
                return Ok(Some(Found {
                    offset: stamp.offset,
                    timestamp: stamp.timestamp,
                }));
            }
        }
        Ok(None)
    }

    /// The first record that has the largest timestamp.
    pub(crate) fn find_max_time(&self) -> Result<Option<Found>, RecordsError> {
        let mut best: Option<&StoredBatch> = None;
        for batch in &self.batches {
            if best.is_none_or(|best| batch.max_timestamp > best.max_timestamp) {
                best = Some(batch);
            }
        }
        let Some(best) = best else { return Ok(None) };
        let found = records::stamps(&best.bytes)?
            .into_iter()
            .find(|stamp| stamp.timestamp >= best.max_timestamp)
            .map_or(best.last_offset, |stamp| stamp.offset);
        Ok(Some(Found {
            offset: found,
            timestamp: best.max_timestamp,
        }))
    }

    /// The newest epoch not after `epoch`, and the offset at which it ended.
    pub(crate) fn epoch_end(&self, epoch: i32, current: i32) -> Option<(i32, i64)> {
        if epoch == current {
            return Some((epoch, self.end));
        }
        let after = self.epochs.partition_point(|(known, _)| *known <= epoch);
        let (found, _) = self.epochs.get(after.checked_sub(1)?)?;
        let end = self.epochs.get(after).map_or(self.end, |(_, start)| *start);
        Some((*found, end))
    }

    /// The leader epoch in which an offset was written.
    pub(crate) fn epoch_at(&self, offset: i64) -> Option<i32> {
        let after = self.epochs.partition_point(|(_, start)| *start <= offset);
        self.epochs
            .get(after.checked_sub(1)?)
            .map(|(epoch, _)| *epoch)
    }

    /// Compacts the log. Returns the bytes freed.
    pub(crate) fn compact(&mut self, tombstones: Tombstones) -> Result<u64, RecordsError> {
        let before = self.bytes;
        self.batches = compaction::compact(&self.batches, tombstones)?;
        self.bytes = self
            .batches
            .iter()
            .map(|batch| batch.bytes.len() as u64)
            .sum();
        Ok(before.saturating_sub(self.bytes))
    }
}

/// Checks a record set that does not depend on the log's state; the order is the real broker's.
fn check_batch<'a>(
    record_set: &'a [u8],
    context: &AppendContext<'_>,
) -> Result<(&'a [u8], Header), AppendError> {
    let Front::Batch { len, magic } = batch::front(record_set)? else {
        return Err(AppendError::Empty);
    };
    if magic != 2 {
        return Err(AppendError::Magic(magic));
    }
    let (bytes, rest) = record_set.split_at(len);
    let header = Header::parse(bytes).ok_or(AppendError::ShortHeader(len))?;
    if header.compression() == 4 && context.version < 7 {
        return Err(AppendError::CodecTooNew);
    }
    if let Front::Batch { .. } = batch::front(rest)? {
        return Err(AppendError::SeveralBatches);
    }
    if header.base_offset != 0 {
        return Err(AppendError::BaseOffset(header.base_offset));
    }
    let settings = context.settings;
    if len as i64 > settings.max_message_bytes {
        return Err(AppendError::TooLarge {
            size: len,
            max: settings.max_message_bytes,
        });
    }
    let computed = batch::computed_crc(bytes);
    if header.crc != computed {
        return Err(AppendError::Checksum {
            stored: header.crc,
            computed,
        });
    }
    let span = i64::from(header.last_offset_delta) + 1;
    if header.record_count <= 0 || span != i64::from(header.record_count) {
        return Err(AppendError::CountMismatch {
            span,
            count: header.record_count,
        });
    }
    if header.is_control() {
        return Err(AppendError::Control);
    }
    if header.has_producer() && header.base_sequence < 0 {
        return Err(AppendError::NoSequence(header.base_sequence));
    }
    if header.is_transactional() {
        return Err(AppendError::Transactional);
    }
    check_records(bytes, &header, context)?;
    Ok((bytes, header))
}

/// Checks what lies in the records. They are only decoded where a setting asks for it; for the
/// upper time limit the header's maximum is enough.
fn check_records(
    bytes: &[u8],
    header: &Header,
    context: &AppendContext<'_>,
) -> Result<(), AppendError> {
    let settings = context.settings;
    let earliest = context.now_ms.saturating_sub(settings.before_max_ms);
    let latest = context.now_ms.saturating_add(settings.after_max_ms);
    let timed = !settings.log_append_time;
    if timed && header.max_timestamp > latest {
        let timestamp = header.max_timestamp;
        return Err(AppendError::Timestamp {
            timestamp,
            earliest,
            latest,
        });
    }
    if header.compression() == 0 {
        records::check_count(&bytes[batch::HEADER_LEN..], header.record_count)?;
    }
    let limited_below = timed && settings.before_max_ms < i64::MAX;
    if !settings.compact_policy && !limited_below {
        return Ok(());
    }
    for record in records::decode(bytes)? {
        if settings.compact_policy && record.key.is_none() {
            return Err(AppendError::NoKey);
        }
        let timestamp = record.timestamp;
        // a producer may leave the timestamp out
        if limited_below && timestamp != -1 && timestamp < earliest {
            return Err(AppendError::Timestamp {
                timestamp,
                earliest,
                latest,
            });
        }
    }
    Ok(())
}
