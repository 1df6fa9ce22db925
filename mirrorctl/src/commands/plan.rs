//! `mirrorctl plan`.

use std::collections::BTreeMap;

use plan::{Clients, Infrastructure, Permissions, Plan};
use topology::{Pattern, Topology};

use crate::cli::{Format, PlanArgs, ScopeArgs};
use crate::connect::{connect, connect_where_possible};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, Terminal};
use crate::session::{Ended, Session};

/// Reads the clusters, prints what would change, saves it when asked to.
pub(crate) async fn plan(session: &Session, args: &PlanArgs) -> Ended {
    let topology = load(&args.file)?;
    let (made, seen) = futures::join!(
        make(session, &topology, &args.scope, args.reassignment_throttle),
        session.until_stopped(aws::observe(&topology)),
    );
    let seen = seen?.map(|seen| asked_for(seen, &args.scope));
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

/// The plan for the clusters as they are now, and the connections it was made over.
pub(crate) async fn make(
    session: &Session,
    topology: &Topology,
    scope: &ScopeArgs,
    reassignment_throttle: u64,
) -> Result<(Plan, Clients), Failure> {
    let allowed = Permissions::to_destroy(scope.allow_destroy.iter().cloned())
        .copying_at(reassignment_throttle);
    let (plan, clients) = session
        .until_stopped(async {
            let Reached {
                managed,
                all,
                unreached,
            } = connect_for(topology).await?;
            let (observed, evidence) = futures::join!(
                plan::observe(topology, &managed),
                plan::proof::gather(topology, &all, &unreached),
            );
            let plan = plan::diff(topology, &observed?, &allowed);
            let findings = plan::proof::judge(topology, &evidence);
            Ok::<_, Failure>((plan.with_findings(findings), managed))
        })
        .await??;
    Ok((narrowed(plan, scope), clients))
}

/// What a plan reads from.
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
    let mut judged = plan::proof::judged_clusters(topology);
    judged.retain(|alias| !managed.contains(alias));
    let (managed, judged) = futures::join!(
        connect(topology, &managed),
        connect_where_possible(topology, &judged)
    );
    let (managed, (others, unreached)) = (managed?, judged?);
    let mut all = managed.clone();
    all.extend(others);
    Ok(Reached {
        managed,
        all,
        unreached,
    })
}

/// What of the plan was asked for.
fn narrowed(plan: Plan, scope: &ScopeArgs) -> Plan {
    let ScopeArgs {
        target,
        exclude,
        drift_only,
        allow_destroy: _,
    } = scope;
    if target.is_empty() && exclude.is_empty() && !drift_only {
        return plan;
    }
    let asked_for = |address: &str| is_asked_for(address, scope);
    plan.only(|change| asked_for(&change.address) && (!drift_only || change.is_drift()))
        .only_findings(|finding| asked_for(&finding.address) && !drift_only)
}

fn is_asked_for(address: &str, scope: &ScopeArgs) -> bool {
    let matches = |patterns: &[Pattern]| patterns.iter().any(|it| it.matches(address));
    (scope.target.is_empty() || matches(&scope.target)) && !matches(&scope.exclude)
}

/// What of the infrastructure was asked for.
fn asked_for(seen: Infrastructure, scope: &ScopeArgs) -> Infrastructure {
    seen.only(|drift| is_asked_for(&drift.address, scope))
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
