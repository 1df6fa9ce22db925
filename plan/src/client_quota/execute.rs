//! Carries out changes of quotas.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, QuotaChange};
use topology::{QuotaEntity, QuotaValue};

use super::QuotaState;
use super::label::to_wire;
use super::live::{Limits, limits, read};
use crate::apply::ApplyOptions;
use crate::apply::execute::{ChangeError, Done};
use crate::apply::work::{Outlook, Work, carry_out, key_by_key, only};
use crate::change::{Change, ResourceChange};
use crate::topic::ReadError;

/// The limits of one entity.
struct Quota<'a> {
    cluster: &'a Cluster,
    label: &'a str,
    change: &'a Change<QuotaState>,
}

impl Quota<'_> {
    fn entity(&self) -> Result<kafka::QuotaEntity, kafka::Error> {
        let nobody = QuotaEntity::default();
        let state = self.change.after().or(self.change.before());
        let entity = state.map_or(&nobody, |state| &state.entity);
        to_wire(entity).ok_or_else(|| kafka::Error::Malformed {
            address: self.cluster.bootstrap().join(","),
            what: "quota entity",
            detail: entity.to_string(),
        })
    }
}

impl Work for Quota<'_> {
    type Live = Limits;

    async fn read(&self) -> Result<Limits, ReadError> {
        let found = self.cluster.client_quotas_of(&self.entity()?).await?;
        Ok(limits(&found))
    }

    fn outlook(&self, live: &Limits) -> Outlook {
        outlook(self.change, live)
    }

    async fn request(&self, live: &Limits) -> Result<(), kafka::Error> {
        let (entity, changes) = (self.entity()?, remaining(self.change, live));
        let one = BTreeMap::from([(entity, changes)]);
        let outcomes = self.cluster.alter_client_quotas(&one).await?;
        only("AlterClientQuotas", self.label, outcomes)
    }

    fn step(&self) -> String {
        if self.change.after().is_some() {
            "set the quota".to_owned()
        } else {
            "delete the quota".to_owned()
        }
    }
}

/// Each managed key with its limit before and after.
fn keys(
    change: &Change<QuotaState>,
) -> impl Iterator<Item = (&String, Option<QuotaValue>, Option<QuotaValue>)> {
    let (before, after) = (change.before(), change.after());
    let states = before.into_iter().chain(after);
    let keys: BTreeSet<&String> = states
        .flat_map(|state| state.limits.keys().chain(&state.unset))
        .collect();
    let limit = |state: Option<&QuotaState>, key| state?.limits.get(key).copied();
    keys.into_iter()
        .map(move |key| (key, limit(before, key), limit(after, key)))
}

/// Each limit is as the plan read it, or as it sets it; anything else is somebody else's doing.
pub(crate) fn outlook(change: &Change<QuotaState>, live: &Limits) -> Outlook {
    key_by_key(
        keys(change),
        |key| live.get(*key).copied(),
        QuotaValue::to_string,
    )
}

fn remaining(change: &Change<QuotaState>, live: &Limits) -> Vec<QuotaChange> {
    keys(change)
        .filter(|(key, _, after)| live.get(*key) != after.as_ref())
        .map(|(key, _, after)| match after {
            Some(value) => QuotaChange::Set {
                key: key.clone(),
                value: value.get(),
            },
            None => QuotaChange::Remove { key: key.clone() },
        })
        .collect()
}

/// Rechecks the change and carries it out: all limits of the entity, or none.
pub(crate) async fn execute(
    cluster: &Cluster,
    label: &str,
    change: &Change<QuotaState>,
    options: &ApplyOptions,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let quota = Quota {
        cluster,
        label,
        change,
    };
    carry_out(&quota, options, steps_done).await
}

/// What the live limits mean for each of these changes; all are read at once.
pub(crate) async fn outlooks<'a>(
    cluster: &Cluster,
    changes: &[(&'a ResourceChange, &'a Change<QuotaState>)],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, ReadError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let (live, nothing) = (read(cluster).await?, Limits::new());
    let changes = changes.iter();
    Ok(changes
        .map(|(resource, change)| {
            let quota = live.get(&resource.name);
            let limits = quota.map_or(&nothing, |quota| &quota.limits);
            (*resource, outlook(change, limits))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(limits: &[(&str, u32)]) -> QuotaState {
        QuotaState {
            limits: of(limits),
            ..QuotaState::default()
        }
    }

    fn of(limits: &[(&str, u32)]) -> Limits {
        let limits = limits.iter();
        limits
            .map(|(key, value)| ((*key).to_owned(), QuotaValue::from(*value)))
            .collect()
    }

    #[test]
    fn each_limit_is_as_read_or_as_planned() {
        let mut after = state(&[("a", 2)]);
        after.unset.insert("b".to_owned());
        let update = Change::Update {
            before: state(&[("a", 1), ("b", 1)]),
            after,
        };
        for (live, outlook_is, left) in [
            (&[("a", 1), ("b", 1)][..], Outlook::Remaining, 2),
            (&[("a", 2), ("b", 1)], Outlook::Remaining, 1),
            (&[("a", 1)], Outlook::Remaining, 1),
            // what is not managed does not matter
            (&[("a", 2), ("c", 9)], Outlook::AlreadyDone, 0),
        ] {
            assert_eq!(outlook(&update, &of(live)), outlook_is, "{live:?}");
            assert_eq!(remaining(&update, &of(live)).len(), left, "{live:?}");
        }
        for (live, said) in [
            (&[("a", 3), ("b", 1)][..], "a: expected 1, found 3"),
            (&[("a", 1), ("b", 4)], "b: expected 1, found 4"),
            (&[("b", 1)], "a: expected 1, found nothing"),
        ] {
            let Outlook::Stale(differences) = outlook(&update, &of(live)) else {
                panic!("{live:?} is not what the plan read");
            };
            assert_eq!(differences[0].to_string(), said);
        }
        let create = Change::Create {
            after: state(&[("a", 2)]),
        };
        assert_eq!(outlook(&create, &of(&[])), Outlook::Remaining);
        assert!(matches!(
            outlook(&create, &of(&[("a", 1)])),
            Outlook::Stale(_)
        ));
        let delete = Change::Delete {
            before: state(&[("a", 2)]),
        };
        assert_eq!(outlook(&delete, &of(&[("c", 9)])), Outlook::AlreadyDone);
        assert_eq!(outlook(&delete, &of(&[("a", 2)])), Outlook::Remaining);
    }
}
