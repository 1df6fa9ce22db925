//! The task of one partition.
//!
//! It goes through rounds. A round subscribes at the leaders, copies until something fails, waits
//! until nothing is in flight, and ends. Between rounds it waits a little, asks for newer metadata
//! where that may help, and begins again at the watermark.

use std::time::Duration;

use kafka::fetch::FetchFrom;
use kafka::{BrokerError, ProducerIdentity, RetryClass};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::complaints::COMPLAIN_EVERY;
use crate::copying::Copying;
use crate::fetch_lane::Reading;
use crate::leaders::Leader;
use crate::losses::Passage;
use crate::outcome::{RoundEnd, Stopped, Trouble};
use crate::partition::{Guarantee, Partition, Shared};
use crate::position::ProducerPosition;
use crate::produce_lane::Shipment;
use crate::resume::{self, Found, NoAnswer};
use crate::traffic::Side;

/// Pauses between rounds without progress: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// Refusals in a row because of sequences before an at-least-once partition is given up; each gets a new producer id.
const MAX_NEW_PRODUCERS: u32 = 3;
/// The same in exactly-once, where each is answered by asking the target what it has. Another instance that is just
/// ahead of us causes a few.
const MAX_LOST_SEQUENCES: u32 = 20;
/// Trouble that lasts is said after this long. What passes sooner, such as the first election of a new topic, is only worth
/// a debug line.
const COMPLAIN_AFTER: Duration = Duration::from_secs(5);
/// What a round takes at most where clusters take every request and answer none.
const LONGEST_SILENCE: Duration = Duration::from_mins(3);

impl Partition {
    /// Copies until the end, the stop, or a failure that repeating cannot mend.
    ///
    /// Dropping the future loses nothing: what is not covered by a committed position is copied
    /// again.
    pub(crate) async fn run(mut self, shared: &Shared) -> Result<Partition, (Partition, Stopped)> {
        match self.rounds(shared).await {
            Ok(()) => Ok(self),
            Err(stopped) => {
                if matches!(stopped, Stopped::SourceReset { .. }) {
                    self.progress.lies_before(0);
                }
                Err((self, stopped))
            }
        }
    }

    async fn rounds(&mut self, shared: &Shared) -> Result<(), Stopped> {
        let mut round = Round::default();
        // Durable before the first record: a mirror that starts at the end and is stopped before
        // anything came must not start at a later end the next time.
        self.moved(false);
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
            self.progress.interrupted(&trouble, trouble.side());
            shared.traffic.interrupted(trouble.class());
            // A round that copied something, or stood connected with nothing to copy, was no trouble. One that waited for an
            // answer all the time was.
            let stood = if trouble.is_silence() {
                LONGEST_SILENCE
            } else {
                COMPLAIN_EVERY
            };
            let idle = self.progress.remaining() == 0;
            if self.flow.watermark() > before || idle && began.elapsed() >= stood {
                pause = FIRST_PAUSE;
                troubled = None;
                round.lost_sequences = 0;
            }
            let mut lasting = troubled.get_or_insert_with(Instant::now).elapsed();
            if !idle {
                // trouble before there was something to copy is past
                lasting = lasting.min(self.progress.way.behind_for());
            }
            if shared.give_up_after.is_some_and(|limit| lasting >= limit) {
                return Err(Stopped::GaveUp {
                    after: lasting,
                    trouble,
                });
            }
            let mut said = None;
            if lasting >= COMPLAIN_AFTER
                && complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY)
            {
                let now = Instant::now();
                complained = Some(now);
                let broker = trouble.side().and_then(|it| self.progress.way.leader(it));
                said = shared.complaints.may_say(trouble.class(), broker, now);
            }
            if let Some(others) = said {
                let others = (others > 0).then_some(others);
                tracing::warn!(partition = %self.id, position = self.flow.watermark(), %trouble, others,
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
}

/// What lives from round to round.
#[derive(Default)]
struct Round {
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
        Copying::new(lane, reading, ahead)
            .run(partition, shared)
            .await
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
                partition.progress.way.led_by(Side::Target, leader.node.id);
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
                partition.progress.way.led_by(Side::Source, leader.node.id);
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
                partition.producer = cluster.init_producer_id().await.map_err(Stopped::Client)?;
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
            partition.moved(true);
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

    /// Exactly once: the records after the watermark that the target has already. Waits until this run may send.
    async fn records_ahead(&self, partition: &Partition, shared: &Shared) -> Result<u32, NoAnswer> {
        shared.trust.regained().await;
        let Guarantee::ExactlyOnce(producer) = partition.guarantee else {
            return Ok(0);
        };
        let found = self.ask_target(partition, producer, shared).await?;
        let others_until = shared.trust.alone_in();
        if !found.forgotten || others_until.is_zero() {
            return Ok(found.ahead);
        }
        tracing::info!(partition = %partition.id, position = partition.flow.watermark(),
            seconds = others_until.as_secs_f64(),
            "the target has forgotten this partition's producer; waiting until no earlier run can send any more");
        tokio::time::sleep(others_until).await;
        let found = self.ask_target(partition, producer, shared).await?;
        Ok(found.ahead)
    }

    async fn ask_target(
        &self,
        partition: &Partition,
        producer: ProducerIdentity,
        shared: &Shared,
    ) -> Result<Found, NoAnswer> {
        // Closed by nobody: the semaphore lives as long as the partitions.
        let _permit = shared.resuming.acquire().await;
        let id = &partition.id;
        let leader = shared
            .target
            .of(&id.target_topic, id.partition, self.metadata_stale)
            .await?;
        let reset = |leader: &Leader| -> Result<(), NoAnswer> {
            if leader.topic_id.to_string() == partition.position.target_topic_id {
                return Ok(());
            }
            let topic = id.target_topic.clone();
            Err(Stopped::TargetReset { topic }.into())
        };
        reset(&leader)?;
        let known = ProducerPosition {
            id: producer.id,
            epoch: producer.epoch,
            sequence: partition.flow.watermark_sequence(),
            target_offset: partition.flow.target_offset(),
        };
        let cluster = shared.target.cluster();
        let asked = Instant::now();
        let answer =
            resume::records_ahead(cluster, &leader, &id.target_topic, id.partition, known).await;
        if matches!(answer, Err(NoAnswer::Stopped(_))) {
            // a topic that was recreated since the metadata were read has lost records by all appearances
            let now = shared
                .target
                .of(&id.target_topic, id.partition, Some(asked));
            reset(&now.await?)?;
        }
        answer
    }
}
