//! `mirrorctl replicate`.

use std::collections::BTreeMap;

use replicator::Options;
use replicator::metrics::PartitionMetrics;

use crate::cli::{Format, ReplicateArgs, Switch};
use crate::connect::connect;
use crate::copies::Copies;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::listen::listen;
use crate::load::load;
use crate::output::{self, RunEnd, replication_human, replication_json};
use crate::select::{clusters, runnable, unheld};
use crate::session::{Ended, Session};
use crate::signals::Hangups;

/// Copies until the captured ends, or until stopped.
pub(crate) async fn replicate(session: &Session, args: &ReplicateArgs) -> Ended {
    let partitions = match args.metrics_partitions {
        Switch::On => PartitionMetrics::On,
        Switch::Off => PartitionMetrics::Off,
    };
    let listening = match &args.listen {
        Some(address) => Some(listen(address, session.runs.clone(), partitions).await?),
        None => None,
    };
    let ends = if args.once {
        once(session, args).await?
    } else {
        continuously(session, args).await?
    };
    if let Some(listening) = listening {
        listening.end().await;
    }
    match session.terminal.format() {
        Format::Human => {
            output::result(&replication_human(&ends, session.terminal.width()))?;
        }
        Format::Json => output::json(&replication_json(&ends))?,
    }
    judge(ends, args.once)
}

async fn once(session: &Session, args: &ReplicateArgs) -> Result<Vec<RunEnd>, Failure> {
    let topology = load(&args.file)?;
    let mirrors = runnable(&topology, &args.mirror)?;
    let clients = session
        .until_stopped(connect(&topology, &clusters(&mirrors)))
        .await??;
    let mirrors = session
        .until_stopped(unheld(mirrors, &clients, &args.mirror))
        .await??;
    Copies::start(
        &mirrors,
        &clients,
        &Options::once(),
        &session.stop,
        &session.runs,
    )?
    .finish_shown()
    .await
}

async fn continuously(session: &Session, args: &ReplicateArgs) -> Result<Vec<RunEnd>, Failure> {
    // before anything that takes time: a SIGHUP must not end the process
    let hangups = Hangups::listen().map_err(Failure::Runtime)?;
    let topology = load(&args.file)?;
    Fleet::launch(session, &args.file, &args.mirror, topology)
        .await?
        .sail(hangups)
        .await
}

/// A failed mirror before stopped partitions before an early end. Being stopped is how a
/// continuous mirror ends, and no failure.
fn judge(ends: Vec<RunEnd>, once: bool) -> Ended {
    let mut failed = 0;
    let mut interrupted = false;
    // what a reload put right is no failure: the last run of each counts
    let last: BTreeMap<(String, String), RunEnd> = ends
        .into_iter()
        .map(|end| ((end.mirror.clone(), end.source.clone()), end))
        .collect();
    for RunEnd {
        mirror,
        source,
        result,
        ..
    } in last.into_values()
    {
        match result {
            Ok(summary) => {
                failed += summary.failures.len();
                interrupted |= summary.interrupted;
            }
            Err(error) => {
                return Err(Failure::Replicator {
                    mirror,
                    source_alias: source,
                    error: Box::new(error),
                });
            }
        }
    }
    if failed > 0 {
        return Err(Failure::PartitionsFailed { failed });
    }
    if once && interrupted {
        return Err(Failure::Unfinished);
    }
    Ok(Outcome::Done)
}
