//! Executes a plan, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use kafka::Cluster;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::change::{Action, Block, ResourceChange};
use crate::document::Plan;
use crate::event::{ApplyEvent, ApplyObserver, ApplySummary, Unfinished};
use crate::execute::{ChangeError, Done, execute};
use crate::guard::{Clients, FailureKind};
use crate::recheck::Difference;

/// Limits of an apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How long a change may take to show on the cluster after the controller accepted it.
    pub visible_within: Duration,
    /// First pause between two looks; doubles up to a second.
    pub poll: Duration,
}

impl Default for ApplyOptions {
    /// Thirty seconds; first look after 20 milliseconds.
    fn default() -> Self {
        Self {
            visible_within: Duration::from_secs(30),
            poll: Duration::from_millis(20),
        }
    }
}

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
    #[error("cluster {alias}: the plan changes topics on it, but there is no connection to it")]
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
    /// The apply was told to stop and did, between two changes.
    #[error("interrupted: {} not started", count(summary.not_started.len()))]
    Interrupted {
        /// What was done before.
        summary: Box<ApplySummary>,
    },
}

impl ApplyError {
    /// What the failure means to whoever started the command.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Blocked { .. } | Self::WrongCluster { .. } => FailureKind::Refused,
            Self::Stale { .. } => FailureKind::Stale,
            Self::NoClient { .. }
            | Self::Cluster { .. }
            | Self::Failed { .. }
            | Self::Interrupted { .. } => FailureKind::Error,
        }
    }

    /// What was done before the apply stopped; `None` when it was refused before it began.
    pub fn summary(&self) -> Option<&ApplySummary> {
        match self {
            Self::Stale { summary, .. }
            | Self::Failed { summary, .. }
            | Self::Interrupted { summary } => Some(summary),
            Self::Blocked { .. }
            | Self::WrongCluster { .. }
            | Self::NoClient { .. }
            | Self::Cluster { .. } => None,
        }
    }
}

/// Executes `plan`, change by change in its order, with the default limits.
///
/// Nothing is changed when any change is blocked, when a cluster has another id than the plan
/// names, or when a cluster does not answer. Then each live topic is read again right before its
/// change: what is neither as read nor as planned stops the apply as stale, what is already as
/// planned is skipped, so that an interrupted apply is resumed by applying the same plan again.
/// Each change is awaited until the cluster shows it.
///
/// Cancelling `cancel` stops between two changes. Dropping the future is not cancel safe: a request
/// may be on its way.
pub async fn apply(
    plan: &Plan,
    clients: &Clients,
    observer: &dyn ApplyObserver,
    cancel: &CancellationToken,
) -> Result<ApplySummary, ApplyError> {
    apply_with(plan, clients, &ApplyOptions::default(), observer, cancel).await
}

/// [`apply`] with limits of the caller's choice.
pub async fn apply_with(
    plan: &Plan,
    clients: &Clients,
    options: &ApplyOptions,
    observer: &dyn ApplyObserver,
    cancel: &CancellationToken,
) -> Result<ApplySummary, ApplyError> {
    let started = Instant::now();
    refuse_blocked(plan)?;
    let changes = pending(plan);
    refuse_wrong_clusters(plan, clients, &changes).await?;

    observer.event(&ApplyEvent::ApplyStarted {
        changes: changes.len(),
    });
    let mut run = Run {
        summary: ApplySummary::default(),
        started,
        observer,
    };
    for (index, change) in changes.iter().enumerate() {
        if cancel.is_cancelled() {
            run.not_started(&changes[index..]);
            observer.event(&ApplyEvent::Interrupted {
                not_started: changes.len() - index,
            });
            return Err(ApplyError::Interrupted {
                summary: Box::new(run.finish()),
            });
        }
        observer.event(&ApplyEvent::ChangeStarted {
            address: change.address.clone(),
            action: change.change.action(),
            number: index + 1,
            of: changes.len(),
        });
        let cluster = client(clients, &change.cluster)?;
        if let Err(stop) = run.change(cluster, change, options).await {
            run.not_started(&changes[index + 1..]);
            return Err(stop.into_error(change, run.finish()));
        }
    }
    Ok(run.finish())
}

fn refuse_blocked(plan: &Plan) -> Result<(), ApplyError> {
    let blocked: Vec<(String, Block)> = plan
        .resource_changes
        .iter()
        .flat_map(|change| {
            change
                .blocked
                .iter()
                .map(|block| (change.address.clone(), block.clone()))
        })
        .collect();
    if blocked.is_empty() {
        Ok(())
    } else {
        Err(ApplyError::Blocked { blocked })
    }
}

fn pending(plan: &Plan) -> Vec<&ResourceChange> {
    plan.resource_changes
        .iter()
        .filter(|change| match change.change.action() {
            Action::NoOp => false,
            Action::Create | Action::Update => true,
        })
        .collect()
}

/// Clusters that nothing changes on need not even be reachable.
async fn refuse_wrong_clusters(
    plan: &Plan,
    clients: &Clients,
    changes: &[&ResourceChange],
) -> Result<(), ApplyError> {
    let aliases: BTreeSet<&str> = changes
        .iter()
        .map(|change| change.cluster.as_str())
        .collect();
    for alias in aliases {
        let expected = plan
            .clusters
            .iter()
            .find(|cluster| cluster.alias == alias)
            .map(|cluster| cluster.cluster_id.clone())
            .ok_or_else(|| ApplyError::NoClient {
                alias: alias.to_owned(),
            })?;
        let found = client(clients, alias)?
            .metadata_of(&[])
            .await
            .map_err(|source| ApplyError::Cluster {
                alias: alias.to_owned(),
                source,
            })?
            .cluster_id;
        if found != expected {
            return Err(ApplyError::WrongCluster {
                alias: alias.to_owned(),
                expected,
                found,
            });
        }
    }
    Ok(())
}

fn client<'a>(clients: &'a Clients, alias: &str) -> Result<&'a Cluster, ApplyError> {
    clients.get(alias).ok_or_else(|| ApplyError::NoClient {
        alias: alias.to_owned(),
    })
}

/// An apply under way.
struct Run<'a> {
    summary: ApplySummary,
    started: Instant,
    observer: &'a dyn ApplyObserver,
}

/// Why the apply stops at a change.
enum Stop {
    Stale(Vec<Difference>),
    Failed(String),
}

impl Stop {
    fn into_error(self, change: &ResourceChange, summary: ApplySummary) -> ApplyError {
        let address = change.address.clone();
        let summary = Box::new(summary);
        match self {
            Self::Stale(differences) => ApplyError::Stale {
                address,
                differences,
                summary,
            },
            Self::Failed(message) => ApplyError::Failed {
                address,
                message,
                summary,
            },
        }
    }
}

impl Run<'_> {
    async fn change(
        &mut self,
        cluster: &Cluster,
        change: &ResourceChange,
        options: &ApplyOptions,
    ) -> Result<(), Stop> {
        let address = change.address.clone();
        let started = Instant::now();
        let mut steps_done = Vec::new();
        match execute(cluster, change, options, &mut steps_done).await {
            Ok(Done::Applied) => {
                let elapsed_ms = millis(started);
                self.observer.event(&ApplyEvent::ChangeDone {
                    address: address.clone(),
                    elapsed_ms,
                });
                self.summary.applied.push(address);
                Ok(())
            }
            Ok(Done::Already) => {
                self.observer.event(&ApplyEvent::ChangeSkipped {
                    address: address.clone(),
                });
                self.summary.already_done.push(address);
                Ok(())
            }
            Err(ChangeError::Stale(differences)) => {
                self.observer.event(&ApplyEvent::ChangeStale {
                    address: address.clone(),
                    differences: differences.clone(),
                });
                self.summary.unfinished = Some(Unfinished {
                    address,
                    steps_done,
                });
                Err(Stop::Stale(differences))
            }
            Err(
                error @ (ChangeError::Read(_)
                | ChangeError::Request { .. }
                | ChangeError::InDoubt { .. }
                | ChangeError::NotVisible { .. }),
            ) => {
                let message = error.to_string();
                self.observer.event(&ApplyEvent::ChangeFailed {
                    address: address.clone(),
                    message: message.clone(),
                    steps_done: steps_done.clone(),
                });
                self.summary.unfinished = Some(Unfinished {
                    address,
                    steps_done,
                });
                Err(Stop::Failed(message))
            }
        }
    }

    fn not_started(&mut self, changes: &[&ResourceChange]) {
        self.summary
            .not_started
            .extend(changes.iter().map(|change| change.address.clone()));
    }

    fn finish(&mut self) -> ApplySummary {
        let mut summary = std::mem::take(&mut self.summary);
        summary.elapsed_ms = millis(self.started);
        self.observer.event(&ApplyEvent::Summary(summary.clone()));
        summary
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

fn count(changes: usize) -> String {
    if changes == 1 {
        "1 change".to_owned()
    } else {
        format!("{changes} changes")
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
