//! What all kinds of resources have in common: each is declared, or was at the last apply.

use std::collections::BTreeMap;

use crate::change::{Action, ResourceChange};
use crate::desired::{Desired, DesiredCluster};
use crate::document::Forgotten;
use crate::draft::{Place, prefix, recorded};
use crate::journal::Recorded;
use crate::observed::{Observed, ObservedCluster};
use crate::permissions::Permissions;

/// One cluster of a plan, and what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The cluster's alias.
    pub(crate) alias: &'a str,
    /// What is declared on it.
    pub(crate) cluster: &'a DesiredCluster,
    /// All that is declared.
    pub(crate) desired: &'a Desired,
    /// What was read of it; nothing where it was not observed.
    pub(crate) live: Option<&'a ObservedCluster>,
    /// What was read of all clusters.
    pub(crate) observed: &'a Observed,
    /// What whoever plans allows.
    pub(crate) allowed: &'a Permissions,
}

/// A kind of resource, as far as the comparison goes.
pub(crate) trait Kind {
    /// The first word of its addresses.
    const WORD: &'static str;

    /// What the topology asks for.
    type Desired;

    /// What is declared on a cluster, by label.
    fn wanted(cluster: &DesiredCluster) -> &BTreeMap<String, Self::Desired>;

    /// What has to be done about one that is declared.
    fn declared(site: &Site<'_>, place: Place<'_>, desired: &Self::Desired) -> ResourceChange;

    /// What was declared of it at the last apply, all else being as it is declared now; nothing where a declaration has no
    /// attributes that could be others.
    fn as_recorded(desired: &Self::Desired, recorded: &Recorded) -> Option<Self::Desired>;

    /// What has to be done about one that was declared at the last apply and is not now; nothing where it is gone.
    fn dropped(
        site: &Site<'_>,
        live: &ObservedCluster,
        place: Place<'_>,
        recorded: &Recorded,
    ) -> Option<ResourceChange>;

    /// Whether the live state says that what is recorded is gone.
    fn is_gone(live: &ObservedCluster, label: &str, recorded: &Recorded) -> bool;
}

/// What has to be done about the resources of a kind that are declared, and about those that were at the last apply and
/// are not now. One of those that is gone needs nothing: the record is put right with the next change.
pub(crate) fn changes<K: Kind>(site: &Site<'_>) -> Vec<ResourceChange> {
    let wanted = K::wanted(site.cluster);
    let place = |label| Place {
        kind: K::WORD,
        alias: site.alias,
        label,
    };
    let mut changes: Vec<ResourceChange> = wanted
        .iter()
        .map(|(label, desired)| {
            let mut change = K::declared(site, place(label), desired);
            note_drift::<K>(site, place(label), desired, &mut change);
            change
        })
        .collect();
    if let Some(live) = site.live {
        let no_longer = recorded(K::WORD, site.alias, &live.recorded)
            .filter(|(label, _)| !wanted.contains_key(*label))
            .filter_map(|(label, recorded)| K::dropped(site, live, place(label), recorded));
        changes.extend(no_longer);
    }
    changes
}

/// Says what somebody else changed since the last apply, where the topology asks for something else by now, too: the reason
/// of the change is then that of the topology.
fn note_drift<K: Kind>(
    site: &Site<'_>,
    place: Place<'_>,
    desired: &K::Desired,
    change: &mut ResourceChange,
) {
    if change.record.is_none() || change.action() == Action::NoOp {
        return;
    }
    let recorded = site
        .live
        .and_then(|live| live.recorded.get(&change.address));
    let before = recorded.and_then(|recorded| K::as_recorded(desired, recorded));
    let Some(again) = before.map(|before| K::declared(site, place, &before)) else {
        return;
    };
    if !again.is_drift() {
        return;
    }
    let what = if again.action() == Action::Create {
        "it is gone".to_owned()
    } else {
        let differs = |attribute: &str| change.details.iter().any(|it| it.attribute == attribute);
        let words = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let attributes: Vec<String> = again
            .details
            .iter()
            // what is as declared now may be the work of an apply that was interrupted before it wrote that down
            .filter(|detail| differs(&detail.attribute))
            .map(|detail| {
                let (was, is) = (words(&detail.after), words(&detail.before));
                let attribute = detail.attribute.trim_start_matches("config.");
                format!("{attribute} {was} → {is}")
            })
            .collect();
        if attributes.is_empty() {
            return;
        }
        attributes.join(", ")
    };
    change.drifted = true;
    change
        .notes
        .push(format!("drifted since the last apply: {what}"));
}

/// What the record names, and is neither declared nor there.
pub(crate) fn in_vain<K: Kind>(site: &Site<'_>) -> Vec<Forgotten> {
    let Some(live) = site.live else {
        return Vec::new();
    };
    let wanted = K::wanted(site.cluster);
    recorded(K::WORD, site.alias, &live.recorded)
        .filter(|(label, recorded)| {
            !wanted.contains_key(*label) && K::is_gone(live, label, recorded)
        })
        .map(|(label, _)| Forgotten {
            cluster: site.alias.to_owned(),
            address: format!("{}{label}", prefix(K::WORD, site.alias)),
        })
        .collect()
}
