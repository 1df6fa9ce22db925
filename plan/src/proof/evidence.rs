//! What was read to judge mirrors by: plain values without any connection.

use std::collections::{BTreeMap, BTreeSet};

use kafka::Rights;
use register::Released;
use topology::{AclBinding, QuotaEntity, QuotaValue};

/// Something that was read, or why it could not be.
pub(super) type Told<T> = Result<T, String>;

/// The clusters at the ends of mirrors.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// By alias; why not, where a cluster could not be read at all.
    pub sites: BTreeMap<String, Told<SiteEvidence>>,
    /// When it was gathered, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// One cluster.
#[derive(Debug, Clone)]
pub struct SiteEvidence {
    /// The id that it calls itself: two aliases may be one cluster.
    pub cluster_id: String,
    /// How many brokers are up; quotas hold for each.
    pub brokers: usize,
    /// Whom the brokers take this program for, as `User:name`, where that is known.
    pub principal: Option<String>,
    /// The topics that it lets us see, but for those that Kafka keeps for itself.
    pub topics: BTreeMap<String, TopicEvidence>,
    /// What topics have unless it is set on them, by the topic's key.
    pub defaults: Told<BTreeMap<String, String>>,
    /// All client quotas: limits by Kafka's keys.
    pub quotas: Told<BTreeMap<QuotaEntity, BTreeMap<String, QuotaValue>>>,
    /// What we may do to the cluster as a whole; nothing where its brokers do not tell.
    pub rights: Option<Rights>,
    /// All access rules; `None` where the cluster keeps none, so that nobody is refused anything.
    pub rules: Told<Option<BTreeSet<AclBinding>>>,
    /// What the mirrors into it said about topics that are there still.
    pub filled: Told<Vec<Filled>>,
    /// What else was asked and not told, as sentences.
    pub untold: Vec<String>,
}

/// A topic that a mirror fills, or filled, as it said itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Name of the mirror.
    pub mirror: String,
    /// Id of the cluster that it copies from.
    pub source_cluster_id: String,
    /// The topic there.
    pub source_topic: String,
    /// The topic here.
    pub target_topic: String,
    /// Ids of the clusters that the records come from, over all hops, the nearest first.
    pub origins: Vec<String>,
    /// Whether its state is promoted, as applied.
    pub promoted: bool,
    /// How its promotion ended; nothing where it is not over, or there is none.
    pub released: Option<Released>,
}

/// One topic.
#[derive(Debug, Clone)]
pub struct TopicEvidence {
    /// How many partitions it has.
    pub partitions: u32,
    /// What we may do to it; nothing where the brokers do not tell.
    pub rights: Option<Rights>,
    /// The settings that mirrors depend on; empty for a topic that no mirror has to do with.
    pub settings: Told<BTreeMap<String, Setting>>,
    /// The time of the oldest first record of its partitions, in milliseconds since 1970 UTC; where it was asked for.
    pub oldest_ms: Option<i64>,
    /// The time of a record that is further ahead of now than the target takes; where it was asked for.
    pub ahead_ms: Option<i64>,
    /// The bytes of its largest partition; where it was asked for and is told.
    pub largest_bytes: Option<u64>,
    /// The topic's id.
    pub id: String,
    /// Where its partitions end; where it was asked for and is told.
    pub ends: Option<BTreeMap<i32, i64>>,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What holds.
    pub value: String,
    /// Whether it is set on the topic itself.
    pub own: bool,
}

impl TopicEvidence {
    /// A topic of which no more was asked.
    pub fn new(partitions: u32, rights: Option<Rights>) -> Self {
        Self {
            partitions,
            rights,
            settings: Ok(BTreeMap::new()),
            oldest_ms: None,
            ahead_ms: None,
            largest_bytes: None,
            id: String::new(),
            ends: None,
        }
    }
}
