//! Batches that are too large for the target, cut into pieces that are not.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use kafka::Compression;
use kafka::batch::{BatchError, RawBatch};
use kafka::record::{self, Record};

use crate::transform::Step;

/// What one partition knows of its target's limit. Knows nothing until something was refused.
///
/// Pieces are halves of halves of the whole source batch, by the number of records, so the same
/// source batch always gives the same pieces, also to a run that begins between two of them:
/// what an earlier one has sent ends where a piece ends. The sequence of a record does not depend
/// on the piece it is in.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    /// Largest batch that the target topic takes, where it said so.
    limit: Option<usize>,
    /// Source offsets (first, after last) of batches and pieces that were refused.
    refused: BTreeSet<(i64, i64)>,
}

impl Cutter {
    /// What covers these source offsets must not be sent as one batch again.
    pub(crate) fn refuse(&mut self, start: i64, end: i64, limit: Option<usize>) {
        self.refused.insert((start, end));
        self.limit = limit.or(self.limit);
    }

    /// The largest batch that the target topic takes, where it said so.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Refusals below the watermark are settled.
    pub(crate) fn forget_below(&mut self, watermark: i64) {
        self.refused.retain(|(_, end)| *end > watermark);
    }

    /// Cuts the steps that must be cut and leaves the others as they are. `records` are the bytes
    /// that the steps were made from, `cursor` the offset that they begin at.
    pub(crate) fn cut(
        &self,
        steps: VecDeque<Step>,
        records: &Bytes,
        cursor: i64,
    ) -> Result<VecDeque<Step>, BatchError> {
        if self.refused.is_empty() && self.limit.is_none() {
            return Ok(steps);
        }
        let mut cut = VecDeque::with_capacity(steps.len());
        let mut rest = records.clone();
        let mut start = cursor;
        for step in steps {
            match step {
                Step::Send { batch, end, .. } if self.must_cut(&batch, start, end) => {
                    let Some(source) = batch_that_ends_at(&mut rest, end)? else {
                        return Err(BatchError::Records {
                            base_offset: start,
                            detail: "its source batch was not found again".to_owned(),
                        });
                    };
                    source.check_crc()?;
                    let codec = source.header.compression().unwrap_or(Compression::None);
                    let base = source.header.base_offset;
                    let records: Vec<(i64, Record)> = record::decode(&source)?
                        .into_iter()
                        .map(|record| (base + i64::from(record.offset_delta), record))
                        .collect();
                    let pieces = Pieces {
                        cutter: self,
                        codec,
                        from: start,
                    };
                    pieces.of(records, start.min(base), end, &mut cut)?;
                    start = end;
                }
                Step::Send { end, .. } | Step::Skip { end } => {
                    start = end;
                    cut.push_back(step);
                }
            }
        }
        Ok(cut)
    }

    fn must_cut(&self, batch: &RawBatch, start: i64, end: i64) -> bool {
        batch.header.record_count > 1
            && (self.refused.contains(&(start, end))
                || self.limit.is_some_and(|limit| batch.wire_len() > limit))
    }
}

/// One batch on its way into pieces.
struct Pieces<'a> {
    cutter: &'a Cutter,
    codec: Compression,
    /// What lies before was sent already.
    from: i64,
}

impl Pieces<'_> {
    /// `records` cover the source offsets from `start` to `end`.
    fn of(
        &self,
        mut records: Vec<(i64, Record)>,
        start: i64,
        end: i64,
        into: &mut VecDeque<Step>,
    ) -> Result<(), BatchError> {
        if end <= self.from {
            return Ok(());
        }
        if records.len() > 1 && start < self.from {
            return self.halves(records, start, end, into);
        }
        records.retain(|(offset, _)| *offset >= self.from);
        if records.is_empty() {
            into.push_back(Step::Skip { end });
            return Ok(());
        }
        let plain: Vec<Record> = records.iter().map(|(_, record)| record.clone()).collect();
        let batch = record::encode(&plain, self.codec)?;
        if self.cutter.must_cut(&batch, start, end) {
            return self.halves(records, start, end, into);
        }
        into.push_back(Step::Send {
            batch,
            end,
            rebuilt: true,
        });
        Ok(())
    }

    fn halves(
        &self,
        mut records: Vec<(i64, Record)>,
        start: i64,
        end: i64,
        into: &mut VecDeque<Step>,
    ) -> Result<(), BatchError> {
        let second = records.split_off(records.len() / 2);
        // The halves meet at the second one's first record; holes before it belong to the first.
        let middle = second.first().map_or(end, |(offset, _)| *offset);
        self.of(records, start, middle, into)?;
        self.of(second, middle, end, into)
    }
}

fn batch_that_ends_at(records: &mut Bytes, end: i64) -> Result<Option<RawBatch>, BatchError> {
    while let Some(batch) = RawBatch::split_from(records)? {
        if batch.header.next_offset() == end {
            return Ok(Some(batch));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform;

    fn batch(records: usize) -> Bytes {
        let records: Vec<Record> = (0..records)
            .map(|number| Record {
                offset_delta: 0,
                timestamp: 1000 + number as i64,
                key: None,
                value: Some(Bytes::from(vec![number as u8; 100])),
                headers: Vec::new(),
            })
            .collect();
        record::encode(&records, Compression::None)
            .expect("encodes")
            .bytes()
            .clone()
    }

    fn ends_and_values(steps: &VecDeque<Step>) -> (Vec<i64>, Vec<u8>) {
        let mut ends = Vec::new();
        let mut values = Vec::new();
        for step in steps {
            let Step::Send { batch, end, .. } = step else {
                panic!("nothing is skipped");
            };
            ends.push(*end);
            let records = record::decode(batch).expect("decodes");
            values.extend(records.iter().map(|r| r.value.as_ref().expect("value")[0]));
        }
        (ends, values)
    }

    fn cut(cutter: &Cutter, bytes: &Bytes, cursor: i64) -> VecDeque<Step> {
        let steps = transform::steps(bytes.clone(), cursor, &[]).expect("steps");
        cutter.cut(steps, bytes, cursor).expect("cut")
    }

    #[test]
    fn nothing_is_cut_before_something_was_refused() {
        let bytes = batch(8);
        let steps = cut(&Cutter::default(), &bytes, 0);
        assert_eq!(steps.len(), 1);
    }

    #[test]
    fn a_refused_batch_is_halved_and_its_refused_halves_again() {
        let bytes = batch(8);
        let mut cutter = Cutter::default();
        cutter.refuse(0, 8, None);
        assert_eq!(ends_and_values(&cut(&cutter, &bytes, 0)).0, [4, 8]);
        cutter.refuse(4, 8, None);
        let (ends, values) = ends_and_values(&cut(&cutter, &bytes, 0));
        assert_eq!(ends, [4, 6, 8]);
        assert_eq!(values, [0, 1, 2, 3, 4, 5, 6, 7]);
        // After a rewind into the batch the rest comes in the same pieces.
        let (ends, values) = ends_and_values(&cut(&cutter, &bytes, 4));
        assert_eq!((ends, values), (vec![6, 8], vec![4, 5, 6, 7]));
    }

    #[test]
    fn wherever_a_run_begins_the_pieces_end_where_they_ended_before() {
        let bytes = batch(17);
        let mut cutter = Cutter::default();
        cutter.refuse(0, 17, Some(900));
        let (all, _) = ends_and_values(&cut(&cutter, &bytes, 0));
        assert_eq!(all, [4, 8, 12, 17]);
        for start in [0, 4, 8, 12] {
            let (ends, values) = ends_and_values(&cut(&cutter, &bytes, start));
            let rest: Vec<i64> = all.iter().copied().filter(|end| *end > start).collect();
            assert_eq!(ends, rest, "from {start}");
            assert_eq!(i64::from(values[0]), start);
        }
        // Between two pieces' edges the one that it lies in is cut down to it.
        let (ends, values) = ends_and_values(&cut(&cutter, &bytes, 6));
        assert_eq!((ends, values[0]), (vec![8, 12, 17], 6));
    }

    #[test]
    fn a_known_limit_cuts_at_once_and_a_single_record_is_never_cut() {
        let bytes = batch(8);
        let mut cutter = Cutter::default();
        cutter.refuse(0, 8, Some(300));
        cutter.forget_below(8);
        let steps = cut(&cutter, &bytes, 0);
        assert_eq!(ends_and_values(&steps).0, [2, 4, 6, 8]);
        cutter.refuse(0, 1, Some(10));
        assert_eq!(cut(&cutter, &bytes, 0).len(), 8);
    }
}
