//! A source and a target cluster.

use std::thread;
use std::time::{Duration, Instant};

use crate::records::{AtLeastOnce, TopicAt, at_least_once, record_count};
use crate::{ClusterSpec, Error, KafkaCluster, Result};

/// Two clusters, for mirrors between them.
#[derive(Debug)]
pub struct Pair {
    /// Where records come from.
    pub source: KafkaCluster,
    /// Where they go.
    pub target: KafkaCluster,
}

impl Pair {
    /// Starts two clusters of this kind at the same time.
    pub fn start(spec: &ClusterSpec) -> Result<Self> {
        Self::start_each(spec, spec)
    }

    /// Starts both at the same time, each of its kind.
    pub fn start_each(source: &ClusterSpec, target: &ClusterSpec) -> Result<Self> {
        thread::scope(|scope| {
            let source = scope.spawn(|| KafkaCluster::start(source));
            let target = KafkaCluster::start(target)?;
            let source = source
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(Self { source, target })
        })
    }

    /// A topology of clusters `source` and `target`, each guarded by its id, followed by `rest`.
    pub fn topology(&self, rest: &str) -> String {
        format!(
            "apiVersion: mirrorctl.io/v1\n\
             kind: Topology\n\
             clusters:\n\
             - {{alias: source, clusterId: {}, bootstrapServers: [{}]}}\n\
             - {{alias: target, clusterId: {}, bootstrapServers: [{}]}}\n\
             {rest}",
            self.source.cluster_id(),
            quoted(&self.source.bootstrap_servers()),
            self.target.cluster_id(),
            quoted(&self.target.bootstrap_servers()),
        )
    }

    /// A topic of the same name on both sides, for a comparison.
    pub fn sides<'a>(&self, topic: &'a str) -> (Side<'a>, Side<'a>) {
        let side = |cluster: &KafkaCluster| Side {
            servers: cluster.bootstrap_servers(),
            topic,
        };
        (side(&self.source), side(&self.target))
    }

    /// Waits until the target's topic holds all that the source's holds, some of it perhaps twice: who counts records alone takes
    /// one that came twice for one that is still to come. Nobody may be writing to the source.
    ///
    /// # Errors
    /// [`Error::Timeout`] with the last difference when it does not within `limit`.
    pub fn wait_until_copied(&self, topic: &str, limit: Duration) -> Result<AtLeastOnce> {
        let (source, target) = self.sides(topic);
        let started = Instant::now();
        loop {
            let what = match at_least_once(source.at(), target.at()) {
                Ok(Ok(counts)) => return Ok(counts),
                Ok(Err(difference)) => difference.to_string(),
                Err(error) => error.to_string(),
            };
            if started.elapsed() >= limit {
                return Err(Error::Timeout {
                    what: format!("{topic} being copied whole ({what})"),
                    waited: limit,
                });
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until the target's topic holds at least `records` records.
    ///
    /// # Errors
    /// [`Error::Timeout`] when it does not within `limit`.
    pub fn wait_for_records(&self, topic: &str, records: u64, limit: Duration) -> Result<()> {
        wait_for_records(&self.target, "target", topic, records, limit)
    }

    /// The same for a topic of the source, which something copies to.
    ///
    /// # Errors
    /// [`Error::Timeout`] when it does not within `limit`.
    pub fn wait_for_records_on_source(
        &self,
        topic: &str,
        records: u64,
        limit: Duration,
    ) -> Result<()> {
        wait_for_records(&self.source, "source", topic, records, limit)
    }
}

fn wait_for_records(
    cluster: &KafkaCluster,
    side: &str,
    topic: &str,
    records: u64,
    limit: Duration,
) -> Result<()> {
    let started = Instant::now();
    let mut last = None;
    while started.elapsed() < limit {
        // a broker that is down, or a topic that is not there yet, is no reason to give up
        last = record_count(&cluster.bootstrap_servers(), topic).ok();
        if last.is_some_and(|count| count >= records) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    let seen = last.map_or("an unknown number".to_owned(), |count| count.to_string());
    let what = format!("{topic} reaching {records} records on the {side} ({seen} seen)");
    Err(Error::Timeout {
        what,
        waited: limit,
    })
}

/// A topic on one side of a pair.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    servers: String,
    topic: &'a str,
}

impl Side<'_> {
    /// For the comparing functions.
    pub fn at(&self) -> TopicAt<'_> {
        TopicAt {
            servers: &self.servers,
            topic: self.topic,
        }
    }
}

/// `a,b` as `"a", "b"`.
fn quoted(servers: &str) -> String {
    servers
        .split(',')
        .map(|server| format!("\"{server}\""))
        .collect::<Vec<_>>()
        .join(", ")
}
