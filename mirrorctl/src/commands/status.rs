//! `mirrorctl status`.

use std::collections::{BTreeMap, BTreeSet};

use kafka::Cluster;
use register::Standing;
use replicator::Source;
use topology::{Engine, Mirror, MirrorState, Topology};

use crate::cli::{Format, StatusArgs};
use crate::connect::connect_where_possible;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::follow::{Kept, state};
use crate::load::load;
use crate::output::{
    self, Committed, MirrorGaps, MirrorStatus, gaps_human, gaps_json, status_human, status_json,
};
use crate::reach::{Reach, Route};
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
        for route in reach.routes() {
            let mirror = route.mirror;
            if mirror.engine == Engine::Builtin && !records.contains_key(&mirror.name) {
                let kept = kept(&topology, mirror, &route.target).await;
                records.insert(&mirror.name, kept.map_err(on_target(mirror))?);
            }
            let kept = records.get(&mirror.name);
            read.push(of_route(&topology, route, kept).await?);
        }
        Ok::<_, Failure>((read, reach))
    };
    let (read, reach) = session.until_stopped(reading).await??;
    let over = read
        .iter()
        .filter(|it| it.state.state == MirrorState::Promoted);
    let over: BTreeSet<String> = over.map(|status| status.mirror.clone()).collect();
    match session.terminal.format() {
        Format::Human => output::result(&status_human(&read, args.all, session.terminal.width()))?,
        Format::Json => output::json(&status_json(&read, &reach.left_out(&over)))?,
    }
    match (reach.missed(&over), needing(&read)) {
        (Some(missed), _) => Err(missed),
        (None, partitions) if args.detailed_exitcode && !partitions.is_empty() => {
            Err(Failure::NeedAttention { partitions })
        }
        (None, _) => Ok(Outcome::Done),
    }
}

/// Partitions at which a replicator stops, or begins anew, by name.
fn needing(read: &[MirrorStatus]) -> Vec<String> {
    let of_mirror = |status: &MirrorStatus| -> Vec<String> {
        let mirror = &status.mirror;
        let partitions = status.needing();
        partitions
            .map(|it| format!("{}-{} of {mirror}", it.source_topic, it.partition))
            .collect()
    };
    read.iter().flat_map(of_mirror).collect()
}

/// What the target keeps about a mirror of the built-in engine.
async fn kept(
    topology: &Topology,
    mirror: &Mirror,
    target: &Cluster,
) -> Result<Kept, kafka::Error> {
    let kept = Kept::of(mirror, target).await?;
    let name = topology.name.as_deref();
    kept.asking_whose(mirror, name, target).await
}

/// How a mirror stands with one source; where that cannot be reached, as the target alone shows it.
async fn of_route(
    topology: &Topology,
    route: Route<'_>,
    kept: Option<&Kept>,
) -> Result<MirrorStatus, Failure> {
    let Route {
        mirror,
        alias,
        source,
        target,
    } = route;
    let status = |source_id: &str, partitions, committed| MirrorStatus {
        mirror: mirror.name.clone(),
        source: alias.clone(),
        target: mirror.target.clone(),
        state: state(mirror, kept, source_id),
        selection: replicator::selection(mirror),
        partitions,
        committed,
    };
    let cluster = match source {
        Ok(cluster) => cluster,
        Err(reason) => {
            let id = source_id(topology, alias, kept);
            let committed = committed(mirror, id, &target, reason).await;
            let committed = committed.map_err(on_target(mirror))?;
            return Ok(status(id.unwrap_or_default(), Vec::new(), Some(committed)));
        }
    };
    let source = Source {
        alias: alias.clone(),
        cluster,
    };
    let partitions = replicator::status(mirror, &source, &target).await;
    let partitions = partitions.map_err(|error| Failure::Replicator {
        mirror: mirror.name.clone(),
        source_alias: alias.clone(),
        error: Box::new(error),
    })?;
    Ok(status(source.cluster.cluster_id(), partitions, None))
}

/// The id of a source that cannot be asked for it, where the mirror's record or the topology tells.
fn source_id<'k>(topology: &'k Topology, alias: &str, kept: Option<&'k Kept>) -> Option<&'k str> {
    let recorded = match kept.and_then(|kept| kept.entry.standing.as_ref()) {
        Some(Standing::Known { record, .. }) => {
            record.sources.get(alias).and_then(|id| id.as_deref())
        }
        Some(Standing::Unreadable { .. }) | None => None,
    };
    let declared = || topology.cluster(alias)?.cluster_id.as_deref();
    recorded.or_else(declared)
}

/// What the target knows of positions, where its source cannot be reached.
async fn committed(
    mirror: &Mirror,
    source_id: Option<&str>,
    target: &Cluster,
    unreached: String,
) -> Result<Committed, kafka::Error> {
    let positions = match (mirror.engine, source_id) {
        (Engine::Builtin, Some(id)) => replicator::positions(target, &mirror.name, id).await?,
        (
            Engine::Builtin
            | Engine::MirrorMaker2
            | Engine::MirrorMaker
            | Engine::StrimziMirrorMaker2
            | Engine::MskReplicator,
            _,
        ) => BTreeMap::new(),
    };
    Ok(Committed {
        unreached,
        positions,
    })
}

fn on_target(mirror: &Mirror) -> impl Fn(kafka::Error) -> Failure + use<> {
    let alias = mirror.target.clone();
    move |error| Failure::Cluster {
        alias: alias.clone(),
        error,
    }
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
