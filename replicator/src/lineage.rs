//! Which leader epochs the records came from, so that a truncation of the source can be noticed
//! (KIP-101, KIP-320). Pure.

use std::collections::VecDeque;

use bytes::Bytes;
use kafka::batch::{BatchError, RawBatch};

/// Epochs that are remembered; elections are rare, and only the last few can matter.
const REMEMBERED: usize = 32;

/// One leader epoch of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) number: i32,
    /// First offset that was read of it.
    pub(crate) start: i64,
}

/// The epochs of one partition's records, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    epochs: VecDeque<Epoch>,
    /// The leader epoch whose log is known to hold what these say.
    verified: Option<i32>,
}

impl Lineage {
    /// What a position remembers; nothing where it was written before it did.
    pub(crate) fn new(epoch: Option<Epoch>) -> Self {
        Self {
            epochs: epoch.into_iter().collect(),
            verified: None,
        }
    }

    /// Takes note of batches that were read.
    pub(crate) fn note(&mut self, records: &Bytes) -> Result<(), BatchError> {
        let mut records = records.clone();
        while let Some(batch) = RawBatch::split_from(&mut records)? {
            let number = batch.header.leader_epoch;
            if number >= 0 && self.epochs.back().is_none_or(|last| last.number < number) {
                let start = batch.header.base_offset;
                self.epochs.push_back(Epoch { number, start });
                if self.epochs.len() > REMEMBERED {
                    self.epochs.pop_front();
                }
            }
        }
        Ok(())
    }

    /// The epoch of the record before `offset`.
    pub(crate) fn before(&self, offset: i64) -> Option<Epoch> {
        self.epochs
            .iter()
            .rev()
            .find(|epoch| epoch.start < offset)
            .copied()
    }

    /// A leader of this epoch has still to be asked whether its log holds what was copied.
    pub(crate) fn is_unverified(&self, leader_epoch: i32) -> bool {
        self.verified != Some(leader_epoch)
    }

    pub(crate) fn verified(&mut self, leader_epoch: i32) {
        self.verified = Some(leader_epoch);
    }

    /// Where a log that ends `epoch` at `end` stopped being the one that was copied up to
    /// `position`; `None` where it holds all of it.
    ///
    /// `epoch` is the newest one that the log has and that is not newer than what was asked for.
    /// Where it is older, everything that was read in newer epochs is gone too.
    pub(crate) fn divergence(&self, epoch: i32, end: i64, position: i64) -> Option<i64> {
        let newer = self
            .epochs
            .iter()
            .find(|known| known.number > epoch && known.start < position);
        let diverged = newer.map_or(end, |newer| end.min(newer.start));
        (diverged < position).then_some(diverged)
    }

    /// Forgets what was read at and after `offset`, where the source took it back.
    pub(crate) fn cut(&mut self, offset: i64) {
        self.epochs.retain(|epoch| epoch.start < offset);
    }

    /// Forgets everything: what comes next does not follow what was read.
    pub(crate) fn clear(&mut self) {
        self.epochs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(epochs: &[(i32, i64)]) -> Lineage {
        let epochs = epochs
            .iter()
            .map(|&(number, start)| Epoch { number, start })
            .collect();
        Lineage {
            epochs,
            verified: None,
        }
    }

    #[test]
    fn a_log_that_ends_the_epoch_after_the_position_holds_everything() {
        let ours = lineage(&[(1, 0), (2, 50)]);
        assert_eq!(ours.before(80).map(|epoch| epoch.number), Some(2));
        assert_eq!(ours.before(50).map(|epoch| epoch.number), Some(1));
        assert_eq!(ours.divergence(2, 80, 80), None);
        assert_eq!(ours.divergence(2, 90, 80), None);
    }

    #[test]
    fn a_log_that_ends_the_epoch_earlier_was_truncated_there() {
        let ours = lineage(&[(1, 0), (2, 50)]);
        assert_eq!(ours.divergence(2, 60, 80), Some(60));
        // It never had epoch 2, and wrote on in epoch 1 where we read records of epoch 2.
        assert_eq!(ours.divergence(1, 60, 80), Some(50));
        assert_eq!(ours.divergence(1, 40, 80), Some(40));
    }

    #[test]
    fn what_was_taken_back_is_forgotten() {
        let mut ours = lineage(&[(1, 0), (2, 50)]);
        ours.cut(50);
        assert_eq!(ours.before(60).map(|epoch| epoch.number), Some(1));
        ours.clear();
        assert_eq!(ours.before(60), None);
    }
}
