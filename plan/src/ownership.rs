//! Several topologies on one cluster: each takes back only what itself declared.
//!
//! What a cluster remembers carries the name of the topology that declared it. Another topology neither deletes it nor
//! counts it as drift; where it declares the same resource, it takes it over, and says so. A mirror is taken over only where
//! that is asked for by its address: its replicators follow the record, and would be stopped, or promoted, by a topology that
//! they do not know.

use std::collections::BTreeMap;

use crate::change::{BlockCode, Change, RecordChange, Resource, ResourceChange};
use crate::journal::{Owned, Recorded};
use crate::permissions::Permissions;
use crate::rails::{allow_destroy, block};

/// What the topology with this name declared at its last apply, and which topology (none where it has no name) declared
/// the rest.
pub(crate) fn split(
    all: BTreeMap<String, Owned>,
    name: Option<&str>,
) -> (BTreeMap<String, Recorded>, BTreeMap<String, Option<String>>) {
    let (mut own, mut elsewhere) = (BTreeMap::new(), BTreeMap::new());
    for (address, Owned { topology, recorded }) in all {
        if topology.as_deref() == name {
            own.insert(address, recorded);
        } else {
            elsewhere.insert(address, topology);
        }
    }
    (own, elsewhere)
}

/// Says of each resource that is declared here whose it was, and refuses mirrors that nobody asked for. One that a topology
/// without a name declared is taken over without a word: that is what giving it a name does.
pub(crate) fn take_over(
    changes: &mut [ResourceChange],
    elsewhere: &BTreeMap<String, Option<String>>,
    allowed: &Permissions,
) {
    for change in changes {
        let owner = elsewhere.get(&change.address).and_then(Option::as_ref);
        let (Some(owner), Some(RecordChange::Remember(_))) = (owner, &change.record) else {
            continue;
        };
        let asked_for = allowed.may_destroy(&change.address);
        if let (Resource::Mirror(Change::NoOp { .. }), false) = (&change.resource, asked_for) {
            let note = format!("the topology `{owner}` declares it in the same way, and keeps it");
            change.notes.push(note);
            change.record = None;
            continue;
        }
        change.taken_from = Some(owner.clone());
        match &change.resource {
            Resource::Mirror(_) if !asked_for => {
                let address = &change.address;
                let message = format!(
                    "the topology `{owner}` has a mirror of this name on this target: one name is one mirror, with one record \
                     and one set of positions, which its replicators follow. Give this one another name; or end the other's \
                     claim (`mirrorctl forget {address}` with that topology), or take the mirror over with {}",
                    allow_destroy(address),
                );
                let refused = block(BlockCode::MirrorOfAnotherTopology, message);
                change.blocked.push(refused);
            }
            Resource::Topic(_)
            | Resource::Acl(_)
            | Resource::ClientQuota(_)
            | Resource::ScramUser(_)
            | Resource::Mirror(_)
            | Resource::RenderedFile(_) => change.notes.push(format!(
                "the topology `{owner}` declares it too, or did; this apply takes it over"
            )),
        }
    }
}
