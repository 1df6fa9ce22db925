//! One run of one mirror from one source, or of one task of it: prepare, copy, drain.

mod anew;
mod claims;
mod discovery;
mod hand_over;
mod leaderless;
mod patience;
mod paused;
mod prepare;
mod refused;
mod shared_out;
mod starts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::{Cluster, ProducerIdentity, TopicPartition, Uuid};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use topology::{Delivery, Mirror};

use self::patience::Patience;
use crate::error::RunError;
use crate::identity::PartitionId;
use crate::options::{Mode, Options, Source};
use crate::outcome::Stopped;
use crate::ownership::Ownership;
use crate::partition::{Partition, Shared};
use crate::position::{POSITIONS_TOPIC, Position, PositionKey};
use crate::position_writer::Slots;
use crate::progress::{PartitionFailure, Phase, Progress};
use crate::summary::Summary;
use crate::task::Task;
use crate::topics::Upkeep;
use crate::words::named;

/// How often a run in at-least-once looks whether the mirror is still its own.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Partitions that are named one by one where they could not drain.
const STUCK_SHOWN: usize = 20;
/// Pause before partitions begin anew: metadata may still show the old topic for a moment.
const RESTART_PAUSE: Duration = Duration::from_millis(500);

/// One run, from taking the mirror or one task of it over to its end. See [`crate::run`].
pub(crate) async fn one(
    (mirror, task): (&Mirror, Task),
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<Summary, RunError> {
    let started = Instant::now();
    let shown = progress.clone();
    shown.enter(Phase::Preparing);
    let to_the_end = async {
        let mut patience = Patience::new(&options, progress.clone(), stop.clone());
        let mut run = loop {
            let prepared = Run::prepare(
                (mirror, task),
                source.clone(),
                target.clone(),
                options.clone(),
                progress.clone(),
                stop.clone(),
            );
            match prepared.await {
                Ok(run) => {
                    run.progress.trouble(None);
                    break run;
                }
                Err(error) => patience.bear(error).await?,
            }
        };
        let copied = run.copy(patience).await;
        run.progress.enter(Phase::Draining);
        // the first thing after a standstill may be the stop
        let ours = run.make_sure_to_drain().await;
        run.finish().await;
        run.progress.enter(Phase::Done);
        copied.and(ours)?;
        if options.mode == Mode::Last && !run.shared.stop.is_cancelled() {
            run.hand_over().await?;
        }
        let mut summary = Summary::of(mirror, &run.source.alias, &run.progress, started.elapsed());
        summary.interrupted = run.shared.stop.is_cancelled() && run.options.mode.ends_by_itself();
        Ok(summary)
    };
    let ended: Result<Summary, RunError> = to_the_end.await;
    if let Err(error) = &ended {
        shown.trouble(Some(error.to_string()));
        shown.enter(Phase::Failed);
    }
    ended
}

struct Run<'a> {
    mirror: &'a Mirror,
    /// The part of the mirror that is copied.
    task: Task,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    shared: Arc<Shared>,
    ownership: Ownership,
    slots: Slots,
    writer: JoinSet<Result<(), kafka::Error>>,
    writer_finish: CancellationToken,
    /// What goes on beside the copying; ends with the run.
    _ends: JoinSet<()>,
    partitions: JoinSet<Result<Partition, (Partition, Stopped)>>,
    running: BTreeSet<TopicPartition>,
    tasks: BTreeMap<TopicPartition, AbortHandle>,
    upkeep: Upkeep,
    /// Topics that are refused, with the reason that was said.
    refused: BTreeMap<String, String>,
    /// Where `startOffset` lets partitions begin that were refused when the run first saw them, with the ids of their topics.
    refused_starts: BTreeMap<TopicPartition, (Uuid, i64)>,
    /// Partitions that are held back, and shown.
    paused: BTreeSet<TopicPartition>,
    /// Partitions that cannot begin before somebody leads them.
    leaderless: BTreeSet<TopicPartition>,
    first_discovery: bool,
    /// Until then, what the first task has not made ready is looked for more often.
    quick_until: tokio::time::Instant,
    /// Of the partitions that are started from now on. Those that begin anew must not repeat the
    /// sequences of their earlier life: the target would take their records for repetitions.
    producer: ProducerIdentity,
    /// Partitions that ended in this run because their topic was not to be copied any more: what they reached stands in the
    /// log alone, should it come back.
    ended: BTreeSet<TopicPartition>,
    /// Last positions of partitions that stopped in this run to begin anew.
    stopped: BTreeMap<PositionKey, Position>,
    /// Partitions whose position means nothing any more, and where they begin instead.
    anew: BTreeMap<PositionKey, i64>,
    /// When partitions that stopped because a topic was recreated are started again.
    restart_at: Option<tokio::time::Instant>,
    /// Where the target partitions of a last copy ended before it, by partition of the source.
    target_ends: BTreeMap<TopicPartition, i64>,
    /// Ids on the source and on the target of the topics that were seen.
    topic_ids: BTreeMap<String, (Uuid, Uuid)>,
}

impl Run<'_> {
    /// Discovers, starts partitions, and waits for their end; in continuous mode again and again.
    async fn copy(&mut self, mut patience: Patience) -> Result<(), RunError> {
        while let Err(error) = self.discover().await {
            // A broker that is away for a moment holds up nothing but the beginning.
            if self.options.mode == Mode::Continuous && error.may_pass() {
                self.begin_later(&error);
                break;
            }
            patience.bear(error).await?;
        }
        self.progress.enter(Phase::Copying);
        let mut discovery = tokio::time::interval(self.mirror.topic_sync.interval);
        discovery.reset();
        let mut look = tokio::time::interval(match self.mirror.delivery {
            Delivery::ExactlyOnce => self.shared.trust.look_every(),
            Delivery::AtLeastOnce => LOOK_EVERY,
        });
        // Discovery may take longer than that, and a process that was frozen has nothing to make up for.
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.reset();
        loop {
            if self.options.mode.ends_by_itself()
                && self.partitions.is_empty()
                && self.restart_at.is_none()
            {
                return Ok(());
            }
            let restart_at = self.restart_at;
            tokio::select! {
                () = self.shared.stop.cancelled() => return Ok(()),
                Some(ended) = self.partitions.join_next() => self.ended(ended),
                () = until(restart_at) => {
                    self.restart_at = None;
                    match self.discover().await {
                        Ok(()) => self.progress.trouble(None),
                        Err(error) if self.options.mode.ends_by_itself() => return Err(error),
                        Err(error) if error.is_over() => return Err(error),
                        Err(error) => self.begin_later(&error),
                    }
                }
                _ = discovery.tick(), if self.options.mode == Mode::Continuous => {
                    // The clusters may be away for a moment; the partitions have their own retries.
                    let trouble = match self.discover().await {
                        Ok(()) => None,
                        Err(error) if error.is_over() => return Err(error),
                        Err(error) => {
                            tracing::warn!(%error, "discovery failed; trying again");
                            Some(error.to_string())
                        }
                    };
                    self.progress.trouble(trouble);
                }
                _ = look.tick() => self.look().await?,
            }
        }
    }

    /// Partitions could not be started, for a reason that may pass.
    fn begin_later(&mut self, error: &RunError) {
        tracing::warn!(%error, "not all partitions can be started; trying again");
        self.progress.trouble(Some(error.to_string()));
        self.restart_at = Some(tokio::time::Instant::now() + RESTART_PAUSE);
    }

    fn ended(
        &mut self,
        ended: Result<Result<Partition, (Partition, Stopped)>, tokio::task::JoinError>,
    ) {
        match ended {
            Ok(Ok(partition)) => partition.progress.finish(),
            Ok(Err((partition, stopped))) if self.starts_again(&partition, &stopped) => {
                partition.progress.finish();
            }
            Ok(Err((partition, stopped))) => {
                let reason = stopped.to_string();
                partition.progress.fail(&reason);
                partition.leave(&reason);
                let failure = failure(&partition.id, Some(partition.flow.watermark()), reason);
                tracing::error!(partition = %partition.id, position = partition.flow.watermark(),
                    reason = %failure.reason, "partition stopped; its neighbours go on");
                self.progress.fail(failure);
            }
            // ours, because its topic is no longer copied
            Err(ended) if ended.is_cancelled() => {}
            Err(panicked) => {
                let reason = format!("a partition task failed: {panicked}");
                tracing::error!(%reason);
                self.progress.fail(PartitionFailure {
                    topic: "unknown".to_owned(),
                    partition: None,
                    position: None,
                    reason,
                });
            }
        }
    }

    /// Waits for the partitions to drain, then for the last positions; names what was stuck.
    async fn finish(&mut self) {
        let deadline = tokio::time::Instant::now() + self.options.drain_deadline;
        while let Ok(Some(ended)) =
            tokio::time::timeout_at(deadline, self.partitions.join_next()).await
        {
            self.ended(ended);
        }
        if !self.partitions.is_empty() {
            tracing::error!(
                partitions = self.partitions.len(),
                "unacknowledged at the drain deadline: {}; the next run goes on from their committed positions",
                named(&self.stuck(), STUCK_SHOWN)
            );
            self.partitions.abort_all();
        }
        self.writer_finish.cancel();
        let written = self.writer.join_next().await;
        // who stands by is not told that a mirror is free which goes on here, or is over
        let over = self.options.mode == Mode::Last && !self.shared.stop.is_cancelled();
        if !over && !self.options.goes_on.is_cancelled() {
            self.give_back().await;
        }
        let problem = match written {
            Some(Ok(Ok(()))) | None => return,
            Some(Ok(Err(error))) => error.to_string(),
            Some(Err(panicked)) => panicked.to_string(),
        };
        tracing::error!(error = %problem, "the last positions could not be committed");
        self.progress.fail(PartitionFailure {
            topic: POSITIONS_TOPIC.to_owned(),
            partition: None,
            position: None,
            reason: format!("the last positions could not be committed: {problem}"),
        });
    }

    /// Partitions whose tasks have not ended.
    fn stuck(&self) -> Vec<String> {
        let tasks = self.tasks.iter();
        let running = tasks.filter(|(_, task)| !task.is_finished());
        running
            .map(|(partition, _)| partition.to_string())
            .collect()
    }
}

fn on_source(alias: String, error: kafka::Error) -> RunError {
    RunError::Source { alias, error }
}

fn on_target(alias: String, error: kafka::Error) -> RunError {
    RunError::Target { alias, error }
}

pub(crate) fn positions_error(mirror: &Mirror, error: kafka::Error) -> RunError {
    RunError::Positions {
        alias: mirror.target.clone(),
        topic: POSITIONS_TOPIC,
        error: Box::new(error),
    }
}

/// Never, where there is no moment.
async fn until(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn failure(id: &PartitionId, position: Option<i64>, reason: String) -> PartitionFailure {
    PartitionFailure {
        topic: id.source_topic.to_string(),
        partition: Some(id.partition),
        position,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stuck_is_named_and_a_crowd_counted() {
        let partitions: Vec<String> = (0..22).map(|it| format!("t-{it}")).collect();
        assert_eq!(named(&partitions[..2], STUCK_SHOWN), "t-0, t-1");
        assert!(named(&partitions, STUCK_SHOWN).ends_with("t-19 and 2 more"));
    }
}
