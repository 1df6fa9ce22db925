//! The task of one partition.
//!
//! It goes through rounds. A round subscribes at the leaders, copies until something fails, waits
//! until nothing is in flight, and ends. Between rounds it waits a little, asks for newer metadata
//! where that may help, and begins again at the watermark.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kafka::fetch::FetchFrom;
use kafka::produce::ProduceBatch;
use kafka::{BrokerError, ProducerIdentity, RetryClass};
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fetch_lane::{Delivery, FetchLanes, Reading};
use crate::flow::{Flow, Ticket};
use crate::identity::PartitionId;
use crate::leaders::Leaders;
use crate::lineage::Lineage;
use crate::link::Link;
use crate::losses::{Losses, Passage};
use crate::merging::{self, Ready};
use crate::outcome::{RoundEnd, Stopped, TooLarge, Trouble};
use crate::oversize::Cutter;
use crate::position::{Position, ProducerPosition};
use crate::position_writer::Slot;
use crate::produce_lane::{ProduceLanes, Receipt, Refusal, Shipment, receipts};
use crate::progress::PartitionProgress;
use crate::resume::{self, NoAnswer};
use crate::traffic::{Times, Traffic};
use crate::transform::{self, Step};

/// Pauses between rounds without progress: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// Refusals in a row because of sequences before an at-least-once partition is given up; each gets a new producer id.
const MAX_NEW_PRODUCERS: u32 = 3;
/// The same in exactly-once, where each is answered by asking the target what it has. Another instance that is just
/// ahead of us causes a few.
const MAX_LOST_SEQUENCES: u32 = 20;
/// Trouble that lasts is said after this long and then this often. What passes sooner, such as the
/// first election of a new topic, is only worth a debug line.
const COMPLAIN_AFTER: Duration = Duration::from_secs(5);
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

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
    pub(crate) stop: CancellationToken,
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) losses: Losses,
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
    /// For as long as the guarantee does not name another.
    pub(crate) producer: ProducerIdentity,
    /// Nothing was ever written with the producer: there is no need to ask the target about it.
    pub(crate) untouched: bool,
    /// Small batches are merged up to this size; 0 where the target does not take merged ones.
    pub(crate) merge_bytes: usize,
    /// Positions are written to this, with the topic ids that were seen at the start.
    pub(crate) slot: Slot,
    pub(crate) position: Position,
    pub(crate) lineage: Lineage,
    pub(crate) cutter: Cutter,
    pub(crate) progress: Arc<PartitionProgress>,
}

impl Partition {
    /// Copies until the end, the stop, or a failure that repeating cannot mend.
    ///
    /// Dropping the future loses nothing: what is not covered by a committed position is copied
    /// again.
    pub(crate) async fn run(mut self, shared: &Shared) -> Result<Partition, (Partition, Stopped)> {
        match self.rounds(shared).await {
            Ok(()) => Ok(self),
            Err(stopped) => Err((self, stopped)),
        }
    }

    async fn rounds(&mut self, shared: &Shared) -> Result<(), Stopped> {
        let (committed, commits) = watch::channel(0_u64);
        let mut round = Round {
            commits,
            committed,
            producer: match self.guarantee {
                Guarantee::AtLeastOnce => self.producer,
                Guarantee::ExactlyOnce(own) => own,
            },
            lost_sequences: 0,
            metadata_stale: None,
            looked_back: false,
        };
        // Durable before the first record: a mirror that starts at the end and is stopped before
        // anything came must not start at a later end the next time.
        self.moved(&round, false);
        let mut pause = FIRST_PAUSE;
        let mut troubled: Option<Instant> = None;
        let mut complained: Option<Instant> = None;
        loop {
            let before = self.flow.watermark();
            let began = Instant::now();
            let trouble = match round.run(self, shared).await {
                Ok(RoundEnd::Complete | RoundEnd::Stopped) => return Ok(()),
                Ok(RoundEnd::Trouble(trouble)) => trouble,
                Err(stopped) => {
                    self.flow.rewind();
                    let passage = tokio::select! {
                        passage = round.get_past(self, shared, stopped) => passage?,
                        () = shared.stop.cancelled() => return Ok(()),
                    };
                    match passage {
                        Passage::Passed => continue,
                        Passage::Again(trouble) => trouble,
                    }
                }
            };
            round.metadata_stale = Some(Instant::now());
            self.progress.interrupted(&trouble);
            shared.traffic.interrupted(trouble.class());
            // A round that copied something, or stood connected with nothing to copy, was no trouble.
            if self.flow.watermark() > before || began.elapsed() >= COMPLAIN_EVERY {
                pause = FIRST_PAUSE;
                troubled = None;
                round.lost_sequences = 0;
            }
            let lasting = troubled.get_or_insert_with(Instant::now).elapsed();
            if shared.give_up_after.is_some_and(|limit| lasting >= limit) {
                return Err(Stopped::GaveUp {
                    after: lasting,
                    trouble,
                });
            }
            if lasting >= COMPLAIN_AFTER
                && complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY)
            {
                complained = Some(Instant::now());
                tracing::warn!(partition = %self.id, position = self.flow.watermark(), %trouble,
                    seconds = lasting.as_secs(), "no progress; trying again from the position");
            } else {
                tracing::debug!(partition = %self.id, position = self.flow.watermark(), %trouble,
                    "interrupted; reading again from the position");
            }
            if let Trouble::Sequence(error) = &trouble {
                round.lost_sequence(self, shared, error).await?;
            } else {
                self.flow.rewind();
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shared.stop.cancelled() => return Ok(()),
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    fn until(&self) -> i64 {
        self.progress.until
    }
}

/// What lives from round to round.
struct Round {
    committed: watch::Sender<u64>,
    commits: watch::Receiver<u64>,
    producer: ProducerIdentity,
    /// Refusals in a row because of sequences.
    lost_sequences: u32,
    /// Metadata must be newer than this.
    metadata_stale: Option<Instant>,
    /// A partition that has nothing to copy was compared with the source.
    looked_back: bool,
}

impl Round {
    async fn run(
        &mut self,
        partition: &mut Partition,
        shared: &Shared,
    ) -> Result<RoundEnd, Stopped> {
        if partition.flow.cursor() >= partition.until() {
            if !std::mem::replace(&mut self.looked_back, true) {
                partition.look_back(shared).await?;
            }
            return Ok(RoundEnd::Complete);
        }
        let ahead = if std::mem::take(&mut partition.untouched) {
            Ok(0)
        } else {
            tokio::select! {
                ahead = self.records_ahead(partition, shared) => ahead,
                () = shared.stop.cancelled() => return Ok(RoundEnd::Stopped),
            }
        };
        let ahead = match ahead {
            Ok(ahead) => ahead,
            Err(NoAnswer::Trouble(trouble)) => return Ok(RoundEnd::Trouble(trouble)),
            Err(NoAnswer::Stopped(stopped)) => return Err(stopped),
        };
        if ahead > 0 {
            tracing::info!(partition = %partition.id, position = partition.flow.watermark(), records = ahead,
                "the target has records beyond the position; they are not sent again");
        }
        let connected = tokio::select! {
            connected = self.connect(partition, shared) => connected?,
            () = shared.stop.cancelled() => return Ok(RoundEnd::Stopped),
        };
        let (lane, reading) = match connected {
            Ok(connected) => connected,
            Err(trouble) => return Ok(RoundEnd::Trouble(trouble)),
        };
        partition.progress.waits(false);
        let (reply, receipts) = receipts();
        let copying = Copying {
            lane,
            reading: Some(reading),
            reply,
            receipts,
            ready: VecDeque::new(),
            ahead,
            starved: false,
            trouble: None,
        };
        copying.run(self, partition, shared).await
    }

    /// Both sides' lanes. Cancel safe: nothing is sent yet.
    async fn connect(
        &self,
        partition: &mut Partition,
        shared: &Shared,
    ) -> Result<Result<(mpsc::Sender<Shipment>, Reading), Trouble>, Stopped> {
        let lane = match self.target_lane(partition, shared).await? {
            Ok(lane) => lane,
            Err(trouble) => return Ok(Err(trouble)),
        };
        Ok(self
            .subscribe(partition, shared)
            .await?
            .map(|reading| (lane, reading)))
    }

    async fn target_lane(
        &self,
        partition: &Partition,
        shared: &Shared,
    ) -> Result<Result<mpsc::Sender<Shipment>, Trouble>, Stopped> {
        let id = &partition.id;
        match shared
            .target
            .of(&id.target_topic, id.partition, self.metadata_stale)
            .await
        {
            Ok(leader) if leader.topic_id.to_string() != partition.position.target_topic_id => {
                Err(Stopped::TargetReset {
                    topic: id.target_topic.clone(),
                })
            }
            Ok(leader) => {
                let mut lanes = shared.produce.lock().await;
                Ok(Ok(lanes.lane(&leader.node, &id.target_topic, id.partition)))
            }
            Err(error) if error.class() == RetryClass::Fatal => Err(Stopped::Client(error)),
            Err(error) => Ok(Err(Trouble::Target(error))),
        }
    }

    async fn subscribe(
        &self,
        partition: &mut Partition,
        shared: &Shared,
    ) -> Result<Result<Reading, Trouble>, Stopped> {
        let id = partition.id.clone();
        match shared
            .source
            .of(&id.source_topic, id.partition, self.metadata_stale)
            .await
        {
            Ok(leader) if leader.topic_id.to_string() != partition.position.source_topic_id => {
                Err(Stopped::SourceReset {
                    topic: id.source_topic.clone(),
                })
            }
            Ok(leader) => {
                if let Err(trouble) = partition.check_lineage(shared, &leader).await? {
                    return Ok(Err(trouble));
                }
                let from = FetchFrom {
                    topic: id.source_topic.clone(),
                    topic_id: leader.topic_id,
                    partition: id.partition,
                    offset: partition.flow.cursor(),
                    leader_epoch: leader.epoch,
                };
                let mut lanes = shared.fetch.lock().await;
                let lane = lanes.lane(&leader.node, &id.source_topic, id.partition);
                drop(lanes);
                Ok(Ok(lane.subscribe(from, partition.progress.clone()).await))
            }
            Err(error) if error.class() == RetryClass::Fatal => Err(Stopped::Client(error)),
            Err(error) => {
                // Recreated with fewer partitions: this one has no leader and never will.
                let now = shared.source.topic_id(&id.source_topic).await;
                if now.is_some_and(|now| now.to_string() != partition.position.source_topic_id) {
                    return Err(Stopped::SourceReset {
                        topic: id.source_topic.clone(),
                    });
                }
                Ok(Err(Trouble::Source(error)))
            }
        }
    }

    /// The target refuses our sequences. At-least-once allows a new producer: what was acknowledged stays, the rest is
    /// sent anew. In exactly-once the next round asks the target what it has.
    async fn lost_sequence(
        &mut self,
        partition: &mut Partition,
        shared: &Shared,
        error: &BrokerError,
    ) -> Result<(), Stopped> {
        self.lost_sequences += 1;
        let most = match partition.guarantee {
            Guarantee::AtLeastOnce => MAX_NEW_PRODUCERS,
            Guarantee::ExactlyOnce(_) => MAX_LOST_SEQUENCES,
        };
        if self.lost_sequences > most {
            return Err(Stopped::Refused(error.clone()));
        }
        match partition.guarantee {
            Guarantee::AtLeastOnce => {
                let cluster = shared.target.cluster();
                self.producer = cluster.init_producer_id().await.map_err(Stopped::Client)?;
                partition.flow.restart_sequences();
            }
            Guarantee::ExactlyOnce(_) => partition.flow.rewind(),
        }
        Ok(())
    }

    /// Gets past what stopped a round, where the policy allows it; the position is durable then.
    async fn get_past(
        &mut self,
        partition: &mut Partition,
        shared: &Shared,
        stopped: Stopped,
    ) -> Result<Passage, Stopped> {
        let moves = matches!(
            stopped,
            Stopped::OutOfRange { .. } | Stopped::Diverged { .. }
        );
        if moves && partition.guarantee != Guarantee::AtLeastOnce {
            // Which source records these are could not be told any more.
            match self.records_ahead(partition, shared).await {
                Ok(0) => {}
                Ok(ahead) => {
                    let offset = partition.flow.watermark();
                    return Err(Stopped::LostCount { offset, ahead });
                }
                Err(NoAnswer::Trouble(trouble)) => return Ok(Passage::Again(trouble)),
                Err(NoAnswer::Stopped(stopped)) => return Err(stopped),
            }
        }
        let passage = partition.pass(shared, stopped).await?;
        if matches!(passage, Passage::Passed) {
            // Exactly once counts records from the position on: what is sent next must not be
            // counted from the old one.
            partition.moved(self, true);
            let (committed, mut commits) = watch::channel(0);
            let acknowledged = partition.flow.acknowledged();
            let position = partition.position.clone();
            partition
                .slot
                .update(position, acknowledged, committed, true);
            let _ = commits.changed().await;
            partition.flow.committed(acknowledged);
        }
        Ok(passage)
    }

    /// Exactly once: the records after the watermark that the target has already.
    async fn records_ahead(&self, partition: &Partition, shared: &Shared) -> Result<u32, NoAnswer> {
        let Guarantee::ExactlyOnce(producer) = partition.guarantee else {
            return Ok(0);
        };
        // Closed by nobody: the semaphore lives as long as the partitions.
        let _permit = shared.resuming.acquire().await;
        let id = &partition.id;
        let leader = shared
            .target
            .of(&id.target_topic, id.partition, self.metadata_stale)
            .await?;
        let known = ProducerPosition {
            id: producer.id,
            epoch: producer.epoch,
            sequence: partition.flow.watermark_sequence(),
            target_offset: partition.flow.target_offset(),
        };
        let cluster = shared.target.cluster();
        resume::records_ahead(cluster, &leader, &id.target_topic, id.partition, known).await
    }
}

/// A round with both sides connected.
struct Copying {
    lane: mpsc::Sender<Shipment>,
    /// `None` once no more is wanted.
    reading: Option<Reading>,
    reply: mpsc::Sender<Receipt>,
    receipts: mpsc::Receiver<Receipt>,
    ready: VecDeque<Ready>,
    /// Records that come next and that the target has already (exactly-once).
    ahead: u32,
    /// The next batch was sent once and is not wholly read yet.
    starved: bool,
    trouble: Option<Trouble>,
}

impl Copying {
    async fn run(
        mut self,
        round: &mut Round,
        partition: &mut Partition,
        shared: &Shared,
    ) -> Result<RoundEnd, Stopped> {
        let mut stopping = false;
        let mut look_again = shared.look_again.subscribe();
        let mut fatal: Option<Stopped> = None;
        loop {
            if !stopping
                && self.trouble.is_none()
                && fatal.is_none()
                && let Err(stopped) = self.send_ready(round, partition).await
            {
                fatal = Some(stopped);
            }
            let wants_more = partition.flow.cursor() < partition.until();
            if stopping || fatal.is_some() || self.trouble.is_some() || !wants_more {
                // Whatever was read ahead gives its bytes back now.
                self.ready.clear();
                self.reading = None;
                if partition.flow.in_flight() == 0 {
                    return match (fatal, self.trouble) {
                        (Some(stopped), _) => Err(stopped),
                        (None, Some(trouble)) => Ok(RoundEnd::Trouble(trouble)),
                        (None, None) if stopping => Ok(RoundEnd::Stopped),
                        (None, None) => Ok(RoundEnd::Complete),
                    };
                }
            }
            tokio::select! {
                biased;
                () = shared.stop.cancelled(), if !stopping => stopping = true,
                Some(receipt) = self.receipts.recv() => {
                    if let Err(stopped) = self.receive(receipt, round, partition) {
                        fatal.get_or_insert(stopped);
                    }
                }
                Ok(()) = look_again.changed() => {
                    self.trouble.get_or_insert(Trouble::LookAgain);
                }
                Ok(()) = round.commits.changed() => {
                    let acknowledged = *round.commits.borrow_and_update();
                    partition.flow.committed(acknowledged);
                    partition.progress.committed(acknowledged);
                }
                delivery = next(&mut self.reading), if self.ready.is_empty() || self.starved => {
                    if let Err(stopped) = self.take_in(delivery, partition) {
                        fatal.get_or_insert(stopped);
                    }
                }
            }
        }
    }

    /// Sends as much of what is ready as the window allows.
    async fn send_ready(
        &mut self,
        round: &Round,
        partition: &mut Partition,
    ) -> Result<(), Stopped> {
        self.pass_ready(round, partition)?;
        self.starved = false;
        while let Some(Ready { step, .. }) = self.ready.front() {
            match step {
                Step::Skip { end } => {
                    partition.flow.skip(*end);
                    self.ready.pop_front();
                    partition.progress.filtered();
                    partition.moved(round, false);
                    continue;
                }
                Step::Send { batch, .. }
                    if !partition
                        .flow
                        .may_send(batch.header.record_count.unsigned_abs()) =>
                {
                    return Ok(());
                }
                Step::Send { .. } => {}
            }
            let Some((count, records)) =
                merging::count(&self.ready, &partition.flow, partition.merge_bytes)
            else {
                self.starved = true;
                return Ok(());
            };
            if !partition
                .flow
                .may_send(u32::try_from(records).unwrap_or(u32::MAX))
            {
                return Ok(());
            }
            let Some(group) = merging::take(&mut self.ready, count)? else {
                return Ok(());
            };
            let batch = group.batch;
            let records = batch.header.record_count as u32;
            let bytes = batch.wire_len() as u64;
            let (ticket, sequence) = partition.flow.send(records, bytes, group.end);
            let times = Times::of(&batch.header);
            partition.progress.sent(group.rebuilt, group.parts, times);
            let shipment = Shipment {
                batch: ProduceBatch {
                    topic: partition.id.target_topic.clone(),
                    partition: partition.id.partition,
                    header: batch.stamped(round.producer, sequence),
                    payload: batch.payload(),
                },
                ticket,
                times,
                reply: self.reply.clone(),
                shares: group.shares,
            };
            if self.lane.send(shipment).await.is_err() {
                partition.flow.fail(ticket);
                self.trouble.get_or_insert(Trouble::LaneGone);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Moves over what is ready and on the target already. Nothing is in flight then.
    fn pass_ready(&mut self, round: &Round, partition: &mut Partition) -> Result<(), Stopped> {
        while self.ahead > 0
            && let Some(Ready { step, .. }) = self.ready.pop_front()
        {
            match step {
                Step::Skip { end } => partition.flow.skip(end),
                Step::Send { batch, end, .. } => {
                    let records = batch.header.record_count as u32;
                    if records > self.ahead {
                        return Err(Stopped::InsideBatch {
                            ahead: self.ahead,
                            from: partition.flow.watermark(),
                            batch_start: partition.flow.watermark(),
                            batch_end: end,
                            bytes: batch.wire_len(),
                        });
                    }
                    self.ahead -= records;
                    partition.flow.pass(records, end);
                }
            }
            partition.moved(round, false);
        }
        Ok(())
    }

    fn receive(
        &mut self,
        receipt: Receipt,
        round: &Round,
        partition: &mut Partition,
    ) -> Result<(), Stopped> {
        let error = match receipt.outcome {
            Ok(target_offset) => {
                partition.progress.copied(receipt.times);
                partition.acknowledged(round, receipt.ticket, target_offset);
                return Ok(());
            }
            Err(Refusal::Unknown(error)) => {
                partition.flow.fail(receipt.ticket);
                self.trouble.get_or_insert(Trouble::Target(error));
                return Ok(());
            }
            Err(Refusal::Broker(error)) => error,
        };
        let exactly_once = matches!(partition.guarantee, Guarantee::ExactlyOnce(_));
        if error.name() == "DUPLICATE_SEQUENCE_NUMBER" && !exactly_once {
            // A repetition that the broker recognised: it is there.
            partition.acknowledged(round, receipt.ticket, None);
            return Ok(());
        }
        let span = partition.flow.span(receipt.ticket);
        partition.flow.fail(receipt.ticket);
        match error.name().as_str() {
            // A range that the broker once took, but not as this batch: ask it what it has.
            "DUPLICATE_SEQUENCE_NUMBER" => {
                self.trouble.get_or_insert(Trouble::Sequence(error));
                Ok(())
            }
            // Behind an earlier failure this is only its echo.
            "OUT_OF_ORDER_SEQUENCE_NUMBER" if self.trouble.is_some() => Ok(()),
            "OUT_OF_ORDER_SEQUENCE_NUMBER" | "UNKNOWN_PRODUCER_ID" | "INVALID_PRODUCER_EPOCH" => {
                self.trouble = Some(Trouble::Sequence(error));
                Ok(())
            }
            // Perhaps only because of merging.
            "MESSAGE_TOO_LARGE" | "RECORD_LIST_TOO_LARGE" if partition.merge_bytes > 0 => {
                partition.merge_bytes = 0;
                self.trouble.get_or_insert(Trouble::TargetRefused(error));
                Ok(())
            }
            "MESSAGE_TOO_LARGE" | "RECORD_LIST_TOO_LARGE" => {
                let (start, end, records, bytes) = span.unwrap_or_default();
                Err(Stopped::TooLarge(TooLarge {
                    start,
                    end,
                    records,
                    bytes,
                    error,
                }))
            }
            _ if error.class() == RetryClass::Fatal => Err(Stopped::Refused(error)),
            _ => {
                self.trouble.get_or_insert(Trouble::TargetRefused(error));
                Ok(())
            }
        }
    }

    fn take_in(
        &mut self,
        delivery: Option<Delivery>,
        partition: &mut Partition,
    ) -> Result<(), Stopped> {
        match delivery {
            Some(Delivery::Records(stretch)) => {
                partition.lineage.note(&stretch.records)?;
                let cursor = partition.flow.cursor();
                let records = stretch.records;
                let steps = transform::steps(records.clone(), cursor, &stretch.aborted)?;
                let steps = partition.cutter.cut(steps, &records, cursor)?;
                self.ready.extend(steps.into_iter().map(|step| Ready {
                    step,
                    share: stretch.share.clone(),
                }));
                Ok(())
            }
            Some(Delivery::Refused(error)) => match error.name().as_str() {
                "OFFSET_OUT_OF_RANGE" if self.ahead > 0 => Err(Stopped::LostCount {
                    offset: partition.flow.cursor(),
                    ahead: self.ahead,
                }),
                "OFFSET_OUT_OF_RANGE" => Err(Stopped::OutOfRange {
                    offset: partition.flow.cursor(),
                }),
                _ if error.class() == RetryClass::Fatal => Err(Stopped::SourceRefused(error)),
                _ => {
                    self.trouble.get_or_insert(Trouble::SourceRefused(error));
                    Ok(())
                }
            },
            Some(Delivery::Lost(error)) => {
                self.trouble.get_or_insert(Trouble::Source(error));
                Ok(())
            }
            Some(Delivery::Unreadable(error)) => Err(Stopped::Unreadable(error)),
            None => {
                self.trouble.get_or_insert(Trouble::LaneGone);
                Ok(())
            }
        }
    }
}

async fn next(reading: &mut Option<Reading>) -> Option<Delivery> {
    match reading {
        Some(reading) => reading.next().await,
        None => std::future::pending().await,
    }
}

impl Partition {
    /// The target has a batch.
    fn acknowledged(&mut self, round: &Round, ticket: Ticket, target_offset: Option<i64>) {
        if self.flow.acknowledge(ticket, target_offset) {
            self.moved(round, self.flow.wants_commit());
        }
    }

    /// The watermark moved: show it and have it written.
    fn moved(&mut self, round: &Round, urgent: bool) {
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
            round.committed.clone(),
            urgent,
        );
    }
}
