//! Reads live topics. The only reader: what `observe` saw and what `apply` rechecks cannot drift
//! apart.

use std::collections::BTreeMap;

use kafka::{BrokerError, Cluster, ConfigEntry, ConfigSource, TopicMetadata};

use crate::observed::{ConfigOrigin, ObservedConfig, ObservedTopic};

/// `UNKNOWN_TOPIC_OR_PARTITION`: how brokers say that a topic does not exist.
const UNKNOWN_TOPIC: i16 = 3;

/// Why live topics could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The request failed.
    #[error(transparent)]
    Cluster(#[from] kafka::Error),
    /// The brokers refused one topic.
    #[error("cannot read topic {topic}: {}", source.to(request))]
    Topic {
        /// Topic name.
        topic: String,
        /// What was asked.
        request: &'static str,
        /// What the brokers said.
        source: BrokerError,
    },
}

/// A live topic, and which of its partitions have no leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveTopic {
    pub(crate) topic: ObservedTopic,
    /// Indexes of the partitions without a leader.
    pub(crate) leaderless: Vec<u32>,
}

/// The live topics among `names`; those that do not exist are absent from the answer.
pub(crate) async fn topics(
    cluster: &Cluster,
    names: &[String],
) -> Result<BTreeMap<String, LiveTopic>, ReadError> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found = BTreeMap::new();
    for (name, outcome) in cluster.topic_metadata(names).await? {
        if let Some(metadata) = existing(&name, "Metadata", outcome)? {
            found.insert(name, metadata);
        }
    }
    if found.is_empty() {
        return Ok(BTreeMap::new());
    }
    let present: Vec<String> = found.keys().cloned().collect();
    let mut live = BTreeMap::new();
    for (name, outcome) in cluster.describe_topic_configs(&present).await? {
        // absent here although metadata named it: deleted between the two requests
        let Some(configs) = existing(&name, "DescribeConfigs", outcome)? else {
            continue;
        };
        if let Some(metadata) = found.get(&name) {
            live.insert(name, live_topic(metadata, configs));
        }
    }
    Ok(live)
}

/// The configuration keys that the brokers know, learnt from any topic at all.
pub(crate) async fn known_configs(
    cluster: &Cluster,
) -> Result<std::collections::BTreeSet<String>, ReadError> {
    let metadata = cluster.metadata().await?;
    let Some(any) = metadata.topics.keys().next() else {
        return Ok(<_>::default());
    };
    let described = cluster
        .describe_topic_configs(std::slice::from_ref(any))
        .await?;
    Ok(described
        .into_values()
        // a topic that may not be read tells nothing, and nothing depends on it
        .filter_map(Result::ok)
        .flat_map(BTreeMap::into_keys)
        .collect())
}

fn existing<T>(
    topic: &str,
    request: &'static str,
    outcome: Result<T, BrokerError>,
) -> Result<Option<T>, ReadError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code == UNKNOWN_TOPIC => Ok(None),
        Err(source) => Err(ReadError::Topic {
            topic: topic.to_owned(),
            request,
            source,
        }),
    }
}

fn live_topic(metadata: &TopicMetadata, configs: BTreeMap<String, ConfigEntry>) -> LiveTopic {
    LiveTopic {
        topic: ObservedTopic {
            id: metadata.id.to_string(),
            internal: metadata.internal,
            partitions: metadata.partitions.len() as u32,
            replication_factor: metadata
                .partitions
                .iter()
                .map(|partition| partition.replicas.len() as u16)
                .min()
                .unwrap_or(0),
            configs: configs
                .into_iter()
                .map(|(key, entry)| (key, observed_config(entry)))
                .collect(),
            usage: None,
        },
        leaderless: metadata
            .partitions
            .iter()
            .filter(|partition| partition.leader.is_none())
            .map(|partition| partition.index as u32)
            .collect(),
    }
}

fn observed_config(entry: ConfigEntry) -> ObservedConfig {
    ObservedConfig {
        value: entry.value,
        origin: match entry.source {
            ConfigSource::Topic => ConfigOrigin::Topic,
            ConfigSource::DynamicBroker
            | ConfigSource::DynamicDefaultBroker
            | ConfigSource::StaticBroker => ConfigOrigin::Broker,
            ConfigSource::Default => ConfigOrigin::Default,
            ConfigSource::Other(_) => ConfigOrigin::Other,
        },
        sensitive: entry.sensitive,
        read_only: entry.read_only,
    }
}
