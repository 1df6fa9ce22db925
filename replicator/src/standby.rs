//! One run after the other, and what lies between them: another replicator has the mirror.

use std::sync::Arc;

use kafka::{Cluster, Error};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use topology::Mirror;

use crate::compacted_topic;
use crate::error::RunError;
use crate::options::{Mode, Options, Source};
use crate::ownership::Ownership;
use crate::position::POSITIONS_TOPIC;
use crate::progress::{Phase, Progress};
use crate::summary::Summary;
use crate::task::Task;
use crate::vigil::Vigil;
use crate::workers;

/// Copies until the mode's end or until `stop` is cancelled, then drains: nothing more is
/// fetched, what was sent is acknowledged, positions are committed.
///
/// A partition that cannot go on stops alone and is named in [`Summary::failures`]; its
/// neighbours go on. Dropping the future is like kill -9: nothing is lost, what was not covered
/// by a committed position is copied again by the next run.
///
/// A mirror belongs to the run that began last, unless it is split into tasks (`tasks`): continuous runs of such a mirror
/// share it. A continuous one that loses it stands by until the
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
    if mirror.tasks() > 1 && options.mode == Mode::Continuous {
        return workers::share(mirror, source, target, options, progress, stop).await;
    }
    let started = Instant::now();
    let mut before = None;
    loop {
        let ended = crate::run::one(
            (mirror, Task::WHOLE),
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
        let Some(why) = stop.run_until_cancelled(vigil.keep(Task::WHOLE)).await else {
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
    let why = vigil.keep(Task::WHOLE).await;
    tracing::debug!(mirror, reason = why, "the mirror is free");
    Ok(())
}

/// Takes the mirror from whatever run has it, and copies nothing: one that stood still meanwhile finds when it goes on that
/// the mirror is not its own any more, and sends nothing. Does nothing where no run ever had a mirror on this target.
pub async fn fence(target: &Cluster, mirror: &str, source_cluster_id: &str) -> Result<(), Error> {
    if compacted_topic::exists(target, POSITIONS_TOPIC).await? {
        Ownership::take(target.clone(), mirror, source_cluster_id, Task::WHOLE).await?;
    }
    Ok(())
}
