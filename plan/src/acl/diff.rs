//! Declared ACLs against live ones.

use std::collections::BTreeMap;

use topology::{AclBinding, AclPermission};

use super::KIND;
use super::label::sentence;
use super::rails as acl_rails;
use crate::change::{Change, Detail, RecordChange, Resource, ResourceChange, Risk};
use crate::desired::{DesiredAcl, DesiredCluster};
use crate::draft::{self, DECLARED_NO_LONGER, Draft, Place};
use crate::journal::{Recorded, RecordedAccess};
use crate::kind::{Kind, Site};
use crate::observed::ObservedCluster;
use crate::rails;

/// Access rules.
pub(crate) struct Acls;

impl Kind for Acls {
    const WORD: &'static str = KIND;
    type Desired = DesiredAcl;

    fn wanted(cluster: &DesiredCluster) -> &BTreeMap<String, DesiredAcl> {
        &cluster.acls
    }

    fn declared(site: &Site<'_>, place: Place<'_>, desired: &DesiredAcl) -> ResourceChange {
        let Site { cluster, live, .. } = *site;
        let DesiredAcl { rule, origin } = desired;
        let mut draft = if live.is_some_and(|live| live.acls.contains_key(place.label)) {
            let current = rule.clone();
            Draft::new(Change::NoOp { current }, "as declared")
        } else {
            let mut draft = Draft::new(
                Change::Create {
                    after: rule.clone(),
                },
                format!("not on the cluster, for {origin}"),
            );
            draft.details.push(creation(rule));
            draft.blocked = rails::cluster(cluster, live);
            if let Some(live) = live {
                draft
                    .blocked
                    .extend(acl_rails::creation(rule, cluster, !live.no_authorizer));
            }
            draft
        };
        let recorded = live.and_then(|live| live.recorded.get(&place.address()));
        let remember = Recorded {
            access: Some(RecordedAccess::Acl(rule.clone())),
            ..Recorded::default()
        };
        let record = draft.remember(recorded, remember);
        draft.at(place, Resource::Acl, record)
    }

    /// The rule is the address: another one is another resource.
    fn as_recorded(_: &DesiredAcl, _: &Recorded) -> Option<DesiredAcl> {
        None
    }

    fn dropped(
        site: &Site<'_>,
        live: &ObservedCluster,
        place: Place<'_>,
        _: &Recorded,
    ) -> Option<ResourceChange> {
        let rule = live.acls.get(place.label)?;
        let Site {
            cluster, allowed, ..
        } = *site;
        if !cluster.allow.delete_acls {
            let current = rule.clone();
            let mut draft = Draft::new(Change::NoOp { current }, DECLARED_NO_LONGER);
            draft.notes.push(draft::left(place, "deleteAcls"));
            return Some(draft.at(place, Resource::Acl, None));
        }
        let mut draft = Draft::new(
            Change::Delete {
                before: rule.clone(),
            },
            DECLARED_NO_LONGER,
        );
        draft.details.push(deletion(rule));
        if rule.permission == AclPermission::Deny {
            let note = "what it denied is allowed again wherever another rule allows it";
            draft.notes.push(note.to_owned());
        }
        draft.blocked = rails::cluster(cluster, Some(live));
        draft
            .blocked
            .extend(rails::asked_for(&place.address(), allowed));
        draft.blocked.extend(acl_rails::deletion(rule, cluster));
        Some(draft.at(place, Resource::Acl, Some(RecordChange::Forget)))
    }

    /// A cluster that keeps no ACLs says nothing about them.
    fn is_gone(live: &ObservedCluster, label: &str, _: &Recorded) -> bool {
        !live.no_authorizer && !live.acls.contains_key(label)
    }
}

fn creation(rule: &AclBinding) -> Detail {
    let risk = match rule.permission {
        AclPermission::Allow => None,
        AclPermission::Deny => Some((
            Risk::CutsOffClients,
            "a deny wins over every allow".to_owned(),
        )),
    };
    draft::detail("rule", None, Some(sentence(rule)), risk)
}

fn deletion(rule: &AclBinding) -> Detail {
    let risk = match rule.permission {
        AclPermission::Allow => Some((
            Risk::CutsOffClients,
            "clients that need the right are refused from then on".to_owned(),
        )),
        AclPermission::Deny => None,
    };
    draft::detail("rule", Some(sentence(rule)), Some("gone".to_owned()), risk)
}
