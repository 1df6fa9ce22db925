//! Rules, limits and logins in the model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use topology::{
    AclBinding, AclOperation, AclPermission, EntityName, Login, PatternType, QuotaEntity,
    QuotaValue, ResourceType, Sasl, ScramMechanism, SecretRef,
};

use crate::apply::work::Outlook;
use crate::change::{Change, Resource, ResourceChange};
use crate::client_quota::QuotaState;
use crate::desired::{DesiredAcl, DesiredCluster, DesiredQuota, DesiredUser};
use crate::journal::{Recorded, RecordedAccess};
use crate::observed::ObservedCluster;
use crate::permissions::Permissions;
use crate::{acl, client_quota, scram_user};

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

type Limits = BTreeMap<String, QuotaValue>;

fn entity(number: usize) -> QuotaEntity {
    let names = [
        EntityName::Named("orders".to_owned()),
        EntityName::Default,
        EntityName::Named("a/b".to_owned()),
    ];
    QuotaEntity {
        user: names.get(number).cloned(),
        ..QuotaEntity::default()
    }
}

fn limits(least: usize) -> impl Strategy<Value = Limits> {
    let key = select(vec!["producer_byte_rate", "consumer_byte_rate"]).prop_map(str::to_owned);
    let value = select(vec![1u32, 2, 3]).prop_map(QuotaValue::from);
    btree_map(key, value, least..3)
}

fn quotas() -> impl Strategy<Value = BTreeMap<usize, Limits>> {
    btree_map(0usize..3, limits(1), 0..4)
}

pub(super) fn desired_quotas() -> impl Strategy<Value = BTreeMap<String, DesiredQuota>> {
    quotas().prop_map(|quotas| {
        let desired = |(number, limits)| {
            let entity = entity(number);
            let quota = DesiredQuota {
                entity: entity.clone(),
                limits,
                origin: "quotas[0]".to_owned(),
            };
            (client_quota::label(&entity), quota)
        };
        quotas.into_iter().map(desired).collect()
    })
}

fn user_name() -> impl Strategy<Value = String> {
    select(vec!["admin", "orders", "two words"]).prop_map(str::to_owned)
}

fn mechanism() -> impl Strategy<Value = ScramMechanism> {
    select(vec![ScramMechanism::Sha256, ScramMechanism::Sha512])
}

/// Mechanism, iterations and generation.
fn login_of_user() -> impl Strategy<Value = (ScramMechanism, u32, u32)> {
    (mechanism(), select(vec![4096, 8192]), 1u32..3)
}

pub(super) fn desired_users() -> impl Strategy<Value = BTreeMap<String, DesiredUser>> {
    btree_map(user_name(), login_of_user(), 0..3).prop_map(|users| {
        let desired = |(name, (mechanism, iterations, generation)): (String, _)| {
            let user = DesiredUser {
                name: name.clone(),
                mechanism,
                iterations,
                generation,
                password: SecretRef::Env("PW".to_owned()),
                origin: "users[0]".to_owned(),
            };
            (scram_user::label(&name), user)
        };
        users.into_iter().map(desired).collect()
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
    quotas: BTreeMap<usize, Limits>,
    recorded_quotas: BTreeMap<usize, Limits>,
    users: BTreeMap<String, BTreeMap<ScramMechanism, u32>>,
    recorded_users: BTreeMap<String, (ScramMechanism, u32, u32)>,
}

prop_compose! {
    pub(super) fn live()(
        acls in btree_set(rule(), 0..5),
        recorded_acls in btree_set(rule(), 0..5),
        no_authorizer in prop::bool::weighted(0.1),
        quotas in quotas(),
        recorded_quotas in quotas(),
        users in btree_map(user_name(), btree_map(mechanism(), select(vec![4096u32, 8192]), 1..3), 0..4),
        recorded_users in btree_map(user_name(), login_of_user(), 0..4),
    ) -> Live {
        Live { acls, recorded_acls, no_authorizer, quotas, recorded_quotas, users, recorded_users }
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
        for (number, limits) in self.quotas {
            let state = QuotaState {
                entity: entity(number),
                limits,
                ..QuotaState::default()
            };
            let label = client_quota::label(&state.entity);
            cluster.quotas.insert(label, state);
        }
        for (number, limits) in self.recorded_quotas {
            let address = format!("quota.{alias}.{}", client_quota::label(&entity(number)));
            let access = RecordedAccess::Quota { limits };
            cluster.recorded.insert(address, recorded(access));
        }
        for (name, credentials) in self.users {
            cluster.users.insert(scram_user::label(&name), credentials);
        }
        for (name, (mechanism, iterations, generation)) in self.recorded_users {
            let address = format!("user.{alias}.{}", scram_user::label(&name));
            let access = RecordedAccess::User {
                name,
                mechanism,
                iterations,
                generation,
            };
            cluster.recorded.insert(address, recorded(access));
        }
    }
}

fn recorded(access: RecordedAccess) -> Recorded {
    Recorded {
        access: Some(access),
        ..Recorded::default()
    }
}

pub(super) fn address(alias: &'static str) -> impl Strategy<Value = String> {
    let quota = (0usize..3).prop_map(|number| client_quota::label(&entity(number)));
    prop_oneof![
        rule().prop_map(move |rule| format!("acl.{alias}.{}", acl::label(&rule))),
        quota.prop_map(move |label| format!("quota.{alias}.{label}")),
        user_name().prop_map(move |name| format!("user.{alias}.{}", scram_user::label(&name))),
    ]
}

/// What the live state means for a change.
pub(super) fn outlook(change: &ResourceChange, cluster: &ObservedCluster) -> Outlook {
    match &change.resource {
        Resource::Topic(_) | Resource::Mirror(_) | Resource::RenderedFile(_) => {
            Outlook::AlreadyDone
        }
        Resource::Acl(acl) => acl::outlook(acl, cluster.acls.contains_key(&change.name)),
        Resource::ClientQuota(quota) => {
            let live = cluster.quotas.get(&change.name);
            client_quota::outlook(quota, &live.map(|it| it.limits.clone()).unwrap_or_default())
        }
        Resource::ScramUser(user) => {
            let live = cluster.users.get(&change.name);
            let seen = scram_user::Seen {
                iterations: live.cloned().unwrap_or_default(),
                recorded: cluster.recorded.get(&change.address).cloned(),
            };
            scram_user::outlook(user, change.record.as_ref(), &seen)
        }
    }
}

/// What a cluster does with a request.
pub(super) fn carry_out(change: &ResourceChange, cluster: &mut ObservedCluster) {
    match &change.resource {
        Resource::Topic(_) | Resource::Mirror(_) | Resource::RenderedFile(_) => {}
        Resource::Acl(Change::Create { after }) => {
            assert!(!cluster.no_authorizer, "there is nobody to keep it");
            cluster.acls.insert(change.name.clone(), after.clone());
        }
        Resource::Acl(Change::Delete { before }) => {
            assert_eq!(cluster.acls.remove(&change.name).as_ref(), Some(before));
        }
        Resource::Acl(change) => panic!("nothing to ask for: {change:?}"),
        Resource::ClientQuota(quota) => limit(quota, &change.name, &mut cluster.quotas),
        Resource::ScramUser(user) => {
            let live = cluster.users.entry(change.name.clone()).or_default();
            if let Some(before) = user.before() {
                live.retain(|mechanism, _| !before.credentials.contains_key(mechanism));
            }
            if let Some(after) = user.after() {
                live.extend(after.credentials.clone());
            }
            if live.is_empty() {
                cluster.users.remove(&change.name);
            }
        }
    }
}

/// What a broker does with the limits of one entity.
fn limit(change: &Change<QuotaState>, label: &str, quotas: &mut BTreeMap<String, QuotaState>) {
    let state = change.after().or(change.before()).expect("one state");
    let live = quotas.entry(label.to_owned()).or_insert(QuotaState {
        entity: state.entity.clone(),
        ..QuotaState::default()
    });
    if let Some(before) = change.before() {
        live.limits
            .retain(|key, _| !before.limits.contains_key(key));
    }
    if let Some(after) = change.after() {
        live.limits.extend(after.limits.clone());
    }
    if live.limits.is_empty() {
        quotas.remove(label);
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
    only_our_limits(alias, declared, allowed, before, after)?;
    only_our_logins(alias, declared, allowed, before, after)
}

fn only_our_limits(
    alias: &str,
    declared: &DesiredCluster,
    allowed: &Permissions,
    before: &ObservedCluster,
    after: &ObservedCluster,
) -> Result<(), TestCaseError> {
    for (label, quota) in &before.quotas {
        let address = format!("quota.{alias}.{label}");
        let wanted = declared.quotas.get(label);
        let recorded = match before
            .recorded
            .get(&address)
            .and_then(|it| it.access.as_ref())
        {
            Some(RecordedAccess::Quota { limits }) => limits.clone(),
            _ => Limits::new(),
        };
        for (key, value) in &quota.limits {
            let now = after
                .quotas
                .get(label)
                .and_then(|quota| quota.limits.get(key));
            match wanted {
                Some(wanted) if wanted.limits.contains_key(key) => {}
                Some(_) => prop_assert!(now == Some(value) || recorded.contains_key(key)),
                None => prop_assert!(
                    now == Some(value)
                        || recorded.contains_key(key)
                            && declared.allow.delete_quotas
                            && allowed.may_destroy(&address)
                ),
            }
        }
    }
    Ok(())
}

fn only_our_logins(
    alias: &str,
    declared: &DesiredCluster,
    allowed: &Permissions,
    before: &ObservedCluster,
    after: &ObservedCluster,
) -> Result<(), TestCaseError> {
    for (label, credentials) in &before.users {
        let address = format!("user.{alias}.{label}");
        let wanted = declared.users.get(label);
        let recorded = match before
            .recorded
            .get(&address)
            .and_then(|it| it.access.as_ref())
        {
            Some(RecordedAccess::User { mechanism, .. }) => Some(*mechanism),
            _ => None,
        };
        for (mechanism, iterations) in credentials {
            let now = after.users.get(label).and_then(|it| it.get(mechanism));
            if now == Some(iterations) || wanted.is_some_and(|it| it.mechanism == *mechanism) {
                continue;
            }
            prop_assert_eq!(now, None);
            prop_assert_eq!(recorded, Some(*mechanism));
            prop_assert!(declared.sasl.is_none() || label != "admin");
            prop_assert!(
                wanted.is_some() || declared.allow.delete_users && allowed.may_destroy(&address)
            );
        }
    }
    Ok(())
}
