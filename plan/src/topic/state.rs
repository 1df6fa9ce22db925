//! A topic as the plan sees it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::observed::Usage;

/// The part of a topic's state that the plan manages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicState {
    /// Topic id: a topic that was deleted and created again has another one. `null` for a topic
    /// that is yet to be created.
    pub topic_id: Option<String>,
    /// Number of partitions; `null` leaves it to the brokers' default.
    pub partitions: Option<u32>,
    /// Replicas of each partition; `null` leaves it to the brokers' default. Of a live topic whose
    /// partitions differ, the smallest.
    pub replication_factor: Option<u16>,
    /// Brokers of the partitions that move, by partition, the preferred leader first: where each is or is on its way to,
    /// and where it will be.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "by_partition"
    )]
    pub assignment: BTreeMap<u32, Vec<i32>>,
    /// Values of the declared configuration keys; `null` where the brokers give no value.
    pub configs: BTreeMap<String, Option<String>>,
    /// Configuration keys that are not set on the topic itself, so that the brokers' default holds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
    /// Who used the topic, where it is to be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// Keys of JSON objects are texts, and behind `flatten` serde does not make numbers of them.
fn by_partition<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u32, Vec<i32>>, D::Error> {
    let texts = BTreeMap::<String, Vec<i32>>::deserialize(from)?;
    texts
        .into_iter()
        .map(|(index, replicas)| Ok((index.parse().map_err(D::Error::custom)?, replicas)))
        .collect()
}
