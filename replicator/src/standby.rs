//! One run after the other, and what lies between them: another replicator has the mirror.

use std::sync::Arc;
use std::time::Duration;

use kafka::{Cluster, Error};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use topology::Mirror;

use crate::compacted_topic;
use crate::error::RunError;
use crate::leaders::Leaders;
use crate::options::{Mode, Options, Source};
use crate::ownership::Ownership;
use crate::position::{Beat, POSITIONS_TOPIC};
use crate::position_log::PositionReader;
use crate::progress::{Phase, Progress};

use crate::summary::Summary;

/// How often it is looked whether the other still has the mirror.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An owner that shows no sign of life for so long is gone; it shows one every
/// [`crate::run::LOOK_EVERY`].
const SILENT_FOR: Duration = Duration::from_secs(15);

/// Copies until the mode's end or until `stop` is cancelled, then drains: nothing more is
/// fetched, what was sent is acknowledged, positions are committed.
///
/// A partition that cannot go on stops alone and is named in [`Summary::failures`]; its
/// neighbours go on. Dropping the future is like kill -9: nothing is lost, what was not covered
/// by a committed position is copied again by the next run.
///
/// A mirror belongs to the run that began last. A continuous one that loses it stands by until the
/// other has ended, or shows no sign of life any more, and then takes it again; one that ends by
/// itself ends with [`RunError::Superseded`]. The summary holds what it copied each time that it had
/// the mirror.
pub async fn run(
    mirror: &Mirror,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<Summary, RunError> {
    let started = Instant::now();
    let mut before = None;
    loop {
        let ended = crate::run::one(
            mirror,
            source.clone(),
            target.clone(),
            options.clone(),
            progress.clone(),
            stop.child_token(),
        )
        .await;
        let error = match ended {
            Err(error @ RunError::Superseded { .. }) if options.mode == Mode::Continuous => error,
            ended => {
                return ended.map(|summary| summary.with(before, started.elapsed()));
            }
        };
        let elapsed = started.elapsed();
        let copied = Summary::of(mirror, &source.alias, &progress, elapsed);
        before = Some(copied.with(before, elapsed));
        tracing::warn!("{error}: standing by until that one ends or falls silent");
        progress.begin_again(Phase::StandingBy);
        let vigil = Vigil::new(target.clone(), &mirror.name, source.cluster.cluster_id());
        let Some(why) = stop.run_until_cancelled(vigil.keep()).await else {
            progress.enter(Phase::Done);
            let elapsed = started.elapsed();
            let none = Summary::of(mirror, &source.alias, &progress, elapsed);
            return Ok(none.with(before, elapsed));
        };
        tracing::warn!(reason = why, "taking the mirror again");
        progress.begin_again(Phase::Preparing);
    }
}

/// Waits until no run has this mirror from this source: nobody ever had it, the last one has ended, or it shows no sign of
/// life any more. Never returns while the target does not answer. Cancel safe.
pub async fn until_free(
    target: &Cluster,
    mirror: &str,
    source_cluster_id: &str,
) -> Result<(), Error> {
    if !compacted_topic::exists(target, POSITIONS_TOPIC).await? {
        return Ok(());
    }
    let vigil = Vigil::new(target.clone(), mirror, source_cluster_id);
    let why = vigil.keep().await;
    tracing::debug!(mirror, reason = why, "the mirror is free");
    Ok(())
}

/// Takes the mirror from whatever run has it, and copies nothing: one that stood still meanwhile finds when it goes on that
/// the mirror is not its own any more, and sends nothing. Does nothing where no run ever had a mirror on this target.
pub async fn fence(target: &Cluster, mirror: &str, source_cluster_id: &str) -> Result<(), Error> {
    if compacted_topic::exists(target, POSITIONS_TOPIC).await? {
        Ownership::take(target.clone(), mirror, source_cluster_id).await?;
    }
    Ok(())
}

/// Watches the run that has the mirror.
struct Vigil {
    log: PositionReader,
    last: Option<Beat>,
    /// When it last showed that it lives.
    alive: Instant,
}

impl Vigil {
    fn new(target: Cluster, mirror: &str, source_cluster_id: &str) -> Self {
        let leaders = Arc::new(Leaders::tracking(target, POSITIONS_TOPIC));
        Self {
            log: PositionReader::new(leaders, mirror, source_cluster_id),
            last: None,
            alive: Instant::now(),
        }
    }

    /// Returns once the mirror is free, with the reason.
    async fn keep(mut self) -> &'static str {
        loop {
            let read = self.log.read_to_end().await;
            if let Some(why) = self.judge(&read) {
                return why;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn judge(&mut self, read: &Result<(), Error>) -> Option<&'static str> {
        if let Err(error) = read {
            // The other cannot show anything there either.
            tracing::debug!(%error, "whose the mirror is cannot be read; trying again");
            self.alive = Instant::now();
            return None;
        }
        let Some(owner) = self.log.owner() else {
            return Some("nobody has it");
        };
        let beat = self.log.beat();
        if beat.is_some_and(|beat| beat.instance == owner.instance && beat.ended) {
            return Some("the other has ended");
        }
        if beat != self.last.as_ref() {
            self.last = beat.cloned();
            self.alive = Instant::now();
        }
        (self.alive.elapsed() >= SILENT_FOR).then_some("the other shows no sign of life")
    }
}
