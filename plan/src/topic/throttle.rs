//! The limits under which replicas are copied (KIP-73): set before anything moves, taken away whatever became of it.
//!
//! Before the first limit is set, the cluster's record says which ones will be, so that whoever comes after a killed
//! apply knows that they are ours. Brokers that are limited already keep the limit that they have.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, ThrottledReplicas};

use crate::journal::{self, Key, Underway};
use crate::observed::ObservedTopic;

/// `UNKNOWN_TOPIC_OR_PARTITION`: a topic that is gone has no limits.
const UNKNOWN_TOPIC: i16 = 3;

/// The limits of one topic's moves.
#[derive(Debug)]
pub(super) struct Throttle<'a> {
    cluster: &'a Cluster,
    address: &'a str,
    topic: &'a str,
    underway: Option<Underway>,
}

impl<'a> Throttle<'a> {
    /// Writes down what will be limited; what an apply left behind is taken over. Nothing is limited yet.
    pub(super) async fn declare(
        cluster: &'a Cluster,
        (address, topic): (&'a str, &'a str),
        targets: &BTreeMap<u32, Vec<i32>>,
        live: &ObservedTopic,
    ) -> Result<Self, kafka::Error> {
        let mut record = journal::read(cluster).await?.underway;
        let ours: BTreeSet<i32> = record
            .values()
            .flat_map(|underway| underway.limited.iter().copied())
            .collect();
        let left = record.remove(&Key::of(address));
        let mut throttle = Self {
            cluster,
            address,
            topic,
            underway: None,
        };
        let concerned = concerned(targets, live);
        if concerned.is_empty() && left.is_none() {
            return Ok(throttle);
        }
        let mut limited = left.map(|left| left.limited).unwrap_or_default();
        let up = cluster.metadata_of(&[]).await?.brokers;
        for broker in concerned.into_iter().filter(|id| up.contains_key(id)) {
            let found = cluster.broker_throttle(broker).await?;
            if ours.contains(&broker) || (found.leader.is_none() && found.follower.is_none()) {
                limited.insert(broker);
            }
        }
        throttle.underway = Some(Underway {
            limited,
            assignment: targets.clone(),
        });
        throttle.write_down().await?;
        Ok(throttle)
    }

    /// Limits the brokers.
    pub(super) async fn limit(&self, bytes_per_second: u64) -> Result<(), kafka::Error> {
        let up = self.cluster.metadata_of(&[]).await?.brokers;
        let limited = self.underway.iter().flat_map(|it| it.limited.iter());
        for broker in limited.filter(|id| up.contains_key(id)) {
            self.cluster
                .throttle_broker(*broker, bytes_per_second)
                .await?;
        }
        Ok(())
    }

    /// Has the limits be for what these partitions copy, and for nothing else of the topic.
    pub(super) async fn of(
        &self,
        targets: &BTreeMap<u32, Vec<i32>>,
        live: &ObservedTopic,
    ) -> Result<(), kafka::Error> {
        if self.underway.is_none() {
            return Ok(());
        }
        let mut replicas = ThrottledReplicas::default();
        for (index, target) in targets {
            let Some(partition) = live.placement.get(*index as usize) else {
                continue;
            };
            let added = added(target, &partition.replicas);
            if added.is_empty() {
                continue;
            }
            let number = *index as i32;
            let senders = partition.replicas.iter();
            replicas.leaders.extend(senders.map(|id| (number, *id)));
            replicas
                .followers
                .extend(added.into_iter().map(|id| (number, id)));
        }
        self.cluster.throttle_replicas(self.topic, &replicas).await
    }

    /// Takes all limits away that are ours, and then the record of them. What cannot be taken away now stays in the
    /// record.
    pub(super) async fn clear(mut self) -> Result<(), kafka::Error> {
        let Some(underway) = &mut self.underway else {
            return Ok(());
        };
        underway.assignment.clear();
        let mut failure = match self.cluster.unthrottle_replicas(self.topic).await {
            Err(kafka::Error::Broker { error, .. }) if error.code == UNKNOWN_TOPIC => None,
            outcome => outcome.err(),
        };
        let up = self.cluster.metadata_of(&[]).await?.brokers;
        for broker in underway.limited.clone() {
            let outcome = if up.contains_key(&broker) {
                self.cluster.unthrottle_broker(broker).await
            } else {
                // only a broker itself takes its configuration
                Err(kafka::Error::Connect {
                    address: format!("broker {broker}"),
                    reason: "it is not up".to_owned(),
                })
            };
            match outcome {
                Ok(()) => {
                    underway.limited.remove(&broker);
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        if let Some(failure) = failure {
            self.write_down().await?;
            return Err(failure);
        }
        self.underway = None;
        self.write_down().await
    }

    async fn write_down(&self) -> Result<(), kafka::Error> {
        let entry = journal::move_entry(self.address, self.underway.as_ref());
        journal::log(self.cluster).append(&[entry]).await
    }
}

/// Takes away what an apply left behind for this topic; says whether there was anything.
pub(crate) async fn clear_left(
    cluster: &Cluster,
    address: &str,
    topic: &str,
) -> Result<bool, kafka::Error> {
    let mut record = journal::read(cluster).await?.underway;
    let underway = record.remove(&Key::of(address));
    let left = underway.is_some();
    let throttle = Throttle {
        cluster,
        address,
        topic,
        underway,
    };
    throttle.clear().await?;
    Ok(left)
}

/// Brokers that send or receive copies.
fn concerned(targets: &BTreeMap<u32, Vec<i32>>, live: &ObservedTopic) -> BTreeSet<i32> {
    let mut brokers = BTreeSet::new();
    for (index, target) in targets {
        if let Some(partition) = live.placement.get(*index as usize) {
            let added = added(target, &partition.replicas);
            if !added.is_empty() {
                brokers.extend(added);
                brokers.extend(partition.replicas.iter().copied());
            }
        }
    }
    brokers
}

/// The brokers of `target` that do not hold the partition.
pub(super) fn added(target: &[i32], replicas: &[i32]) -> Vec<i32> {
    let missing = target.iter().filter(|id| !replicas.contains(id));
    missing.copied().collect()
}
