//! How a run behaves around the copying itself.

use std::time::Duration;

use kafka::Cluster;
use tokio_util::sync::CancellationToken;

use crate::throttle::Throttle;

/// See [`Options::trust`].
const TRUST: Duration = Duration::from_secs(8);

/// When a run ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At the end offsets captured when it started.
    Once,
    /// The same, as the last copy of a mirror that is promoted: at its end the topics are handed over to the applications.
    Last,
    /// Never.
    Continuous,
}

impl Mode {
    /// Whether a run in this mode ends without being stopped.
    pub fn ends_by_itself(self) -> bool {
        match self {
            Self::Once | Self::Last => true,
            Self::Continuous => false,
        }
    }
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
    /// How long a run goes on copying exactly once without having seen that the mirror is still its own; in at-least-once, how
    /// long its process may stand still before it looks again. The same for all runs of a mirror: a run that the target has
    /// forgotten waits this long and a little more.
    pub trust: Duration,
    /// Cancelled before the stop where this process goes on with the mirror: those that stand by are not told then that it is
    /// free, and wait until they hear nothing any more.
    pub goes_on: CancellationToken,
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

    /// As [`Options::once`], for the last copy of a mirror that is promoted.
    pub fn last() -> Self {
        Self {
            mode: Mode::Last,
            ..Self::once()
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
            goes_on: CancellationToken::new(),
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
