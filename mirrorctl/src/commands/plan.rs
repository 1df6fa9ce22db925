//! `mirrorctl plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plan::{Clients, Desired, Infrastructure, Permissions, Plan};
use topology::{Platform, Topology};

use crate::cli::{Format, PlanArgs, ScopeArgs};
use crate::commands::scope;
use crate::connect::{ConnectError, connect, connect_where_possible};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, Terminal};
use crate::rendered;
use crate::session::{Ended, Session};

/// Reads the clusters, prints what would change, saves it when asked to.
pub(crate) async fn plan(session: &Session, args: &PlanArgs) -> Ended {
    let topology = load(&args.file)?;
    let subject = Subject::of(&args.file, &topology)?;
    let (made, seen) = futures::join!(
        make(session, &subject, &args.scope, args.reassignment_throttle),
        session.until_stopped(infrastructure(&topology, &args.scope)),
    );
    let seen = seen?;
    let plan = match made {
        Ok((plan, _)) => plan.with_infrastructure(seen),
        Err(failure) => {
            // brokers that do not answer may be machines that are gone
            if let Some(seen) = seen.filter(Infrastructure::has_drift) {
                let plain = plan::text::Style {
                    color: false,
                    ..style(session.terminal)
                };
                output::note(plan::text::render_infrastructure(&seen, plain).trim_end());
            }
            return Err(failure);
        }
    };
    match session.terminal.format() {
        Format::Human => output::result(&human(&plan, session.terminal))?,
        Format::Json => output::json(&plan)?,
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

    /// Nothing but the files.
    pub(crate) fn of_files(&self) -> Desired {
        Desired {
            name: self.desired.name.clone(),
            folder: self.desired.folder.clone(),
            ..Desired::default()
        }
    }
}

/// The plan for the clusters and files as they are now, and the connections it was made over.
pub(crate) async fn make(
    session: &Session,
    subject: &Subject<'_>,
    asked: &ScopeArgs,
    reassignment_throttle: u64,
) -> Result<(Plan, Clients), Failure> {
    let Subject { topology, desired } = subject;
    let no_cluster = scope::speaks_of_no_cluster(&asked.target);
    let of_files = subject.of_files();
    let desired = if no_cluster { &of_files } else { desired };
    let allowed = Permissions::to_destroy(asked.allow_destroy.iter().cloned())
        .copying_at(reassignment_throttle);
    let (plan, clients) = session
        .until_stopped(async {
            let Reached {
                managed,
                all,
                unreached,
            } = if no_cluster {
                Reached::default()
            } else {
                connect_for(topology).await?
            };
            let (observed, evidence) = futures::join!(
                plan::observe_desired(desired, &managed),
                plan::proof::gather(topology, &all, &unreached),
            );
            let plan = plan::diff_desired(desired, &observed?, &allowed);
            let findings = plan::proof::judge(topology, &evidence);
            Ok::<_, Failure>((plan.with_findings(findings), managed))
        })
        .await??;
    scope::warn_of_unmatched(&plan, asked);
    Ok((scope::narrowed(plan, asked), clients))
}

/// What a plan reads from.
#[derive(Default)]
struct Reached {
    /// Clusters that something is declared on.
    managed: Clients,
    /// And those that mirrors have to do with besides.
    all: Clients,
    /// Why others of those could not be reached, by alias.
    unreached: BTreeMap<String, String>,
}

/// Connections to the clusters that something is declared on, all of them, and to those that mirrors have to do with, as
/// far as they can be reached; why not, for the others.
async fn connect_for(topology: &Topology) -> Result<Reached, Failure> {
    let managed = plan::managed_clusters(topology);
    let mut judged_aliases = plan::proof::judged_clusters(topology);
    judged_aliases.retain(|alias| !managed.contains(alias));
    let (managed, judged) = futures::join!(
        connect(topology, &managed),
        connect_where_possible(topology, &judged_aliases)
    );
    let managed = managed.map_err(|failure| with_unknown(failure, topology, &judged_aliases));
    let (managed, (others, unreached)) = (managed?, judged?);
    let mut all = managed.clone();
    all.extend(others);
    Ok(Reached {
        managed,
        all,
        unreached,
    })
}

/// Where a plan fails for want of connections, clusters that it would do without and that nobody knows the addresses of are
/// named, too: who fills them in does that once.
fn with_unknown(failure: Failure, topology: &Topology, besides: &BTreeSet<String>) -> Failure {
    match failure {
        Failure::Connect(mut errors) => {
            let unknown = topology.clusters.iter().filter(|it| {
                besides.contains(&it.alias)
                    && it.platform != Platform::Embedded
                    && it.bootstrap_servers.is_empty()
            });
            errors.extend(unknown.map(|it| ConnectError::NoAddress {
                alias: it.alias.clone(),
            }));
            Failure::Connect(errors)
        }
        other => other,
    }
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
