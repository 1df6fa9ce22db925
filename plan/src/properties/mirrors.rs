//! Mirrors' records in the model.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use topology::MirrorState;

use crate::apply::work::Outlook;
use crate::change::{Change, Resource, ResourceChange};
use crate::desired::{DesiredCluster, DesiredMirror};
use crate::journal::{Recorded, RecordedAccess};
use crate::mirror::{self, MirrorRecord, ObservedMirror};
use crate::observed::{Elsewhere, ObservedCluster};
use crate::permissions::Permissions;

fn name() -> impl Strategy<Value = String> {
    select(vec!["pay", "bill", "audit"]).prop_map(str::to_owned)
}

fn state() -> impl Strategy<Value = MirrorState> {
    select(vec![
        MirrorState::Running,
        MirrorState::Paused,
        MirrorState::Promoted,
    ])
}

/// Of clusters that are observed, and of one that is not.
fn sources() -> impl Strategy<Value = BTreeMap<String, Option<String>>> {
    let alias = select(vec!["aws", "onprem", "elsewhere"]).prop_map(str::to_owned);
    let id = option::of(select(vec!["id-aws", "id-other"]).prop_map(str::to_owned));
    btree_map(alias, id, 1..3)
}

pub(super) fn desired_mirrors() -> impl Strategy<Value = BTreeMap<String, DesiredMirror>> {
    let mirror = (state(), sources()).prop_map(|(state, sources)| DesiredMirror { state, sources });
    btree_map(name(), mirror, 0..3)
}

/// What is on a cluster, and what its own record says, before both have addresses.
#[derive(Debug, Clone)]
pub(super) struct Live {
    mirrors: BTreeMap<String, ObservedMirror>,
    recorded: BTreeMap<String, MirrorState>,
    /// What other topologies declared, with their names.
    elsewhere: BTreeMap<String, Option<String>>,
}

prop_compose! {
    fn observed_mirror()(
        state in option::weighted(0.9, state()),
        sources in sources(),
        newer in any::<bool>(),
    ) -> ObservedMirror {
        match state {
            Some(state) => ObservedMirror {
                record: MirrorRecord { state: Some(state), sources },
                ..ObservedMirror::default()
            },
            None => ObservedMirror {
                unreadable: Some("noise".to_owned()),
                newer,
                ..ObservedMirror::default()
            },
        }
    }
}

prop_compose! {
    pub(super) fn live()(
        mirrors in btree_map(name(), observed_mirror(), 0..4),
        recorded in btree_map(name(), state(), 0..4),
        elsewhere in btree_map(name(), option::of(Just("other".to_owned())), 0..2),
    ) -> Live {
        Live { mirrors, recorded, elsewhere }
    }
}

impl Live {
    pub(super) fn settle(self, cluster: &mut ObservedCluster) {
        cluster.mirrors = self.mirrors;
        for (name, state) in self.recorded {
            let recorded = Recorded {
                access: Some(RecordedAccess::Mirror {
                    state,
                    sources: BTreeMap::new(),
                }),
                ..Recorded::default()
            };
            cluster.recorded.insert(format!("mirror.{name}"), recorded);
        }
        for (name, owner) in self.elsewhere {
            let address = format!("mirror.{name}");
            if !cluster.recorded.contains_key(&address) {
                let other = Elsewhere {
                    topology: owner,
                    ..Elsewhere::default()
                };
                cluster.elsewhere.insert(address, other);
            }
        }
    }
}

pub(super) fn address() -> impl Strategy<Value = String> {
    name().prop_map(|name| format!("mirror.{name}"))
}

/// What the live state means for a change; done, where it is no mirror's.
pub(super) fn outlook(change: &ResourceChange, cluster: &ObservedCluster) -> Outlook {
    match &change.resource {
        Resource::Mirror(mirror) => mirror::outlook(mirror, cluster.mirrors.get(&change.name)),
        Resource::Topic(_)
        | Resource::Acl(_)
        | Resource::ClientQuota(_)
        | Resource::ScramUser(_)
        | Resource::RenderedFile(_) => Outlook::AlreadyDone,
    }
}

/// What a cluster does with the record that is appended.
pub(super) fn carry_out(change: &Change<MirrorRecord>, name: &str, cluster: &mut ObservedCluster) {
    match change.after() {
        Some(after) => {
            let mirror = ObservedMirror {
                record: after.clone(),
                ..ObservedMirror::default()
            };
            cluster.mirrors.insert(name.to_owned(), mirror);
        }
        None => {
            assert!(cluster.mirrors.remove(name).is_some(), "it was there");
        }
    }
}

/// What is gone was permitted, asked for and ours; what changed was ours, or asked for; nothing that was promoted copies
/// again; what a later version wrote stays.
pub(super) fn only_what_was_permitted(
    desired: Option<&DesiredCluster>,
    allowed: &Permissions,
    before: &ObservedCluster,
    after: &ObservedCluster,
) -> Result<(), TestCaseError> {
    for (name, mirror) in &before.mirrors {
        let now = after.mirrors.get(name);
        let address = format!("mirror.{name}");
        let Some(declared) = desired else {
            prop_assert_eq!(now, Some(mirror));
            continue;
        };
        let wanted = declared.mirrors.get(name);
        let Some(now) = now else {
            prop_assert!(declared.allow.delete_mirrors && allowed.may_destroy(&address));
            prop_assert!(before.recorded.contains_key(&address) && wanted.is_none());
            continue;
        };
        if wanted.is_none() || mirror.newer {
            prop_assert_eq!(now, mirror);
        }
        if before.elsewhere.contains_key(&address) && !allowed.may_destroy(&address) {
            prop_assert_eq!(now, mirror);
        }
        if mirror.record.state == Some(MirrorState::Promoted) {
            prop_assert_eq!(now.record.state, Some(MirrorState::Promoted));
        }
    }
    for (name, mirror) in &after.mirrors {
        let applied = before.recorded.get(&format!("mirror.{name}"));
        let promoted = applied.is_some_and(|it| {
            matches!(
                it.access,
                Some(RecordedAccess::Mirror {
                    state: MirrorState::Promoted,
                    ..
                })
            )
        });
        if promoted && before.mirrors.get(name) != Some(mirror) {
            prop_assert_eq!(mirror.record.state, Some(MirrorState::Promoted));
        }
    }
    Ok(())
}
