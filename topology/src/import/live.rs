//! What a live cluster says of access, as entries of a topology. What none can say is a remark.

use std::collections::{BTreeMap, BTreeSet};

use super::{Imported, ImportedAcl, ImportedCluster, ImportedQuota, ImportedUser};
use crate::access::{
    AclBinding, AclOperation, AclPermission, CLUSTER_RESOURCE, QuotaEntity, QuotaValue,
    ScramMechanism, WILDCARD,
};
use crate::resolved::Topology;

/// Kafka's keys of limits, and those of a topology.
const LIMITS: [(&str, &str); 5] = [
    ("producer_byte_rate", "producerBytesPerSecond"),
    ("consumer_byte_rate", "consumerBytesPerSecond"),
    ("request_percentage", "requestPercentage"),
    ("controller_mutation_rate", "controllerMutationsPerSecond"),
    ("connection_creation_rate", "connectionsPerSecond"),
];

impl Imported {
    /// Takes users over: iterations by mechanism, by name. Passwords are variables to fill.
    pub fn take_users(
        &mut self,
        cluster: &str,
        users: BTreeMap<String, BTreeMap<ScramMechanism, u32>>,
    ) {
        let mut candidates = Vec::new();
        for (name, mut credentials) in users {
            // the stronger one, where there are several
            let Some((mechanism, iterations)) = credentials.pop_last() else {
                continue;
            };
            for other in credentials.keys() {
                self.remarks.push(format!(
                    "{cluster}: the {other} credential of {name} is not taken over: a topology has one mechanism a user"
                ));
            }
            candidates.push(ImportedUser {
                name,
                cluster: cluster.to_owned(),
                mechanism,
                iterations,
                password_variable: "KAFKA_PASSWORD".to_owned(),
            });
        }
        let (good, bad) = parted(candidates, &|users| {
            says(
                cluster,
                |it| it.users = users.to_vec(),
                |topology| {
                    let read = topology.users.iter();
                    read.map(|it| (it.name.as_str(), it.mechanism, it.iterations))
                        .eq(users
                            .iter()
                            .map(|it| (it.name.as_str(), it.mechanism, it.iterations)))
                },
            )
        });
        for user in bad {
            self.remarks.push(format!(
                "{cluster}: the user {} ({} iterations) is not taken over: a topology cannot say it",
                user.name, user.iterations
            ));
        }
        if !good.is_empty() {
            self.remarks.push(format!(
                "{cluster}: passwords cannot be read; `users` names the variables that hold them once `apply` is to set one"
            ));
        }
        for user in good {
            let password_variable = self.password_variable(&format!("{cluster}_{}", user.name));
            self.users.push(ImportedUser {
                password_variable,
                ..user
            });
        }
    }

    /// Takes access rules over, those that differ in their operation alone as one entry.
    pub fn take_acls(&mut self, cluster: &str, rules: &BTreeSet<AclBinding>) {
        let mut candidates: Vec<ImportedAcl> = Vec::new();
        for rule in rules {
            let denied = AclBinding {
                permission: AclPermission::Deny,
                ..rule.clone()
            };
            if rule.permission == AclPermission::Allow && rules.contains(&denied) {
                self.remarks.push(format!(
                    "{cluster}: `{rule}` is not taken over: the same rule as DENY wins over it"
                ));
                continue;
            }
            let asked = rule.operation == AclOperation::All
                || rule.resource_type.operations().contains(&rule.operation);
            if !asked {
                self.remarks.push(format!(
                    "{cluster}: `{rule}` is not taken over: Kafka never asks for it"
                ));
                continue;
            }
            let entry = ImportedAcl::of(cluster, rule);
            let same = candidates
                .iter_mut()
                .rev()
                .find(|it| it.differs_in_operations(&entry));
            match same {
                Some(same) => same.operations.extend(entry.operations),
                None => candidates.push(entry),
            }
        }
        let (good, bad) = parted(candidates, &|acls| {
            let wanted: BTreeSet<AclBinding> =
                acls.iter().flat_map(ImportedAcl::bindings).collect();
            says(
                cluster,
                |it| it.acls = acls.to_vec(),
                |topology| {
                    let read = topology.acls.iter().map(|it| it.binding.clone());
                    read.collect::<BTreeSet<_>>() == wanted
                },
            )
        });
        for rule in bad.iter().flat_map(ImportedAcl::bindings) {
            self.remarks.push(format!(
                "{cluster}: `{rule}` is not taken over: a topology cannot say it"
            ));
        }
        self.acls.extend(good);
    }

    /// Takes quotas over: limits by Kafka's keys.
    pub fn take_quotas(
        &mut self,
        cluster: &str,
        quotas: impl IntoIterator<Item = (QuotaEntity, BTreeMap<String, QuotaValue>)>,
    ) {
        let mut candidates = Vec::new();
        for (entity, found) in quotas {
            let mut limits = BTreeMap::new();
            for (kafka, value) in found {
                match LIMITS.iter().find(|(known, _)| *known == kafka) {
                    Some((_, key)) => {
                        limits.extend(number(value).map(|number| (*key, number)));
                    }
                    None => self.remarks.push(format!(
                        "{cluster}: the limit {kafka} of {entity} is not taken over: it is not known here"
                    )),
                }
            }
            if !limits.is_empty() {
                candidates.push(ImportedQuota {
                    cluster: cluster.to_owned(),
                    entity,
                    limits,
                });
            }
        }
        let (good, bad) = parted(candidates, &|quotas| {
            says(
                cluster,
                |it| it.quotas = quotas.to_vec(),
                |topology| {
                    let read = topology.quotas.iter();
                    read.map(|it| &it.entity)
                        .eq(quotas.iter().map(|it| &it.entity))
                },
            )
        });
        for quota in bad {
            self.remarks.push(format!(
                "{cluster}: the quota of {} is not taken over: a topology cannot say it",
                quota.entity
            ));
        }
        self.quotas.extend(good);
    }
}

impl ImportedAcl {
    fn of(cluster: &str, rule: &AclBinding) -> Self {
        Self {
            cluster: cluster.to_owned(),
            principal: rule.principal.clone(),
            resource_type: rule.resource_type,
            resource_name: (rule.resource_name != CLUSTER_RESOURCE)
                .then(|| rule.resource_name.clone()),
            pattern: rule.pattern,
            operations: vec![rule.operation],
            permission: rule.permission,
            host: (rule.host != WILDCARD).then(|| rule.host.clone()),
        }
    }

    fn differs_in_operations(&self, other: &Self) -> bool {
        Self {
            operations: other.operations.clone(),
            ..self.clone()
        } == *other
    }

    /// The rules that it stands for.
    pub(super) fn bindings(&self) -> Vec<AclBinding> {
        let rule = |operation: &AclOperation| AclBinding {
            resource_type: self.resource_type,
            resource_name: self
                .resource_name
                .clone()
                .unwrap_or_else(|| CLUSTER_RESOURCE.to_owned()),
            pattern: self.pattern,
            principal: self.principal.clone(),
            host: self.host.clone().unwrap_or_else(|| WILDCARD.to_owned()),
            operation: *operation,
            permission: self.permission,
        };
        self.operations.iter().map(rule).collect()
    }
}

/// Whole numbers without a fraction: bytes have none.
fn number(value: QuotaValue) -> Option<serde_json::Number> {
    let text = value.to_string();
    let whole = text.parse::<u64>().ok().map(serde_json::Number::from);
    whole.or_else(|| serde_json::Number::from_f64(value.get()))
}

/// Whether a topology with nothing but these entries is valid and says what `is_said` wants.
fn says(
    cluster: &str,
    put: impl FnOnce(&mut Imported),
    is_said: impl FnOnce(&Topology) -> bool,
) -> bool {
    let mut alone = Imported {
        clusters: vec![ImportedCluster {
            alias: cluster.to_owned(),
            bootstrap_servers: vec!["localhost:9092".to_owned()],
            ..ImportedCluster::default()
        }],
        ..Imported::default()
    };
    put(&mut alone);
    crate::parse("imported", &alone.to_yaml()).is_ok_and(|loaded| is_said(&loaded.topology))
}

/// What `are_good` says of entries, with as few questions as the bad ones permit.
fn parted<T>(mut entries: Vec<T>, are_good: &impl Fn(&[T]) -> bool) -> (Vec<T>, Vec<T>) {
    if entries.is_empty() || are_good(&entries) {
        return (entries, Vec::new());
    }
    if entries.len() == 1 {
        return (Vec::new(), entries);
    }
    let second = entries.split_off(entries.len() / 2);
    let (mut good, mut bad) = parted(entries, are_good);
    let (more_good, more_bad) = parted(second, are_good);
    good.extend(more_good);
    bad.extend(more_bad);
    (good, bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{EntityName, PatternType, ResourceType};

    fn rule(name: &str, operation: AclOperation, permission: AclPermission) -> AclBinding {
        AclBinding {
            resource_type: ResourceType::Topic,
            resource_name: name.to_owned(),
            pattern: PatternType::Prefixed,
            principal: "User:CN=a,O=b".to_owned(),
            host: "10.0.0.1".to_owned(),
            operation,
            permission,
        }
    }

    /// The remarks and the topology that is written.
    fn written(mut imported: Imported) -> (Vec<String>, Topology) {
        imported.clusters.push(ImportedCluster {
            alias: "aws".to_owned(),
            bootstrap_servers: vec!["a:1".to_owned()],
            ..ImportedCluster::default()
        });
        let loaded = crate::parse("t.yaml", &imported.to_yaml()).unwrap();
        (imported.remarks, loaded.topology)
    }

    #[test]
    fn rules_are_said_as_they_are_or_named() {
        use AclOperation::{All, Read, TwoPhaseCommit, Write};
        use AclPermission::{Allow, Deny};
        let of_cluster = AclBinding {
            resource_type: ResourceType::Cluster,
            resource_name: CLUSTER_RESOURCE.to_owned(),
            pattern: PatternType::Literal,
            host: WILDCARD.to_owned(),
            ..rule("", AclOperation::Alter, Allow)
        };
        let said = [
            rule("pay.", Read, Allow),
            rule("pay.", Write, Deny),
            rule("x", All, Allow),
            rule("x", Write, Allow),
            of_cluster,
        ];
        let by_name = AclBinding {
            host: "host.example".to_owned(),
            ..rule("y", Read, Allow)
        };
        // as Kafka's tools keep what they were given
        let short = AclBinding {
            host: "::1".to_owned(),
            ..rule("y", Read, Allow)
        };
        let unsaid = [
            rule("pay.", Write, Allow),
            rule("z", TwoPhaseCommit, Allow),
            by_name,
            short,
        ];
        let mut imported = Imported::default();
        imported.take_acls("aws", &said.iter().chain(&unsaid).cloned().collect());
        assert_eq!(imported.acls.len(), 4, "two rules for x are one entry");
        let (remarks, topology) = written(imported);
        let read: BTreeSet<AclBinding> = topology.acls.into_iter().map(|it| it.binding).collect();
        assert_eq!(read, said.into());
        for rule in &unsaid {
            let named = |it: &&String| it.contains(&format!("`{rule}`"));
            assert_eq!(
                remarks.iter().filter(named).count(),
                1,
                "{rule}: {remarks:?}"
            );
        }
    }

    #[test]
    fn users_keep_their_iterations_and_their_variables_are_their_own() {
        use ScramMechanism::{Sha256, Sha512};
        let mut imported = Imported::default();
        let users: [(&str, &[(ScramMechanism, u32)]); 5] = [
            ("a-b", &[(Sha512, 4096)]),
            ("a_b", &[(Sha256, 10_000)]),
            ("both", &[(Sha256, 4096), (Sha512, 8192)]),
            ("many", &[(Sha512, 1_000_000)]),
            ("User:odd", &[(Sha512, 4096)]),
        ];
        let users = users
            .map(|(name, credentials)| (name.to_owned(), credentials.iter().copied().collect()));
        imported.take_users("aws", users.into());
        let (remarks, topology) = written(imported);
        let read: Vec<_> = topology
            .users
            .iter()
            .map(|it| (it.name.as_str(), it.mechanism, it.iterations))
            .collect();
        let expected = [
            ("a-b", Sha512, 4096),
            ("a_b", Sha256, 10_000),
            ("both", Sha512, 8192),
        ];
        assert_eq!(read, expected);
        assert_ne!(topology.users[0].password, topology.users[1].password);
        for words in [
            "SCRAM-SHA-256 credential of both",
            "many",
            "User:odd",
            "passwords",
        ] {
            assert!(
                remarks.iter().any(|it| it.contains(words)),
                "{words}: {remarks:?}"
            );
        }
    }

    #[test]
    fn quotas_keep_their_limits() {
        let named = |name: &str| Some(EntityName::Named(name.to_owned()));
        let nobody = QuotaEntity::default;
        let quota = |entity: QuotaEntity, limits: &[(&str, f64)]| {
            let limits = limits.iter();
            let limits: BTreeMap<String, QuotaValue> = limits
                .map(|(key, value)| ((*key).to_owned(), QuotaValue::new(*value).unwrap()))
                .collect();
            (entity, limits)
        };
        let said = [
            quota(
                QuotaEntity {
                    user: named("orders"),
                    client_id: Some(EntityName::Default),
                    ..nobody()
                },
                &[
                    ("producer_byte_rate", 1_048_576.0),
                    ("request_percentage", 12.5),
                ],
            ),
            quota(
                QuotaEntity {
                    user: Some(EntityName::Default),
                    ..nobody()
                },
                &[
                    ("controller_mutation_rate", 2.0),
                    ("consumer_byte_rate", 1e6),
                ],
            ),
            quota(
                QuotaEntity {
                    ip: named("10.0.0.1"),
                    ..nobody()
                },
                &[("connection_creation_rate", 50.0)],
            ),
        ];
        let half = quota(
            QuotaEntity {
                user: named("half"),
                ..nobody()
            },
            &[("producer_byte_rate", 0.5), ("later_rate", 1.0)],
        );
        // not each user without a quota, but one that is called so
        let odd = quota(
            QuotaEntity {
                user: named("<default>"),
                ..nobody()
            },
            &[("consumer_byte_rate", 7.0)],
        );
        let mut imported = Imported::default();
        imported.take_quotas("aws", said.iter().cloned().chain([half, odd]));
        let (remarks, topology) = written(imported);
        let read = topology.quotas.into_iter();
        let read: Vec<_> = read.map(|it| (it.entity, it.limits)).collect();
        assert_eq!(read, said);
        for words in ["later_rate", "user half is", "user <default> is"] {
            assert!(
                remarks.iter().any(|it| it.contains(words)),
                "{words}: {remarks:?}"
            );
        }
    }
}
