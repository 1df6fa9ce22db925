//! Makes the records of a workload, one at a time and in any order, from the seed alone.

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::journal::Journal;
use crate::record::{HeaderView, Record, RecordHasher, Timestamp};
use crate::stamp::{RecordId, STAMP_HEADER, Stamp, stamp_hash};

/// Names repeat on purpose: Kafka allows it and a mirror has to keep it.
const HEADER_NAMES: [&str; 3] = ["trace", "tenant", "schema"];

/// Regenerates any record of a run, so that the judge knows what to expect byte for byte.
#[derive(Debug)]
pub struct Generator<'a> {
    journal: &'a Journal,
    hasher: RecordHasher,
}

impl<'a> Generator<'a> {
    /// A generator for the run of this journal.
    pub fn new(journal: &'a Journal) -> Self {
        Self {
            journal,
            hasher: RecordHasher::default(),
        }
    }

    /// The create time of a record, in milliseconds since the epoch: rises over the spread, with
    /// up to a second of jitter, so that neighbours are not always in time order.
    pub fn timestamp(&self, id: RecordId) -> i64 {
        let own = self.journal.own_records();
        if let Some(named) = own.and_then(|records| records.timestamp(id)) {
            return named;
        }
        let spread = self.journal.spec.spread.as_millis() as u64;
        let length = self.journal.stream_length(id.stream).max(1);
        let along = match id.sequence.checked_mul(spread) {
            Some(product) => product / length,
            None => (u128::from(id.sequence) * u128::from(spread) / u128::from(length)) as u64,
        };
        let jitter = scramble(self.journal.spec.seed ^ scramble(id.sequence)) % 1000;
        let offset = (along + jitter).min(spread);
        self.journal.first_timestamp_ms + offset as i64
    }

    /// The record as written, its stamp header included.
    pub fn record(&mut self, id: RecordId) -> Record {
        let own = self.journal.own_records();
        let mut record = match own.and_then(|records| records.content(id)) {
            Some(content) => Record {
                key: content.key,
                value: content.value,
                headers: content.headers,
                timestamp: Timestamp::create(self.timestamp(id)),
            },
            None => self.made_up(id),
        };
        let stamp = Stamp {
            run: self.journal.run,
            id,
            hash: self.hash(&record),
        };
        record
            .headers
            .push((STAMP_HEADER.to_owned(), Some(stamp.encode())));
        record
    }

    /// What the seed decides.
    fn made_up(&self, id: RecordId) -> Record {
        let spec = &self.journal.spec;
        let mut rng = rng(spec.seed, id);
        let key = match rng.random_range(0..100_u32) {
            0..10 => None,
            10..12 => Some(Vec::new()),
            12.. => Some(format!("key-{}", rng.random_range(0..1000_u32)).into_bytes()),
        };
        let value = match rng.random_range(0..100_u32) {
            0..3 => None,
            3..6 => Some(Vec::new()),
            6.. => {
                let length = rng.random_range(spec.min_value_bytes..=spec.max_value_bytes);
                let mut bytes = vec![0; length as usize];
                rng.fill_bytes(&mut bytes);
                // one of 64 letters a byte: the codecs find something to do
                for byte in &mut bytes {
                    *byte = 0x30 + (*byte & 0x3f);
                }
                Some(bytes)
            }
        };
        let headers = (0..rng.random_range(0..4_usize))
            .map(|_| header(&mut rng))
            .collect();
        let timestamp = Timestamp::create(self.timestamp(id));
        Record {
            key,
            value,
            headers,
            timestamp,
        }
    }

    fn hash(&mut self, record: &Record) -> u128 {
        let view = record.view();
        stamp_hash(
            &mut self.hasher,
            view.key,
            view.value,
            &view.headers,
            view.timestamp.millis,
        )
    }

    /// The hash a stamp should carry for this content, given the create time the record should have.
    pub(crate) fn expected_hash(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        other_headers: &[HeaderView<'_>],
        id: RecordId,
    ) -> u128 {
        let create_millis = self.timestamp(id);
        stamp_hash(&mut self.hasher, key, value, other_headers, create_millis)
    }
}

fn header(rng: &mut ChaCha8Rng) -> (String, Option<Vec<u8>>) {
    let name = HEADER_NAMES[rng.random_range(0..HEADER_NAMES.len())].to_owned();
    let value = match rng.random_range(0..10_u32) {
        0..2 => None,
        2 => Some(Vec::new()),
        3.. => {
            let mut bytes = vec![0; rng.random_range(1..=16_usize)];
            rng.fill_bytes(&mut bytes);
            Some(bytes)
        }
    };
    (name, value)
}

/// A generator of its own for each record, so that any record can be made without the ones before.
fn rng(seed: u64, id: RecordId) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    bytes[8..12].copy_from_slice(&id.stream.to_be_bytes());
    bytes[16..24].copy_from_slice(&id.sequence.to_be_bytes());
    ChaCha8Rng::from_seed(bytes)
}

/// The finaliser of `SplitMix64`: spreads neighbouring numbers over the whole range.
pub(crate) fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::{StampRead, read_stamp};
    use crate::workload::WorkloadSpec;

    fn journal(seed: u64) -> Journal {
        Journal::planned(WorkloadSpec::new("t", 3000, seed), 3, 1_700_000_000_000, 9)
    }

    #[test]
    fn the_seed_alone_decides_and_every_shape_occurs() {
        let (one, other) = (journal(1), journal(2));
        let (mut generator, mut again, mut differs) = (
            Generator::new(&one),
            Generator::new(&one),
            Generator::new(&other),
        );
        let (mut nulls, mut empties, mut doubled, mut null_headers) = (0, 0, 0, 0);
        let mut unequal = 0;
        for sequence in (0..1000).rev() {
            let id = RecordId {
                stream: 1,
                sequence,
            };
            let record = generator.record(id);
            assert_eq!(record, again.record(id));
            unequal += u32::from(record != differs.record(id));
            nulls += u32::from(record.key.is_none()) + u32::from(record.value.is_none());
            empties += u32::from(record.value.as_ref().is_some_and(Vec::is_empty));
            null_headers += u32::from(record.headers.iter().any(|h| h.1.is_none()));
            doubled += u32::from(record.headers.windows(2).any(|pair| pair[0].0 == pair[1].0));
            let millis = record.timestamp.millis - one.first_timestamp_ms;
            assert!((0..=3_600_000).contains(&millis));
            let view = record.view();
            let StampRead::Whole(stamp) = read_stamp(&view.headers) else {
                panic!("no stamp")
            };
            assert_eq!((stamp.id, stamp.run), (id, 9));
            let others = &view.headers[..view.headers.len() - 1];
            assert_eq!(
                stamp.hash,
                again.expected_hash(view.key, view.value, others, id)
            );
        }
        assert_eq!(unequal, 1000);
        assert!(nulls > 0 && empties > 0 && doubled > 0 && null_headers > 0);
    }
}
