//! Rules, limits and logins in the model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use topology::{
    AclBinding, AclOperation, AclPermission, Login, PatternType, ResourceType, Sasl, SecretRef,
};

use crate::acl;
use crate::apply::work::Outlook;
use crate::change::{Change, Resource, ResourceChange};
use crate::desired::{DesiredAcl, DesiredCluster};
use crate::journal::{Recorded, RecordedAccess};
use crate::observed::ObservedCluster;
use crate::permissions::Permissions;

/// Whom the program may log in as, and others.
const PRINCIPALS: [&str; 3] = ["User:admin", "User:orders", "User:CN=a/b"];

fn rule() -> impl Strategy<Value = AclBinding> {
    let permission = select(AclPermission::ALL.to_vec());
    let resource_name = select(vec!["pay.", "*"]);
    (select(PRINCIPALS.to_vec()), permission, resource_name).prop_map(
        |(principal, permission, resource_name)| AclBinding {
            resource_type: ResourceType::Topic,
            resource_name: resource_name.to_owned(),
            pattern: PatternType::Literal,
            principal: principal.to_owned(),
            host: "*".to_owned(),
            operation: AclOperation::Read,
            permission,
        },
    )
}

pub(super) fn desired_acls() -> impl Strategy<Value = BTreeMap<String, DesiredAcl>> {
    btree_set(rule(), 0..4).prop_map(|rules| {
        let desired = |rule| DesiredAcl {
            rule,
            origin: "acls[0]".to_owned(),
        };
        rules
            .into_iter()
            .map(|rule| (acl::label(&rule), desired(rule)))
            .collect()
    })
}

pub(super) fn login() -> impl Strategy<Value = Option<Sasl>> {
    let login = Login {
        username: "admin".to_owned(),
        password: SecretRef::Env("PW".to_owned()),
    };
    option::of(Just(Sasl::ScramSha512(login)))
}

/// What is on a cluster, and what its record says, before both have addresses.
#[derive(Debug, Clone)]
pub(super) struct Live {
    acls: BTreeSet<AclBinding>,
    recorded_acls: BTreeSet<AclBinding>,
    no_authorizer: bool,
}

prop_compose! {
    pub(super) fn live()(
        acls in btree_set(rule(), 0..5),
        recorded_acls in btree_set(rule(), 0..5),
        no_authorizer in prop::bool::weighted(0.1),
    ) -> Live {
        Live { acls, recorded_acls, no_authorizer }
    }
}

impl Live {
    pub(super) fn settle(self, alias: &str, cluster: &mut ObservedCluster) {
        cluster.no_authorizer = self.no_authorizer;
        if !self.no_authorizer {
            cluster.acls = self
                .acls
                .into_iter()
                .map(|rule| (acl::label(&rule), rule))
                .collect();
        }
        cluster
            .recorded
            .extend(self.recorded_acls.into_iter().map(|rule| {
                let address = format!("acl.{alias}.{}", acl::label(&rule));
                let recorded = Recorded {
                    access: Some(RecordedAccess::Acl(rule)),
                    ..Recorded::default()
                };
                (address, recorded)
            }));
    }
}

pub(super) fn address(alias: &'static str) -> impl Strategy<Value = String> {
    rule().prop_map(move |rule| format!("acl.{alias}.{}", acl::label(&rule)))
}

/// What the live state means for a change.
pub(super) fn outlook(change: &ResourceChange, cluster: &ObservedCluster) -> Outlook {
    match &change.resource {
        Resource::Topic(_) => Outlook::AlreadyDone,
        Resource::Acl(acl) => acl::outlook(acl, cluster.acls.contains_key(&change.name)),
    }
}

/// What a cluster does with a request.
pub(super) fn carry_out(change: &ResourceChange, cluster: &mut ObservedCluster) {
    match &change.resource {
        Resource::Topic(_) => {}
        Resource::Acl(Change::Create { after }) => {
            assert!(!cluster.no_authorizer, "there is nobody to keep it");
            cluster.acls.insert(change.name.clone(), after.clone());
        }
        Resource::Acl(Change::Delete { before }) => {
            assert_eq!(cluster.acls.remove(&change.name).as_ref(), Some(before));
        }
        Resource::Acl(change) => panic!("nothing to ask for: {change:?}"),
    }
}

/// What is gone was permitted, asked for and ours; the program's own rights are as they were.
pub(super) fn only_what_was_permitted(
    alias: &str,
    desired: &BTreeMap<String, DesiredCluster>,
    allowed: &Permissions,
    before: &ObservedCluster,
    after: &ObservedCluster,
) -> Result<(), TestCaseError> {
    let Some(declared) = desired.get(alias) else {
        prop_assert_eq!(&before.acls, &after.acls);
        return Ok(());
    };
    for (label, rule) in &before.acls {
        if after.acls.contains_key(label) {
            continue;
        }
        let address = format!("acl.{alias}.{label}");
        prop_assert!(declared.allow.delete_acls && allowed.may_destroy(&address));
        prop_assert!(before.recorded.contains_key(&address) && !declared.acls.contains_key(label));
        prop_assert!(
            declared.sasl.is_none()
                || rule.principal != "User:admin"
                || rule.permission == AclPermission::Deny
        );
    }
    for (label, rule) in &after.acls {
        if declared.sasl.is_some() && !before.acls.contains_key(label) {
            let denies_us =
                rule.principal == "User:admin" && rule.permission == AclPermission::Deny;
            prop_assert!(!denies_us);
        }
    }
    Ok(())
}
