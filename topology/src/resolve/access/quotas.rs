//! `quotas`.

use std::collections::BTreeMap;

use super::names;
use crate::access::{EntityName, Quota, QuotaEntity, QuotaValue};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolve::scope::Scope;
use crate::spec::{self, SizeText};

/// Every whole number up to here is a 64-bit float, which is how Kafka carries limits.
const LARGEST_EXACT: u64 = 1 << 53;

/// The quotas of the whole file; what is wrong is left out.
pub(in crate::resolve) fn resolve(
    scope: &mut Scope<'_>,
    list: &Path,
    specs: impl Iterator<Item = (usize, spec::Quota)>,
) -> Vec<Quota> {
    let mut quotas: Vec<(usize, Quota)> = Vec::new();
    for (at, spec) in specs {
        let path = list.index(at);
        let found = one(scope, &path, &spec);
        let twice = found.iter().find_map(|quota| {
            quotas
                .iter()
                .find(|(_, it)| it.cluster == quota.cluster && it.entity == quota.entity)
                .map(|(first, _)| (*first, quota))
        });
        if let Some((first, quota)) = twice {
            let line = scope.line(&list.index(first));
            let span = scope.span(&path);
            scope.add(
                Finding::new(
                    Code::DuplicateQuota,
                    span,
                    format!("`{}` has two quotas for {}", quota.cluster, quota.entity),
                    "declared again here",
                )
                .hint(format!("line {line} has it first; write all limits there")),
            );
        } else {
            quotas.extend(found.into_iter().map(|quota| (at, quota)));
        }
    }
    quotas.into_iter().map(|(_, quota)| quota).collect()
}

fn one(scope: &mut Scope<'_>, path: &Path, spec: &spec::Quota) -> Vec<Quota> {
    let known = scope.clusters(&path.key("clusters"), &spec.clusters);
    let entity = entity(scope, path, spec);
    let limits = limits(scope, path, spec);
    let (Some(entity), Some(limits), true) = (entity, limits, known) else {
        return Vec::new();
    };
    spec.clusters
        .iter()
        .map(|alias| Quota {
            cluster: alias.clone(),
            entity: entity.clone(),
            limits: limits.clone(),
            origin: path.to_string(),
        })
        .collect()
}

fn entity(scope: &mut Scope<'_>, path: &Path, spec: &spec::Quota) -> Option<QuotaEntity> {
    if spec.user.is_none() && spec.client_id.is_none() && spec.ip.is_none() {
        let removed = ["user", "clientId", "ip"]
            .iter()
            .any(|key| scope.was_removed(&path.key(key)));
        if !removed {
            let span = scope.span(path);
            scope.add(
                Finding::new(
                    Code::MissingKey,
                    span,
                    format!("`{path}` does not say whom it is for"),
                    "neither `user` nor `clientId` nor `ip`",
                )
                .hint("add `user: name`, or `user: <default>` for each user without a quota of its own"),
            );
        }
        return None;
    }
    let ip_alone = spec.ip.is_none() || (spec.user.is_none() && spec.client_id.is_none());
    if !ip_alone {
        let span = scope.key_span(&path.key("ip"));
        scope.add(
            Finding::new(
                Code::InvalidQuota,
                span,
                "Kafka has no quotas for a user or client at an address",
                "`ip` stands alone",
            )
            .hint("write two quotas: one for `ip`, one for the user and client"),
        );
    }
    let user = name(scope, &path.key("user"), spec.user.as_deref(), names::login);
    let client_id = name(
        scope,
        &path.key("clientId"),
        spec.client_id.as_deref(),
        names::login,
    );
    let ip = name(scope, &path.key("ip"), spec.ip.as_deref(), names::address);
    let entity = QuotaEntity {
        user: user.ok()?,
        client_id: client_id.ok()?,
        ip: ip.ok()?,
    };
    ip_alone.then_some(entity)
}

/// A name that is wrong.
struct BadName;

fn name(
    scope: &mut Scope<'_>,
    place: &Path,
    written: Option<&str>,
    check: impl FnOnce(&mut Scope<'_>, &Path, &str) -> Option<String>,
) -> Result<Option<EntityName>, BadName> {
    match written {
        None => Ok(None),
        Some("<default>" | "*") => Ok(Some(EntityName::Default)),
        Some(written) => match check(scope, place, written) {
            Some(name) => Ok(Some(EntityName::Named(name))),
            None => Err(BadName),
        },
    }
}

fn limits(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::Quota,
) -> Option<BTreeMap<String, QuotaValue>> {
    let of_ip = spec.ip.is_some() && spec.user.is_none() && spec.client_id.is_none();
    let of_client = spec.ip.is_none() && (spec.user.is_some() || spec.client_id.is_some());
    let mut limits = BTreeMap::new();
    let mut good = true;
    for limit in written(scope, path, spec) {
        let place = path.key(limit.key);
        if (limit.is_of_ip && of_client) || (!limit.is_of_ip && of_ip) {
            good = false;
            misplaced(scope, &place, &limit);
        }
        match limit.value {
            Some(value) => {
                limits.insert(limit.kafka_key.to_owned(), value);
            }
            None => good = false,
        }
    }
    if limits.is_empty() && good {
        let removed = KEYS.iter().any(|key| scope.was_removed(&path.key(key)));
        if !removed {
            let span = scope.span(path);
            scope.add(
                Finding::new(
                    Code::MissingKey,
                    span,
                    format!("`{path}` limits nothing"),
                    "no limit",
                )
                .hint(format!("add one or more of `{}`", KEYS.join("`, `"))),
            );
        }
        return None;
    }
    good.then_some(limits)
}

/// The keys of limits.
const KEYS: [&str; 5] = [
    "producerBytesPerSecond",
    "consumerBytesPerSecond",
    "requestPercentage",
    "controllerMutationsPerSecond",
    "connectionsPerSecond",
];

/// A limit that is written; without a value when it is wrong.
struct Limit {
    key: &'static str,
    /// `org.apache.kafka.server.config.QuotaConfig`.
    kafka_key: &'static str,
    /// For addresses, not for users and clients.
    is_of_ip: bool,
    value: Option<QuotaValue>,
}

fn written(scope: &mut Scope<'_>, path: &Path, spec: &spec::Quota) -> Vec<Limit> {
    let [producer, consumer, request, mutations, connections] = KEYS;
    let mut limits = Vec::new();
    for (key, kafka_key, size) in [
        (
            producer,
            "producer_byte_rate",
            &spec.producer_bytes_per_second,
        ),
        (
            consumer,
            "consumer_byte_rate",
            &spec.consumer_bytes_per_second,
        ),
    ] {
        if let Some(size) = size {
            limits.push(Limit {
                key,
                kafka_key,
                is_of_ip: false,
                value: bytes(scope, &path.key(key), size),
            });
        }
    }
    for (key, kafka_key, number) in [
        (request, "request_percentage", spec.request_percentage),
        (
            mutations,
            "controller_mutation_rate",
            spec.controller_mutations_per_second,
        ),
    ] {
        if let Some(number) = number {
            limits.push(Limit {
                key,
                kafka_key,
                is_of_ip: false,
                value: QuotaValue::new(number),
            });
        }
    }
    if let Some(number) = spec.connections_per_second {
        limits.push(Limit {
            key: connections,
            kafka_key: "connection_creation_rate",
            is_of_ip: true,
            value: Some(number.into()),
        });
    }
    limits
}

fn bytes(scope: &mut Scope<'_>, place: &Path, written: &SizeText) -> Option<QuotaValue> {
    let bytes = scope.size(place, written, 1)?;
    if bytes > LARGEST_EXACT {
        let span = scope.span(place);
        scope.add(
            Finding::new(
                Code::OutOfRange,
                span,
                format!("`{place}` has to be at most {LARGEST_EXACT} bytes"),
                format!("this is {bytes} bytes"),
            )
            .hint("leave the key out where there is no limit"),
        );
        return None;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "no larger than what a float holds exactly"
    )]
    QuotaValue::new(bytes as f64)
}

fn misplaced(scope: &mut Scope<'_>, place: &Path, limit: &Limit) {
    let span = scope.key_span(place);
    let (message, hint) = if limit.is_of_ip {
        (
            "connections are limited per address only",
            "write it in a quota for `ip`",
        )
    } else {
        (
            "an address has no limit but `connectionsPerSecond`",
            "write it in a quota for `user` or `clientId`",
        )
    };
    scope.add(Finding::new(Code::InvalidQuota, span, message, "not for this one").hint(hint));
}
