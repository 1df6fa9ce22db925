//! Reads live topics. The only reader: what `observe` saw and what `apply` rechecks cannot drift
//! apart.

use std::collections::BTreeMap;

use kafka::{
    BrokerError, Cluster, ConfigEntry, ConfigSource, PartitionMetadata, Reassignment,
    TopicMetadata, TopicPartition,
};

use crate::observed::{ConfigOrigin, ObservedConfig, ObservedPartition, ObservedTopic};

/// `UNKNOWN_TOPIC_OR_PARTITION`: how brokers say that a topic does not exist.
const UNKNOWN_TOPIC: i16 = 3;
/// `CLUSTER_AUTHORIZATION_FAILED`: this client may not ask about the cluster as a whole.
const NOT_ABOUT_THE_CLUSTER: i16 = 31;

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
    let moves = moves(cluster, found.values()).await?;
    let present: Vec<String> = found.keys().cloned().collect();
    let mut live = BTreeMap::new();
    for (name, outcome) in cluster.describe_topic_configs(&present).await? {
        // absent here although metadata named it: deleted between the two requests
        let Some(configs) = existing(&name, "DescribeConfigs", outcome)? else {
            continue;
        };
        if let Some(metadata) = found.get(&name) {
            live.insert(name, live_topic(metadata, configs, &moves));
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

/// How many replicas the topics get that declare none, as this broker has it; `None` where it does not tell.
pub(crate) async fn default_replication_factor(
    cluster: &Cluster,
    broker: i32,
) -> Result<Option<u16>, ReadError> {
    match cluster.describe_broker_configs(broker).await {
        Ok(configs) => {
            let default = configs.get("default.replication.factor");
            let value = default.and_then(|entry| entry.value.as_deref());
            Ok(value.and_then(|value| value.trim().parse().ok()))
        }
        // services hide the brokers' own settings; then the brokers decide at creation
        Err(kafka::Error::Broker { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
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

/// Moves by partition.
type Moves = BTreeMap<TopicPartition, Reassignment>;

/// Which partitions of these topics are being reassigned. Brokers that a partition is being copied to are not in sync,
/// so a topic of which every replica is in sync needs no question.
async fn moves(
    cluster: &Cluster,
    topics: impl Iterator<Item = &TopicMetadata>,
) -> Result<Moves, ReadError> {
    let mut behind = Vec::new();
    for topic in topics {
        let partitions = topic.partitions.iter();
        behind.extend(
            partitions
                .filter(|partition| partition.isr.len() < partition.replicas.len())
                .map(|partition| TopicPartition::new(&topic.name, partition.index)),
        );
    }
    if behind.is_empty() {
        return Ok(Moves::new());
    }
    match cluster.reassignments_of(&behind).await {
        Ok(moves) => Ok(moves),
        // whoever may not ask may not reassign either
        Err(kafka::Error::Broker { error, .. }) if error.code == NOT_ABOUT_THE_CLUSTER => {
            Ok(Moves::new())
        }
        Err(error) => Err(error.into()),
    }
}

fn observed_partition(
    topic: &str,
    partition: &PartitionMetadata,
    moves: &Moves,
) -> ObservedPartition {
    let moving = moves.get(&TopicPartition::new(topic, partition.index));
    let adding = moving.map_or(&[][..], |moving| &moving.adding);
    let mut replicas = partition.replicas.clone();
    replicas.retain(|id| !adding.contains(id));
    ObservedPartition {
        replicas,
        in_sync: partition.isr.clone(),
        moving_to: moving.map(Reassignment::target),
    }
}

fn live_topic(
    metadata: &TopicMetadata,
    configs: BTreeMap<String, ConfigEntry>,
    moves: &Moves,
) -> LiveTopic {
    let placement: Vec<ObservedPartition> = metadata
        .partitions
        .iter()
        .map(|partition| observed_partition(&metadata.name, partition, moves))
        .collect();
    LiveTopic {
        topic: ObservedTopic {
            id: metadata.id.to_string(),
            internal: metadata.internal,
            partitions: metadata.partitions.len() as u32,
            replication_factor: placement
                .iter()
                .map(|partition| partition.replicas.len() as u16)
                .min()
                .unwrap_or(0),
            placement,
            configs: configs
                .into_iter()
                .map(|(key, entry)| (key, observed_config(entry)))
                .collect(),
            usage: None,
            extent: None,
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
