//! A partition: who leads it, its log, and the fetches that wait for it.

use std::sync::Arc;

use kafka_protocol::ResponseError;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::log::PartitionLog;
use crate::reassignment::Move;

/// Broker id that means "nobody".
pub(crate) const NO_LEADER: i32 = -1;

/// What a partition knows; guarded by one lock, never held across an await.
#[derive(Debug)]
pub(crate) struct PartitionState {
    /// Leading broker, or -1.
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    /// Brokers that hold the partition, preferred leader first.
    pub(crate) replicas: Vec<i32>,
    /// On its way to other brokers.
    pub(crate) moving: Option<Move>,
    /// Set when the topic was deleted: waiting requests then answer that it is unknown.
    pub(crate) deleted: bool,
    pub(crate) log: PartitionLog,
    waiting: Vec<Arc<Notify>>,
}

impl PartitionState {
    /// Whether a request that came to `broker`, believing in `epoch` (-1: no belief), is right.
    pub(crate) fn check_leader(&self, broker: i32, epoch: i32) -> Result<(), ResponseError> {
        if self.deleted {
            return Err(ResponseError::UnknownTopicOrPartition);
        }
        if epoch >= 0 && epoch < self.leader_epoch {
            return Err(ResponseError::FencedLeaderEpoch);
        }
        if epoch > self.leader_epoch {
            return Err(ResponseError::UnknownLeaderEpoch);
        }
        if self.leader == broker {
            Ok(())
        } else {
            Err(ResponseError::NotLeaderOrFollower)
        }
    }

    /// Replicas on brokers that are up and have copied everything.
    pub(crate) fn in_sync<'a>(&'a self, alive: &'a [i32]) -> impl Iterator<Item = i32> + 'a {
        self.replicas
            .iter()
            .copied()
            .filter(|id| alive.contains(id))
            .filter(|id| {
                let moving = self.moving.as_ref();
                moving.is_none_or(|moving| !moving.adding.contains(id))
            })
    }

    /// Hands leadership to `broker` (-1: nobody) in a new epoch.
    pub(crate) fn lead(&mut self, broker: i32) {
        self.leader = broker;
        self.leader_epoch += 1;
        self.wake();
    }

    /// Registers a request to be woken at the next change; once however often it is called.
    pub(crate) fn wait(&mut self, notify: &Arc<Notify>) {
        if !self.waiting.iter().any(|known| Arc::ptr_eq(known, notify)) {
            self.waiting.push(Arc::clone(notify));
        }
    }

    /// Takes back a registration.
    pub(crate) fn stop_waiting(&mut self, notify: &Arc<Notify>) {
        self.waiting.retain(|known| !Arc::ptr_eq(known, notify));
    }

    /// Wakes every request that waits for this partition.
    pub(crate) fn wake(&mut self) {
        for notify in self.waiting.drain(..) {
            notify.notify_one();
        }
    }
}

/// One partition, shared by everybody who looks at it.
#[derive(Debug)]
pub(crate) struct Partition {
    state: Mutex<PartitionState>,
}

impl Partition {
    /// An empty partition on these replicas, led by the first of them that is up.
    pub(crate) fn new(replicas: Vec<i32>, alive: &[i32]) -> Self {
        let leader = replicas
            .iter()
            .copied()
            .find(|id| alive.contains(id))
            .unwrap_or(NO_LEADER);
        Self {
            state: Mutex::new(PartitionState {
                leader,
                leader_epoch: 0,
                replicas,
                moving: None,
                deleted: false,
                log: PartitionLog::default(),
                waiting: Vec::new(),
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, PartitionState> {
        self.state.lock()
    }
}
