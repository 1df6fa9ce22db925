//! `mirrorctl status`.

use register::{Entry, RegisterLog};
use replicator::Source;
use topology::{Engine, Mirror, Topology};

use crate::cli::{Format, StatusArgs};
use crate::connect::connect;
use crate::copies::client;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::follow::state;
use crate::load::load;
use crate::output::{
    self, MirrorGaps, MirrorStatus, gaps_human, gaps_json, status_human, status_json,
};
use crate::select::{clusters, named};
use crate::session::{Ended, Session};

/// Reads committed positions and source ends, and prints both; or the gaps.
pub(crate) async fn status(session: &Session, args: &StatusArgs) -> Ended {
    let topology = load(&args.file)?;
    let mirrors = named(&topology, &args.mirror)?;
    if args.gaps {
        return gaps(session, &topology, &mirrors).await;
    }
    let reading = async {
        let clients = connect(&topology, &clusters(&mirrors)).await?;
        let mut read = Vec::new();
        for mirror in &mirrors {
            let target = client(&clients, &mirror.target)?;
            let recorded = match mirror.engine {
                Engine::Builtin => Some(recorded(mirror, &target).await?),
                Engine::MirrorMaker2
                | Engine::MirrorMaker
                | Engine::StrimziMirrorMaker2
                | Engine::MskReplicator => None,
            };
            for alias in &mirror.sources {
                let source = Source {
                    alias: alias.clone(),
                    cluster: client(&clients, alias)?,
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
                    state: state(mirror, recorded.as_ref(), source.cluster.cluster_id()),
                    partitions,
                });
            }
        }
        Ok::<_, Failure>(read)
    };
    let read = session.until_stopped(reading).await??;
    match session.terminal.format() {
        Format::Human => output::result(&status_human(&read, args.all, session.terminal.width()))?,
        Format::Json => output::json(&status_json(&read))?,
    }
    Ok(Outcome::Done)
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
        let clients = connect(topology, &targets).await?;
        let mut read = Vec::new();
        for mirror in mirrors {
            let target = client(&clients, &mirror.target)?;
            let mut gaps = replicator::gaps(&mirror.target, &target)
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
        Ok::<_, Failure>(read)
    };
    let read = session.until_stopped(reading).await??;
    match session.terminal.format() {
        Format::Human => output::result(&gaps_human(&read, session.terminal.width()))?,
        Format::Json => output::json(&gaps_json(&read))?,
    }
    Ok(Outcome::Done)
}
