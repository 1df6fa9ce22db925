//! What all brokers of the cluster share: topics, partitions, who is up, producer ids.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use uuid::Uuid;

use crate::acls::Acls;
use crate::configs::TopicSettings;
use crate::counters::Counters;
use crate::dynamic_configs::DynamicConfigs;
use crate::faults::Faults;
use crate::groups::Groups;
use crate::partition::{NO_LEADER, Partition};
use crate::quotas::Quotas;

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<Arc<Partition>>,
    /// Settings made on the topic itself.
    pub(crate) configs: BTreeMap<String, String>,
    pub(crate) settings: Arc<TopicSettings>,
}

/// Topics by name, with an index by id.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    topics: BTreeMap<String, Topic>,
    names: BTreeMap<Uuid, String>,
}

impl Catalog {
    pub(crate) fn get(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Topic> {
        self.topics.get_mut(name)
    }

    pub(crate) fn name_of(&self, id: Uuid) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Topic)> {
        self.topics
            .iter()
            .map(|(name, topic)| (name.as_str(), topic))
    }

    pub(crate) fn insert(&mut self, name: String, topic: Topic) {
        self.names.insert(topic.id, name.clone());
        self.topics.insert(name, topic);
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Topic> {
        let topic = self.topics.remove(name)?;
        self.names.remove(&topic.id);
        Some(topic)
    }
}

/// The iterations of each SCRAM credential, by user and mechanism (its number on the wire).
pub(crate) type ScramIterations = BTreeMap<(String, i8), i32>;

/// A broker that takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: i32,
    pub(crate) port: u16,
}

/// The shared state of a cluster.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cluster_id: String,
    /// Broker settings as given; names as in `server.properties`.
    pub(crate) broker_configs: BTreeMap<String, String>,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    /// Bytes of records all partitions together may hold.
    pub(crate) memory_limit: u64,
    catalog: RwLock<Catalog>,
    /// Held for one request, never across an await.
    pub(crate) acls: Mutex<Acls>,
    pub(crate) quotas: Mutex<Quotas>,
    pub(crate) scram: Mutex<ScramIterations>,
    pub(crate) dynamic_configs: Mutex<DynamicConfigs>,
    pub(crate) groups: Mutex<Groups>,
    /// Moves of partitions stay under way.
    hold_moves: AtomicBool,
    /// The brokers' racks in order of their ids; those that are missing have none.
    racks: Vec<String>,
    /// Brokers that are up, by id.
    alive: RwLock<Vec<Node>>,
    /// How many brokers there are, up or not.
    pub(crate) broker_count: usize,
    held: AtomicU64,
    next_producer_id: AtomicI64,
    next_first_replica: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        cluster_id: String,
        broker_configs: BTreeMap<String, String>,
        broker_count: usize,
        memory_limit: u64,
        racks: Vec<String>,
    ) -> Self {
        Self {
            cluster_id,
            broker_configs,
            faults: Faults::default(),
            counters: Counters::default(),
            memory_limit,
            catalog: RwLock::default(),
            acls: Mutex::default(),
            quotas: Mutex::default(),
            scram: Mutex::default(),
            dynamic_configs: Mutex::default(),
            groups: Mutex::default(),
            hold_moves: AtomicBool::new(false),
            racks,
            alive: RwLock::default(),
            broker_count,
            held: AtomicU64::new(0),
            next_producer_id: AtomicI64::new(0),
            next_first_replica: AtomicU64::new(0),
        }
    }

    pub(crate) fn catalog(&self) -> RwLockReadGuard<'_, Catalog> {
        self.catalog.read()
    }

    /// Changes the catalog under its lock.
    pub(crate) fn change_catalog<R>(&self, change: impl FnOnce(&mut Catalog) -> R) -> R {
        change(&mut self.catalog.write())
    }

    /// Brokers that are up.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        self.alive.read().clone()
    }

    /// Ids of the brokers that are up.
    pub(crate) fn alive(&self) -> Vec<i32> {
        self.alive.read().iter().map(|node| node.id).collect()
    }

    /// The broker that answers for the controller: the first that is up, or -1.
    pub(crate) fn controller(&self) -> i32 {
        self.alive.read().first().map_or(NO_LEADER, |node| node.id)
    }

    pub(crate) fn partition(&self, topic: &str, partition: i32) -> Option<Arc<Partition>> {
        let index = usize::try_from(partition).ok()?;
        self.catalog().get(topic)?.partitions.get(index).cloned()
    }

    pub(crate) fn next_producer_id(&self) -> i64 {
        self.next_producer_id.fetch_add(1, Ordering::Relaxed)
    }

    /// A broker setting, or its default.
    pub(crate) fn broker_config<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.broker_configs
            .get(name)
            .map_or(default, String::as_str)
    }

    /// The rack of a broker.
    pub(crate) fn rack_of(&self, broker: i32) -> Option<&str> {
        let index = usize::try_from(broker).ok()?.checked_sub(1)?;
        self.racks.get(index).map(String::as_str)
    }

    pub(crate) fn holds_moves(&self) -> bool {
        self.hold_moves.load(Ordering::Relaxed)
    }

    pub(crate) fn set_hold_moves(&self, hold: bool) {
        self.hold_moves.store(hold, Ordering::Relaxed);
    }

    /// Whether an authorizer is configured: without one there are no ACLs.
    pub(crate) fn has_authorizer(&self) -> bool {
        !self.broker_config("authorizer.class.name", "").is_empty()
    }

    /// Spreads `count` partitions with `factor` replicas each over the brokers.
    pub(crate) fn place(
        &self,
        first_partition: usize,
        count: usize,
        factor: usize,
    ) -> Vec<Vec<i32>> {
        let brokers = self.broker_count;
        let offset = if first_partition == 0 {
            self.next_first_replica.fetch_add(1, Ordering::Relaxed) as usize
        } else {
            0
        };
        (first_partition..first_partition + count)
            .map(|partition| {
                (0..factor)
                    .map(|replica| ((offset + partition + replica) % brokers) as i32 + 1)
                    .collect()
            })
            .collect()
    }

    /// Counts bytes that a log gained.
    pub(crate) fn hold(&self, bytes: u64) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that a log gave up.
    pub(crate) fn release(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes of records in memory.
    pub(crate) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Marks a broker up and gives it the partitions that have no leader and live on it.
    pub(crate) fn broker_up(&self, node: Node) {
        let mut alive = self.alive.write();
        alive.retain(|known| known.id != node.id);
        alive.push(node);
        alive.sort_by_key(|known| known.id);
        drop(alive);
        for (_, topic) in self.catalog().iter() {
            for partition in &topic.partitions {
                let mut state = partition.lock();
                if state.leader == NO_LEADER && state.replicas.contains(&node.id) {
                    // nobody else kept the producers' history: only its snapshot is left
                    state.log.producers_mut().reload();
                    state.lead(node.id);
                }
            }
        }
    }

    /// Marks a broker down and moves what it led to replicas that are up.
    pub(crate) fn broker_down(&self, id: i32) {
        self.alive.write().retain(|node| node.id != id);
        let alive = self.alive();
        for (_, topic) in self.catalog().iter() {
            for partition in &topic.partitions {
                let mut state = partition.lock();
                if state.leader == id {
                    let next = state.in_sync(&alive).next().unwrap_or(NO_LEADER);
                    state.lead(next);
                }
            }
        }
    }

    /// Applies time retention and producer expiry to every partition.
    pub(crate) fn retain_all(&self, now_ms: i64) {
        for (_, topic) in self.catalog().iter() {
            for partition in &topic.partitions {
                let freed = partition.lock().log.retain(&topic.settings, now_ms);
                self.release(freed);
            }
        }
    }

    /// Forgets idempotent producers whose last record is older than the expiration time.
    pub(crate) fn expire_producers(&self, now_ms: i64) {
        let expiration = self
            .broker_config("producer.id.expiration.ms", "86400000")
            .parse()
            .unwrap_or(86_400_000);
        self.expire_producers_before(now_ms.saturating_sub(expiration));
    }

    /// Forgets those whose last record is not younger than `horizon_ms`.
    pub(crate) fn expire_producers_before(&self, horizon_ms: i64) {
        for (_, topic) in self.catalog().iter() {
            for partition in &topic.partitions {
                partition.lock().log.producers_mut().expire(horizon_ms);
            }
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
        })
}
