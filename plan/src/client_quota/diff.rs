//! Declared quotas against live ones.

use std::collections::{BTreeMap, BTreeSet};

use topology::QuotaValue;

use super::live::Limits;
use super::{KIND, QuotaState};
use crate::change::{Change, Detail, RecordChange, Resource, ResourceChange};
use crate::desired::{DesiredCluster, DesiredQuota};
use crate::draft::{self, DECLARED_NO_LONGER, Draft, Place, detail};
use crate::journal::{Recorded, RecordedAccess};
use crate::kind::{Kind, Site};
use crate::observed::ObservedCluster;
use crate::rails;

/// Limits of clients.
pub(crate) struct Quotas;

impl Kind for Quotas {
    const WORD: &'static str = KIND;
    type Desired = DesiredQuota;

    fn wanted(cluster: &DesiredCluster) -> &BTreeMap<String, DesiredQuota> {
        &cluster.quotas
    }

    fn declared(site: &Site<'_>, place: Place<'_>, desired: &DesiredQuota) -> ResourceChange {
        let Site { cluster, live, .. } = *site;
        let recorded = live.and_then(|live| live.recorded.get(&place.address()));
        let nothing = Limits::new();
        let found = live.and_then(|live| live.quotas.get(place.label));
        let found = found.map_or(&nothing, |quota| &quota.limits);
        let dropped: BTreeSet<String> = recorded_limits(recorded)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter(|key| !desired.limits.contains_key(*key) && found.contains_key(*key))
            .cloned()
            .collect();
        let managed = |key: &String| desired.limits.contains_key(key) || dropped.contains(key);
        let before = QuotaState {
            entity: desired.entity.clone(),
            limits: only(found, managed),
            unset: BTreeSet::new(),
        };
        let after = QuotaState {
            entity: desired.entity.clone(),
            limits: desired.limits.clone(),
            unset: dropped.clone(),
        };
        let mut draft = if found.is_empty() {
            let reason = format!("not on the cluster, for {}", desired.origin);
            Draft::new(Change::Create { after }, reason)
        } else if before.limits == desired.limits {
            Draft::new(Change::NoOp { current: before }, "as declared")
        } else {
            let keys: Vec<&str> = differing(&before.limits, &desired.limits).collect();
            let reason = format!("differs in {}", keys.join(", "));
            Draft::new(Change::Update { before, after }, reason)
        };
        draft.details = differing(&only(found, managed), &desired.limits)
            .map(|key| limit(key, found.get(key), desired.limits.get(key)))
            .collect();
        draft.unmanaged = shown(&only(found, |key| !managed(key)));
        if !draft.details.is_empty() {
            draft.blocked = rails::cluster(cluster, live);
        }
        let remember = Recorded {
            access: Some(RecordedAccess::Quota {
                limits: desired.limits.clone(),
            }),
            ..Recorded::default()
        };
        let record = draft.remember(recorded, remember);
        draft.at(place, Resource::ClientQuota, record)
    }

    fn as_recorded(desired: &DesiredQuota, recorded: &Recorded) -> Option<DesiredQuota> {
        Some(DesiredQuota {
            limits: recorded_limits(Some(recorded))?.clone(),
            ..desired.clone()
        })
    }

    fn dropped(
        site: &Site<'_>,
        live: &ObservedCluster,
        place: Place<'_>,
        recorded: &Recorded,
    ) -> Option<ResourceChange> {
        let before = ours(live, place.label, recorded)?;
        let Site {
            cluster, allowed, ..
        } = *site;
        if !cluster.allow.delete_quotas {
            let mut draft = Draft::new(Change::NoOp { current: before }, DECLARED_NO_LONGER);
            draft.notes.push(draft::left(place, "deleteQuotas"));
            return Some(draft.at(place, Resource::ClientQuota, None));
        }
        let details = before.limits.iter();
        let details = details.map(|(key, value)| limit(key, Some(value), None));
        let details = details.collect();
        let others = live
            .quotas
            .get(place.label)
            .map(|quota| only(&quota.limits, |key| !before.limits.contains_key(key)));
        let mut draft = Draft::new(Change::Delete { before }, DECLARED_NO_LONGER);
        draft.details = details;
        draft.unmanaged = shown(&others.unwrap_or_default());
        draft.blocked = rails::cluster(cluster, Some(live));
        draft
            .blocked
            .extend(rails::asked_for(&place.address(), allowed));
        Some(draft.at(place, Resource::ClientQuota, Some(RecordChange::Forget)))
    }

    fn is_gone(live: &ObservedCluster, label: &str, recorded: &Recorded) -> bool {
        ours(live, label, recorded).is_none()
    }
}

/// The recorded limits of a quota.
fn recorded_limits(recorded: Option<&Recorded>) -> Option<&Limits> {
    match recorded?.access.as_ref()? {
        RecordedAccess::Quota { limits } => Some(limits),
        RecordedAccess::Acl(_) | RecordedAccess::User { .. } | RecordedAccess::Mirror { .. } => {
            None
        }
    }
}

/// What is live of a recorded quota, as far as the record says that it is ours; nothing where none of it is.
fn ours(live: &ObservedCluster, label: &str, recorded: &Recorded) -> Option<QuotaState> {
    let (limits, quota) = (recorded_limits(Some(recorded))?, live.quotas.get(label)?);
    let keys: BTreeSet<&String> = limits.keys().collect();
    let ours = QuotaState {
        entity: quota.entity.clone(),
        limits: only(&quota.limits, |key| keys.contains(key)),
        unset: BTreeSet::new(),
    };
    (!ours.limits.is_empty()).then_some(ours)
}

fn only(limits: &Limits, keep: impl Fn(&String) -> bool) -> Limits {
    let kept = limits.iter().filter(|(key, _)| keep(key));
    kept.map(|(key, value)| (key.clone(), *value)).collect()
}

/// Keys whose limits are not the same, in their order.
fn differing<'a>(before: &'a Limits, after: &'a Limits) -> impl Iterator<Item = &'a str> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(String::as_str)
}

/// A limit slows clients down and refuses none, and can be taken back.
fn limit(key: &str, before: Option<&QuotaValue>, after: Option<&QuotaValue>) -> Detail {
    let after = after.map_or_else(|| "none of its own".to_owned(), ToString::to_string);
    detail(key, before.map(ToString::to_string), Some(after), None)
}

fn shown(limits: &Limits) -> BTreeMap<String, String> {
    let shown = limits.iter();
    shown
        .map(|(key, value)| (key.clone(), value.to_string()))
        .collect()
}
