//! Several topologies on one cluster: each takes back only what itself declared.
//!
//! What a cluster remembers carries the name of the topology that declared it. Another topology neither deletes it nor
//! counts it as drift; where it declares the same resource, it takes it over, and says so.

use std::collections::BTreeMap;

use crate::change::{RecordChange, ResourceChange};
use crate::journal::{Owned, Recorded};

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

/// Says of each resource that is declared here whose it was. One that a topology without a name declared is taken over
/// without a word: that is what giving it a name does.
pub(crate) fn note(changes: &mut [ResourceChange], elsewhere: &BTreeMap<String, Option<String>>) {
    for change in changes {
        let owner = elsewhere.get(&change.address).and_then(Option::as_ref);
        if let (Some(owner), Some(RecordChange::Remember(_))) = (owner, &change.record) {
            change.notes.push(format!(
                "the topology `{owner}` declares it too, or did; this apply takes it over"
            ));
        }
    }
}
