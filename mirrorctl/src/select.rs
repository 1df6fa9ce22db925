//! Which mirrors a command acts on.

use std::collections::BTreeSet;

use plan::Clients;
use topology::{Engine, Mirror, MirrorState, Topology};

use crate::failure::Failure;
use crate::follow::{Word, words};
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

/// The mirrors that the built-in engine shall run now, without paused and promoted ones. One that is
/// named and cannot be run is an error; one that nobody named is passed over with a note.
pub(crate) fn runnable<'t>(
    topology: &'t Topology,
    names: &[String],
) -> Result<Vec<&'t Mirror>, Failure> {
    let mut mirrors = Vec::new();
    let builtin = builtin(topology, names)?;
    refuse_promoted(&builtin, &BTreeSet::new(), names)?;
    for mirror in builtin {
        match mirror.state {
            MirrorState::Running => mirrors.push(mirror),
            MirrorState::Paused => {
                pass_over(mirror, "is paused (`state: paused`)".to_owned(), names)?;
            }
            MirrorState::Promoted => {
                pass_over(mirror, "is promoted (`state: promoted`)".to_owned(), names)?;
            }
        }
    }
    if mirrors.is_empty() {
        return Err(nothing_to_replicate("all of them are paused or promoted"));
    }
    Ok(mirrors)
}

/// Refuses to begin where a promoted mirror is named, or where there is no other: what applications
/// write to its target must not be mixed with what the source still gets. Promotions that are `unfinished` are let through.
pub(crate) fn refuse_promoted(
    mirrors: &[&Mirror],
    unfinished: &BTreeSet<String>,
    names: &[String],
) -> Result<(), Failure> {
    let promoted: Vec<String> = mirrors
        .iter()
        .filter(|mirror| mirror.state == MirrorState::Promoted)
        .filter(|mirror| !unfinished.contains(&mirror.name))
        .map(|mirror| mirror.name.clone())
        .collect();
    let only_those = promoted.len() == mirrors.len();
    if !promoted.is_empty() && (only_those || !names.is_empty()) {
        return Err(Failure::Promoted { mirrors: promoted });
    }
    Ok(())
}

/// The same for mirrors whose record on the target says that they are promoted, whatever the file says.
pub(crate) fn refuse_recorded(
    promoted: &BTreeSet<String>,
    unfinished: &BTreeSet<String>,
    mirrors: &[&Mirror],
    names: &[String],
) -> Result<(), Failure> {
    let by_either = |mirror: &&&Mirror| {
        let by_file = mirror.state == MirrorState::Promoted && !unfinished.contains(&mirror.name);
        by_file || promoted.contains(&mirror.name)
    };
    let only_those = mirrors.iter().filter(by_either).count() == mirrors.len();
    if !promoted.is_empty() && (only_those || !names.is_empty()) {
        let mirrors = promoted.iter().cloned().collect();
        return Err(Failure::Promoted { mirrors });
    }
    Ok(())
}

/// Of these mirrors those that their records do not hold back either. One that is named and held is an error.
pub(crate) async fn unheld<'t>(
    mirrors: Vec<&'t Mirror>,
    clients: &Clients,
    names: &[String],
) -> Result<Vec<&'t Mirror>, Failure> {
    let words = words(&mirrors, clients).await?;
    let word = |mirror: &Mirror| words.get(&mirror.name).map(|(word, _)| word);
    let promoted = mirrors.iter().filter(|it| word(it) == Some(&Word::Promote));
    let promoted: BTreeSet<String> = promoted.map(|mirror| mirror.name.clone()).collect();
    refuse_recorded(&promoted, &BTreeSet::new(), &mirrors, names)?;
    let mut free = Vec::new();
    for mirror in mirrors {
        match word(mirror) {
            Some(Word::Run) | None => free.push(mirror),
            Some(Word::Hold(why)) => pass_over(mirror, format!("is held: {why}"), names)?,
            Some(Word::Promote) => pass_over(
                mirror,
                format!("is promoted, by its record on {}", mirror.target),
                names,
            )?,
        }
    }
    if free.is_empty() {
        return Err(nothing_to_replicate("all of them are paused or promoted"));
    }
    Ok(free)
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
