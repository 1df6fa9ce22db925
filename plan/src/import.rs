//! What a live cluster holds, as declarations whose plan is empty.

use kafka::{Cluster, RetryClass};
use topology::import::{Imported, ImportedTopic};

use crate::observed::{ConfigOrigin, ObservedTopic};
use crate::topic::ReadError;
use crate::topic::live;
use crate::{acl, client_quota, scram_user};

/// Topics in one look: their configurations are answered together.
const AT_ONCE: usize = 1_000;

/// The topics of a cluster that `wanted` names, with what is set on them; those that belong to Kafka itself are left out.
/// Sorted by name. Cancel safe: nothing but reads.
pub async fn live_topics(
    alias: &str,
    cluster: &Cluster,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<ImportedTopic>, ReadError> {
    let names: Vec<String> = cluster
        .metadata()
        .await?
        .topics
        .into_iter()
        .filter(|(name, topic)| !topic.internal && wanted(name))
        .map(|(name, _)| name)
        .collect();
    let mut topics = Vec::new();
    for names in names.chunks(AT_ONCE) {
        for (name, live) in live::topics(cluster, names).await? {
            let replication_factor = even_factor(&live.topic);
            let set = live.topic.configs.into_iter().filter(|(_, entry)| {
                entry.origin == ConfigOrigin::Topic && !entry.sensitive && !entry.read_only
            });
            topics.push(ImportedTopic {
                name,
                cluster: alias.to_owned(),
                partitions: Some(live.topic.partitions),
                replication_factor,
                configs: set
                    .filter_map(|(key, entry)| Some((key, entry.value?)))
                    .collect(),
            });
        }
    }
    Ok(topics)
}

/// The users, access rules and quotas of a cluster. What the brokers do not show, or do not know, is a remark. Cancel safe:
/// nothing but reads.
pub async fn live_access(alias: &str, cluster: &Cluster) -> Result<Imported, ReadError> {
    let mut imported = Imported::default();
    match shown(scram_user::read(cluster).await)? {
        Shown::All(users) => imported.take_users(alias, users),
        Shown::Nothing(why) => imported.remarks.push(unseen(alias, "users (SCRAM)", &why)),
    }
    match shown(acl::read_with_unknown(cluster).await)? {
        Shown::All(found) => {
            if found.unknown > 0 {
                imported.remarks.push(format!(
                    "{alias}: {} access rules are not taken over: they have words that are not known here",
                    found.unknown
                ));
            }
            imported.take_acls(alias, &found.rules);
        }
        Shown::Nothing(why) => imported.remarks.push(unseen(alias, "access rules", &why)),
    }
    match shown(client_quota::read(cluster).await)? {
        Shown::All(quotas) => {
            let quotas = quotas.into_values();
            imported.take_quotas(alias, quotas.map(|quota| (quota.entity, quota.limits)));
        }
        Shown::Nothing(why) => imported.remarks.push(unseen(alias, "quotas", &why)),
    }
    Ok(imported)
}

/// What brokers said when they were asked for all of something.
enum Shown<T> {
    All(T),
    /// They refused, or are too old to know it.
    Nothing(kafka::Error),
}

/// Only a refusal of the brokers themselves is an answer; anything else is a failure.
fn shown<T>(read: Result<T, ReadError>) -> Result<Shown<T>, ReadError> {
    let error = match read {
        Ok(found) => return Ok(Shown::All(found)),
        Err(error) => error,
    };
    match error {
        ReadError::Cluster(
            why @ (kafka::Error::Broker { .. } | kafka::Error::UnsupportedVersion { .. }),
        ) if why.class() == RetryClass::Fatal => Ok(Shown::Nothing(why)),
        ReadError::Cluster(_) | ReadError::Topic { .. } => Err(error),
    }
}

fn unseen(alias: &str, what: &str, why: &kafka::Error) -> String {
    format!("{alias}: {what} could not be read, so none is below: {why}")
}

/// How many replicas every partition has; nothing where they differ, as half way through a move. Any number that is declared
/// would then move replicas.
fn even_factor(topic: &ObservedTopic) -> Option<u16> {
    let factor = usize::from(topic.replication_factor);
    let mut partitions = topic.placement.iter();
    partitions
        .all(|partition| partition.destination().len() == factor)
        .then_some(topic.replication_factor)
}
