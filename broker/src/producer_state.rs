//! What a partition remembers of idempotent producers.
//!
//! Follows `ProducerStateEntry` and `ProducerAppendInfo` of Apache Kafka: per producer id the
//! epoch and the sequence ranges of the last five batches. A repeated range is answered from
//! memory, a gap is refused, an older epoch is fenced, and an unknown producer may start anywhere.

use std::collections::{BTreeMap, VecDeque};

use thiserror::Error;

use crate::batch::Header;

/// How many batches of a producer can be recognised when sent again.
const REMEMBERED_BATCHES: usize = 5;

/// Why an idempotent batch was refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum SequenceError {
    /// The sequence does not follow the last one: something was lost in between.
    #[error(
        "out of order sequence number for producer {producer_id}: got {got}, last accepted {last}"
    )]
    OutOfOrder {
        producer_id: i64,
        got: i32,
        last: i32,
    },
    /// A new epoch has to start at sequence zero.
    #[error(
        "producer {producer_id} starts epoch {epoch} at sequence {got}, a new epoch starts at 0"
    )]
    NewEpochNotAtZero {
        producer_id: i64,
        epoch: i16,
        got: i32,
    },
    /// A newer instance of this producer has written already.
    #[error("producer {producer_id} writes with epoch {got}, the current epoch is {current}")]
    Fenced {
        producer_id: i64,
        got: i16,
        current: i16,
    },
}

/// A batch that was accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) first_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) max_timestamp: i64,
}

/// What to do with a batch whose sequence was checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Append it.
    Append,
    /// It is in the log already: acknowledge it with its offset and append nothing.
    Duplicate(Remembered),
}

/// One producer's row, as `DescribeProducers` reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    pub(crate) epoch: i16,
    pub(crate) last_timestamp: i64,
    batches: VecDeque<Remembered>,
}

impl ProducerEntry {
    /// Sequence of the last accepted record; -1 when none is known.
    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |batch| batch.last_sequence)
    }
}

/// All producers of one partition.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    entries: BTreeMap<i64, ProducerEntry>,
}

impl Producers {
    /// Checks the sequence of a batch without changing anything.
    pub(crate) fn check(&self, batch: &Header) -> Result<Verdict, SequenceError> {
        let Some(entry) = self.entries.get(&batch.producer_id) else {
            return Ok(Verdict::Append);
        };
        let (first, last) = (batch.base_sequence, batch.last_sequence());
        if batch.producer_epoch == entry.epoch
            && let Some(seen) = entry
                .batches
                .iter()
                .find(|seen| seen.first_sequence == first && seen.last_sequence == last)
        {
            return Ok(Verdict::Duplicate(*seen));
        }
        let producer_id = batch.producer_id;
        if batch.producer_epoch < entry.epoch {
            return Err(SequenceError::Fenced {
                producer_id,
                got: batch.producer_epoch,
                current: entry.epoch,
            });
        }
        if batch.producer_epoch > entry.epoch {
            return if first == 0 {
                Ok(Verdict::Append)
            } else {
                Err(SequenceError::NewEpochNotAtZero {
                    producer_id,
                    epoch: batch.producer_epoch,
                    got: first,
                })
            };
        }
        let known = entry.last_sequence();
        let follows = i64::from(first) == i64::from(known) + 1 || (first == 0 && known == i32::MAX);
        if follows {
            Ok(Verdict::Append)
        } else {
            Err(SequenceError::OutOfOrder {
                producer_id,
                got: first,
                last: known,
            })
        }
    }

    /// Remembers an appended batch. `batch` is the header as sent, `base_offset` where it landed.
    pub(crate) fn record(&mut self, batch: &Header, base_offset: i64, max_timestamp: i64) {
        let entry = self
            .entries
            .entry(batch.producer_id)
            .or_insert_with(|| ProducerEntry {
                epoch: batch.producer_epoch,
                last_timestamp: max_timestamp,
                batches: VecDeque::with_capacity(REMEMBERED_BATCHES),
            });
        if entry.epoch != batch.producer_epoch {
            entry.epoch = batch.producer_epoch;
            entry.batches.clear();
        }
        if entry.batches.len() == REMEMBERED_BATCHES {
            entry.batches.pop_front();
        }
        entry.batches.push_back(Remembered {
            first_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence(),
            base_offset,
            max_timestamp,
        });
        entry.last_timestamp = max_timestamp;
    }

    /// Forgets producers whose last record is older than `horizon_ms` (milliseconds since 1970).
    ///
    /// As on a real broker the age is that of the *record*, so a mirror that writes old records
    /// is forgotten at the next round.
    pub(crate) fn expire(&mut self, horizon_ms: i64) {
        self.entries
            .retain(|_, entry| entry.last_timestamp > horizon_ms);
    }

    /// Keeps only each producer's last batch: all that a snapshot on disk holds.
    pub(crate) fn reload(&mut self) {
        for entry in self.entries.values_mut() {
            let keep = entry.batches.len().saturating_sub(1);
            entry.batches.drain(..keep);
        }
    }

    /// All producers by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &ProducerEntry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(epoch: i16, first: i32, count: i32) -> Header {
        Header {
            base_offset: 0,
            crc: 0,
            attributes: 0,
            last_offset_delta: count - 1,
            base_timestamp: 0,
            max_timestamp: 0,
            producer_id: 7,
            producer_epoch: epoch,
            base_sequence: first,
            record_count: count,
        }
    }

    fn accept(producers: &mut Producers, header: &Header, offset: i64) {
        assert_eq!(producers.check(header), Ok(Verdict::Append));
        producers.record(header, offset, 0);
    }

    #[test]
    fn an_unknown_producer_starts_anywhere_and_then_continues() {
        let mut producers = Producers::default();
        accept(&mut producers, &batch(3, 500, 10), 0);
        accept(&mut producers, &batch(3, 510, 1), 10);
        assert_eq!(
            producers.check(&batch(3, 512, 1)),
            Err(SequenceError::OutOfOrder {
                producer_id: 7,
                got: 512,
                last: 510
            })
        );
    }

    #[test]
    fn five_batches_are_remembered_and_the_sixth_last_is_out_of_order() {
        let mut producers = Producers::default();
        for i in 0..6 {
            accept(&mut producers, &batch(0, i * 10, 10), i64::from(i) * 10);
        }
        let Ok(Verdict::Duplicate(seen)) = producers.check(&batch(0, 10, 10)) else {
            panic!("the fifth last batch is remembered");
        };
        assert_eq!(seen.base_offset, 10);
        assert!(matches!(
            producers.check(&batch(0, 0, 10)),
            Err(SequenceError::OutOfOrder {
                got: 0,
                last: 59,
                ..
            })
        ));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let mut producers = Producers::default();
        accept(&mut producers, &batch(0, i32::MAX - 1, 4), 0);
        assert_eq!(producers.entries[&7].last_sequence(), 1);
        accept(&mut producers, &batch(0, 2, 1), 4);
        let mut exact = Producers::default();
        accept(&mut exact, &batch(0, i32::MAX, 1), 0);
        accept(&mut exact, &batch(0, 0, 1), 1);
    }

    #[test]
    fn epochs_fence_and_restart_at_zero() {
        let mut producers = Producers::default();
        accept(&mut producers, &batch(1, 0, 5), 0);
        assert!(matches!(
            producers.check(&batch(2, 5, 1)),
            Err(SequenceError::NewEpochNotAtZero { got: 5, .. })
        ));
        accept(&mut producers, &batch(2, 0, 1), 5);
        assert_eq!(
            producers.check(&batch(1, 0, 5)),
            Err(SequenceError::Fenced {
                producer_id: 7,
                got: 1,
                current: 2
            })
        );
    }

    #[test]
    fn expiry_goes_by_record_time_and_reload_keeps_one_batch() {
        let mut producers = Producers::default();
        producers.record(&batch(0, 0, 1), 0, 1_000);
        producers.record(&batch(0, 1, 1), 1, 2_000);
        producers.reload();
        assert!(matches!(
            producers.check(&batch(0, 0, 1)),
            Err(SequenceError::OutOfOrder { .. })
        ));
        assert!(matches!(
            producers.check(&batch(0, 1, 1)),
            Ok(Verdict::Duplicate(_))
        ));
        producers.expire(1_999);
        assert_eq!(producers.iter().count(), 1);
        producers.expire(2_000);
        assert_eq!(producers.iter().count(), 0);
    }
}
