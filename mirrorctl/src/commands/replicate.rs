//! `mirrorctl replicate`.

use std::collections::BTreeMap;

use futures::future::join_all;
use replicator::Options;
use replicator::metrics::PartitionMetrics;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::{Format, ReplicateArgs, Switch};
use crate::copies::Copies;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::halted::Halted;
use crate::listen::listen;
use crate::load::load;
use crate::lots::Lots;
use crate::output::{self, CopyDisplay, RunEnd, replication_human, replication_json};
use crate::select::{Sorted, builtin, sorted};
use crate::session::{Ended, Session};
use crate::signals::Hangups;
use crate::steered::{Before, Steered};

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
    let (ends, missed) = if args.once {
        once(session, args).await?
    } else {
        (continuously(session, args).await?, None)
    };
    if let Some(listening) = listening {
        listening.end().await;
    }
    match session.terminal.format() {
        Format::Human => {
            output::result(&replication_human(&ends, session.terminal.width()))?;
        }
        Format::Json => {
            let unreached = match &missed {
                Some(Failure::Unreached { mirrors, .. }) => mirrors.as_slice(),
                Some(_) | None => &[],
            };
            output::json(&replication_json(&ends, unreached))?;
        }
    }
    match (judge(ends, args.once), missed) {
        (Ok(_), Some(missed)) => Err(missed),
        (Err(failure), Some(missed)) => {
            output::failure(&missed);
            Err(failure)
        }
        (ended, None) => ended,
    }
}

/// The ends of what was copied, and what could not be.
async fn once(
    session: &Session,
    args: &ReplicateArgs,
) -> Result<(Vec<RunEnd>, Option<Failure>), Failure> {
    let topology = load(&args.file)?;
    let mirrors = builtin(&topology, &args.mirror)?;
    let lots = Lots::draw(session, &topology, &mirrors).await?;
    let Sorted {
        copied,
        finished,
        unreached,
    } = sorted(mirrors, &lots, &args.mirror)?;
    let options = Options::once();
    let copies = Copies::start(
        &copied,
        &lots.clients,
        &options,
        &session.stop,
        &session.runs,
    )?;
    let watched = watch::channel(copies.watched().to_vec()).0;
    let display = CopyDisplay::new(watched.subscribe());
    let promotions = finished.into_iter().map(|mirror| {
        let steered = Steered {
            mirror: mirror.clone(),
            topology: topology.clone(),
            clients: Some(lots.clients.clone()),
            watched: watched.clone(),
            runs: session.runs.clone(),
            stop: session.stop.clone(),
            promoted: CancellationToken::new(),
            before: Before::Nothing,
        };
        steered.run()
    });
    let ending = async {
        let (ended, promoted) = tokio::join!(copies.finish(), join_all(promotions));
        let mut ends = ended?;
        for promoted in promoted {
            ends.extend(promoted?.ends);
        }
        Ok::<_, Failure>(ends)
    };
    let ends = tokio::select! {
        ends = ending => ends?,
        never = display.show() => match never {},
    };
    let missed = (!unreached.is_empty()).then(|| Failure::Unreached {
        mirrors: unreached,
        errors: lots.unreached.into_values().collect(),
    });
    Ok((ends, missed))
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
    let mut failures = Vec::new();
    let mut interrupted = false;
    let mut left_out = Vec::new();
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
                if once && summary.topics.is_empty() && summary.failures.is_empty() {
                    left_out.extend(summary.left_out.into_iter().map(|it| (mirror.clone(), it)));
                }
                failures.extend(summary.failures);
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
    let halted = Halted::of(&failures);
    if !halted.is_nothing() {
        return Err(Failure::Halted { halted });
    }
    // of several mirrors the others copied; one that could copy nothing at all is not what was asked for
    if !left_out.is_empty() {
        return Err(Failure::LeftOut { topics: left_out });
    }
    if once && interrupted {
        return Err(Failure::Unfinished);
    }
    Ok(Outcome::Done)
}
