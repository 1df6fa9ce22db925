//! From fetched bytes to what is sent: pass through, rebuild, or leave out.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use kafka::batch::{BatchError, RawBatch};
use kafka::record;

/// What to do for one stretch of source offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send this batch; the source goes on at `end`.
    Send {
        batch: RawBatch,
        end: i64,
        /// The bytes are not the source's own.
        rebuilt: bool,
    },
    /// Nothing to send up to `end`: markers, aborted data, or a batch that compaction emptied.
    Skip { end: i64 },
}

/// Takes fetched bytes apart.
///
/// `cursor` is the first offset wanted; `aborted` the aborted transactions that the broker named
/// for these bytes (producer id, first offset). A batch cut short at the end is left out: the
/// next fetch begins with it.
///
/// Deterministic: the same source bytes give the same batches, which is what lets a repetition
/// carry the same sequence numbers.
pub(crate) fn steps(
    mut records: Bytes,
    cursor: i64,
    aborted: &[(i64, i64)],
) -> Result<VecDeque<Step>, BatchError> {
    let mut steps = VecDeque::new();
    let mut open_aborts = AbortedTransactions::new(aborted);
    while let Some(batch) = RawBatch::split_from(&mut records)? {
        let header = batch.header;
        let end = header.next_offset();
        if end <= cursor {
            continue;
        }
        open_aborts.begin_up_to(end - 1);
        if header.is_control() {
            open_aborts.marker(&batch)?;
            steps.push_back(Step::Skip { end });
        } else if header.is_transactional() && open_aborts.contains(header.producer_id) {
            steps.push_back(Step::Skip { end });
        } else if header.base_offset < cursor {
            // A start inside a batch: only by timestamp or after DeleteRecords.
            steps.push_back(match record::rebuild_from(&batch, cursor)? {
                Some(batch) => Step::Send {
                    batch,
                    end,
                    rebuilt: true,
                },
                None => Step::Skip { end },
            });
        } else if header.passes_through() {
            steps.push_back(Step::Send {
                batch,
                end,
                rebuilt: false,
            });
        } else {
            steps.push_back(match record::rebuild(&batch)? {
                Some(batch) => Step::Send {
                    batch,
                    end,
                    rebuilt: true,
                },
                None => Step::Skip { end },
            });
        }
    }
    Ok(steps)
}

/// Which producers are inside an aborted transaction at the current offset (the read-committed
/// algorithm of Kafka's consumer, KIP-98).
#[derive(Debug)]
struct AbortedTransactions {
    /// By first offset, the next to begin at the front.
    to_begin: VecDeque<(i64, i64)>,
    open: BTreeSet<i64>,
}

impl AbortedTransactions {
    fn new(aborted: &[(i64, i64)]) -> Self {
        let mut sorted: Vec<(i64, i64)> = aborted.to_vec();
        sorted.sort_by_key(|(_, first_offset)| *first_offset);
        Self {
            to_begin: sorted.into(),
            open: BTreeSet::new(),
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some((producer_id, _)) = self
            .to_begin
            .pop_front_if(|(_, first_offset)| *first_offset <= offset)
        {
            self.open.insert(producer_id);
        }
    }

    fn contains(&self, producer_id: i64) -> bool {
        self.open.contains(&producer_id)
    }

    fn marker(&mut self, batch: &RawBatch) -> Result<(), BatchError> {
        /// Key of an abort marker: version (i16), then type 0 (i16).
        const ABORT: [u8; 2] = [0, 0];
        if batch.header.is_transactional() && self.open.contains(&batch.header.producer_id) {
            let is_abort = record::decode(batch)?.iter().any(|marker| {
                marker.key.as_ref().and_then(|key| key.get(2..4)) == Some(&ABORT[..])
            });
            if is_abort {
                self.open.remove(&batch.header.producer_id);
            }
        }
        Ok(())
    }
}
