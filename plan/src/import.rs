//! What a live cluster holds, as declarations whose plan is empty.

use kafka::Cluster;
use topology::import::ImportedTopic;

use crate::observed::{ConfigOrigin, ObservedTopic};
use crate::topic::ReadError;
use crate::topic::live;

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

/// How many replicas every partition has; nothing where they differ, as half way through a move. Any number that is declared
/// would then move replicas.
fn even_factor(topic: &ObservedTopic) -> Option<u16> {
    let factor = usize::from(topic.replication_factor);
    let mut partitions = topic.placement.iter();
    partitions
        .all(|partition| partition.destination().len() == factor)
        .then_some(topic.replication_factor)
}
