//! The embedded cluster: starting, stopping, and looking inside.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::batch::Header;
use crate::compaction::Tombstones;
use crate::configs;
use crate::faults::Faults;
use crate::server;
use crate::state::{Node, Shared, now_ms};

/// Bytes of records a cluster holds unless told otherwise.
const DEFAULT_MEMORY_LIMIT: u64 = 4 << 30;
/// Defaults of a real broker, in milliseconds.
const RETENTION_CHECK_MS: &str = "300000";
const PRODUCER_CHECK_MS: &str = "600000";

/// How to start a cluster.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The cluster's id; a random one when left out.
    pub cluster_id: Option<String>,
    /// How many brokers; their ids are 1, 2, and so on.
    pub brokers: u16,
    /// The brokers' ports in order; ephemeral ones when empty.
    pub ports: Vec<u16>,
    /// Broker settings as in `server.properties`, such as `num.partitions`, `message.max.bytes`,
    /// `auto.create.topics.enable` (off unless set to `true`), `log.retention.bytes`. With an
    /// `authorizer.class.name` there are ACLs, which are kept and not enforced.
    pub defaults: BTreeMap<String, String>,
    /// The brokers' racks in order; those without one have none. Topics are not spread by them.
    pub racks: Vec<String>,
    /// Bytes of records that all partitions together may hold. At the limit produce requests fail
    /// with `KAFKA_STORAGE_ERROR`, as on a broker whose disk is full; nothing is dropped.
    pub memory_limit: u64,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            cluster_id: None,
            brokers: 1,
            ports: Vec::new(),
            defaults: BTreeMap::new(),
            racks: Vec::new(),
            memory_limit: DEFAULT_MEMORY_LIMIT,
        }
    }
}

/// Why a cluster or one of its brokers did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A cluster needs at least one broker.
    #[error("a cluster needs at least one broker")]
    NoBrokers,
    /// Ports were given, but not one per broker.
    #[error("{ports} ports were given for {brokers} brokers")]
    PortCount {
        /// Ports given.
        ports: usize,
        /// Brokers wanted.
        brokers: u16,
    },
    /// A broker setting that is obeyed here has a value it cannot have.
    #[error("broker setting {name} cannot be {value}")]
    Setting {
        /// The setting.
        name: String,
        /// Its value.
        value: String,
    },
    /// There is no broker with this id.
    #[error("there is no broker {0}")]
    UnknownBroker(i32),
    /// A broker's port cannot be listened on.
    #[error("broker {broker} cannot listen on port {port}")]
    Listen {
        /// The broker.
        broker: i32,
        /// Its port; 0 is an ephemeral one.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A partition that does not exist, or a broker that is not up, was named.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("there is no partition {partition} of topic {topic}, or broker {broker} is not up")]
pub struct UnknownPartition {
    /// Topic named.
    pub topic: String,
    /// Partition named.
    pub partition: i32,
    /// Broker named.
    pub broker: i32,
}

/// A topic was not compacted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CompactionError {
    /// There is no such topic.
    #[error("there is no topic {0}")]
    UnknownTopic(String),
    /// Records of a partition cannot be read; the partition is as it was.
    #[error("partition {partition} of topic {topic} cannot be read: {reason}")]
    Unreadable {
        /// The topic.
        topic: String,
        /// The partition.
        partition: usize,
        /// What is wrong with the records.
        reason: String,
    },
}

/// A stored batch, for tests that look inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchView {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Offset of the last record, holes included.
    pub last_offset: i64,
    /// How many records there are.
    pub record_count: i32,
    /// Producer id, or -1.
    pub producer_id: i64,
    /// Sequence of the first record, or -1.
    pub base_sequence: i32,
    /// The batch as a fetch returns it.
    pub bytes: Bytes,
}

/// One broker's task; dropping it closes the port and cuts every connection.
#[derive(Debug)]
struct Slot {
    port: u16,
    task: Option<JoinSet<()>>,
}

/// A running cluster. Dropping it stops everything at once.
#[derive(Debug)]
pub struct EmbeddedCluster {
    pub(crate) shared: Arc<Shared>,
    ports: Vec<u16>,
    slots: Mutex<BTreeMap<i32, Slot>>,
    housekeeping: JoinSet<()>,
}

impl EmbeddedCluster {
    /// Starts all brokers on 127.0.0.1; when it returns they take connections.
    ///
    /// Needs a Tokio runtime with time and I/O. Cancellation safe: what was started is stopped.
    pub async fn start(options: ClusterOptions) -> Result<Self, StartError> {
        let brokers = options.brokers;
        if brokers == 0 {
            return Err(StartError::NoBrokers);
        }
        if !options.ports.is_empty() && options.ports.len() != usize::from(brokers) {
            return Err(StartError::PortCount {
                ports: options.ports.len(),
                brokers,
            });
        }
        check_settings(&options.defaults)?;
        let cluster_id = options
            .cluster_id
            .unwrap_or_else(|| Uuid::new_v4().simple().to_string()[..22].to_owned());
        let shared = Arc::new(Shared::new(
            cluster_id,
            options.defaults,
            usize::from(brokers),
            options.memory_limit,
            options.racks,
        ));
        let mut listeners = Vec::new();
        for broker in 1..=i32::from(brokers) {
            let port = options.ports.get(broker as usize - 1).copied().unwrap_or(0);
            listeners.push((broker, listen(broker, port).await?));
        }
        let mut slots = BTreeMap::new();
        for (broker, (port, listener)) in listeners {
            let task = Some(serve(&shared, broker, port, listener));
            slots.insert(broker, Slot { port, task });
        }
        let mut housekeeping = JoinSet::new();
        housekeeping.spawn(keep_house(Arc::clone(&shared)));
        let ports = slots.values().map(|slot| slot.port).collect();
        Ok(Self {
            shared,
            ports,
            slots: Mutex::new(slots),
            housekeeping,
        })
    }

    /// Addresses of all brokers, up or not, as clients want them.
    pub fn bootstrap_servers(&self) -> String {
        let addresses: Vec<String> = self
            .ports
            .iter()
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        addresses.join(",")
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &str {
        &self.shared.cluster_id
    }

    /// The faults in force.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Stops a broker as a kill would: connections are cut without answers and its partitions move
    /// to replicas on other brokers; those without one have no leader until it is back. The data
    /// stays. Stopping a stopped or unknown broker does nothing.
    pub async fn stop_broker(&self, id: i32) {
        let task = self
            .slots
            .lock()
            .await
            .get_mut(&id)
            .and_then(|slot| slot.task.take());
        if let Some(mut task) = task {
            task.shutdown().await;
            self.shared.broker_down(id);
        }
    }

    /// Starts a stopped broker on the port it had. Starting a running one does nothing.
    pub async fn start_broker(&self, id: i32) -> Result<(), StartError> {
        let mut slots = self.slots.lock().await;
        let slot = slots.get_mut(&id).ok_or(StartError::UnknownBroker(id))?;
        if slot.task.is_none() {
            let (port, listener) = listen(id, slot.port).await?;
            slot.task = Some(serve(&self.shared, id, port, listener));
        }
        Ok(())
    }

    /// Makes a broker the leader of a partition, in a new leader epoch. A broker that was no
    /// replica takes the place of the old leader.
    pub fn move_leader(
        &self,
        topic: &str,
        partition: i32,
        broker: i32,
    ) -> Result<(), UnknownPartition> {
        let found = self.shared.partition(topic, partition);
        let known = self.shared.alive().contains(&broker);
        let (Some(found), true) = (found, known) else {
            return Err(UnknownPartition {
                topic: topic.to_owned(),
                partition,
                broker,
            });
        };
        let mut state = found.lock();
        if !state.replicas.contains(&broker) {
            let old = state.leader;
            match state.replicas.iter_mut().find(|id| **id == old) {
                Some(place) => *place = broker,
                None => state.replicas.push(broker),
            }
        }
        state.lead(broker);
        Ok(())
    }

    /// Stops everything and waits until it has.
    pub async fn shutdown(mut self) {
        for slot in self.slots.get_mut().values_mut() {
            if let Some(mut task) = slot.task.take() {
                task.shutdown().await;
            }
        }
        self.housekeeping.shutdown().await;
    }

    /// Names of all topics, sorted.
    pub fn topics(&self) -> Vec<String> {
        self.shared
            .catalog()
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// Forgets every idempotent producer at once, as `producer.id.expiration.ms` does in time: from then on any first
    /// sequence is taken.
    pub fn forget_producers(&self) {
        self.shared.expire_producers_before(i64::MAX);
    }

    /// How many partitions a topic has; `None` when there is no such topic.
    pub fn partition_count(&self, topic: &str) -> Option<usize> {
        self.shared
            .catalog()
            .get(topic)
            .map(|topic| topic.partitions.len())
    }

    /// The broker that leads a partition; -1 when none does.
    pub fn leader(&self, topic: &str, partition: i32) -> Option<i32> {
        Some(self.shared.partition(topic, partition)?.lock().leader)
    }

    /// The offset the next record of a partition gets.
    pub fn log_end_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        Some(self.shared.partition(topic, partition)?.lock().log.end())
    }

    /// The first offset of a partition that can be read.
    pub fn log_start_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        Some(self.shared.partition(topic, partition)?.lock().log.start())
    }

    /// The batches of a partition as they are stored.
    pub fn batches(&self, topic: &str, partition: i32) -> Option<Vec<BatchView>> {
        let partition = self.shared.partition(topic, partition)?;
        let state = partition.lock();
        let views = state.log.batches().iter().filter_map(|stored| {
            let header = Header::parse(&stored.bytes)?;
            Some(BatchView {
                base_offset: stored.base_offset,
                last_offset: stored.last_offset,
                record_count: header.record_count,
                producer_id: header.producer_id,
                base_sequence: header.base_sequence,
                bytes: stored.bytes.clone(),
            })
        });
        Some(views.collect())
    }

    /// Moves the start of a partition's log, as retention or `DeleteRecords` do. Nothing happens to
    /// partitions that do not exist.
    pub fn delete_records(&self, topic: &str, partition: i32, before: i64) {
        if let Some(found) = self.shared.partition(topic, partition) {
            let mut state = found.lock();
            self.shared.release(state.log.delete_before(before));
            state.wake();
        }
    }

    /// Has a partition lose what it holds from an offset on, as an unclean leader election does: a
    /// new leader epoch begins there. A batch that holds the offset goes whole. Returns the new
    /// end; nothing where there is no such partition.
    pub fn elect_uncleanly(&self, topic: &str, partition: i32, offset: i64) -> Option<i64> {
        let found = self.shared.partition(topic, partition)?;
        let mut state = found.lock();
        self.shared.release(state.log.truncate(offset));
        let leader = state.leader;
        state.lead(leader);
        Some(state.log.end())
    }

    /// Compacts all partitions of a topic at once, whatever its cleanup policy, as the log cleaner
    /// of a real broker would some day: superseded records go, offsets get holes.
    pub fn compact_now(&self, topic: &str) -> Result<(), CompactionError> {
        self.compact(topic, Tombstones::Stay)
    }

    /// As [`compact_now`](Self::compact_now), at a time when `delete.retention.ms` is over: tombstones go too. The log can
    /// end with offsets that hold nothing then.
    pub fn compact_past_tombstones(&self, topic: &str) -> Result<(), CompactionError> {
        self.compact(topic, Tombstones::Go)
    }

    fn compact(&self, topic: &str, tombstones: Tombstones) -> Result<(), CompactionError> {
        let unknown = || CompactionError::UnknownTopic(topic.to_owned());
        let partitions = self
            .shared
            .catalog()
            .get(topic)
            .map(|found| found.partitions.clone())
            .ok_or_else(unknown)?;
        for (index, partition) in partitions.iter().enumerate() {
            let freed = partition.lock().log.compact(tombstones).map_err(|error| {
                let topic = topic.to_owned();
                CompactionError::Unreadable {
                    topic,
                    partition: index,
                    reason: error.to_string(),
                }
            })?;
            self.shared.release(freed);
        }
        Ok(())
    }

    /// How many requests of an API came in, whatever became of them.
    pub fn request_count(&self, api: ApiKey) -> u64 {
        self.shared.counters.get(api as i16)
    }

    /// Bytes of records held in memory.
    pub fn memory_used(&self) -> u64 {
        self.shared.held()
    }
}

/// Refuses values that would silently fall back to a default.
fn check_settings(settings: &BTreeMap<String, String>) -> Result<(), StartError> {
    for (name, value) in settings {
        let right = match name.as_str() {
            "num.partitions" | "default.replication.factor" => {
                value.parse::<i16>().is_ok_and(|number| number > 0)
            }
            "producer.id.expiration.ms"
            | "producer.id.expiration.check.interval.ms"
            | "log.retention.check.interval.ms" => value.parse::<u32>().is_ok(),
            "auto.create.topics.enable" => value == "true" || value == "false",
            other => configs::DEFINITIONS
                .iter()
                .filter(|known| known.broker_name == Some(other))
                .all(|known| configs::validate(known.name, value).is_ok()),
        };
        if !right {
            return Err(StartError::Setting {
                name: name.clone(),
                value: value.clone(),
            });
        }
    }
    Ok(())
}

async fn listen(broker: i32, port: u16) -> Result<(u16, TcpListener), StartError> {
    let failed = |source| StartError::Listen {
        broker,
        port,
        source,
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((port, listener))
}

fn serve(shared: &Arc<Shared>, id: i32, port: u16, listener: TcpListener) -> JoinSet<()> {
    shared.broker_up(Node { id, port });
    let mut task = JoinSet::new();
    task.spawn(server::serve(listener, Arc::clone(shared), id));
    task
}

/// What real brokers do in the background: time retention and producer expiry.
async fn keep_house(shared: Arc<Shared>) {
    let every = |name, default: &str| {
        let millis = shared
            .broker_config(name, default)
            .parse()
            .unwrap_or(300_000);
        let mut interval = tokio::time::interval(Duration::from_millis(u64::max(millis, 1)));
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval
    };
    let mut retention = every("log.retention.check.interval.ms", RETENTION_CHECK_MS);
    let mut producers = every(
        "producer.id.expiration.check.interval.ms",
        PRODUCER_CHECK_MS,
    );
    loop {
        tokio::select! {
            _ = retention.tick() => shared.retain_all(now_ms()),
            _ = producers.tick() => shared.expire_producers(now_ms()),
        }
    }
}
