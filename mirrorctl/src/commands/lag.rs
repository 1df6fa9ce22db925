//! `mirrorctl lag`.

use std::collections::BTreeSet;
use std::time::Duration;

use replicator::Source;
use topology::{Engine, Mirror, MirrorState};

use crate::cli::{Format, LagArgs};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::follow::{Kept, state};
use crate::load::load;
use crate::output::{self, MirrorLag, lag_human, lag_json};
use crate::reach::{Reach, Route};
use crate::select::named;
use crate::session::{Ended, Session};
use crate::values::LagLimit;

/// Measures how far mirrors are behind, once or again and again.
pub(crate) async fn lag(session: &Session, args: &LagArgs) -> Ended {
    let topology = load(&args.file)?;
    let mirrors = named(&topology, &args.mirror)?;
    if args.max_lag == Some(LagLimit::Objective) && mirrors.iter().all(|it| it.slo_lag.is_none()) {
        let names: Vec<&str> = mirrors.iter().map(|it| it.name.as_str()).collect();
        return Err(Failure::Usage {
            message: format!(
                "--max-lag slo asks for `slo.lag`, which is not declared for {}",
                names.join(", ")
            ),
            hint: "declare `slo: {lag: 30s}` of a mirror, or give the limit here: `--max-lag 30s`"
                .to_owned(),
        });
    }
    let reach = Reach::of(&topology, &mirrors);
    let reach = session.until_stopped(reach).await??;
    if let Some(every) = args.watch {
        return watch(session, args, reach, every).await;
    }
    let read = session.until_stopped(measure(&reach)).await??;
    if read.is_empty() {
        return Err(reach.nothing());
    }
    let over = over(&read);
    match session.terminal.format() {
        Format::Human => {
            output::result(&lag_human(&read, args.all, session.terminal.width()))?;
        }
        Format::Json => output::json(&lag_json(&read, &reach.left_out(&over)))?,
    }
    let judged = match args.max_lag {
        Some(limit) => judge(&read, limit),
        None => Ok(Outcome::Done),
    };
    match (judged, reach.missed(&over)) {
        (Ok(_), Some(missed)) => Err(missed),
        (Err(failure), Some(missed)) => {
            output::failure(&missed);
            Err(failure)
        }
        (judged, None) => judged,
    }
}

/// Until stopped, which is how this ends. A measurement that fails is said, and tried again.
async fn watch(session: &Session, args: &LagArgs, mut reach: Reach<'_>, every: Duration) -> Ended {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = async {
            ticks.tick().await;
            reach.again().await?;
            measure(&reach).await
        };
        let read = match session.stop.run_until_cancelled(next).await {
            None => return Ok(Outcome::Done),
            Some(Ok(read)) => read,
            Some(Err(failure)) => {
                output::failure(&failure);
                continue;
            }
        };
        match session.terminal.format() {
            Format::Human => {
                let page = lag_human(&read, args.all, session.terminal.width());
                output::page(&page)?;
            }
            Format::Json => output::json_line(&lag_json(&read, &reach.left_out(&over(&read))))?,
        }
    }
}

async fn measure(reach: &Reach<'_>) -> Result<Vec<MirrorLag>, Failure> {
    let mut read = Vec::new();
    for route in reach.routes() {
        let promoted = is_promoted(route.mirror, &route.target).await?;
        let Route {
            mirror,
            alias,
            source,
            target,
        } = route;
        let lag = |partitions, unreached| MirrorLag {
            mirror: mirror.name.clone(),
            source: alias.clone(),
            target: mirror.target.clone(),
            promoted,
            unreached,
            objective: mirror.slo_lag,
            selection: replicator::selection(mirror),
            partitions,
        };
        match source {
            Ok(cluster) => {
                let alias = alias.clone();
                let source = Source { alias, cluster };
                let partitions = replicator::lag(mirror, &source, &target).await;
                let partitions = partitions.map_err(|error| Failure::Replicator {
                    mirror: mirror.name.clone(),
                    source_alias: source.alias.clone(),
                    error: Box::new(error),
                })?;
                read.push(lag(partitions, None));
            }
            // of the others nothing is known, and that is said
            Err(reason) if promoted => read.push(lag(Vec::new(), Some(reason))),
            Err(_) => {}
        }
    }
    Ok(read)
}

/// Whether file or record say so: then it copies nothing any more.
async fn is_promoted(mirror: &Mirror, target: &kafka::Cluster) -> Result<bool, Failure> {
    let kept = match mirror.engine {
        Engine::Builtin => {
            let kept = Kept::of(mirror, target).await;
            Some(kept.map_err(|error| Failure::Cluster {
                alias: mirror.target.clone(),
                error,
            })?)
        }
        Engine::MirrorMaker2
        | Engine::MirrorMaker
        | Engine::StrimziMirrorMaker2
        | Engine::MskReplicator => None,
    };
    Ok(state(mirror, kept.as_ref(), "").state == MirrorState::Promoted)
}

/// The mirrors that need no source any more.
fn over(read: &[MirrorLag]) -> BTreeSet<String> {
    let promoted = read.iter().filter(|lag| lag.promoted);
    promoted.map(|lag| lag.mirror.clone()).collect()
}

fn judge(read: &[MirrorLag], limit: LagLimit) -> Ended {
    let over: Vec<String> = read
        .iter()
        .filter(|lag| lag.is_over(limit))
        .map(|lag| lag.mirror.clone())
        .collect();
    if over.is_empty() {
        Ok(Outcome::Done)
    } else {
        Err(Failure::LagOver { limit, over })
    }
}
