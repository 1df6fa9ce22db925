use std::collections::BTreeSet;
use std::time::Duration;

use kafka::{BrokerNode, Cluster, ClusterMetadata, Error, Uuid};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Refreshes closer together than this are answered from the last one: a broker that dies makes
/// every one of its partitions ask at once.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// The same in refreshes: the metadata of ten thousand partitions must not be all that is read.
const MIN_INTERVAL_IN_REFRESHES: u32 = 5;
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// Who leads which partition of a cluster, refreshed on demand and shared by all partitions.
#[derive(Debug)]
pub(crate) struct Leaders {
    cluster: Cluster,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    topics: BTreeSet<String>,
    metadata: ClusterMetadata,
    refreshed: Option<Instant>,
    /// How long the last refresh took.
    took: Duration,
    /// The last refresh failed: those who waited for it need not each find out again.
    failed: Option<(Instant, Error)>,
}

/// A partition's leader as metadata has it.
#[derive(Debug, Clone)]
pub(crate) struct Leader {
    pub(crate) node: BrokerNode,
    pub(crate) epoch: i32,
    pub(crate) topic_id: Uuid,
}

impl Leaders {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self::of_topics(cluster, BTreeSet::new())
    }

    /// Of one topic.
    pub(crate) fn tracking(cluster: Cluster, topic: &str) -> Self {
        Self::of_topics(cluster, BTreeSet::from([topic.to_owned()]))
    }

    fn of_topics(cluster: Cluster, topics: BTreeSet<String>) -> Self {
        Self {
            cluster,
            state: Mutex::new(State {
                topics,
                metadata: ClusterMetadata::default(),
                refreshed: None,
                took: Duration::ZERO,
                failed: None,
            }),
        }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Topics to ask for from now on. The next lookup refreshes.
    pub(crate) async fn track(&self, topics: impl IntoIterator<Item = String>) {
        let mut state = self.state.lock().await;
        let before = state.topics.len();
        state.topics.extend(topics);
        if state.topics.len() != before {
            state.refreshed = None;
        }
    }

    /// A topic's id as last seen.
    pub(crate) async fn topic_id(&self, topic: &str) -> Option<Uuid> {
        let state = self.state.lock().await;
        state.metadata.topics.get(topic).map(|topic| topic.id)
    }

    /// The leader from metadata read after `seen` (any, where `None`). Waits for at most one
    /// refresh; others who ask meanwhile share it.
    pub(crate) async fn of(
        &self,
        topic: &str,
        partition: i32,
        seen: Option<Instant>,
    ) -> Result<Leader, Error> {
        let mut state = self.state.lock().await;
        let fresh = match (state.refreshed, seen) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(refreshed), Some(seen)) => {
                let interval =
                    (state.took * MIN_INTERVAL_IN_REFRESHES).clamp(MIN_INTERVAL, MAX_INTERVAL);
                refreshed > seen || refreshed.elapsed() < interval
            }
        };
        if !fresh {
            let topics: Vec<String> = state.topics.iter().cloned().collect();
            if let Some((at, error)) = &state.failed
                && at.elapsed() < MIN_INTERVAL
            {
                return Err(error.clone());
            }
            let began = Instant::now();
            match self.cluster.metadata_of(&topics).await {
                Ok(metadata) => state.metadata = metadata,
                Err(error) => {
                    state.failed = Some((Instant::now(), error.clone()));
                    return Err(error);
                }
            }
            state.failed = None;
            state.refreshed = Some(Instant::now());
            state.took = began.elapsed();
        }
        let metadata = &state.metadata;
        if let Some(error) = metadata.failed.get(topic) {
            return Err(Error::Broker {
                api: format!("Metadata {topic}"),
                error: error.clone(),
            });
        }
        let no_leader = || Error::NoLeader {
            topic: topic.to_owned(),
            partition,
        };
        let topic_metadata = metadata.topics.get(topic).ok_or_else(no_leader)?;
        let node = metadata
            .leader(topic, partition)
            .ok_or_else(no_leader)?
            .clone();
        let epoch = topic_metadata
            .partitions
            .get(partition as usize)
            .map_or(-1, |partition| partition.leader_epoch);
        Ok(Leader {
            node,
            epoch,
            topic_id: topic_metadata.id,
        })
    }
}
