//! `mirrorctl plan`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plan::{Clients, Desired, FormerFolder, Infrastructure, Permissions, Plan};
use topology::{Pattern, Topology};

use crate::cli::{Format, PlanArgs, ScopeArgs};
use crate::commands::scope;
use crate::connect::{ConnectError, connect_where_possible};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::former;
use crate::load::load;
use crate::output::{self, Terminal};
use crate::rendered;
use crate::session::{Ended, Session};

/// Reads the clusters, prints what would change, saves it when asked to.
pub(crate) async fn plan(session: &Session, args: &PlanArgs) -> Ended {
    let topology = load(&args.file)?;
    let subject = Subject::of(&args.file, &topology)?;
    let (made, seen) = futures::join!(
        attempt(session, &subject, &args.scope, args.reassignment_throttle),
        session.until_stopped(infrastructure(&topology, &args.scope)),
    );
    let seen = seen?;
    let plan = match made {
        Ok(made) if made.missing.is_empty() => made
            .plan
            .with_infrastructure(seen)
            .with_former_folders(former_folders(&args.file, &topology, &args.scope)),
        Ok(Made { plan, missing, .. }) => {
            show_rest(session, &plan);
            show_drift(session, seen);
            return Err(Failure::Connect(missing));
        }
        Err(failure) => {
            show_drift(session, seen);
            return Err(failure);
        }
    };
    match session.terminal.format() {
        Format::Human => output::result(&asked(&plan, &args.scope, session.terminal))?,
        Format::Json => output::json(&plan.without_secrets())?,
    }
    if let Some(path) = &args.out {
        plan.save(path)?;
        if session.terminal.format() == Format::Human {
            let path = path.display();
            output::note(&if plan.is_blocked() {
                format!(
                    "Saved to {path} for review: apply will refuse it because of what is blocked."
                )
            } else {
                format!("Saved to {path}. Apply exactly this with: mirrorctl apply {path}")
            });
        }
    }
    Ok(if !args.detailed_exitcode {
        Outcome::Done
    } else if plan.is_blocked() {
        Outcome::ChangesBlocked
    } else if plan.has_changes() || plan.has_drifted_infrastructure() {
        Outcome::ChangesPending
    } else if plan
        .infrastructure
        .as_ref()
        .is_some_and(Infrastructure::has_failed)
    {
        return Err(Failure::InfrastructureUnknown);
    } else {
        Outcome::Done
    })
}

/// Folders that were rendered into before, where files were asked for.
pub(crate) fn former_folders(
    file: &Path,
    topology: &Topology,
    asked: &ScopeArgs,
) -> Vec<FormerFolder> {
    if scope::speaks_of_files(&asked.target, &asked.exclude) {
        former::folders(file, topology)
    } else {
        Vec::new()
    }
}

/// What the clusters that answer need, beside the error about the others. Not on stdout: it is not the plan that was asked for.
fn show_rest(session: &Session, plan: &Plan) {
    if plan.clusters.is_empty() && !plan.has_changes() {
        return;
    }
    let text = plan::text::render_human(plan, plain(session.terminal));
    output::note(&format!(
        "Without the clusters that cannot be reached, the plan would be (`--target` by address asks for it alone):\n{}",
        text.trim_end()
    ));
}

/// Brokers that do not answer may be machines that are gone.
fn show_drift(session: &Session, seen: Option<Infrastructure>) {
    if let Some(seen) = seen.filter(Infrastructure::has_drift) {
        let text = plan::text::render_infrastructure(&seen, plain(session.terminal));
        output::note(text.trim_end());
    }
}

/// What a plan is made for.
pub(crate) struct Subject<'a> {
    /// The topology.
    topology: &'a Topology,
    /// What it declares, rendered files included.
    pub(crate) desired: Desired,
}

impl<'a> Subject<'a> {
    /// The topology that was loaded from this file, and its files.
    pub(crate) fn of(file: &Path, topology: &'a Topology) -> Result<Self, Failure> {
        let mut desired = Desired::from(topology);
        desired.folder = rendered::files(file, topology)?;
        Ok(Self { topology, desired })
    }

    /// What of it can be meant by these patterns: all of it, nothing but the files, or nothing of the files.
    pub(crate) fn narrowed(&self, targets: &[Pattern], exclude: &[Pattern]) -> Cow<'_, Desired> {
        let Desired { name, folder, .. } = &self.desired;
        if scope::speaks_of_no_cluster(targets) {
            let read = scope::speaks_of_files(targets, exclude);
            Cow::Owned(Desired {
                name: name.clone(),
                folder: folder.clone().filter(|_| read),
                ..Desired::default()
            })
        } else if folder.is_none() || scope::speaks_of_files(targets, exclude) {
            Cow::Borrowed(&self.desired)
        } else {
            Cow::Owned(Desired {
                folder: None,
                ..self.desired.clone()
            })
        }
    }
}

/// The plan for the clusters and files as they are now, and the connections it was made over. Fails where a cluster that
/// something is declared on cannot be reached.
pub(crate) async fn make(
    session: &Session,
    subject: &Subject<'_>,
    asked: &ScopeArgs,
    reassignment_throttle: u64,
) -> Result<(Plan, Clients), Failure> {
    let made = attempt(session, subject, asked, reassignment_throttle).await?;
    if made.missing.is_empty() {
        Ok((made.plan, made.clients))
    } else {
        Err(Failure::Connect(made.missing))
    }
}

/// A plan of what could be reached.
struct Made {
    plan: Plan,
    clients: Clients,
    /// Why it says nothing about other clusters that something is declared on.
    missing: Vec<ConnectError>,
}

async fn attempt(
    session: &Session,
    subject: &Subject<'_>,
    asked: &ScopeArgs,
    reassignment_throttle: u64,
) -> Result<Made, Failure> {
    let topology = subject.topology;
    let no_cluster = scope::speaks_of_no_cluster(&asked.target);
    let mut desired = subject.narrowed(&asked.target, &asked.exclude).into_owned();
    let allowed = Permissions::to_destroy(asked.allow_destroy.iter().cloned())
        .copying_at(reassignment_throttle);
    let made = session
        .until_stopped(async {
            let Reached {
                managed,
                all,
                unreached,
                missing,
            } = if no_cluster {
                Reached::default()
            } else {
                connect_for(topology, &needed(topology, asked)).await?
            };
            desired
                .clusters
                .retain(|alias, _| !unreached.contains_key(alias));
            let (observed, evidence) = futures::join!(
                plan::observe_desired(&desired, &managed),
                plan::proof::gather(topology, &all, &unreached),
            );
            let ids = all.iter();
            let ids = ids.map(|(alias, client)| (alias.clone(), client.cluster_id().to_owned()));
            let plan = plan::diff_desired(&desired, &observed?.knowing(ids), &allowed);
            let findings = plan::proof::judge(topology, &evidence);
            Ok::<_, Failure>(Made {
                plan: plan.with_findings(findings),
                clients: managed,
                missing,
            })
        })
        .await??;
    // what lies on clusters that cannot be reached may match all the same
    if made.missing.is_empty() {
        scope::warn_of_unmatched(&made.plan, asked);
    }
    let rehearsed = plan::rehearsed(scope::narrowed(made.plan, asked), &made.clients);
    Ok(Made {
        plan: session.until_stopped(rehearsed).await??,
        ..made
    })
}

/// What a plan reads from.
#[derive(Default)]
struct Reached {
    /// Clusters that something is declared on.
    managed: Clients,
    /// And those that mirrors have to do with besides.
    all: Clients,
    /// Why others of both could not be reached, by alias.
    unreached: BTreeMap<String, String>,
    /// The same of those that something is declared on.
    missing: Vec<ConnectError>,
}

/// The clusters that a plan for these addresses cannot do without: those that the addresses name, and the targets of mirrors,
/// which keep their state. A source that is gone is what mirrors are promoted for.
pub(crate) fn needed(topology: &Topology, asked: &ScopeArgs) -> BTreeSet<String> {
    let managed = plan::managed_clusters(topology);
    let meant = topology
        .mirrors
        .iter()
        .filter(|mirror| scope::is_asked_for(&format!("mirror.{}", mirror.name), asked));
    let targets: BTreeSet<String> = meant.map(|mirror| mirror.target.clone()).collect();
    managed
        .into_iter()
        .filter(|it| targets.contains(it) || scope::speaks_of_cluster(&asked.target, it))
        .collect()
}

/// Connections to the clusters that something is declared on, and to those that mirrors have to do with, as far as they can be
/// reached; why not, for the others.
///
/// Those that are not `needed` are no reason to fail: what is declared on them was not asked for.
async fn connect_for(topology: &Topology, needed: &BTreeSet<String>) -> Result<Reached, Failure> {
    let managed = plan::managed_clusters(topology);
    let mut judged_aliases = plan::proof::judged_clusters(topology);
    judged_aliases.retain(|alias| !managed.contains(alias));
    let (managed, judged) = futures::join!(
        connect_where_possible(topology, &managed),
        connect_where_possible(topology, &judged_aliases)
    );
    let ((managed, mut missing), (others, unreached)) = (managed?, judged?);
    let mut all = managed.clone();
    all.extend(others);
    let reasons = missing.iter().chain(&unreached);
    let reasons = reasons.map(|(alias, error)| (alias.clone(), error.to_string()));
    let reasons = reasons.collect();
    missing.retain(|alias, _| needed.contains(alias));
    let mut missing: Vec<ConnectError> = missing.into_values().collect();
    if !missing.is_empty() {
        // where a plan fails for want of connections, clusters that it would do without and that nobody knows the addresses of
        // are named, too: who fills them in does that once
        let besides = unreached.into_values();
        missing.extend(besides.filter(|it| matches!(it, ConnectError::NoAddress { .. })));
    }
    Ok(Reached {
        unreached: reasons,
        managed,
        all,
        missing,
    })
}

/// What there is of the declared infrastructure, as far as that was asked for.
async fn infrastructure(topology: &Topology, asked: &ScopeArgs) -> Option<Infrastructure> {
    if scope::speaks_of_files_only(&asked.target) {
        return None;
    }
    let mut seen = aws::observe(topology).await?;
    // what is asked for by its address and not looked at is no "nothing differs"
    if scope::speaks_of_infrastructure(&asked.target) {
        for missed in &mut seen.not_observed {
            missed.failed = true;
        }
    }
    Some(seen.only(|drift| scope::is_asked_for(&drift.address, asked)))
}

/// What was asked for of a plan, as people read it.
pub(crate) fn asked(plan: &Plan, scope: &ScopeArgs, terminal: Terminal) -> String {
    if scope.drift_only && !plan.has_changes() && plan.infrastructure.is_none() {
        "No drift: nothing that was applied was changed by anybody else since.\n".to_owned()
    } else {
        human(plan, terminal)
    }
}

/// The plan as people read it.
pub(crate) fn human(plan: &Plan, terminal: Terminal) -> String {
    plan::text::render_human(plan, style(terminal))
}

fn style(terminal: Terminal) -> plan::text::Style {
    plan::text::Style {
        color: true,
        width: terminal.width(),
    }
}

fn plain(terminal: Terminal) -> plan::text::Style {
    plan::text::Style {
        color: false,
        ..style(terminal)
    }
}
