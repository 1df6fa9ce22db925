//! Which mirrors a command acts on.

use std::collections::BTreeSet;

use topology::{Engine, Mirror, MirrorState, Topology};

use crate::failure::Failure;
use crate::lots::{Lot, Lots};
use crate::output;

/// The named mirrors, or all when none is named.
pub(crate) fn named<'t>(
    topology: &'t Topology,
    names: &[String],
) -> Result<Vec<&'t Mirror>, Failure> {
    if names.is_empty() {
        if topology.mirrors.is_empty() {
            return Err(Failure::NothingToRun {
                verb: "act on",
                reason: "the topology declares none".to_owned(),
            });
        }
        return Ok(topology.mirrors.iter().collect());
    }
    let mut seen = BTreeSet::new();
    names
        .iter()
        .filter(|name| seen.insert(name.as_str()))
        .map(|name| one(topology, name))
        .collect()
}

/// The mirror with this name.
pub(crate) fn one<'t>(topology: &'t Topology, name: &str) -> Result<&'t Mirror, Failure> {
    topology.mirror(name).ok_or_else(|| {
        let known: Vec<&str> = topology
            .mirrors
            .iter()
            .map(|mirror| mirror.name.as_str())
            .collect();
        Failure::Usage {
            message: format!("the topology has no mirror {name}"),
            hint: if known.is_empty() {
                "it declares no mirror at all".to_owned()
            } else {
                format!("it has {}", known.join(", "))
            },
        }
    })
}

/// The first mirror that the file lets the built-in engine run.
pub(crate) fn first_running(topology: &Topology) -> Result<&Mirror, Failure> {
    let builtin = builtin(topology, &[])?.into_iter();
    let mut running = builtin.filter(|mirror| mirror.state == MirrorState::Running);
    running
        .next()
        .ok_or_else(|| nothing_to_replicate("all of them are paused or promoted"))
}

/// Of these mirrors those that are to be copied, and those whose promotion is to be brought to its end. One that is named and
/// neither is an error; one that nobody named is passed over with a note.
pub(crate) fn sorted<'t>(
    mirrors: Vec<&'t Mirror>,
    lots: &Lots,
    names: &[String],
) -> Result<Sorted<'t>, Failure> {
    lots.refuse_promoted(&mirrors, names)?;
    let mut sorted = Sorted::default();
    for mirror in mirrors {
        match lots.lot(mirror) {
            Lot::Run => sorted.copied.push(mirror),
            Lot::Finish => sorted.finished.push(mirror),
            Lot::Unreached => sorted.unreached.push(mirror.name.clone()),
            Lot::Held(why) | Lot::Promoted(why) => pass_over(mirror, why.clone(), names)?,
        }
    }
    if sorted.copied.is_empty() && sorted.finished.is_empty() {
        return Err(nothing_to_replicate(
            "all of them are held, paused or promoted",
        ));
    }
    Ok(sorted)
}

/// Mirrors by what is to be done.
#[derive(Debug, Default)]
pub(crate) struct Sorted<'t> {
    /// To be copied.
    pub(crate) copied: Vec<&'t Mirror>,
    /// Half promoted.
    pub(crate) finished: Vec<&'t Mirror>,
    /// Left out: clusters of theirs cannot be reached.
    pub(crate) unreached: Vec<String>,
}

/// The mirrors of the built-in engine, paused ones too.
pub(crate) fn builtin<'t>(
    topology: &'t Topology,
    names: &[String],
) -> Result<Vec<&'t Mirror>, Failure> {
    let mut mirrors = Vec::new();
    for mirror in named(topology, names)? {
        match mirror.engine {
            Engine::Builtin => mirrors.push(mirror),
            Engine::MirrorMaker2
            | Engine::MirrorMaker
            | Engine::StrimziMirrorMaker2
            | Engine::MskReplicator => {
                let engine = serde_json::to_string(&mirror.engine).unwrap_or_default();
                let engine = engine.trim_matches('"');
                let reason = format!("is run by engine {engine}, not by the built-in one");
                pass_over(mirror, reason, names)?;
            }
        }
    }
    if mirrors.is_empty() {
        return Err(nothing_to_replicate(
            "none of the topology's mirrors runs on the built-in engine",
        ));
    }
    for mirror in &mirrors {
        if !mirror.declared.is_empty() {
            return Err(Failure::NotSupported {
                subject: format!("mirror {}", mirror.name),
                keys: mirror.declared.clone(),
            });
        }
    }
    Ok(mirrors)
}

fn pass_over(mirror: &Mirror, reason: String, names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        output::note(&format!(
            "mirror {} is passed over: it {reason}",
            mirror.name
        ));
        return Ok(());
    }
    Err(Failure::NotRunnable {
        mirror: mirror.name.clone(),
        reason,
    })
}

fn nothing_to_replicate(reason: &str) -> Failure {
    Failure::NothingToRun {
        verb: "replicate",
        reason: reason.to_owned(),
    }
}

/// The clusters that these mirrors read and write.
pub(crate) fn clusters(mirrors: &[&Mirror]) -> BTreeSet<String> {
    mirrors
        .iter()
        .flat_map(|mirror| mirror.sources.iter().chain([&mirror.target]))
        .cloned()
        .collect()
}
