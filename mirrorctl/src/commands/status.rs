//! `mirrorctl status`.

use std::collections::BTreeMap;

use register::{Entry, RegisterLog};
use replicator::Source;
use topology::{Engine, Mirror, Topology};

use crate::cli::{Format, StatusArgs};
use crate::connect::connect_where_possible;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::follow::state;
use crate::load::load;
use crate::output::{
    self, MirrorGaps, MirrorStatus, gaps_human, gaps_json, status_human, status_json,
};
use crate::reach::Reach;
use crate::select::named;
use crate::session::{Ended, Session};

/// Reads committed positions and source ends, and prints both; or the gaps.
pub(crate) async fn status(session: &Session, args: &StatusArgs) -> Ended {
    let topology = load(&args.file)?;
    let mirrors = named(&topology, &args.mirror)?;
    if args.gaps {
        return gaps(session, &topology, &mirrors).await;
    }
    let reading = async {
        let reach = Reach::of(&topology, &mirrors).await?;
        let mut records = BTreeMap::new();
        let mut read = Vec::new();
        for (mirror, alias, source, target) in reach.pairs() {
            if mirror.engine == Engine::Builtin && !records.contains_key(&mirror.name) {
                records.insert(&mirror.name, recorded(mirror, &target).await?);
            }
            let recorded = records.get(&mirror.name);
            let source = Source {
                alias: alias.clone(),
                cluster: source,
            };
            let partitions =
                replicator::status(mirror, &source, &target)
                    .await
                    .map_err(|error| Failure::Replicator {
                        mirror: mirror.name.clone(),
                        source_alias: alias.clone(),
                        error: Box::new(error),
                    })?;
            read.push(MirrorStatus {
                mirror: mirror.name.clone(),
                source: alias.clone(),
                target: mirror.target.clone(),
                state: state(mirror, recorded, source.cluster.cluster_id()),
                selection: replicator::selection(mirror),
                partitions,
            });
        }
        Ok::<_, Failure>((read, reach))
    };
    let (read, reach) = session.until_stopped(reading).await??;
    match session.terminal.format() {
        Format::Human => output::result(&status_human(&read, args.all, session.terminal.width()))?,
        Format::Json => output::json(&status_json(&read, &reach.left_out()))?,
    }
    reach.missed().map_or(Ok(Outcome::Done), Err)
}

/// What the target keeps about the mirror.
async fn recorded(mirror: &Mirror, target: &kafka::Cluster) -> Result<Entry, Failure> {
    let register = RegisterLog::new(target.clone()).read().await;
    let register = register.map_err(|error| Failure::Cluster {
        alias: mirror.target.clone(),
        error,
    })?;
    Ok(register.entry(&mirror.name))
}

/// Reads the gap ledgers of the targets. A mirror's sources need not be reachable.
async fn gaps(session: &Session, topology: &Topology, mirrors: &[&Mirror]) -> Ended {
    let reading = async {
        let targets = mirrors.iter().map(|mirror| mirror.target.clone()).collect();
        let (clients, unreached) = connect_where_possible(topology, &targets).await?;
        let mut read = Vec::new();
        let mut left_out = Vec::new();
        for mirror in mirrors {
            let Some(target) = clients.get(&mirror.target) else {
                left_out.push(mirror.name.clone());
                continue;
            };
            let mut gaps = replicator::gaps(&mirror.target, target)
                .await
                .map_err(|error| Failure::Replicator {
                    mirror: mirror.name.clone(),
                    source_alias: mirror.sources.join(", "),
                    error: Box::new(error),
                })?;
            gaps.retain(|key, _| key.mirror == mirror.name);
            read.push(MirrorGaps {
                mirror: mirror.name.clone(),
                target: mirror.target.clone(),
                gaps,
            });
        }
        let errors = unreached.into_values().collect();
        if read.is_empty() {
            return Err(Failure::Connect(errors));
        }
        let missed = (!left_out.is_empty()).then(|| Failure::Unreached {
            mirrors: left_out.clone(),
            errors,
        });
        Ok((read, left_out, missed))
    };
    let (read, left_out, missed) = session.until_stopped(reading).await??;
    match session.terminal.format() {
        Format::Human => output::result(&gaps_human(&read, session.terminal.width()))?,
        Format::Json => output::json(&gaps_json(&read, &left_out))?,
    }
    missed.map_or(Ok(Outcome::Done), Err)
}
