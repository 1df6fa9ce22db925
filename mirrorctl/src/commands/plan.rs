//! `mirrorctl plan`.

use std::collections::BTreeSet;

use plan::{Clients, Plan};
use topology::Topology;

use crate::cli::{Format, PlanArgs};
use crate::connect::connect;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, Terminal};
use crate::session::{Ended, Session};

/// Reads the clusters, prints what would change, saves it when asked to.
pub(crate) async fn plan(session: &Session, args: &PlanArgs) -> Ended {
    let topology = load(&args.file)?;
    let (plan, _) = make(session, &topology).await?;
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
) -> Result<(Plan, Clients), Failure> {
    let aliases: BTreeSet<String> = topology
        .topics
        .iter()
        .flat_map(|topic| &topic.clusters)
        .cloned()
        .collect();
    session
        .until_stopped(async {
            let clients = connect(topology, &aliases).await?;
            let observed = plan::observe(topology, &clients).await?;
            Ok((plan::diff(topology, &observed), clients))
        })
        .await?
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
