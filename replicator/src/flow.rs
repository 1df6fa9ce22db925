//! The state of one partition's copy, without any I/O: what was sent, what was acknowledged, and
//! how far the position may move.
//!
//! Invariants (each has a property test below):
//! - the watermark moves only over a contiguous run of acknowledged batches;
//! - sequence numbers are a function of the records alone: after [`Flow::rewind`] the same
//!   records get the same sequences, so that the broker recognises a repetition;
//! - never more unacknowledged batches than [`Flow::allow`] gave places. [`MAX_IN_FLIGHT`] of them is what the broker
//!   remembers of a producer; of more, a repetition is refused where its sequence lies behind, never stored twice
//!   under the same producer, and on long links more are needed;
//! - a repetition has the same batches as the first time, however small ones were merged: [`Flow::boundary`];
//! - a single batch in flight until the broker has acknowledged one: a broker that knows nothing of
//!   a producer takes any first sequence, so a second batch could land before a failed first one;
//! - never more than the replay window of records beyond the committed position, except for a
//!   single batch that is larger than the window by itself.

use std::collections::VecDeque;

use kafka::batch::next_sequence;

/// Batches of one partition that may be unacknowledged at a time (`MAX_IN_FLIGHT_REQUESTS` that
/// brokers allow an idempotent producer, KIP-185).
pub const MAX_IN_FLIGHT: usize = 5;
/// The most that a long link may have.
pub const MAX_IN_FLIGHT_FAR: usize = 64;

/// Names one sent batch in its acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    /// Source offset after the batch and what was skipped behind it.
    end: i64,
    /// Source offset after the batch itself.
    boundary: i64,
    records: u32,
    bytes: u64,
    fate: Fate,
    /// Target offset after the batch, once acknowledged and known.
    target_end: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    InFlight,
    Acknowledged,
    Failed,
}

/// One partition's cursor, window and watermark. See the module's invariants.
#[derive(Debug)]
pub struct Flow {
    /// Source offset up to which everything is on the target.
    watermark: i64,
    /// Sequence of the first record after the watermark.
    watermark_sequence: i32,
    /// Source offset of the next batch to send.
    cursor: i64,
    /// Sequence of its first record.
    cursor_sequence: i32,
    window: VecDeque<Entry>,
    /// On the target nothing at or after the watermark lies before this offset.
    target_offset: i64,
    places: usize,
    /// Where batches ended that were sent once and have to be sent again.
    boundaries: VecDeque<i64>,
    /// The broker has acknowledged a batch since the last rewind and so knows our sequences.
    primed: bool,
    next_ticket: u64,
    /// Records sent, acknowledged contiguously, and covered by a committed position.
    sent: u64,
    acknowledged: u64,
    committed: u64,
    acknowledged_bytes: u64,
    replay_window: u64,
}

impl Flow {
    /// Begins at a source offset, with a producer whose next sequence is 0.
    pub fn new(offset: i64, replay_window: u32) -> Self {
        Self::resume(offset, 0, 0, replay_window)
    }

    /// Goes on at a source offset, with the sequence that belongs to it and the target offset before which nothing
    /// lies that comes after it.
    pub fn resume(offset: i64, sequence: i32, target_offset: i64, replay_window: u32) -> Self {
        Self {
            watermark: offset,
            watermark_sequence: sequence,
            cursor: offset,
            cursor_sequence: sequence,
            window: VecDeque::with_capacity(MAX_IN_FLIGHT),
            target_offset,
            places: MAX_IN_FLIGHT,
            boundaries: VecDeque::new(),
            primed: false,
            next_ticket: 0,
            sent: 0,
            acknowledged: 0,
            committed: 0,
            acknowledged_bytes: 0,
            replay_window: u64::from(replay_window),
        }
    }

    /// Source offset up to which everything is on the target.
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Sequence of the first record at or after the watermark.
    pub fn watermark_sequence(&self) -> i32 {
        self.watermark_sequence
    }

    /// On the target nothing at or after the watermark lies before this offset.
    pub fn target_offset(&self) -> i64 {
        self.target_offset
    }

    /// Source offset of the next batch to send.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Records acknowledged contiguously since the start.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Bytes of the batches that were acknowledged contiguously since the start.
    pub fn acknowledged_bytes(&self) -> u64 {
        self.acknowledged_bytes
    }

    /// Batches whose fate is open.
    pub fn in_flight(&self) -> usize {
        self.window
            .iter()
            .filter(|entry| entry.fate == Fate::InFlight)
            .count()
    }

    /// Nothing is sent that is not acknowledged.
    pub fn is_settled(&self) -> bool {
        self.window.is_empty()
    }

    /// Lets as many batches be unacknowledged, at most [`MAX_IN_FLIGHT_FAR`].
    pub fn allow(&mut self, places: usize) {
        self.places = places.clamp(1, MAX_IN_FLIGHT_FAR);
    }

    /// Where the next batch has to end, because it did when it was sent before: with other batches the broker would
    /// not recognise the repetition.
    pub fn boundary(&self) -> Option<i64> {
        self.boundaries
            .iter()
            .copied()
            .find(|end| *end > self.cursor)
    }

    /// Records that the replay window still takes.
    pub fn room(&self) -> u64 {
        self.replay_window
            .saturating_sub(self.sent - self.committed)
    }

    /// A batch of `records` may be sent now.
    pub fn may_send(&self, records: u32) -> bool {
        let ahead = self.sent - self.committed;
        let places = if self.primed { self.places } else { 1 };
        self.window.len() < places
            && (ahead == 0 || ahead + u64::from(records) <= self.replay_window)
    }

    /// More than half of the replay window is used: the position is worth committing now.
    pub fn wants_commit(&self) -> bool {
        (self.acknowledged - self.committed) * 2 > self.replay_window
    }

    /// Notes a batch as sent; returns its ticket and the sequence of its first record.
    pub fn send(&mut self, records: u32, bytes: u64, end: i64) -> (Ticket, i32) {
        let ticket = Ticket(self.next_ticket);
        let sequence = self.cursor_sequence;
        self.next_ticket += 1;
        self.cursor = end;
        self.cursor_sequence = next_sequence(sequence, records as i32);
        self.sent += u64::from(records);
        while self
            .boundaries
            .pop_front_if(|known| *known <= end)
            .is_some()
        {}
        self.window.push_back(Entry {
            ticket,
            end,
            boundary: end,
            records,
            bytes,
            fate: Fate::InFlight,
            target_end: None,
        });
        (ticket, sequence)
    }

    /// Moves over source offsets that carry nothing to send (markers, aborted data, holes). The
    /// watermark follows once everything before is acknowledged.
    pub fn skip(&mut self, end: i64) {
        match self.window.back_mut() {
            // Rides on the batch before it, so that it never takes a place in the window.
            Some(last) => last.end = end,
            None => self.watermark = end,
        }
        self.cursor = end;
    }

    /// Goes on at another source offset: after a gap, or back where the source took records back.
    /// Sequences go on as they were: they count what is sent. Only when nothing is in flight and
    /// after [`Flow::rewind`].
    pub fn jump(&mut self, offset: i64) {
        debug_assert!(self.window.is_empty(), "jump with batches in the window");
        self.boundaries.clear();
        self.watermark = offset;
        self.cursor = offset;
    }

    /// Moves over `records` that the target was found to have already, from an earlier run or another instance. Only
    /// while nothing is sent that is not acknowledged.
    pub fn pass(&mut self, records: u32, end: i64) {
        debug_assert!(self.is_settled(), "passing records with batches open");
        self.watermark = end;
        self.cursor = end;
        self.watermark_sequence = next_sequence(self.watermark_sequence, records as i32);
        self.cursor_sequence = self.watermark_sequence;
    }

    /// The target has the batch, from `target_offset` on where that is known. Returns true where the watermark moved.
    pub fn acknowledge(&mut self, ticket: Ticket, target_offset: Option<i64>) -> bool {
        if let Some(entry) = self.entry(ticket) {
            entry.fate = Fate::Acknowledged;
            entry.target_end = target_offset.map(|offset| offset + i64::from(entry.records));
        }
        let before = self.watermark;
        while let Some(entry) = self
            .window
            .pop_front_if(|entry| entry.fate == Fate::Acknowledged)
        {
            self.watermark = entry.end;
            self.watermark_sequence = next_sequence(self.watermark_sequence, entry.records as i32);
            self.acknowledged += u64::from(entry.records);
            self.acknowledged_bytes += entry.bytes;
            self.target_offset = self.target_offset.max(entry.target_end.unwrap_or(0));
            self.primed = true;
        }
        self.watermark != before
    }

    /// The target refused the batch or its fate is unknown. It stays in the window and holds the
    /// watermark until [`Flow::rewind`].
    pub fn fail(&mut self, ticket: Ticket) {
        if let Some(entry) = self.entry(ticket) {
            entry.fate = Fate::Failed;
        }
    }

    /// What a batch in the window covers: first source offset, the one after its last, its
    /// records and bytes.
    pub fn span(&self, ticket: Ticket) -> Option<(i64, i64, u32, u64)> {
        let mut start = self.watermark;
        for entry in &self.window {
            if entry.ticket == ticket {
                return Some((start, entry.end, entry.records, entry.bytes));
            }
            start = entry.end;
        }
        None
    }

    fn entry(&mut self, ticket: Ticket) -> Option<&mut Entry> {
        self.window.iter_mut().find(|entry| entry.ticket == ticket)
    }

    /// Forgets everything after the watermark; it will be read and sent again, with the same
    /// sequences. Only when nothing is in flight: an open request could still be applied after
    /// its repetition.
    pub fn rewind(&mut self) {
        debug_assert_eq!(self.in_flight(), 0, "rewind with requests in flight");
        for entry in self.window.drain(..).rev() {
            self.boundaries.push_front(entry.boundary);
        }
        self.primed = false;
        self.cursor = self.watermark;
        self.cursor_sequence = self.watermark_sequence;
        self.sent = self.acknowledged;
    }

    /// As [`Flow::rewind`], for a new producer: sequences begin at 0 again.
    pub fn restart_sequences(&mut self) {
        self.rewind();
        self.watermark_sequence = 0;
        self.cursor_sequence = 0;
    }

    /// Every open batch failed.
    #[cfg(test)]
    pub(crate) fn fail_all(&mut self) {
        for entry in &mut self.window {
            entry.fate = Fate::Failed;
        }
    }

    /// As if the broker had acknowledged a batch since the rewind.
    #[cfg(test)]
    pub(crate) fn prime(&mut self) {
        self.primed = true;
    }

    /// The position that covers `acknowledged` records is durable.
    pub fn committed(&mut self, acknowledged: u64) {
        self.committed = self.committed.max(acknowledged);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_failed_batch_holds_the_watermark_and_later_acknowledgements_do_not_pass_it() {
        let mut flow = Flow::new(100, 1000);
        let (first, _) = flow.send(10, 0, 110);
        assert!(
            !flow.may_send(10),
            "the broker does not know the producer yet"
        );
        assert!(flow.acknowledge(first, None));
        let (second, _) = flow.send(10, 0, 120);
        assert!(flow.may_send(10));
        let (third, _) = flow.send(10, 0, 130);
        assert!(!flow.acknowledge(third, None));
        flow.fail(second);
        assert_eq!(flow.watermark(), 110);
        flow.rewind();
        assert_eq!(flow.cursor(), 110);
        assert_eq!(
            flow.send(10, 0, 120).1,
            10,
            "the same records get the same sequence"
        );
    }

    #[test]
    fn skipped_offsets_follow_the_batch_before_them() {
        let mut flow = Flow::new(0, 1000);
        flow.skip(5);
        assert_eq!(
            flow.watermark(),
            5,
            "nothing before it: the position moves at once"
        );
        let (ticket, _) = flow.send(1, 0, 6);
        flow.skip(9);
        assert_eq!(flow.watermark(), 5);
        flow.acknowledge(ticket, None);
        assert_eq!(flow.watermark(), 9);
    }

    #[test]
    fn the_replay_window_stops_sending_until_a_position_is_committed() {
        let mut flow = Flow::new(0, 100);
        let (ticket, _) = flow.send(80, 0, 80);
        assert!(!flow.may_send(30));
        flow.acknowledge(ticket, None);
        assert!(!flow.may_send(30), "acknowledged is not yet committed");
        assert!(flow.wants_commit());
        flow.committed(80);
        assert!(flow.may_send(30));
        assert!(
            flow.may_send(500),
            "a batch larger than the window goes alone"
        );
    }

    #[test]
    fn the_target_offset_follows_the_watermark_and_never_runs_ahead_of_it() {
        let mut flow = Flow::resume(100, 7, 40, 1000);
        let (first, sequence) = flow.send(10, 0, 110);
        assert_eq!(sequence, 7);
        flow.acknowledge(first, Some(40));
        let (second, _) = flow.send(10, 0, 120);
        let (third, _) = flow.send(10, 0, 130);
        flow.acknowledge(third, Some(60));
        assert_eq!((flow.watermark(), flow.target_offset()), (110, 50));
        flow.acknowledge(second, None);
        assert_eq!((flow.watermark(), flow.target_offset()), (130, 70));
        assert_eq!(flow.watermark_sequence(), 37);
    }

    #[test]
    fn passed_records_take_their_sequences_with_them() {
        let mut flow = Flow::resume(100, i32::MAX - 4, 0, 1000);
        flow.pass(10, 112);
        assert_eq!((flow.watermark(), flow.cursor()), (112, 112));
        assert_eq!(flow.send(1, 0, 113).1, 5);
        assert_eq!(flow.acknowledged(), 0, "they are not this run's work");
    }

    #[derive(Debug, Clone)]
    enum Op {
        Send(u32),
        Skip(i64),
        Acknowledge(usize),
        Fail(usize),
        Rewind,
        Commit,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (1_u32..50).prop_map(Op::Send),
            1 => (1_i64..5).prop_map(Op::Skip),
            3 => (0_usize..5).prop_map(Op::Acknowledge),
            1 => (0_usize..5).prop_map(Op::Fail),
            1 => Just(Op::Rewind),
            1 => Just(Op::Commit),
        ]
    }

    proptest! {
        /// Against a model that keeps every batch ever sent: the watermark never passes a batch
        /// that was not acknowledged, and one record has one sequence for ever.
        #[test]
        fn the_watermark_is_contiguous_and_sequences_are_a_function_of_the_records(
            ops in proptest::collection::vec(op(), 1..200),
            places in 1..=MAX_IN_FLIGHT_FAR,
        ) {
            let mut flow = Flow::new(0, 200);
            flow.allow(places);
            let mut open: Vec<(Ticket, i64, i64)> = Vec::new();   // ticket, start, end
            let mut acknowledged: Vec<(i64, i64)> = Vec::new();
            let mut sizes = std::collections::BTreeMap::<i64, (u32, i32)>::new();
            let mut skips: Vec<(i64, i64)> = Vec::new();
            for op in ops {
                match op {
                    Op::Send(records) => {
                        // What was sent and not acknowledged is sent again as the same batch: the
                        // boundary says how far it went.
                        let again = flow.boundary().map(|end| (end - flow.cursor()) as u32);
                        let records = again.unwrap_or(records);
                        if !flow.may_send(records) || skips.iter().any(|(from, _)| *from == flow.cursor()) {
                            continue;
                        }
                        let start = flow.cursor();
                        let end = start + i64::from(records);
                        let (ticket, sequence) = flow.send(records, 0, end);
                        let known = *sizes.entry(start).or_insert((records, sequence));
                        prop_assert_eq!(known, (records, sequence));
                        open.push((ticket, start, end));
                    }
                    Op::Skip(offsets) => {
                        let start = flow.cursor();
                        if sizes.contains_key(&start) { continue; }
                        let end = skips.iter().find(|(from, _)| *from == start).map_or(start + offsets, |known| known.1);
                        flow.skip(end);
                        if !skips.contains(&(start, end)) { skips.push((start, end)); }
                    }
                    Op::Acknowledge(index) => {
                        if index < open.len() {
                            let (ticket, start, end) = open.remove(index);
                            flow.acknowledge(ticket, None);
                            acknowledged.push((start, end));
                        }
                    }
                    Op::Fail(index) => {
                        if index < open.len() {
                            flow.fail(open.remove(index).0);
                        }
                    }
                    Op::Rewind => {
                        if flow.in_flight() == 0 {
                            open.clear();
                            flow.rewind();
                            prop_assert_eq!(flow.cursor(), flow.watermark());
                        }
                    }
                    Op::Commit => flow.committed(flow.acknowledged()),
                }
                // Everything below the watermark is acknowledged or was nothing to send.
                let mut at = 0;
                while at < flow.watermark() {
                    let next = acknowledged.iter().chain(&skips).find(|(start, _)| *start == at);
                    prop_assert!(next.is_some(), "offset {} is below the watermark {} but open", at, flow.watermark());
                    at = next.map_or(i64::MAX, |(_, end)| *end);
                }
                prop_assert!(flow.in_flight() <= places);
            }
        }
    }
}
