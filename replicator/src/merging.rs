//! Small batches that are ready together leave as one.
//!
//! A batch costs a broker about as much as a hundred records, so a source whose producers do not batch would be
//! copied at a fraction of the speed. Only whole source batches are merged, in order, and only uncompressed ones:
//! their records stay as they are byte for byte. What was sent once as one batch is sent as the same batch again.

use std::collections::VecDeque;
use std::sync::Arc;

use kafka::batch::{BatchError, RawBatch};
use kafka::record;

use crate::budget::Share;
use crate::flow::Flow;
use crate::transform::Step;

/// Larger batches travel as they are.
const SMALL: usize = 16 << 10;

/// A batch that was read and not yet sent.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) step: Step,
    pub(crate) share: Arc<Share>,
}

/// What may be sent now as one batch.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) batch: RawBatch,
    /// Source offset after it.
    pub(crate) end: i64,
    pub(crate) rebuilt: bool,
    /// Source batches in it.
    pub(crate) parts: usize,
    /// The memory behind it.
    pub(crate) shares: Vec<Arc<Share>>,
}

/// How many batches at the front of `ready` go together, with how many records; no batches where the front is none.
/// `None` where the rest of what was once sent together is not read yet.
///
/// With 0 for `merge_bytes` every batch goes alone, also where it once did not.
pub(crate) fn count(
    ready: &VecDeque<Ready>,
    flow: &Flow,
    merge_bytes: usize,
) -> Option<(usize, u64)> {
    let boundary = flow.boundary().filter(|_| merge_bytes > 0);
    let room = flow.room();
    let (mut parts, mut records, mut bytes) = (0, 0, 0);
    for Ready { step, .. } in ready {
        let Step::Send { batch, end, .. } = step else {
            return Some((parts, records));
        };
        let own = u64::from(batch.header.record_count.unsigned_abs());
        let length = batch.wire_len();
        let fits = match boundary {
            Some(boundary) => *end <= boundary,
            None => {
                batch.header.is_plain()
                    && length <= SMALL
                    && bytes + length <= merge_bytes
                    && records + own <= room
            }
        };
        if !fits && parts > 0 {
            return Some((parts, records));
        }
        (parts, records, bytes) = (parts + 1, records + own, bytes + length);
        if !fits || boundary == Some(*end) {
            return Some((parts, records));
        }
    }
    boundary.is_none().then_some((parts, records))
}

/// Takes the first `count` batches off `ready` as one.
pub(crate) fn take(ready: &mut VecDeque<Ready>, count: usize) -> Result<Option<Group>, BatchError> {
    let mut batches: Vec<RawBatch> = Vec::with_capacity(count);
    let mut shares: Vec<Arc<Share>> = Vec::with_capacity(1);
    let mut last = None;
    for Ready { step, share } in ready.drain(..count.min(ready.len())) {
        let Step::Send {
            batch,
            end,
            rebuilt,
        } = step
        else {
            break;
        };
        batches.push(batch);
        if !shares.last().is_some_and(|last| Arc::ptr_eq(last, &share)) {
            shares.push(share);
        }
        last = Some((end, rebuilt));
    }
    let Some((end, rebuilt)) = last else {
        return Ok(None);
    };
    let parts = batches.len();
    let batch = match batches.pop() {
        Some(only) if parts == 1 => only,
        Some(last) => {
            batches.push(last);
            record::merge(&batches)?
        }
        None => return Ok(None),
    };
    Ok(Some(Group {
        batch,
        end,
        rebuilt,
        parts,
        shares,
    }))
}

#[cfg(test)]
mod tests {
    use kafka::Compression;
    use kafka::record::{Record, decode, encode};
    use proptest::prelude::*;

    use super::*;
    use crate::budget::Budget;

    /// One batch of `records` records from `offset` on.
    fn batch(offset: i64, records: usize, size: usize, codec: Compression) -> RawBatch {
        let records: Vec<Record> = (0..records as i64)
            .map(|i| Record {
                offset_delta: 0,
                timestamp: 1_700_000_000_000 + offset + i,
                key: Some(format!("{}", offset + i).into()),
                value: Some(vec![b'v'; size].into()),
                headers: Vec::new(),
            })
            .collect();
        let plain = encode(&records, codec).expect("encodes");
        let mut bytes = plain.bytes().to_vec();
        bytes[..8].copy_from_slice(&offset.to_be_bytes());
        RawBatch::split_from(&mut bytes.into())
            .expect("a batch")
            .expect("whole")
    }

    struct Source {
        batches: Vec<RawBatch>,
        share: Arc<Share>,
    }

    impl Source {
        async fn of(batches: Vec<RawBatch>) -> Self {
            let share = Budget::new(1 << 20).acquire(0).await.expect("a share");
            Self {
                batches,
                share: Arc::new(share),
            }
        }

        /// What is ready when `from` and the batches behind it are read up to `to`.
        fn ready(&self, from: i64, to: i64) -> VecDeque<Ready> {
            self.batches
                .iter()
                .filter(|batch| (from..to).contains(&batch.header.base_offset))
                .map(|batch| Ready {
                    step: Step::Send {
                        batch: batch.clone(),
                        end: batch.header.next_offset(),
                        rebuilt: false,
                    },
                    share: self.share.clone(),
                })
                .collect()
        }
    }

    fn keys(batch: &RawBatch) -> Vec<String> {
        decode(batch)
            .expect("decodes")
            .iter()
            .map(|record| String::from_utf8_lossy(record.key.as_ref().expect("a key")).into_owned())
            .collect()
    }

    #[tokio::test]
    async fn small_plain_batches_go_together_and_others_alone() {
        let source = Source::of(vec![
            batch(0, 1, 100, Compression::None),
            batch(1, 2, 100, Compression::None),
            batch(3, 1, 100, Compression::Lz4),
            batch(4, 1, 20_000, Compression::None),
            batch(5, 1, 100, Compression::None),
        ])
        .await;
        let flow = Flow::new(0, 1000);
        let mut ready = source.ready(0, 6);
        let mut groups = Vec::new();
        while let Some((parts, _)) = count(&ready, &flow, 64 << 10).filter(|found| found.0 > 0) {
            let group = take(&mut ready, parts).expect("merges").expect("a group");
            groups.push((group.parts, group.end));
        }
        assert_eq!(groups, [(2, 3), (1, 4), (1, 5), (1, 6)]);
    }

    #[tokio::test]
    async fn the_replay_window_and_the_size_limit_a_merged_batch() {
        let batches = (0..100).map(|i| batch(i, 1, 100, Compression::None));
        let source = Source::of(batches.collect()).await;
        let ready = source.ready(0, 100);
        assert_eq!(count(&ready, &Flow::new(0, 30), 64 << 10), Some((30, 30)));
        let size = source.batches[0].wire_len();
        assert_eq!(count(&ready, &Flow::new(0, 1000), size * 7), Some((7, 7)));
        assert_eq!(count(&ready, &Flow::new(0, 1000), 0), Some((1, 1)));
    }

    proptest! {
        /// Whatever is ready at a time, before and after a rewind: the same batches with the same sequences.
        #[test]
        fn a_repetition_has_the_same_batches(
            sizes in proptest::collection::vec(1..5_usize, 1..40),
            first_reads in proptest::collection::vec(1..60_i64, 1..60),
            second_reads in proptest::collection::vec(1..60_i64, 1..60),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let mut offset = 0;
            let mut batches = Vec::new();
            for size in sizes {
                batches.push(batch(offset, size, 100, Compression::None));
                offset += size as i64;
            }
            let source = runtime.block_on(Source::of(batches));
            let mut flow = Flow::new(0, 1000);
            flow.allow(64);
            let mut sent: Vec<(i64, i32, Vec<String>)> = Vec::new();
            let run = |flow: &mut Flow, reads: &[i64], sent: &mut Vec<(i64, i32, Vec<String>)>, limit: usize| {
                let mut read_to = flow.cursor();
                let mut reads = reads.iter().cycle();
                let mut ready = VecDeque::new();
                while flow.cursor() < offset && sent.len() < limit {
                    let to = reads.next().map_or(offset, |more| read_to + more);
                    ready.extend(source.ready(read_to, to));
                    read_to = ready.back().map_or(read_to, |last: &Ready| match &last.step {
                        Step::Send { end, .. } | Step::Skip { end } => *end,
                    });
                    while let Some((parts, records)) = count(&ready, flow, 1000).filter(|found| found.0 > 0) {
                        if sent.len() == limit || !flow.may_send(records as u32) { return; }
                        let group = take(&mut ready, parts).expect("merges").expect("a group");
                        let (ticket, sequence) = flow.send(records as u32, 0, group.end);
                        if sent.is_empty() { flow.acknowledge(ticket, None); }
                        sent.push((group.end, sequence, keys(&group.batch)));
                    }
                }
            };
            run(&mut flow, &first_reads, &mut sent, usize::MAX);
            let again_from = flow.watermark();
            let tail: Vec<_> = sent.iter().filter(|batch| batch.0 > again_from).cloned().collect();
            // Nothing is acknowledged: all of it fails and is sent again.
            let mut again = vec![(0, 0, Vec::new())];
            flow.fail_all();
            flow.rewind();
            // The broker is new to us after a rewind: the first one goes alone.
            flow.prime();
            run(&mut flow, &second_reads, &mut again, tail.len() + 1);
            prop_assert_eq!(&again[1..], &tail[..]);
        }
    }
}
