//! Declared mirrors against their records.

use std::collections::{BTreeMap, BTreeSet};

use topology::MirrorState;

use super::{KIND, MirrorRecord, ObservedMirror};
use crate::change::{
    Block, BlockCode, Change, Detail, RecordChange, Resource, ResourceChange, Risk,
};
use crate::desired::{DesiredCluster, DesiredMirror};
use crate::draft::{self, DECLARED_NO_LONGER, Draft, Place, detail};
use crate::journal::{Recorded, RecordedAccess};
use crate::kind::{Kind, Site};
use crate::observed::ObservedCluster;
use crate::rails::{self, block};

/// Mirrors.
pub(crate) struct Mirrors;

impl Kind for Mirrors {
    const WORD: &'static str = KIND;
    type Desired = DesiredMirror;

    fn wanted(cluster: &DesiredCluster) -> &BTreeMap<String, DesiredMirror> {
        &cluster.mirrors
    }

    fn declared(site: &Site<'_>, place: Place<'_>, desired: &DesiredMirror) -> ResourceChange {
        let recorded = site
            .live
            .and_then(|live| live.recorded.get(&place.address()));
        let found = site.live.and_then(|live| live.mirrors.get(place.label));
        let mut draft = compare(&wanted(site, desired, found), found);
        if !matches!(draft.change, Change::NoOp { .. }) {
            draft.blocked = rails::cluster(site.cluster, site.live);
            draft.blocked.extend(newer(found));
            draft
                .blocked
                .extend(way_back(desired.state, found, recorded));
        }
        let remember = Recorded {
            access: Some(RecordedAccess::Mirror {
                state: desired.state,
                sources: desired.sources.clone(),
            }),
            ..Recorded::default()
        };
        let record = draft.remember(recorded, remember);
        draft.at(place, Resource::Mirror, record)
    }

    fn as_recorded(_: &DesiredMirror, recorded: &Recorded) -> Option<DesiredMirror> {
        match recorded.access.as_ref()? {
            RecordedAccess::Mirror { state, sources } => Some(DesiredMirror {
                state: *state,
                sources: sources.clone(),
            }),
            RecordedAccess::Acl(_) | RecordedAccess::Quota { .. } | RecordedAccess::User { .. } => {
                None
            }
        }
    }

    fn dropped(
        site: &Site<'_>,
        live: &ObservedCluster,
        place: Place<'_>,
        _: &Recorded,
    ) -> Option<ResourceChange> {
        let before = live.mirrors.get(place.label)?.record.clone();
        if !site.cluster.allow.delete_mirrors {
            let mut draft = Draft::new(Change::NoOp { current: before }, DECLARED_NO_LONGER);
            draft.notes.push(draft::left(place, "deleteMirrors"));
            return Some(draft.at(place, Resource::Mirror, None));
        }
        let gone = removal(&before);
        let promoted = before.state == Some(MirrorState::Promoted);
        let mut draft = Draft::new(Change::Delete { before }, DECLARED_NO_LONGER);
        draft.details.push(gone);
        draft.blocked = rails::cluster(site.cluster, Some(live));
        let refused = rails::asked_for(&place.address(), site.allowed);
        draft.blocked.extend(refused.map(|refused| Block {
            message: if promoted {
                still_promoted(&place.address())
            } else {
                refused.message
            },
            ..refused
        }));
        Some(draft.at(place, Resource::Mirror, Some(RecordChange::Forget)))
    }

    fn is_gone(live: &ObservedCluster, label: &str, _: &Recorded) -> bool {
        !live.mirrors.contains_key(label)
    }
}

/// What the record is to say. A cluster id that nobody knows now stays as it is.
fn wanted(
    site: &Site<'_>,
    desired: &DesiredMirror,
    found: Option<&ObservedMirror>,
) -> MirrorRecord {
    let sources = desired.sources.iter().map(|(alias, declared)| {
        let known = site.observed.id_of(alias).cloned();
        let before = || found.and_then(|found| found.record.sources.get(alias).cloned().flatten());
        (
            alias.clone(),
            known.or_else(|| declared.clone()).or_else(before),
        )
    });
    MirrorRecord {
        state: Some(desired.state),
        sources: sources.collect(),
    }
}

fn compare(wanted: &MirrorRecord, found: Option<&ObservedMirror>) -> Draft<MirrorRecord> {
    let nothing = MirrorRecord::default();
    let before = found.map_or(&nothing, |found| &found.record);
    let details = details(before, wanted, found);
    let after = wanted.clone();
    let mut draft = match found {
        None => Draft::new(Change::Create { after }, "no record of it on the cluster"),
        Some(found) if details.is_empty() => {
            let current = found.record.clone();
            Draft::new(Change::NoOp { current }, "as declared")
        }
        Some(found) => {
            let reason = if let Some(why) = &found.unreadable {
                format!("its record cannot be understood: {why}")
            } else {
                let names: Vec<&str> = details.iter().map(|it| it.attribute.as_str()).collect();
                format!("differs in {}", names.join(", "))
            };
            let before = found.record.clone();
            Draft::new(Change::Update { before, after }, reason)
        }
    };
    draft.details = details;
    draft
}

/// The state, then the sources by alias.
fn details(
    before: &MirrorRecord,
    after: &MirrorRecord,
    found: Option<&ObservedMirror>,
) -> Vec<Detail> {
    let mut details = Vec::new();
    if before.state != after.state {
        let was = found.map(|_| {
            before
                .state
                .map_or("unreadable", MirrorState::word)
                .to_owned()
        });
        let is = after.state.map(|state| state.word().to_owned());
        details.push(detail("state", was, is, after.state.and_then(risk)));
    }
    let aliases: BTreeSet<&String> = before.sources.keys().chain(after.sources.keys()).collect();
    for alias in aliases {
        let (was, is) = (before.sources.get(alias), after.sources.get(alias));
        if was != is {
            let moved = matches!((was, is), (Some(Some(_)), Some(Some(_)))).then(|| {
                let reason = "positions are kept by cluster id: from another cluster everything is copied from its start";
                (Risk::MovesData, reason.to_owned())
            });
            let is = is.map_or_else(|| "none".to_owned(), |id| source(id.as_deref()));
            details.push(detail(
                format!("source.{alias}"),
                was.map(|id| source(id.as_deref())),
                Some(is),
                moved,
            ));
        }
    }
    details
}

fn source(id: Option<&str>) -> String {
    match id {
        Some(id) => format!("cluster {id}"),
        None => "a cluster whose id is not known".to_owned(),
    }
}

/// What being in this state means.
fn risk(state: MirrorState) -> Option<(Risk, String)> {
    match state {
        MirrorState::Running => None,
        MirrorState::Paused => Some((
            Risk::Safe,
            "nothing is copied while it is paused: the lag grows by all that the source is written, and what its \
             retention deletes meanwhile is lost to the target"
                .to_owned(),
        )),
        MirrorState::Promoted => Some((
            Risk::Irreversible,
            "a replicator that runs copies what the source holds by then and stops for good; applications write to the \
             target from there on. Without one that runs nothing more is copied until one is started, and then only if one \
             ran before and nobody else has written to its topics"
                .to_owned(),
        )),
    }
}

/// Only what this version understands is overwritten, or what nobody does.
fn newer(found: Option<&ObservedMirror>) -> Option<Block> {
    let found = found.filter(|found| found.newer)?;
    let why = found.unreadable.as_deref().unwrap_or_default();
    Some(block(
        BlockCode::MirrorRecordNewer,
        format!("{why}: use that version, or delete the record"),
    ))
}

/// A promotion is never taken back, whoever remembers it: the record itself, or what was applied last.
fn way_back(
    state: MirrorState,
    found: Option<&ObservedMirror>,
    recorded: Option<&Recorded>,
) -> Option<Block> {
    let live = found.and_then(|found| found.record.state);
    let applied = match recorded.and_then(|recorded| recorded.access.as_ref()) {
        Some(RecordedAccess::Mirror { state, sources: _ }) => Some(*state),
        Some(
            RecordedAccess::Acl(_) | RecordedAccess::Quota { .. } | RecordedAccess::User { .. },
        )
        | None => None,
    };
    let promoted = [live, applied].contains(&Some(MirrorState::Promoted));
    (promoted && state != MirrorState::Promoted).then(|| {
        block(
            BlockCode::MirrorPromoted,
            format!(
                "it was promoted, and cannot be {} again: what applications wrote to the target since would be mixed with \
                 what the source got. Leave it promoted, and declare a mirror the other way round beside it, which brings that \
                 back; once that one is promoted in its turn, a mirror of another name goes on in this direction",
                state.word()
            ),
        )
    })
}

/// Who tidies up after a promotion, or turns the mirror round, does not have to delete what remembers it.
fn still_promoted(address: &str) -> String {
    format!(
        "it was promoted. Leave it declared (`state: promoted`): it copies nothing, and a mirror the other way round stands \
         beside it, under a name of its own. Or end that it is managed with `mirrorctl forget {address}`, which leaves its record \
         promoted; only {} deletes the record itself",
        rails::allow_destroy(address)
    )
}

fn removal(before: &MirrorRecord) -> Detail {
    let word = before.state.map_or("unreadable", MirrorState::word);
    let risk = match before.state {
        Some(MirrorState::Promoted) => {
            let reason = "nobody remembers then that it was promoted: a replicator that is started would copy again";
            (Risk::Irreversible, reason.to_owned())
        }
        Some(MirrorState::Running | MirrorState::Paused) | None => {
            let reason = "a replicator that runs stops copying; what it copied stays, and so do its positions";
            (Risk::Safe, reason.to_owned())
        }
    };
    detail(
        "state",
        Some(word.to_owned()),
        Some("gone".to_owned()),
        Some(risk),
    )
}
