//! `mirrorctl lag`.

use std::time::Duration;

use plan::Clients;
use replicator::Source;
use topology::{Mirror, Topology};

use crate::cli::{Format, LagArgs};
use crate::connect::connect;
use crate::copies::client;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, MirrorLag, lag_human, lag_json};
use crate::select::{clusters, named};
use crate::session::{Ended, Session};
use crate::values::LagLimit;

/// Measures how far mirrors are behind, once or again and again.
pub(crate) async fn lag(session: &Session, args: &LagArgs) -> Ended {
    let topology = load(&args.file)?;
    let mirrors = named(&topology, &args.mirror)?;
    let clients = session
        .until_stopped(connected(&topology, &mirrors))
        .await??;
    if let Some(every) = args.watch {
        return watch(session, args, &mirrors, &clients, every).await;
    }
    let read = session.until_stopped(measure(&mirrors, &clients)).await??;
    match session.terminal.format() {
        Format::Human => {
            output::result(&lag_human(&read, args.all, session.terminal.width()))?;
        }
        Format::Json => output::json(&lag_json(&read))?,
    }
    match args.max_lag {
        Some(limit) => judge(&read, limit),
        None => Ok(Outcome::Done),
    }
}

async fn connected(topology: &Topology, mirrors: &[&Mirror]) -> Result<Clients, Failure> {
    connect(topology, &clusters(mirrors)).await
}

/// Until stopped, which is how this ends. A measurement that fails is said, and tried again.
async fn watch(
    session: &Session,
    args: &LagArgs,
    mirrors: &[&Mirror],
    clients: &Clients,
    every: Duration,
) -> Ended {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = async {
            ticks.tick().await;
            measure(mirrors, clients).await
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
            Format::Json => output::json_line(&lag_json(&read))?,
        }
    }
}

async fn measure(mirrors: &[&Mirror], clients: &Clients) -> Result<Vec<MirrorLag>, Failure> {
    let mut read = Vec::new();
    for mirror in mirrors {
        let target = client(clients, &mirror.target)?;
        for alias in &mirror.sources {
            let source = Source {
                alias: alias.clone(),
                cluster: client(clients, alias)?,
            };
            let partitions = replicator::lag(mirror, &source, &target)
                .await
                .map_err(|error| Failure::Replicator {
                    mirror: mirror.name.clone(),
                    source_alias: alias.clone(),
                    error: Box::new(error),
                })?;
            read.push(MirrorLag {
                mirror: mirror.name.clone(),
                source: alias.clone(),
                target: mirror.target.clone(),
                objective: mirror.slo_lag,
                partitions,
            });
        }
    }
    Ok(read)
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
