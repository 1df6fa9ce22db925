//! `quota`: brokers that hold the mirror back more than its throttle does (KIP-13, KIP-55).

use std::collections::BTreeMap;

use topology::{EntityName, QuotaEntity, QuotaValue, Topology};

use super::evidence::SiteEvidence;
use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Flow, Outlook};

/// What the brokers know this program by, besides its login.
const CLIENT_ID: &str = "mirrorctl";

type Quotas = BTreeMap<QuotaEntity, BTreeMap<String, QuotaValue>>;

/// A limit that holds for us.
#[derive(Debug)]
struct Limit {
    /// Bytes per second on each broker.
    bytes: f64,
    /// Whom it is written for.
    entity: QuotaEntity,
}

/// Whom no limit of a user can be told for.
#[derive(Debug)]
struct NobodyKnown;

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, _) in &outlook.flows {
        let Flow {
            mirror,
            source,
            from,
            to,
            ..
        } = flow;
        let mut cases = Vec::new();
        let mut unknown = Vec::new();
        for (alias, site, key, verb) in [
            (*source, *from, "consumer_byte_rate", "read from"),
            (
                mirror.target.as_str(),
                *to,
                "producer_byte_rate",
                "written to",
            ),
        ] {
            let Ok(live) = &site.quotas else {
                continue;
            };
            match limit(&planned(outlook.topology, alias, live), site, key) {
                Ok(limit) => cases.extend(limit.and_then(|limit| {
                    held_back(&limit, site.brokers, mirror.throttle, alias, verb)
                })),
                Err(NobodyKnown) => unknown.push(format!(
                    "{alias} has quotas of users, and which of them holds for this login is not known"
                )),
            }
        }
        if !cases.is_empty() {
            findings.push(
                Finding::new(
                    FindingId::Quota,
                    Severity::Warning,
                    &mirror.name,
                    "brokers hold the mirror back, by client quotas".to_owned(),
                    cases,
                )
                .hint("raise the quota, or declare `throttle: {bytesPerSecond: …}` no higher than it, so that the mirror waits instead of the brokers"),
            );
        }
        if !unknown.is_empty() {
            findings.push(Finding::new(
                FindingId::NotProven,
                Severity::Warning,
                &mirror.name,
                "which quotas hold could not be told".to_owned(),
                unknown,
            ));
        }
    }
    findings
}

fn held_back(
    limit: &Limit,
    brokers: usize,
    throttle: Option<u64>,
    alias: &str,
    verb: &str,
) -> Option<String> {
    let all = limit.bytes * brokers as f64;
    let meant = match throttle {
        Some(throttle) if throttle as f64 <= all => return None,
        Some(throttle) => format!("its throttle is {throttle} bytes/s"),
        None => "it has no throttle".to_owned(),
    };
    Some(format!(
        "{alias}: {} bytes/s a broker may be {verb} it by {}, {} over {brokers} {}; {meant}",
        limit.bytes.round(),
        limit.entity,
        all.round(),
        if brokers == 1 { "broker" } else { "brokers" },
    ))
}

/// Live quotas with the declared ones over them.
fn planned(topology: &Topology, alias: &str, live: &Quotas) -> Quotas {
    let mut planned = live.clone();
    for quota in topology.quotas.iter().filter(|it| it.cluster == alias) {
        let limits = planned.entry(quota.entity.clone()).or_default();
        let declared = quota.limits.iter();
        limits.extend(declared.map(|(key, value)| (key.clone(), *value)));
    }
    planned
}

/// The limit that brokers apply to us: the most specific one, in the order of Kafka's `ClientQuotaManager`.
fn limit(quotas: &Quotas, site: &SiteEvidence, key: &str) -> Result<Option<Limit>, NobodyKnown> {
    let of_users = |(entity, limits): (&QuotaEntity, &BTreeMap<String, QuotaValue>)| {
        entity.user.is_some() && limits.contains_key(key)
    };
    let user = site
        .principal
        .as_deref()
        .and_then(|it| it.strip_prefix("User:"));
    if user.is_none() && quotas.iter().any(of_users) {
        return Err(NobodyKnown);
    }
    let named = |name: &str| Some(EntityName::Named(name.to_owned()));
    let users = user.map(|user| [named(user), Some(EntityName::Default)]);
    let mut order = Vec::new();
    for user in users.into_iter().flatten() {
        order.push((user.clone(), named(CLIENT_ID)));
        order.push((user.clone(), Some(EntityName::Default)));
        order.push((user, None));
    }
    order.push((None, named(CLIENT_ID)));
    order.push((None, Some(EntityName::Default)));
    Ok(order.into_iter().find_map(|(user, client_id)| {
        let entity = QuotaEntity {
            user,
            client_id,
            ip: None,
        };
        let bytes = quotas.get(&entity)?.get(key)?.get();
        Some(Limit { bytes, entity })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::Bed;

    fn entity(user: Option<&str>, client_id: Option<&str>) -> QuotaEntity {
        let name = |name: &str| match name {
            "*" => EntityName::Default,
            name => EntityName::Named(name.to_owned()),
        };
        QuotaEntity {
            user: user.map(name),
            client_id: client_id.map(name),
            ip: None,
        }
    }

    fn limited(mut bed: Bed, alias: &str, whom: QuotaEntity, key: &str, bytes: f64) -> Bed {
        let quotas = bed.site(alias).quotas.as_mut().expect("read");
        let value = QuotaValue::new(bytes).expect("a limit");
        quotas
            .entry(whom)
            .or_default()
            .insert(key.to_owned(), value);
        bed
    }

    fn cases(bed: &Bed) -> Vec<String> {
        bed.judge().into_iter().flat_map(|it| it.evidence).collect()
    }

    const READ: &str = "consumer_byte_rate";
    const WRITE: &str = "producer_byte_rate";

    #[test]
    fn limits_are_compared_with_the_throttle_over_all_brokers() {
        let ours = || entity(None, Some("mirrorctl"));
        let throttle = "throttle: {bytesPerSecond: 3000}";
        let said = "a: 900 bytes/s a broker may be read from it by client-id mirrorctl, 2700 over 3 brokers; its throttle is 3000 bytes/s";
        for (about, bed, found) in [
            ("none", Bed::new(throttle), None),
            (
                "lower",
                limited(Bed::new(throttle), "a", ours(), READ, 900.0),
                Some(said),
            ),
            (
                "enough",
                limited(Bed::new(throttle), "a", ours(), READ, 1_000.0),
                None,
            ),
            (
                "what is written there",
                limited(Bed::new(throttle), "a", ours(), WRITE, 1.0),
                None,
            ),
            (
                "another client",
                limited(Bed::new(throttle), "a", entity(None, Some("x")), READ, 1.0),
                None,
            ),
            (
                "on the target, without a throttle",
                limited(
                    Bed::new(""),
                    "b",
                    entity(Some("ANONYMOUS"), None),
                    WRITE,
                    5.0,
                ),
                Some(
                    "b: 5 bytes/s a broker may be written to it by user ANONYMOUS, 15 over 3 brokers; it has no throttle",
                ),
            ),
        ] {
            assert_eq!(cases(&bed), Vec::from_iter(found), "{about}");
        }
    }

    #[test]
    fn the_most_specific_limit_holds() {
        let user = Some("ANONYMOUS");
        let ours = Some("mirrorctl");
        let order = [
            entity(user, ours),
            entity(user, Some("*")),
            entity(user, None),
            entity(Some("*"), ours),
            entity(Some("*"), Some("*")),
            entity(Some("*"), None),
            entity(None, ours),
            entity(None, Some("*")),
        ];
        let mut bed = Bed::new("");
        for (at, whom) in order.iter().enumerate().rev() {
            bed = limited(bed, "a", whom.clone(), READ, at as f64 + 1.0);
            let said = cases(&bed);
            assert!(said[0].contains(&format!("by {whom},")), "{said:?}");
            // which is nobody's who is not known
            let mut stranger = Bed::new("");
            stranger.site("a").principal = None;
            stranger = limited(stranger, "a", whom.clone(), READ, 1.0);
            let found = stranger.judge();
            let id = if whom.user.is_some() {
                FindingId::NotProven
            } else {
                FindingId::Quota
            };
            assert_eq!(found[0].id, id, "{whom}");
        }
    }

    #[test]
    fn what_this_plan_declares_counts() {
        let quotas = "clusters:\n- {alias: a, bootstrapServers: [\"h:1\"]}\n- {alias: b, bootstrapServers: [\"h:2\"]}\n\
            quotas:\n- {clusters: [a], clientId: mirrorctl, consumerBytesPerSecond: 1MiB}\nmirrors:\n\
            - {name: m, source: a, target: b, throttle: {bytesPerSecond: 3MiB}}\n";
        let ours = entity(None, Some("mirrorctl"));
        let bed = limited(Bed::of(quotas), "a", ours, READ, 1.0);
        assert_eq!(cases(&bed), Vec::<String>::new());
        assert_eq!(cases(&Bed::of(&quotas.replace("1MiB", "1KiB"))).len(), 1);
    }
}
