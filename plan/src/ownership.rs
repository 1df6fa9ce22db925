//! Several topologies on one cluster: each takes back only what itself declared.
//!
//! What a cluster remembers carries the name of the topology that declared it. Another topology neither deletes it nor
//! counts it as drift; where it declares the same resource, it takes it over, and says so. A mirror is taken over only where
//! that is asked for by its address: its replicators follow the record, and would be stopped, or promoted, by a topology that
//! they do not know. A plan holds whose each resource was, and is stale where it is somebody else's by the time of its apply.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{Action, Block, BlockCode, Change, RecordChange, Resource, ResourceChange};
use crate::difference::Difference;
use crate::home::Home;
use crate::journal::{self, Key, Owned, Recorded};
use crate::mirror;
use crate::observed::{Elsewhere, ObservedCluster};
use crate::permissions::Permissions;
use crate::rails::{allow_destroy, block};

/// Whose a resource is, as its cluster's record or its folder's manifest says: the topology's that declared it last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The name of the topology; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
}

impl Owner {
    /// The topology with this name.
    pub(crate) fn named(topology: Option<&str>) -> Self {
        Self {
            topology: topology.map(str::to_owned),
        }
    }

    /// The name of the topology that this is, where it is a named one and not the one called `name`, which may have none.
    /// One without a name may be any, also this one before it had its name.
    pub fn another_than(&self, name: Option<&str>) -> Option<&str> {
        let owner = self.topology.as_deref()?;
        (Some(owner) != name).then_some(owner)
    }

    fn words(&self) -> String {
        match &self.topology {
            Some(name) => format!("the topology `{name}`"),
            None => "a topology without a name".to_owned(),
        }
    }
}

/// Follows whose the mirror of one name is, by the record of its target.
#[derive(Debug)]
pub struct MirrorOwner {
    target: kafka::Cluster,
    address: String,
    read: Option<kafka::Mark>,
    owner: Option<Owner>,
}

impl MirrorOwner {
    /// Of the mirror of this name into `target`; nothing is read yet.
    pub fn new(target: kafka::Cluster, mirror: &str) -> Self {
        Self {
            target,
            address: mirror::address(mirror),
            read: None,
            owner: None,
        }
    }

    /// As read last; nothing where nobody applied the mirror.
    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// Reads the record where anything was written to it since the last time: otherwise two small requests. Cancel safe.
    ///
    /// # Errors
    /// When it cannot be read. What was read last stays.
    pub async fn look(&mut self) -> Result<(), kafka::Error> {
        let mark = Some(journal::log(&self.target).mark().await?);
        if self.read != mark {
            let mut journal = journal::read(&self.target).await?;
            let owned = journal.recorded.remove(&Key::of(&self.address));
            self.owner = owned.map(|Owned { topology, .. }| Owner { topology });
            self.read = mark;
        }
        Ok(())
    }
}

/// Whose the resources are, by home and address.
pub(crate) type Owners = BTreeMap<Home, BTreeMap<String, Owner>>;

/// What the topology with this name declared at its last apply, and which topology (none where it has no name) declared
/// the rest.
pub(crate) fn split(
    all: BTreeMap<String, Owned>,
    name: Option<&str>,
) -> (BTreeMap<String, Recorded>, BTreeMap<String, Elsewhere>) {
    let (mut own, mut elsewhere) = (BTreeMap::new(), BTreeMap::new());
    for (address, Owned { topology, recorded }) in all {
        if topology.as_deref() == name {
            own.insert(address, recorded);
        } else {
            let prevent_destroy = recorded.prevent_destroy;
            let of_another = Elsewhere {
                topology,
                prevent_destroy,
            };
            elsewhere.insert(address, of_another);
        }
    }
    (own, elsewhere)
}

/// Writes into each change whose the resource is, for `apply` to look at again.
pub(crate) fn note(changes: &mut [ResourceChange], live: &ObservedCluster, name: Option<&str>) {
    for change in changes {
        if change.action() == Action::NoOp && change.record.is_none() {
            continue;
        }
        change.owner = if live.recorded.contains_key(&change.address) {
            Some(Owner::named(name))
        } else {
            let other = live.elsewhere.get(&change.address);
            other.map(|other| Owner::named(other.topology.as_deref()))
        };
    }
}

/// Says of each resource that is declared here whose it was, and refuses mirrors that nobody asked for, and to drop the
/// `preventDestroy` of another topology. What a topology without
/// a name declared is taken over without a word, because that is what giving it a name does; of a mirror that is said, and
/// nothing about it may change with that.
pub(crate) fn take_over(
    changes: &mut [ResourceChange],
    elsewhere: &BTreeMap<String, Elsewhere>,
    allowed: &Permissions,
) {
    for change in changes {
        let Some(other) = elsewhere.get(&change.address) else {
            continue;
        };
        let Some(RecordChange::Remember(remembered)) = &change.record else {
            continue;
        };
        let owner = &other.topology;
        let asked_for = allowed.may_destroy(&change.address);
        if other.prevent_destroy && !remembered.prevent_destroy && !asked_for {
            let refused = still_precious(&change.address, owner.as_deref());
            change.blocked.push(refused);
            change.taken_from.clone_from(owner);
            continue;
        }
        match (owner, &change.resource) {
            (None, Resource::Mirror(Change::NoOp { .. })) => change.notes.push(
                "a topology without a name declared it in the same way; the next apply puts it under the name of this one"
                    .to_owned(),
            ),
            (owner, Resource::Mirror(_)) if !asked_for => {
                let refused = of_another(&change.address, owner.as_deref());
                change.blocked.push(refused);
            }
            (
                None,
                Resource::Topic(_)
                | Resource::Acl(_)
                | Resource::ClientQuota(_)
                | Resource::ScramUser(_)
                | Resource::RenderedFile(_),
            ) => {}
            (owner, _) => change.notes.push(format!(
                "{} declares it too, or did; this apply takes it over",
                Owner::named(owner.as_deref()).words()
            )),
        }
        change.taken_from.clone_from(owner);
    }
}

/// Without this, whoever declares a resource once more could delete what somebody else declared as never to be deleted.
fn still_precious(address: &str, owner: Option<&str>) -> Block {
    let whose = Owner::named(owner).words();
    block(
        BlockCode::PreventDestroy,
        format!(
            "{whose} declares it with `preventDestroy`, and this one without: declare it so here, too; or end the other's claim \
             (`mirrorctl forget {address}` with that topology), or take it over with {}",
            allow_destroy(address)
        ),
    )
}

/// One name is one mirror. Its record holds neither what it selects nor how, so that nobody knows whether another one of this
/// name in the same state is the same.
fn of_another(address: &str, owner: Option<&str>) -> Block {
    let take = allow_destroy(address);
    let what = "one name is one mirror, with one record and one set of positions, which its replicators follow";
    let message = match owner {
        Some(owner) => format!(
            "the topology `{owner}` has a mirror of this name on this target: {what}. Give this one another name; or end the \
             other's claim (`mirrorctl forget {address}` with that topology), or take the mirror over with {take}"
        ),
        None => format!(
            "a topology without a name has a mirror of this name on this target, and not as this one declares it: {what}. Where \
             that was this topology before it had a name, apply the name alone first, and then what changes; where it is \
             another one, give this mirror another name; or take it over with {take}"
        ),
    };
    block(BlockCode::MirrorOfAnotherTopology, message)
}

/// The first of these changes, made by a plan of the topology `by`, whose resource belongs to somebody else than when the
/// plan was made; `gone` are addresses of what is to be deleted and is not there any more.
pub(crate) fn changed_hands<'a>(
    changes: impl IntoIterator<Item = &'a ResourceChange>,
    owners: &Owners,
    by: Option<&str>,
    gone: &BTreeSet<&str>,
) -> Option<(&'a ResourceChange, Difference)> {
    let changes = changes.into_iter();
    let mut rechecked =
        changes.filter(|change| change.action() != Action::NoOp || change.record.is_some());
    rechecked.find_map(|change| {
        let now = owners
            .get(&change.home)
            .and_then(|owners| owners.get(&change.address));
        let gone = gone.contains(change.address.as_str());
        let moved = change_of_hands(change.owner.as_ref(), now, by, gone)?;
        Some((change, moved))
    })
}

/// As the plan of the topology `by` read it, or as an apply of it that was interrupted leaves it; anything else is somebody
/// else's doing.
pub(crate) fn change_of_hands(
    planned: Option<&Owner>,
    now: Option<&Owner>,
    by: Option<&str>,
    gone: bool,
) -> Option<Difference> {
    let own = now.is_some_and(|now| now.topology.as_deref() == by);
    let forgotten_with_it = now.is_none() && gone;
    (now != planned && !own && !forgotten_with_it).then(|| Difference {
        attribute: "owner".to_owned(),
        expected: planned.map(Owner::words),
        found: now.map(Owner::words),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_topology_is_one_with_another_name() {
        let of = |name: &str| Owner::named(Some(name));
        assert_eq!(of("a").another_than(Some("a")), None);
        assert_eq!(of("b").another_than(Some("a")), Some("b"));
        assert_eq!(of("b").another_than(None), Some("b"));
        for name in [Some("a"), None] {
            assert_eq!(Owner::default().another_than(name), None);
        }
    }

    #[test]
    fn a_resource_is_whose_the_plan_read_or_its_own_by_now() {
        let of = |name: &str| Owner::named(Some(name));
        let (a, b, unnamed) = (of("a"), of("b"), Owner::default());
        let moved = |planned, now, gone| change_of_hands(planned, now, Some("a"), gone);
        for planned in [None, Some(&a), Some(&b), Some(&unnamed)] {
            assert_eq!(moved(planned, planned, false), None);
            // an apply of the same plan, or of the same topology
            assert_eq!(moved(planned, Some(&a), false), None);
        }
        // deleted, and forgotten with that
        assert_eq!(moved(Some(&a), None, true), None);
        for (planned, now, gone, words) in [
            (
                None,
                Some(&b),
                false,
                "owner: expected nothing, found the topology `b`",
            ),
            (
                Some(&a),
                Some(&b),
                true,
                "owner: expected the topology `a`, found the topology `b`",
            ),
            (
                Some(&b),
                Some(&unnamed),
                false,
                "found a topology without a name",
            ),
            // somebody forgot what is there
            (
                Some(&a),
                None,
                false,
                "owner: expected the topology `a`, found nothing",
            ),
        ] {
            let difference = moved(planned, now, gone).expect(words).to_string();
            assert!(difference.contains(words), "{difference}");
        }
    }
}
