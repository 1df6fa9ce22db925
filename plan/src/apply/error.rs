//! Why an apply did not reach its end.

use kafka::security::SecurityError;

use super::event::ApplySummary;
use super::lease::Holder;
use crate::change::Block;
use crate::difference::Difference;
use crate::guard::FailureKind;
use crate::rendered_file::FileError;
use crate::topic::live::ReadError;

/// Why an apply did not reach the end of the plan. What was done before is in `summary`.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Safety rails refuse changes of this plan; nothing was changed.
    #[error("the plan holds {} that safety rails refuse; nothing was changed: {}",
        count(blocked.len()), list(blocked))]
    Blocked {
        /// Address and rail of each refusal.
        blocked: Vec<(String, Block)>,
    },
    /// The live cluster is another one than the plan was made for; nothing was changed.
    #[error(
        "cluster {alias} calls itself {found}, but the plan was made for {expected}: refusing to \
         touch it"
    )]
    WrongCluster {
        /// Cluster alias.
        alias: String,
        /// The id in the plan.
        expected: String,
        /// The id of the live cluster.
        found: String,
    },
    /// The plan changes a cluster that it does not list, or that nobody connected to.
    #[error("cluster {alias}: the plan changes something on it, but there is no connection to it")]
    NoClient {
        /// Cluster alias.
        alias: String,
    },
    /// A cluster could not be asked for its id; nothing was changed.
    #[error("cluster {alias}: {source}")]
    Cluster {
        /// Cluster alias.
        alias: String,
        /// What went wrong.
        source: kafka::Error,
    },
    /// The live resources could not be read; nothing was changed.
    #[error("cluster {alias}: {source}")]
    Unread {
        /// Cluster alias.
        alias: String,
        /// What went wrong.
        source: Box<ReadError>,
    },
    /// The rendered files could not be read, or their manifest not be written; nothing else was changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A password that the plan sets cannot be used; nothing was changed.
    #[error("{address}: {source}; nothing was changed")]
    Password {
        /// Address of the user.
        address: String,
        /// What is wrong with it.
        source: SecurityError,
    },
    /// Somebody else applies to the cluster; nothing was changed.
    #[error("cluster {alias}: another apply is under way{}", by(holder.as_deref()))]
    Locked {
        /// Cluster alias.
        alias: String,
        /// Who, and since when; absent where the brokers took longer to answer than a claim lasts.
        holder: Option<Box<Holder>>,
    },
    /// The lease on the cluster could not be renewed in time, and somebody else may apply by now; the apply stopped.
    #[error("the lease on the clusters was lost: {} not started", count(summary.not_started.len()))]
    LeaseLost {
        /// What was done before.
        summary: Box<ApplySummary>,
    },
    /// A live resource is neither what the plan read nor what it sets; the apply stopped there.
    #[error("the plan is stale at {address}: {}", joined(differences))]
    Stale {
        /// Address of the resource.
        address: String,
        /// Each attribute that differs.
        differences: Vec<Difference>,
        /// What was done before.
        summary: Box<ApplySummary>,
    },
    /// A change failed; the apply stopped there.
    #[error("{address}: {message}")]
    Failed {
        /// Address of the resource.
        address: String,
        /// What went wrong.
        message: String,
        /// What was done before.
        summary: Box<ApplySummary>,
    },
    /// The apply was told to stop and did, between two changes or two steps of one.
    #[error("interrupted: {}{} not started", unfinished(summary), count(summary.not_started.len()))]
    Interrupted {
        /// What was done before.
        summary: Box<ApplySummary>,
    },
}

impl ApplyError {
    pub(crate) fn no_client(alias: &str) -> Self {
        Self::NoClient {
            alias: alias.to_owned(),
        }
    }

    pub(crate) fn unread(alias: &str, source: ReadError) -> Self {
        Self::Unread {
            alias: alias.to_owned(),
            source: Box::new(source),
        }
    }

    pub(crate) fn cluster(alias: &str, source: kafka::Error) -> Self {
        Self::Cluster {
            alias: alias.to_owned(),
            source,
        }
    }

    /// What the failure means to whoever started the command.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Blocked { .. } | Self::WrongCluster { .. } | Self::Locked { .. } => {
                FailureKind::Refused
            }
            Self::Stale { .. } => FailureKind::Stale,
            Self::File(error) => error.kind(),
            Self::NoClient { .. }
            | Self::Cluster { .. }
            | Self::Unread { .. }
            | Self::Password { .. }
            | Self::Failed { .. }
            | Self::LeaseLost { .. }
            | Self::Interrupted { .. } => FailureKind::Error,
        }
    }

    /// What was done before the apply stopped; `None` when it was refused before it began.
    pub fn summary(&self) -> Option<&ApplySummary> {
        match self {
            Self::Stale { summary, .. }
            | Self::Failed { summary, .. }
            | Self::LeaseLost { summary }
            | Self::Interrupted { summary } => Some(summary),
            Self::Blocked { .. }
            | Self::WrongCluster { .. }
            | Self::Locked { .. }
            | Self::NoClient { .. }
            | Self::Cluster { .. }
            | Self::Password { .. }
            | Self::File(_)
            | Self::Unread { .. } => None,
        }
    }
}

fn count(changes: usize) -> String {
    if changes == 1 {
        "1 change".to_owned()
    } else {
        format!("{changes} changes")
    }
}

/// What was begun and not brought to its end.
fn unfinished(summary: &ApplySummary) -> String {
    if summary.unfinished.is_empty() {
        String::new()
    } else {
        format!("{} not finished, ", count(summary.unfinished.len()))
    }
}

fn list(blocked: &[(String, Block)]) -> String {
    blocked
        .iter()
        .map(|(address, block)| format!("{address}: {}", block.message))
        .collect::<Vec<_>>()
        .join("; ")
}

fn joined(differences: &[Difference]) -> String {
    differences
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(", by {holder}"))
}
