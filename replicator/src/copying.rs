//! A round with both sides connected: fetched batches go out, acknowledgements come in.

use std::collections::VecDeque;

use kafka::RetryClass;
use kafka::produce::ProduceBatch;
use tokio::sync::mpsc;

use crate::fail_point::FailPoint;
use crate::fetch_lane::{Delivery, Reading};
use crate::merging::{self, Ready};
use crate::outcome::{RoundEnd, Stopped, TooLarge, Trouble};
use crate::partition::{Guarantee, Partition, Shared};
use crate::produce_lane::{Receipt, Refusal, Shipment, receipts};
use crate::traffic::Times;
use crate::transform::{self, Step};

/// A round with both sides connected.
pub(crate) struct Copying {
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
    /// `ahead` records come next that the target has already.
    pub(crate) fn new(lane: mpsc::Sender<Shipment>, reading: Reading, ahead: u32) -> Self {
        let (reply, receipts) = receipts();
        Self {
            lane,
            reading: Some(reading),
            reply,
            receipts,
            ready: VecDeque::new(),
            ahead,
            starved: false,
            trouble: None,
        }
    }

    /// Until the end, the stop or trouble, and until nothing is in flight.
    pub(crate) async fn run(
        mut self,
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
                && let Err(stopped) = self.send_ready(partition).await
            {
                fatal = Some(stopped);
            }
            partition.progress.way.awaits(partition.flow.in_flight());
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
                    if let Err(stopped) = self.receive(receipt, partition) {
                        fatal.get_or_insert(stopped);
                    }
                }
                Ok(()) = look_again.changed() => {
                    self.trouble.get_or_insert(Trouble::LookAgain);
                }
                acknowledged = partition.commits.next() => {
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
    async fn send_ready(&mut self, partition: &mut Partition) -> Result<(), Stopped> {
        self.pass_ready(partition)?;
        self.starved = false;
        while let Some(Ready { step, .. }) = self.ready.front() {
            match step {
                Step::Skip { end } => {
                    partition.flow.skip(*end);
                    self.ready.pop_front();
                    partition.progress.filtered();
                    partition.moved(false);
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
                    header: batch.stamped(partition.producer, sequence),
                    payload: batch.payload(),
                },
                ticket,
                times,
                reply: self.reply.clone(),
                shares: group.shares,
                passed_on: None,
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
    fn pass_ready(&mut self, partition: &mut Partition) -> Result<(), Stopped> {
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
            partition.moved(false);
        }
        Ok(())
    }

    fn receive(&mut self, receipt: Receipt, partition: &mut Partition) -> Result<(), Stopped> {
        let error = match receipt.outcome {
            Ok(target_offset) => {
                FailPoint::Acknowledged.pass();
                partition.progress.copied(receipt.times);
                partition.acknowledged(receipt.ticket, target_offset);
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
            partition.acknowledged(receipt.ticket, None);
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
                FailPoint::Fetched.pass();
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
