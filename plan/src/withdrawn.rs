//! What is to go although the topology declares it: `destroy`.

use crate::change::{Action, BlockCode, ResourceChange};
use crate::desired::Desired;

/// That declaring it again would help is for what the topology dropped.
const PREVENTED: &str = "it was applied with `preventDestroy`: take that out of the topology and apply it, and destroy it then";

/// The reason of what stays because the cluster's `allow` keeps it.
pub(crate) const NOT_DESTROYED: &str = "not to be destroyed";

/// Says why, where it would read as if the topology had dropped it.
pub(crate) fn reword(desired: &Desired, changes: &mut [ResourceChange]) {
    for change in changes {
        if !desired.withdrawn.contains(&change.address) {
            continue;
        }
        match change.action() {
            Action::Delete => {
                "to be destroyed, as asked for".clone_into(&mut change.reason);
                for block in &mut change.blocked {
                    if block.code == BlockCode::PreventDestroy {
                        PREVENTED.clone_into(&mut block.message);
                    }
                }
            }
            // what the cluster's `allow` keeps
            Action::NoOp => {
                NOT_DESTROYED.clone_into(&mut change.reason);
                let place = change.home.cluster().unwrap_or_default();
                change.notes = vec![format!(
                    "the `allow` of {place} does not permit to delete it"
                )];
            }
            Action::Create | Action::Update => {}
        }
    }
}
