//! Processes that share a mirror: each has some of its tasks, and takes over those of one that is gone.
//!
//! Who shares a mirror says so in the log of positions, which all of them read to its end; from who is there and lives, each
//! works out alone how many tasks are its own, gives back what is more, and takes what nobody has where it has fewer. Two
//! that take one task find out as two runs of a whole mirror do: the later one has it ([`crate::ownership`]).

mod part;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use kafka::{Cluster, Error, RetryClass, Uuid};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use topology::Mirror;
use tracing::Instrument;

use crate::appender::{Appender, json_record, tombstone};
use crate::compacted_topic;
use crate::error::RunError;
use crate::leaders::Leaders;
use crate::options::{Options, Source};
use crate::position::{POSITIONS_TOPIC, Worker, WorkerKey};
use crate::position_writer::now_ms;
use crate::progress::{Phase, Progress};
use crate::run;
use crate::summary::Summary;
use crate::task::Task;
use crate::throttle::Throttle;
use crate::vigil::{LOOK_EVERY, Vigil};

/// Those that begin at the same moment see each other within this time; before, nothing is taken.
const SETTLE: Duration = Duration::from_secs(2);
/// How long leaving may take on account of those that stay.
const LEFT_WITHIN: Duration = Duration::from_secs(2);

/// Copies its part of a mirror until `stop` is cancelled, then drains. See [`crate::run`].
pub(crate) async fn share(
    mirror: &Mirror,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<Summary, RunError> {
    let started = Instant::now();
    let mut crew = Crew::new(mirror, source, target, options, progress, stop.clone());
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            Some(ended) = crew.runs.join_next() => {
                if let Err(error) = crew.ended(ended) {
                    break Err(error);
                }
            }
            _ = looks.tick() => {
                if let Some(Err(error)) = stop.run_until_cancelled(crew.look()).await {
                    break Err(error);
                }
            }
        }
    };
    crew.disband(ended, started).await
}

/// A worker, and what it has.
struct Crew<'a> {
    mirror: &'a Mirror,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    stop: CancellationToken,
    worker: String,
    vigil: Vigil,
    appender: Appender,
    /// When this worker said for the first time, and last, that it is there.
    said: Option<(Instant, Instant)>,
    held: BTreeMap<u32, Held>,
    runs: JoinSet<(u32, Result<Summary, RunError>)>,
    /// What was copied of tasks that are others' by now.
    before: Option<Summary>,
}

/// A task that runs here.
struct Held {
    stop: CancellationToken,
    progress: Arc<Progress>,
    since: Instant,
}

impl<'a> Crew<'a> {
    fn new(
        mirror: &'a Mirror,
        source: Source,
        target: Cluster,
        options: Options,
        progress: Arc<Progress>,
        stop: CancellationToken,
    ) -> Self {
        let vigil = Vigil::new(target.clone(), &mirror.name, source.cluster.cluster_id());
        let leaders = Arc::new(Leaders::tracking(target.clone(), POSITIONS_TOPIC));
        progress.enter(Phase::Preparing);
        Self {
            mirror,
            source,
            target,
            options,
            progress,
            stop,
            worker: Uuid::new_v4().to_string(),
            vigil,
            appender: Appender::new(leaders, POSITIONS_TOPIC),
            said: None,
            held: BTreeMap::new(),
            runs: JoinSet::new(),
            before: None,
        }
    }

    /// Says that this worker is there, and gives back or takes tasks. What cannot be read or written now will be the next
    /// time; the tasks that are held go on.
    async fn look(&mut self) -> Result<(), RunError> {
        match self.settle().await {
            Ok(()) => self.progress.trouble(None),
            Err(error) if error.class() == RetryClass::Fatal => {
                return Err(run::positions_error(self.mirror, error));
            }
            Err(error) => {
                tracing::warn!(%error, "who shares the mirror cannot be told; trying again");
                self.progress.trouble(Some(error.to_string()));
            }
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), Error> {
        if self.said.is_none() {
            compacted_topic::ensure(&self.target, POSITIONS_TOPIC).await?;
        }
        self.say_so().await?;
        self.vigil.look().await?;
        if self.said.is_none_or(|(first, _)| first.elapsed() < SETTLE) {
            return Ok(());
        }
        let workers = self.vigil.workers(self.mirror.tasks());
        let own = part::of(&workers, &self.worker, self.mirror.tasks());
        let held: BTreeSet<u32> = self.running().collect();
        for number in part::too_many(&held, &own) {
            tracing::info!(
                task = number,
                workers = workers.len(),
                "giving a task to another"
            );
            self.held[&number].stop.cancel();
        }
        let free = Task::all(self.mirror.tasks()).filter(|task| {
            !self.held.contains_key(&task.number) && self.vigil.why_free(*task).is_some()
        });
        let free: BTreeSet<u32> = free.map(|task| task.number).collect();
        for number in part::too_few(&held, &own, &free) {
            self.take(number);
        }
        self.progress.enter(if self.held.is_empty() {
            Phase::StandingBy
        } else {
            Phase::Copying
        });
        self.forget_the_gone(&own).await
    }

    /// The tasks that are held and not on their way to another.
    fn running(&self) -> impl Iterator<Item = u32> {
        let held = self.held.iter();
        held.filter(|(_, held)| !held.stop.is_cancelled())
            .map(|(number, _)| *number)
    }

    fn take(&mut self, number: u32) {
        tracing::info!(task = number, of = self.mirror.tasks(), "taking a task");
        let task = Task {
            number,
            of: self.mirror.tasks(),
        };
        let held = Held {
            stop: self.stop.child_token(),
            progress: self.progress.part(),
            since: Instant::now(),
        };
        let parts = u64::from(task.of) * self.mirror.sources.len() as u64;
        let options = Options {
            // the parts together stay within the mirror's rate, wherever they run
            throttle: self.mirror.throttle.map(|rate| Throttle::new(rate / parts)),
            // those that share the mirror are always told that a task is free
            goes_on: CancellationToken::new(),
            ..self.options.clone()
        };
        let mirror = self.mirror.clone();
        let (source, target) = (self.source.clone(), self.target.clone());
        let (progress, stop) = (held.progress.clone(), held.stop.clone());
        let span = tracing::error_span!("task", task = number);
        let copying = async move {
            let ended = run::one((&mirror, task), source, target, options, progress, stop);
            (number, ended.await)
        };
        self.runs.spawn(copying.instrument(span));
        self.held.insert(number, held);
    }

    /// One of its tasks is over. Fails where that is no matter of who has it.
    fn ended(
        &mut self,
        ended: Result<(u32, Result<Summary, RunError>), tokio::task::JoinError>,
    ) -> Result<(), RunError> {
        let (number, ended) = match ended {
            Ok(ended) => ended,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let Some(held) = self.held.remove(&number) else {
            return Ok(());
        };
        let copied = self.summary(&held.progress, held.since);
        self.progress.leave(&held.progress);
        let before = self.before.take();
        self.before = Some(copied.with(before, Duration::ZERO));
        match ended {
            Ok(_) => Ok(()),
            Err(error @ RunError::Superseded { .. }) => {
                tracing::info!(task = number, "{error}");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Lets all tasks drain, and says that this worker is gone.
    async fn disband(
        mut self,
        mut ended: Result<(), RunError>,
        started: Instant,
    ) -> Result<Summary, RunError> {
        // those of the tasks are its children
        self.stop.cancel();
        let mut last = None;
        while let Some(next) = self.runs.join_next().await {
            let Ok((number, result)) = next else {
                continue;
            };
            if let Some(held) = self.held.remove(&number) {
                let copied = self.summary(&held.progress, held.since);
                self.progress.leave(&held.progress);
                last = Some(copied.beside(last));
            }
            match result {
                Ok(_) | Err(RunError::Superseded { .. }) => {}
                Err(error) => ended = ended.and(Err(error)),
            }
        }
        let gone = tombstone(&self.key(&self.worker), now_ms());
        if let Ok(gone) = gone {
            let leaving = self.appender.append(std::slice::from_ref(&gone));
            let told = tokio::time::timeout(LEFT_WITHIN, leaving).await;
            if !matches!(told, Ok(Ok(()))) {
                tracing::debug!("those that share the mirror could not be told; they will notice");
            }
        }
        let phase = if ended.is_ok() {
            Phase::Done
        } else {
            Phase::Failed
        };
        self.progress.enter(phase);
        ended?;
        let none = self.summary(&self.progress, started);
        let last = last.unwrap_or(none);
        Ok(last.with(self.before.take(), started.elapsed()))
    }

    fn summary(&self, progress: &Progress, since: Instant) -> Summary {
        Summary::of(self.mirror, &self.source.alias, progress, since.elapsed())
    }

    fn key(&self, worker: &str) -> WorkerKey {
        WorkerKey {
            worker_of_mirror: self.mirror.name.clone(),
            source_cluster_id: self.source.cluster.cluster_id().to_owned(),
            worker: worker.to_owned(),
        }
    }

    /// Now and then, so that the others do not take this worker for gone.
    async fn say_so(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        if self
            .said
            .is_some_and(|(_, last)| last.elapsed() < run::LOOK_EVERY)
        {
            return Ok(());
        }
        let sign = Worker {
            at_ms: now_ms(),
            tasks: self.mirror.tasks(),
        };
        let record = json_record(&self.key(&self.worker), &sign, sign.at_ms)?;
        self.appender.append(std::slice::from_ref(&record)).await?;
        let first = self.said.map_or(now, |(first, _)| first);
        self.said = Some((first, now));
        Ok(())
    }

    /// The first of the workers clears away what killed ones left behind.
    async fn forget_the_gone(&mut self, own: &Range<u32>) -> Result<(), Error> {
        if own.start > 0 || own.is_empty() {
            return Ok(());
        }
        for worker in self.vigil.long_gone() {
            let gone = tombstone(&self.key(&worker), now_ms())?;
            self.appender.append(std::slice::from_ref(&gone)).await?;
        }
        Ok(())
    }
}
