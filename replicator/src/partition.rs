//! One partition: what its task holds, and how its position moves.

use std::sync::Arc;
use std::time::Duration;

use kafka::ProducerIdentity;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::complaints::Complaints;
use crate::fetch_lane::FetchLanes;
use crate::flow::{Flow, Ticket};
use crate::identity::PartitionId;
use crate::leaders::Leaders;
use crate::lineage::Lineage;
use crate::link::Link;
use crate::losses::Losses;
use crate::oversize::Cutter;
use crate::position::{Position, ProducerPosition};
use crate::position_writer::Slot;
use crate::produce_lane::ProduceLanes;
use crate::progress::PartitionProgress;
use crate::traffic::Traffic;
use crate::trust::Trust;

/// What all partitions of a mirror share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) source: Arc<Leaders>,
    pub(crate) target: Arc<Leaders>,
    pub(crate) fetch: Mutex<FetchLanes>,
    pub(crate) produce: Mutex<ProduceLanes>,
    /// Partitions that may ask the target at a time what it has: some answers read its log.
    pub(crate) resuming: Semaphore,
    pub(crate) target_link: Link,
    /// Whether this run may still send.
    pub(crate) trust: Arc<Trust>,
    pub(crate) stop: CancellationToken,
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) losses: Losses,
    pub(crate) complaints: Complaints,
    /// Changes when a topic was recreated: partitions then look at the ids again.
    pub(crate) look_again: watch::Sender<u64>,
}

/// What is promised of a partition's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guarantee {
    /// A crash may repeat what is not covered by the position.
    AtLeastOnce,
    /// This producer, for as long as the mirror lives; after every interruption the target is asked what it has.
    ExactlyOnce(ProducerIdentity),
}

/// One partition to copy.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) id: PartitionId,
    pub(crate) flow: Flow,
    pub(crate) guarantee: Guarantee,
    /// Who writes now; at-least-once changes it where the target lost track of its sequences.
    pub(crate) producer: ProducerIdentity,
    /// Nothing was ever written with the producer: there is no need to ask the target about it.
    pub(crate) untouched: bool,
    /// Small batches are merged up to this size; 0 where the target does not take merged ones.
    pub(crate) merge_bytes: usize,
    /// Positions are written to this, with the topic ids that were seen at the start.
    pub(crate) slot: Slot,
    pub(crate) position: Position,
    pub(crate) commits: Commits,
    pub(crate) lineage: Lineage,
    pub(crate) cutter: Cutter,
    pub(crate) progress: Arc<PartitionProgress>,
}

/// What of a partition is covered by a durable position: records acknowledged since its start.
#[derive(Debug)]
pub(crate) struct Commits {
    /// Travels with each position to the writer.
    written: watch::Sender<u64>,
    seen: watch::Receiver<u64>,
}

impl Commits {
    pub(crate) fn new() -> Self {
        let (written, seen) = watch::channel(0);
        Self { written, seen }
    }

    /// Waits for a position that was not seen yet. Cancel safe.
    pub(crate) async fn next(&mut self) -> u64 {
        // Never closed: this holds a sender too.
        let _ = self.seen.changed().await;
        *self.seen.borrow_and_update()
    }
}

/// Bytes of a reason that are kept beside a position, so that a thousand of them fit into one batch.
const REASON_KEPT: usize = 300;

impl Partition {
    pub(crate) fn until(&self) -> i64 {
        self.progress.until
    }

    /// The target has a batch.
    pub(crate) fn acknowledged(&mut self, ticket: Ticket, target_offset: Option<i64>) {
        if self.flow.acknowledge(ticket, target_offset) {
            self.moved(self.flow.wants_commit());
        }
    }

    /// The watermark moved: show it and have it written.
    pub(crate) fn moved(&mut self, urgent: bool) {
        let acknowledged = self.flow.acknowledged();
        let bytes = self.flow.acknowledged_bytes();
        self.progress
            .acknowledged(acknowledged, bytes, self.flow.watermark());
        self.position.offset = self.flow.watermark();
        self.position.producer = match self.guarantee {
            Guarantee::AtLeastOnce => None,
            Guarantee::ExactlyOnce(own) => Some(ProducerPosition {
                id: own.id,
                epoch: own.epoch,
                sequence: self.flow.watermark_sequence(),
                target_offset: self.flow.target_offset(),
            }),
        };
        let epoch = self.lineage.before(self.position.offset);
        self.position.leader_epoch = epoch.map(|epoch| epoch.number);
        self.position.leader_epoch_start = epoch.map(|epoch| epoch.start);
        self.slot.update(
            self.position.clone(),
            acknowledged,
            self.commits.written.clone(),
            urgent,
        );
    }

    /// It stopped for good, and leaves the reason beside its position, for whoever asks without this run.
    pub(crate) fn leave(&self, reason: &str) {
        let position = Position {
            stopped: Some(shortened(reason)),
            ..self.position.clone()
        };
        self.slot.update(
            position,
            self.flow.acknowledged(),
            self.commits.written.clone(),
            true,
        );
    }
}

/// Leaves the reason beside the position of a partition that is not even started.
pub(crate) fn leave(slot: &Slot, position: Position, reason: &str) {
    let stopped = Some(shortened(reason));
    let (written, _) = watch::channel(0);
    slot.update(
        Position {
            stopped,
            ..position
        },
        0,
        written,
        true,
    );
}

fn shortened(reason: &str) -> String {
    if reason.len() <= REASON_KEPT {
        return reason.to_owned();
    }
    let mut end = REASON_KEPT;
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &reason[..end])
}

#[cfg(test)]
mod tests {
    use super::{REASON_KEPT, shortened};

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"ä".repeat(REASON_KEPT));
        assert_eq!(long, format!("{}…", "ä".repeat(REASON_KEPT / 2)));
    }
}
