//! `mirrorctl plan`.

use std::collections::BTreeMap;

use plan::{Clients, Permissions, Plan};
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
    let (plan, _) = make(session, &topology, &args.scope, args.reassignment_throttle).await?;
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
    } else if plan.has_changes() {
        Outcome::ChangesPending
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
    let asked_for = |address: &str| {
        let matches = |patterns: &[Pattern]| patterns.iter().any(|it| it.matches(address));
        (target.is_empty() || matches(target)) && !matches(exclude)
    };
    plan.only(|change| asked_for(&change.address) && (!drift_only || change.is_drift()))
        .only_findings(|finding| asked_for(&finding.address) && !drift_only)
}

/// The plan as people read it.
pub(crate) fn human(plan: &Plan, terminal: Terminal) -> String {
    plan::text::render_human(
        plan,
        plan::text::Style {
            color: true,
            width: terminal.width(),
        },
    )
}
