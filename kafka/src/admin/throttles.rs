use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::configs::{ConfigChange, ConfigEntry, ConfigSource};
use crate::cluster::Cluster;
use crate::error::Error;

const LEADER_RATE: &str = "leader.replication.throttled.rate";
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
const LEADER_REPLICAS: &str = "leader.replication.throttled.replicas";
const FOLLOWER_REPLICAS: &str = "follower.replication.throttled.replicas";

/// The most that one broker may replicate of throttled replicas (KIP-73), in bytes/s; `None` where not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokerThrottle {
    /// What it sends to followers.
    pub leader: Option<u64>,
    /// What it fetches from leaders.
    pub follower: Option<u64>,
}

/// Which replicas of a topic the brokers' limits are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThrottledReplicas {
    /// Partition and broker: while the broker leads the partition, what it sends counts.
    pub leaders: BTreeSet<(i32, i32)>,
    /// Partition and broker: what the broker fetches of the partition counts.
    pub followers: BTreeSet<(i32, i32)>,
}

/// As the configuration has them, `0:1,0:2`.
struct Listed<'a>(&'a BTreeSet<(i32, i32)>);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (partition, broker)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{partition}:{broker}")?;
        }
        Ok(())
    }
}

fn set(key: &str, value: impl fmt::Display) -> ConfigChange {
    ConfigChange::Set {
        key: key.to_owned(),
        value: value.to_string(),
    }
}

fn delete(key: &str) -> ConfigChange {
    ConfigChange::Delete {
        key: key.to_owned(),
    }
}

fn rate(configs: &BTreeMap<String, ConfigEntry>, key: &str) -> Option<u64> {
    let entry = configs.get(key)?;
    let own = match entry.source {
        ConfigSource::DynamicBroker => true,
        ConfigSource::Topic
        | ConfigSource::DynamicDefaultBroker
        | ConfigSource::StaticBroker
        | ConfigSource::Default
        | ConfigSource::Other(_) => false,
    };
    entry.value.as_ref().filter(|_| own)?.parse().ok()
}

impl Cluster {
    /// The limits that were set for one broker. Needs `DESCRIBE_CONFIGS` on the cluster. Cancel safe.
    pub async fn broker_throttle(&self, broker: i32) -> Result<BrokerThrottle, Error> {
        let configs = self.describe_broker_configs(broker).await?;
        Ok(BrokerThrottle {
            leader: rate(&configs, LEADER_RATE),
            follower: rate(&configs, FOLLOWER_RATE),
        })
    }

    /// Limits what one broker replicates, both ways, of those replicas that [`Cluster::throttle_replicas`] names.
    /// Needs `ALTER_CONFIGS` on the cluster. May be repeated.
    pub async fn throttle_broker(&self, broker: i32, bytes_per_second: u64) -> Result<(), Error> {
        let changes = [LEADER_RATE, FOLLOWER_RATE].map(|key| set(key, bytes_per_second));
        self.alter_broker_configs(broker, &changes).await
    }

    /// Takes the limits of one broker away, whether there are any or not. As [`Cluster::throttle_broker`] otherwise.
    pub async fn unthrottle_broker(&self, broker: i32) -> Result<(), Error> {
        let changes = [LEADER_RATE, FOLLOWER_RATE].map(delete);
        self.alter_broker_configs(broker, &changes).await
    }

    /// Names the replicas of a topic that the brokers' limits are for, in place of those named before. Needs
    /// `ALTER_CONFIGS` on the topic. May be repeated.
    pub async fn throttle_replicas(
        &self,
        topic: &str,
        replicas: &ThrottledReplicas,
    ) -> Result<(), Error> {
        let changes = [
            (LEADER_REPLICAS, &replicas.leaders),
            (FOLLOWER_REPLICAS, &replicas.followers),
        ]
        .map(|(key, replicas)| {
            if replicas.is_empty() {
                delete(key)
            } else {
                set(key, Listed(replicas))
            }
        });
        self.alter_topic_configs(topic, &changes).await
    }

    /// Has the brokers' limits be for no replica of a topic. As [`Cluster::throttle_replicas`] otherwise.
    pub async fn unthrottle_replicas(&self, topic: &str) -> Result<(), Error> {
        self.throttle_replicas(topic, &ThrottledReplicas::default())
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_listed_as_kafka_reads_them() {
        let listed = |replicas: &[(i32, i32)]| {
            let replicas = replicas.iter().copied().collect();
            Listed(&replicas).to_string()
        };
        assert_eq!(listed(&[]), "");
        assert_eq!(listed(&[(1, 3), (0, 2), (0, 1)]), "0:1,0:2,1:3");
    }

    #[test]
    fn only_limits_of_the_broker_itself_count() {
        let entry = |value: &str, source| ConfigEntry {
            value: Some(value.to_owned()),
            source,
            sensitive: false,
            read_only: false,
        };
        let configs = BTreeMap::from([
            (
                LEADER_RATE.to_owned(),
                entry("7", ConfigSource::DynamicBroker),
            ),
            (
                FOLLOWER_RATE.to_owned(),
                entry("9223372036854775807", ConfigSource::Default),
            ),
        ]);
        assert_eq!(rate(&configs, LEADER_RATE), Some(7));
        assert_eq!(rate(&configs, FOLLOWER_RATE), None);
    }
}
