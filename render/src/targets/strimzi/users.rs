//! `KafkaUser`: SCRAM users, and the access rules and quotas of everybody who has some.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use topology::{
    Acl, AclOperation, AclPermission, Cluster, EntityName, PatternType, Platform, Quota,
    ResourceType, Sasl, ScramMechanism, Topology,
};

use super::objects::Taken;
use super::secrets::{Gathered, SecretNames, password_key};
use super::{NAME, Place};
use crate::target::TargetError;
use crate::targets::names::kubernetes_name;

#[derive(Debug, Serialize)]
pub(super) struct Users {
    pub(super) users: Vec<User>,
}

#[derive(Debug, Serialize)]
pub(super) struct User {
    #[serde(flatten)]
    place: Place,
    cluster: String,
    /// With a password, or with a certificate that others issue; neither is said where it is not known.
    authentication: Option<&'static str>,
    passwords: String,
    password_key: Option<String>,
    rules: Vec<Rule>,
    quotas: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Rule {
    permission: &'static str,
    resource: &'static str,
    name: Option<String>,
    pattern: Option<&'static str>,
    host: String,
    operations: BTreeSet<String>,
}

/// The users of a cluster: whoever is declared, or has an access rule.
pub(super) fn users(
    topology: &Topology,
    cluster: &Cluster,
    place: &Place,
    secrets: &SecretNames,
    taken: &mut Taken,
) -> Result<Users, TargetError> {
    let mut names: BTreeSet<&str> = topology
        .users
        .iter()
        .filter(|it| it.cluster == cluster.alias)
        .map(|it| it.name.as_str())
        .collect();
    let acls = topology
        .acls
        .iter()
        .filter(|it| it.cluster == cluster.alias);
    for acl in acls {
        match acl.binding.principal.strip_prefix("User:") {
            Some("*") | None => {
                return Err(refused(
                    cluster,
                    "acls",
                    format!(
                        "Strimzi keeps rules of single users, not of `{}`",
                        acl.binding.principal
                    ),
                ));
            }
            Some(name) => {
                names.insert(name);
            }
        }
    }
    check_names(cluster, &names)?;
    check_taken(cluster, place, &names, taken)?;
    check_mechanisms(topology, cluster)?;
    let users = names
        .into_iter()
        .map(|name| user(topology, cluster, place, secrets, name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Users { users })
}

/// Whom commands and mirrors log in as, and nobody makes: brokers of the operator begin without users.
pub(super) fn remarks(topology: &Topology) -> Vec<String> {
    let clusters = topology.clusters.iter();
    clusters
        .filter(|it| it.platform == Platform::Strimzi)
        .filter_map(|cluster| {
            let (Sasl::ScramSha256(login) | Sasl::ScramSha512(login)) = cluster.sasl.as_ref()?
            else {
                return None;
            };
            let name = &login.username;
            let mut users = topology.users.iter();
            if users.any(|it| it.cluster == cluster.alias && it.name == *name) {
                return None;
            }
            Some(format!(
                "{NAME}: cluster `{}` is logged in to as `{name}`, and the operator makes the users alone that `users` \
                 declares: declare it there",
                cluster.alias
            ))
        })
        .collect()
}

/// The passwords of the users of a cluster, for an operator that is told them.
pub(super) fn passwords(
    topology: &Topology,
    cluster: &Cluster,
    needed: &mut Gathered,
) -> Result<(), TargetError> {
    let users = topology.users.iter();
    users
        .filter(|it| it.cluster == cluster.alias)
        .try_for_each(|it| needed.user(cluster, &it.password))
}

/// Strimzi takes the names of users from those of resources.
fn check_names(cluster: &Cluster, names: &BTreeSet<&str>) -> Result<(), TargetError> {
    let others: Vec<String> = names
        .iter()
        .filter(|name| kubernetes_name(own(name), 63) != own(name))
        .map(|name| format!("{name:?}"))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(refused(
        cluster,
        "users",
        format!(
            "Strimzi cannot have a user {}: lower-case letters, digits and `-` alone, or `CN=` before them",
            others.join(" or ")
        ),
    ))
}

/// A user has one name, which is that of its resource: one of another cluster in the namespace would take its place, or it the
/// other one's.
fn check_taken(
    cluster: &Cluster,
    place: &Place,
    names: &BTreeSet<&str>,
    taken: &mut Taken,
) -> Result<(), TargetError> {
    let mut others: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let resource = Place {
            name: own(name).to_owned(),
            namespace: place.namespace.clone(),
        };
        if let Err(other) = taken.take(&resource, &cluster.alias) {
            others.entry(other).or_default().push(format!("`{name}`"));
        }
    }
    let Some((other, users)) = others.pop_first() else {
        return Ok(());
    };
    let users = users.join(", ");
    if other == cluster.alias {
        return Err(refused(
            cluster,
            "users",
            format!(
                "{users}: Strimzi has one KafkaUser of a name, for a password or for a certificate (`CN=`): rename one"
            ),
        ));
    }
    Err(refused(
        cluster,
        "kubernetes.namespace",
        format!(
            "{users}: on `{other}`, too, and Strimzi has one KafkaUser of a name in a namespace, which is of one cluster: put \
             the two clusters into namespaces of their own, or give their users other names"
        ),
    ))
}

/// The name of the resource.
fn own(name: &str) -> &str {
    name.strip_prefix("CN=").unwrap_or(name)
}

fn check_mechanisms(topology: &Topology, cluster: &Cluster) -> Result<(), TargetError> {
    let others: Vec<String> = topology
        .users
        .iter()
        .filter(|it| it.cluster == cluster.alias && it.mechanism != ScramMechanism::Sha512)
        .map(|it| format!("`{}`", it.name))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(refused(
        cluster,
        "users",
        format!("{}: Strimzi has scram-sha-512", others.join(", ")),
    ))
}

fn user(
    topology: &Topology,
    cluster: &Cluster,
    place: &Place,
    secrets: &SecretNames,
    name: &str,
) -> Result<User, TargetError> {
    let declared = topology
        .users
        .iter()
        .find(|it| it.cluster == cluster.alias && it.name == name);
    let rules = topology
        .acls
        .iter()
        .filter(|it| it.cluster == cluster.alias)
        .filter(|it| it.binding.principal.strip_prefix("User:") == Some(name));
    Ok(User {
        place: Place {
            name: own(name).to_owned(),
            namespace: place.namespace.clone(),
        },
        cluster: place.name.clone(),
        authentication: match (declared, name.starts_with("CN=")) {
            (Some(_), _) => Some("scram-sha-512"),
            (None, true) => Some("tls-external"),
            (None, false) => None,
        },
        passwords: secrets.passwords.clone(),
        password_key: declared.map(|it| password_key(&it.password)),
        rules: grouped(cluster, rules)?,
        quotas: quotas(topology, cluster, name)?,
    })
}

/// Rules that differ in the operation alone are one.
fn grouped<'a>(
    cluster: &Cluster,
    acls: impl Iterator<Item = &'a Acl>,
) -> Result<Vec<Rule>, TargetError> {
    let mut rules: BTreeMap<Rule, BTreeSet<String>> = BTreeMap::new();
    for acl in acls {
        let (rule, operation) = rule(cluster, acl)?;
        rules.entry(rule).or_default().insert(operation);
    }
    Ok(rules
        .into_iter()
        .map(|(rule, operations)| Rule { operations, ..rule })
        .collect())
}

fn rule(cluster: &Cluster, acl: &Acl) -> Result<(Rule, String), TargetError> {
    let binding = &acl.binding;
    let unknown = || {
        refused(
            cluster,
            "acls",
            format!("Strimzi does not know `{binding}`"),
        )
    };
    let (resource, named) = match binding.resource_type {
        ResourceType::Topic => ("topic", true),
        ResourceType::Group => ("group", true),
        ResourceType::TransactionalId => ("transactionalId", true),
        ResourceType::Cluster => ("cluster", false),
        ResourceType::DelegationToken | ResourceType::User => return Err(unknown()),
    };
    let operation = match binding.operation {
        AclOperation::All => "All",
        AclOperation::Read => "Read",
        AclOperation::Write => "Write",
        AclOperation::Create => "Create",
        AclOperation::Delete => "Delete",
        AclOperation::Alter => "Alter",
        AclOperation::Describe => "Describe",
        AclOperation::ClusterAction => "ClusterAction",
        AclOperation::DescribeConfigs => "DescribeConfigs",
        AclOperation::AlterConfigs => "AlterConfigs",
        AclOperation::IdempotentWrite => "IdempotentWrite",
        AclOperation::CreateTokens
        | AclOperation::DescribeTokens
        | AclOperation::TwoPhaseCommit => return Err(unknown()),
    };
    let pattern = match binding.pattern {
        PatternType::Literal => "literal",
        PatternType::Prefixed => "prefix",
    };
    let rule = Rule {
        permission: match binding.permission {
            AclPermission::Allow => "allow",
            AclPermission::Deny => "deny",
        },
        resource,
        name: named.then(|| binding.resource_name.clone()),
        pattern: named.then_some(pattern),
        host: binding.host.clone(),
        operations: BTreeSet::new(),
    };
    Ok((rule, operation.to_owned()))
}

fn quotas(
    topology: &Topology,
    cluster: &Cluster,
    name: &str,
) -> Result<BTreeMap<&'static str, u64>, TargetError> {
    let wanted = topology.quotas.iter().filter(|it| {
        it.cluster == cluster.alias
            && it.entity.user == Some(EntityName::Named(name.to_owned()))
            && it.entity.client_id.is_none()
    });
    let mut quotas = BTreeMap::new();
    for Quota { limits, .. } in wanted {
        for (key, value) in limits {
            let key = match key.as_str() {
                "producer_byte_rate" => "producerByteRate",
                "consumer_byte_rate" => "consumerByteRate",
                "request_percentage" => "requestPercentage",
                "controller_mutation_rate" => "controllerMutationRate",
                other => {
                    return Err(refused(
                        cluster,
                        "quotas",
                        format!("Strimzi does not know `{other}`"),
                    ));
                }
            };
            // Strimzi takes whole numbers; these texts are those of whole ones only
            let Ok(value) = value.to_string().parse() else {
                return Err(refused(
                    cluster,
                    "quotas",
                    format!("Strimzi takes whole numbers, not {value} for `{name}`"),
                ));
            };
            quotas.insert(key, value);
        }
    }
    Ok(quotas)
}

fn refused(cluster: &Cluster, key: &'static str, problem: String) -> TargetError {
    TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key,
        problem,
    }
}
