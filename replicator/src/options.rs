//! How a run behaves around the copying itself.

use std::time::Duration;

use kafka::Cluster;

use crate::throttle::Throttle;

/// See [`Options::trust`].
const TRUST: Duration = Duration::from_secs(8);

/// When a run ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At the end offsets captured when it started.
    Once,
    /// Never.
    Continuous,
}

/// How a run behaves around the copying itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// When it ends.
    pub mode: Mode,
    /// The mirror's throttle, where several runs (one a source) share it; otherwise the run makes
    /// its own from the mirror's rate.
    pub throttle: Option<Throttle>,
    /// How long a stopped run waits for acknowledgements and positions.
    pub drain_deadline: Duration,
    /// A partition that has something to copy and makes no progress for this long is named.
    pub stall_after: Duration,
    /// A partition without progress for this long is given up; `None` tries for ever.
    pub give_up_after: Option<Duration>,
    /// How long a run goes on copying exactly once without having seen that the mirror is still its own. The same for all
    /// runs of a mirror: a run that the target has forgotten waits this long and a little more.
    pub trust: Duration,
}

impl Options {
    /// Ends at the captured end offsets; gives a partition up after two minutes without progress.
    pub fn once() -> Self {
        Self {
            mode: Mode::Once,
            give_up_after: Some(Duration::from_mins(2)),
            ..Self::continuous()
        }
    }

    /// Runs until stopped and never gives up by itself.
    pub fn continuous() -> Self {
        Self {
            mode: Mode::Continuous,
            throttle: None,
            drain_deadline: Duration::from_secs(20),
            stall_after: Duration::from_mins(1),
            give_up_after: None,
            trust: TRUST,
        }
    }
}

/// A source cluster with its alias, which replication policies put into topic names.
#[derive(Debug, Clone)]
pub struct Source {
    /// Cluster alias.
    pub alias: String,
    /// The connected cluster.
    pub cluster: Cluster,
}
