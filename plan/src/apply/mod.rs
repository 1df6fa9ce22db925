//! Executes a plan, and nothing else.

mod audit;
mod error;
mod event;
mod everywhere;
pub(crate) mod execute;
mod lease;
mod recheck;
mod record;
mod run;
mod sites;
mod stopping;
pub(crate) mod surroundings;
pub(crate) mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::{Either, select};
use futures::lock::Mutex;
use kafka::Cluster;
use tokio_util::sync::CancellationToken;

pub use audit::{AUDIT, AuditEvent, AuditRecord, AuditedChange, history};
pub use error::ApplyError;
pub use event::{ApplyEvent, ApplyObserver, ApplySummary, Unfinished};
pub use lease::{Applicant, Holder};

use crate::change::{Action, Block, BlockCode, ResourceChange};
use crate::document::Plan;
use crate::guard::Clients;
use crate::home::Home;
use crate::permissions::REASSIGNMENT_THROTTLE;
use crate::rendered_file::FileError;
use crate::scram_user::Credentials;
use run::Run;
use sites::Sites;

/// Limits of an apply, and who it is.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How long a change may take to show on the cluster after the controller accepted it.
    pub visible_within: Duration,
    /// First pause between two looks; doubles up to a second.
    pub poll: Duration,
    /// How many changes that do not depend on each other are made at once.
    pub concurrency: usize,
    /// How long to wait for another apply to end.
    pub lock_timeout: Duration,
    /// How long a cluster with changes under way may be silent once the apply is to stop, before their end is no longer
    /// waited for.
    pub silent_for: Duration,
    /// Bytes a second that each broker may send and receive to copy replicas.
    pub reassignment_throttle: u64,
    /// Who applies: shown to whoever finds the cluster locked, and kept in the audit record.
    pub applicant: Applicant,
}

impl Default for ApplyOptions {
    /// Thirty seconds; first look after 20 milliseconds; eight at once; no waiting for others; fifteen seconds of
    /// silence; [`REASSIGNMENT_THROTTLE`].
    fn default() -> Self {
        Self {
            visible_within: Duration::from_secs(30),
            poll: Duration::from_millis(20),
            concurrency: 8,
            lock_timeout: Duration::ZERO,
            silent_for: Duration::from_secs(15),
            reassignment_throttle: REASSIGNMENT_THROTTLE,
            applicant: Applicant::default(),
        }
    }
}

/// Executes `plan` with the default limits.
///
/// Nothing is changed when any change is blocked, when a password that is to be set cannot be read, when a cluster has another id than the plan
/// names, when a cluster does not answer, or when somebody else applies to one. Then, in the order
/// of what depends on what, each live resource is read again right before its change: what is
/// neither as read nor as planned stops the apply as stale, what is already as planned is skipped,
/// so that an interrupted apply is resumed by applying the same plan again. Each change is awaited
/// until the cluster shows it, and at the end until each of its brokers does. Changes that do not depend on each other are made side by side; when
/// one stops the apply, those under way are brought to their end, unless their cluster does not answer any more.
///
/// A folder of rendered files is changed likewise, without a lease and without an audit record: its manifest says what was
/// rendered into it.
///
/// Cancelling `cancel` stops between changes, and between two batches of replicas that move.
/// Dropping the future is not cancel safe: a request
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
    refuse_blocked(plan)?;
    refuse_elsewhere(plan)?;
    let aliases = touched(plan);
    refuse_wrong_clusters(plan, clients, &aliases).await?;
    let moving: BTreeMap<String, Mutex<()>> = aliases
        .iter()
        .map(|alias| ((*alias).to_owned(), Mutex::new(())))
        .collect();
    if aliases.is_empty() && !changes_files(plan) {
        let nobody = Credentials::default();
        return Ok(Run::new(plan, clients, &nobody, options, observer, &moving).finish());
    }
    let credentials = Credentials::gather(plan)
        .map_err(|(address, source)| ApplyError::Password { address, source })?;
    let mut sites = Sites::enter(plan, clients, &aliases, options, (observer, cancel)).await?;
    let lost = CancellationToken::new();
    let outcome = {
        let run = Run::new(plan, clients, &credentials, options, observer, &moving);
        let run = run.changes(cancel, &lost);
        let run = std::pin::pin!(run);
        let keep = std::pin::pin!(sites.keep(&lost));
        match select(run, keep).await {
            Either::Left((outcome, _)) => outcome,
            // what is under way comes to its end; nothing new begins
            Either::Right(((), run)) => run.await,
        }
    };
    sites.leave(&outcome).await;
    outcome
}

/// Clusters on which anything is changed, or the record of what is ours.
fn touched(plan: &Plan) -> BTreeSet<&str> {
    let changed = plan
        .resource_changes
        .iter()
        .filter(|change| change.action() != Action::NoOp || change.record.is_some())
        .filter_map(|change| change.home.cluster());
    let forgotten = plan.forget.iter().map(|it| it.cluster.as_str());
    let left_behind = plan.left_behind.iter().map(|it| it.cluster.as_str());
    changed.chain(forgotten).chain(left_behind).collect()
}

/// Whether anything in the folder of rendered files is changed, or its manifest. No cluster need be reached for that.
fn changes_files(plan: &Plan) -> bool {
    let mut changes = plan.resource_changes.iter();
    plan.folder.as_ref().is_some_and(|it| !it.forget.is_empty())
        || changes.any(|change| match &change.home {
            Home::Folder(_) => change.action() != Action::NoOp || change.record.is_some(),
            Home::Cluster(_) => false,
        })
}

/// A plan that is applied on another machine, or after its folder was moved, would write where nobody looks.
fn refuse_elsewhere(plan: &Plan) -> Result<(), FileError> {
    match &plan.folder {
        Some(folder) if changes_files(plan) && !folder.below.is_dir() => {
            Err(FileError::Elsewhere {
                below: folder.below.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

fn client<'a>(clients: &'a Clients, alias: &str) -> Result<&'a Cluster, ApplyError> {
    clients
        .get(alias)
        .ok_or_else(|| ApplyError::no_client(alias))
}

fn refuse_blocked(plan: &Plan) -> Result<(), ApplyError> {
    let of_change = |change: &ResourceChange| -> Vec<(String, Block)> {
        let blocked = change.blocked.iter();
        blocked
            .map(|block| (change.address.clone(), block.clone()))
            .collect()
    };
    let of_mirrors = plan.findings.iter().filter(|finding| finding.is_blocked());
    let of_mirrors = of_mirrors.map(|finding| {
        let block = Block {
            code: BlockCode::MirrorFinding,
            message: format!("{}: {}", finding.id, finding.message),
        };
        (finding.address.clone(), block)
    });
    let of_changes = plan.resource_changes.iter().flat_map(of_change);
    let blocked: Vec<(String, Block)> = of_changes.chain(of_mirrors).collect();
    if blocked.is_empty() {
        Ok(())
    } else {
        Err(ApplyError::Blocked { blocked })
    }
}

/// Clusters that nothing changes on need not even be reachable.
async fn refuse_wrong_clusters(
    plan: &Plan,
    clients: &Clients,
    aliases: &BTreeSet<&str>,
) -> Result<(), ApplyError> {
    for alias in aliases {
        let expected = plan
            .clusters
            .iter()
            .find(|cluster| cluster.alias == *alias)
            .map(|cluster| cluster.cluster_id.clone())
            .ok_or_else(|| ApplyError::no_client(alias))?;
        let found = client(clients, alias)?
            .metadata_of(&[])
            .await
            .map_err(|source| ApplyError::cluster(alias, source))?
            .cluster_id;
        if found != expected {
            return Err(ApplyError::WrongCluster {
                alias: (*alias).to_owned(),
                expected,
                found,
            });
        }
    }
    Ok(())
}
