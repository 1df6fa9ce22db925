//! What `apply` tells while it runs.

use serde::Serialize;

use crate::change::Action;
use crate::difference::Difference;

/// One event; as JSON one line each, told apart by `event`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ApplyEvent {
    /// Somebody else applies to a cluster; this apply waits for the end of that one.
    Waiting {
        /// Alias of the cluster.
        cluster: String,
        /// Who applies, and since when.
        holder: String,
    },
    /// The plan was accepted; this many changes follow.
    ApplyStarted {
        /// Number of changes, without no-ops.
        changes: usize,
    },
    /// The recheck of a change begins.
    ChangeStarted {
        /// Address of the resource.
        address: String,
        /// What is to be done.
        action: Action,
        /// Position of the change, from 1.
        number: usize,
        /// Number of changes.
        of: usize,
    },
    /// Replicas of a topic move; so many of its partitions are where they shall be.
    ReassignmentProgress {
        /// Address of the topic.
        address: String,
        /// Partitions that arrived.
        done: usize,
        /// Partitions that move.
        of: usize,
    },
    /// Throttles that a killed apply left were taken away.
    ThrottlesCleared {
        /// Address of the topic.
        address: String,
    },
    /// Throttles that a killed apply left could not be taken away, as when a broker is down. They stay in the record.
    ThrottlesLeft {
        /// Address of the topic.
        address: String,
        /// What went wrong.
        message: String,
    },
    /// A change is done and visible on the cluster.
    ChangeDone {
        /// Address of the resource.
        address: String,
        /// Milliseconds from start to visible.
        elapsed_ms: u64,
    },
    /// The live resource was already as planned, as after an interrupted apply.
    ChangeSkipped {
        /// Address of the resource.
        address: String,
    },
    /// The live resource is not what the plan read; apply stops.
    ChangeStale {
        /// Address of the resource.
        address: String,
        /// Each attribute that differs.
        differences: Vec<Difference>,
    },
    /// A change failed; apply stops.
    ChangeFailed {
        /// Address of the resource.
        address: String,
        /// What went wrong.
        message: String,
        /// What of this change was done before.
        steps_done: Vec<String>,
    },
    /// What was applied is done, and some brokers do not show all of it yet: a plan that asks one of them may hold it again.
    BrokersBehind {
        /// Alias of the cluster.
        cluster: String,
        /// Ids of the brokers, those that do not answer among them.
        brokers: Vec<i32>,
    },
    /// Apply was told to stop, or lost a lease, and waits for the changes that are under way.
    Stopping {
        /// How many these are.
        under_way: usize,
        /// Nobody told it to: a lease could not be renewed in time.
        lease_lost: bool,
    },
    /// Apply was told to stop and did, between two changes or two steps of one.
    Interrupted {
        /// Number of changes that were not started.
        not_started: usize,
    },
    /// The last event of every apply that was not refused.
    Summary(ApplySummary),
}

/// What an apply did and did not do, by address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ApplySummary {
    /// Done by this apply and seen on the cluster.
    pub applied: Vec<String>,
    /// Found already done.
    pub already_done: Vec<String>,
    /// Changes that did not come to their end, the one that stopped the apply first.
    pub unfinished: Vec<Unfinished>,
    /// Not touched by this apply.
    pub not_started: Vec<String>,
    /// Milliseconds from start to end.
    pub elapsed_ms: u64,
}

/// A change that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// Address of the resource.
    pub address: String,
    /// Requests of this change that the cluster accepted.
    pub steps_done: Vec<String>,
    /// The cluster did not answer: whether any of it was done is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
}

/// Hears what `apply` does. Called between requests: an observer that blocks delays the apply.
pub trait ApplyObserver: Send + Sync {
    /// Called once an event, in order.
    fn event(&self, event: &ApplyEvent);
}

impl<F: Fn(&ApplyEvent) + Send + Sync> ApplyObserver for F {
    fn event(&self, event: &ApplyEvent) {
        self(event);
    }
}
