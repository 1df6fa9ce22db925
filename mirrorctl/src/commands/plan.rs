//! `mirrorctl plan`.

use plan::{Clients, Permissions, Plan};
use topology::{Pattern, Topology};

use crate::cli::{Format, PlanArgs, ScopeArgs};
use crate::connect::connect;
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
            let clients = connect(topology, &plan::managed_clusters(topology)).await?;
            let observed = plan::observe(topology, &clients).await?;
            Ok::<_, Failure>((plan::diff(topology, &observed, &allowed), clients))
        })
        .await??;
    Ok((narrowed(plan, scope), clients))
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
    plan.only(|change| {
        let matches = |patterns: &[Pattern]| patterns.iter().any(|it| it.matches(&change.address));
        (target.is_empty() || matches(target))
            && !matches(exclude)
            && (!drift_only || change.is_drift())
    })
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
