//! One mirror while `replicate` runs: copied, held or promoted, as the topology file and the mirror's record say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use plan::Clients;
use replicator::metrics::{Held, Watched, Watchlist};
use replicator::{Options, Phase, Progress, RunError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use topology::{Mirror, MirrorState, Topology};

use crate::connect::connect;
use crate::copies::Copies;
use crate::failure::Failure;
use crate::follow::{Follower, Word, is_half_promoted};
use crate::output::{RunEnd, WatchedRun};
use crate::promotion::Promotion;
use crate::select::clusters;

/// Pause before a mirror whose clusters could not be reached tries again to connect.
const CONNECT_AGAIN: Duration = Duration::from_secs(5);

/// What a mirror's task needs.
#[derive(Debug)]
pub(crate) struct Steered {
    pub(crate) mirror: Mirror,
    pub(crate) topology: Topology,
    /// Absent where a reload brought the mirror, or its clusters could not be reached at the start: it waits for them.
    pub(crate) clients: Option<Clients>,
    pub(crate) watched: watch::Sender<Vec<WatchedRun>>,
    pub(crate) runs: Watchlist,
    /// It drains and ends.
    pub(crate) stop: CancellationToken,
    /// The topology file says that it is promoted now.
    pub(crate) promoted: CancellationToken,
    /// Whether this process had it at hand until right now, by another definition.
    pub(crate) before: Before,
}

/// What this process had to do with a mirror before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing that is known: what is promoted by now may have been so for long.
    Nothing,
    /// It followed file and record, which did not say promoted: what is promoted since then is its to carry out.
    AtHand,
}

/// How the steering of a mirror ended.
#[derive(Debug)]
pub(crate) struct Steering {
    /// The ends of its runs, one a source and each time it was copied.
    pub(crate) ends: Vec<RunEnd>,
    /// What a successor in this process is to know; nothing where the mirror's promotion is over, or passed over.
    pub(crate) left: Option<Before>,
}

impl Steering {
    fn stopped(left: Before, ends: Vec<RunEnd>) -> Self {
        Self {
            ends,
            left: Some(left),
        }
    }

    fn over(ends: Vec<RunEnd>) -> Self {
        Self { ends, left: None }
    }
}

impl Steered {
    /// From connecting to its end.
    ///
    /// A mirror that its file pauses follows its record too: a promotion that is applied meanwhile is taken up.
    pub(crate) async fn run(self) -> Result<Steering, Failure> {
        let awaited = match self.mirror.state {
            MirrorState::Running | MirrorState::Promoted => self.show_awaited(),
            // it waits for nothing
            MirrorState::Paused => Vec::new(),
        };
        let clients = match &self.clients {
            Some(clients) => clients.clone(),
            None => match self
                .stop
                .run_until_cancelled(self.connected(&awaited))
                .await
            {
                Some(clients) => clients,
                None => return Ok(Steering::stopped(self.before, Vec::new())),
            },
        };
        let name = self.topology.name.as_deref();
        let mut follower = Follower::new(&self.mirror, name, &clients)?;
        let Some(mut word) = self.stop.run_until_cancelled(follower.first()).await else {
            return Ok(Steering::stopped(self.before, Vec::new()));
        };
        // what it does now shows itself
        self.runs.remove(&self.mirror.name);
        // a promotion that comes after the first look, or while another definition of the mirror was at hand, happens under our
        // eyes; one that came when nobody looked is taken up late, unless others write to the target by now
        let mut looked = self.before == Before::AtHand || word != Word::Promote;
        // sources that this process copied last, not another one while this one stood by
        let mut ours = BTreeSet::new();
        let mut ends = Vec::new();
        loop {
            let now = if self.promoted.is_cancelled() && follower.another().is_none() {
                Word::Promote
            } else {
                word
            };
            self.runs.release(&self.mirror.name);
            word = match &now {
                Word::Run => match self
                    .copy(&clients, &mut follower, &mut ours, &mut ends)
                    .await?
                {
                    Copied::Told(next) => {
                        looked = !follower.was_away();
                        next
                    }
                    Copied::Promoted => {
                        looked = false;
                        match self.stop.run_until_cancelled(follower.first()).await {
                            Some(next) => next,
                            None => return Ok(Steering::stopped(Before::Nothing, ends)),
                        }
                    }
                    Copied::Ended => return Ok(Steering::stopped(Before::AtHand, ends)),
                },
                Word::Hold(held) => match self.hold(held, &mut follower).await {
                    Some(next) => {
                        looked = !follower.was_away();
                        next
                    }
                    None => return Ok(Steering::stopped(Before::AtHand, ends)),
                },
                Word::Promote => {
                    // what its file said to this process, and no record yet, nobody else has acted on
                    let by_file = self.promoted.is_cancelled() && !follower.says_promoted();
                    if !looked && !by_file {
                        let late = self.promotion(&clients, &mut follower).take_up_late();
                        match self.stop.run_until_cancelled(late).await {
                            Some(taken_up) => taken_up?,
                            None => return Ok(Steering::stopped(Before::Nothing, ends)),
                        }
                        if !is_half_promoted(follower.entry(), &clients, &self.mirror) {
                            tracing::info!(
                                mirror = self.mirror.name,
                                "promoted: passed over, nothing is copied to its target"
                            );
                            return Ok(Steering::over(ends));
                        }
                    }
                    let promotion = self.promotion(&clients, &mut follower);
                    let last = promotion.carry_out(ours).await?;
                    let interrupted = self.stop.is_cancelled() && !is_whole(&last);
                    ends.extend(last);
                    return Ok(if interrupted {
                        Steering::stopped(Before::AtHand, ends)
                    } else {
                        Steering::over(ends)
                    });
                }
            };
        }
    }

    fn promotion<'a>(&'a self, clients: &'a Clients, follower: &'a mut Follower) -> Promotion<'a> {
        Promotion {
            mirror: &self.mirror,
            clients,
            follower,
            watched: &self.watched,
            runs: &self.runs,
            stop: &self.stop,
        }
    }

    /// Copies until file and record say something else, or until it ends.
    async fn copy(
        &self,
        clients: &Clients,
        follower: &mut Follower,
        ours: &mut BTreeSet<String>,
        ends: &mut Vec<RunEnd>,
    ) -> Result<Copied, Failure> {
        let stop = self.stop.child_token();
        let options = Options::continuous();
        let goes_on = options.goes_on.clone();
        let copies = Copies::start(&[&self.mirror], clients, &options, &stop, &self.runs)?;
        let shown = copies.watched().to_vec();
        self.watched
            .send_modify(|runs| runs.extend(shown.iter().cloned()));
        let finishing = copies.finish();
        tokio::pin!(finishing);
        let now = Word::Run;
        let next = tokio::select! {
            ended = &mut finishing => {
                let ended = ended?;
                let promoted = found_promoted(&ended);
                ends.extend(ended);
                if !promoted || self.stop.is_cancelled() {
                    return Ok(Copied::Ended);
                }
                self.forget_runs();
                return Ok(Copied::Promoted);
            }
            word = follower.other_than(&now) => word,
            () = self.promoted.cancelled() => Word::Promote,
        };
        match &next {
            Word::Hold(held) if follower.another().is_some() => tracing::error!(
                mirror = self.mirror.name,
                "held: {} by now; it drains, and keeps its positions",
                held.why()
            ),
            Word::Hold(held) => tracing::info!(
                mirror = self.mirror.name,
                "held: {}; it drains, and keeps its positions",
                held.why()
            ),
            Word::Promote => tracing::info!(mirror = self.mirror.name, "promoted: it drains"),
            Word::Run => {}
        }
        *ours = having_the_mirror(&shown);
        // whoever stands by follows the same record: it is not told that the mirror is free, unless this one ends anyway
        if !self.stop.is_cancelled() {
            goes_on.cancel();
        }
        stop.cancel();
        let ended = finishing.await?;
        let promoted = found_promoted(&ended);
        ends.extend(ended);
        if self.stop.is_cancelled() {
            return Ok(Copied::Ended);
        }
        self.forget_runs();
        Ok(if promoted {
            Copied::Promoted
        } else {
            Copied::Told(next)
        })
    }

    /// Waits until file and record say something else; nothing where the mirror is to end.
    async fn hold(&self, held: &Held, follower: &mut Follower) -> Option<Word> {
        match held {
            // what the file says is shown already
            Held::ByTopology => {}
            Held::ByRecord(why) | Held::ByBoth(why) => self.runs.hold(&self.mirror.name, why),
        }
        let why = held.why();
        let anothers = follower.another().is_some();
        if anothers {
            tracing::error!(
                mirror = self.mirror.name,
                "held: {why}; nothing is copied. Where that is this topology by another name, let this process read the file \
                 with that name (SIGHUP); where it is not, give this mirror another name"
            );
        } else {
            tracing::info!(mirror = self.mirror.name, "held: {why}; nothing is copied");
        }
        let now = Word::Hold(held.clone());
        let next = tokio::select! {
            next = follower.other_than(&now) => next,
            // another topology's is not for this file to promote
            () = self.promoted.cancelled(), if !anothers => Word::Promote,
            () = self.stop.cancelled() => return None,
        };
        if next == Word::Run {
            tracing::info!(
                mirror = self.mirror.name,
                "nothing holds it any more: it goes on"
            );
        }
        Some(next)
    }

    /// What is held or begins anew is not shown as it was.
    fn forget_runs(&self) {
        let name = &self.mirror.name;
        self.runs.remove(name);
        self.watched
            .send_modify(|runs| runs.retain(|run| run.mirror != *name));
    }

    /// Shows each source as one that prepares, so that a mirror which cannot start is missing nowhere.
    fn show_awaited(&self) -> Vec<Arc<Progress>> {
        let Mirror {
            name,
            sources,
            target,
            slo_lag,
            ..
        } = &self.mirror;
        sources
            .iter()
            .map(|source| {
                let progress = Progress::new();
                self.runs.add(Watched {
                    mirror: name.clone(),
                    source: source.clone(),
                    target: target.clone(),
                    lag_objective: *slo_lag,
                    progress: progress.clone(),
                });
                progress
            })
            .collect()
    }

    async fn connected(&self, awaited: &[Arc<Progress>]) -> Clients {
        let mut said = false;
        loop {
            match connect(&self.topology, &clusters(&[&self.mirror])).await {
                Ok(clients) => {
                    for run in awaited {
                        run.awaited();
                    }
                    return clients;
                }
                Err(error) => {
                    for run in awaited {
                        run.cannot_begin(error.to_string());
                    }
                    match self.mirror.state {
                        MirrorState::Running | MirrorState::Promoted => {
                            tracing::error!(mirror = self.mirror.name, %error,
                                "the mirror cannot start; trying again in {} s", CONNECT_AGAIN.as_secs());
                        }
                        // it would copy nothing anyway
                        MirrorState::Paused if std::mem::replace(&mut said, true) => {}
                        MirrorState::Paused => {
                            tracing::warn!(mirror = self.mirror.name, %error,
                                "the topology file says paused; whether its record says promoted cannot be read; trying again");
                        }
                    }
                    tokio::time::sleep(CONNECT_AGAIN).await;
                }
            }
        }
    }
}

/// How the copying of a mirror came to an end.
enum Copied {
    /// File and record say something else by now.
    Told(Word),
    /// It was promoted while a run of it did not look, which sent nothing more.
    Promoted,
    /// By itself, or because it was told to stop.
    Ended,
}

fn found_promoted(ends: &[RunEnd]) -> bool {
    ends.iter()
        .any(|end| matches!(end.result, Err(RunError::Promoted { .. })))
}

/// Whether these runs of a last copy came to their ends.
fn is_whole(last: &[RunEnd]) -> bool {
    let interrupted = |end: &RunEnd| matches!(&end.result, Ok(summary) if summary.interrupted);
    !last.is_empty() && !last.iter().any(interrupted)
}

/// The sources of these runs that no other replicator has.
fn having_the_mirror(runs: &[WatchedRun]) -> BTreeSet<String> {
    runs.iter()
        .filter(|run| run.progress.snapshot().phase != Phase::StandingBy)
        .map(|run| run.source.clone())
        .collect()
}
