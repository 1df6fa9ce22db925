//! What all kinds of resources have in common: each is declared, or was at the last apply.

use std::collections::BTreeMap;

use crate::change::ResourceChange;
use crate::desired::DesiredCluster;
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
        .map(|(label, desired)| K::declared(site, place(label), desired))
        .collect();
    if let Some(live) = site.live {
        let no_longer = recorded(K::WORD, site.alias, &live.recorded)
            .filter(|(label, _)| !wanted.contains_key(*label))
            .filter_map(|(label, recorded)| K::dropped(site, live, place(label), recorded));
        changes.extend(no_longer);
    }
    changes
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
