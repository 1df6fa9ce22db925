//! `mirrorctl destroy`.

use std::collections::BTreeSet;

use plan::{Action, ApplyOptions, Block, BlockCode, Clients, Observed, Permissions, Plan};

use crate::applicant::applicant;
use crate::cli::{DestroyArgs, Format, ScopeArgs};
use crate::commands::apply::{confirm, execute, show};
use crate::commands::plan::{Subject, former_folders, needed};
use crate::commands::scope;
use crate::connect::connect_where_possible;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, refused_json};
use crate::session::{Ended, Session};

/// Addresses that are named one by one.
const NAMED: usize = 5;

/// What to do where nobody can be asked.
const WITHOUT_A_QUESTION: &str =
    "give --auto-approve, and --allow-destroy ADDRESS for each of what is to be destroyed";

/// Plans as if the topology did not declare what is named, asks, and deletes.
pub(crate) async fn destroy(session: &Session, args: &DestroyArgs) -> Ended {
    let topology = load(&args.file)?;
    let named = |address: &str| args.target.iter().any(|target| target.matches(address));
    let subject = Subject::of(&args.file, &topology)?;
    let files_only = scope::speaks_of_files_only(&args.target);
    let declared = subject.narrowed(&args.target, &[]).into_owned();
    if let Some(folder) = &declared.folder {
        // what nobody knows of cannot be taken away
        plan::observe_folder(folder, declared.name.as_deref())?;
    }
    let meant = declared.clone().addresses();
    let meant: BTreeSet<String> = meant.into_iter().filter(|it| named(it)).collect();
    let mut desired = declared.without(named);
    let mut asked = ScopeArgs {
        target: args.target.clone(),
        allow_destroy: args.allow_destroy.clone(),
        ..ScopeArgs::default()
    };
    let reading = async {
        let aliases = if files_only {
            BTreeSet::new()
        } else {
            plan::managed_clusters(&topology)
        };
        let (clients, mut away) = connect_where_possible(&topology, &aliases).await?;
        desired
            .clusters
            .retain(|alias, _| !away.contains_key(alias));
        let needed = needed(&topology, &asked);
        away.retain(|alias, _| needed.contains(alias));
        if !away.is_empty() {
            return Err(Failure::Connect(away.into_values().collect()));
        }
        let observed = plan::observe_desired(&desired, &clients).await?;
        Ok::<(Clients, Observed), Failure>((clients, observed))
    };
    let (clients, observed) = session.until_stopped(reading).await??;
    let planned = |allowed: &Permissions| -> Plan {
        plan::diff_desired(&desired, &observed, allowed).only(|change| named(&change.address))
    };
    let allowed = if args.auto_approve {
        Permissions::to_destroy(args.allow_destroy.iter().cloned())
    } else {
        // whoever says yes to the question has seen each of them
        Permissions::to_destroy(addresses(&planned(&Permissions::none()), Action::Delete))
    };
    let plan = planned(&allowed);
    let unmanaged = unmanaged(meant, &plan);
    if !unmanaged.is_empty() {
        output::warning(&left_alone(&unmanaged));
    }
    let plan = plan.with_former_folders(former_folders(&args.file, &topology, &asked));
    // of these it was said better
    asked
        .target
        .retain(|target| !unmanaged.iter().any(|it| target.matches(it)));
    asked.allow_destroy.retain(|it| !unmanaged.contains(it));
    scope::warn_of_unmatched(&plan, &asked);
    show(session, &plan)?;
    let kept = addresses(&plan, Action::NoOp);
    if !kept.is_empty() {
        return Err(refused(session, kept)?);
    }
    if plan.has_changes() && !plan.is_blocked() && !args.auto_approve {
        confirm(session, &plan, WITHOUT_A_QUESTION).await?;
    }
    let options = ApplyOptions {
        lock_timeout: args.lock_timeout,
        applicant: applicant(),
        ..ApplyOptions::default()
    };
    execute(session, &plan, &clients, &options).await
}

/// What of this the plan says nothing about: nothing remembers that it is the topology's.
fn unmanaged(meant: BTreeSet<String>, plan: &Plan) -> BTreeSet<String> {
    let changes = plan.resource_changes.iter();
    let managed: BTreeSet<&str> = changes.map(|change| change.address.as_str()).collect();
    let meant = meant.into_iter();
    meant.filter(|it| !managed.contains(it.as_str())).collect()
}

fn left_alone(unmanaged: &BTreeSet<String>) -> String {
    let named: Vec<&str> = unmanaged.iter().take(NAMED).map(String::as_str).collect();
    let more = match unmanaged.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "nothing of {}{more} is destroyed: declared, and not managed, because it was never applied, is gone already, or was \
         forgotten (`mirrorctl forget`); what is there is managed again by `mirrorctl apply`",
        named.join(", ")
    )
}

/// What the cluster's `allow` does not let go, told to programs too.
fn refused(session: &Session, addresses: Vec<String>) -> Result<Failure, Failure> {
    if session.terminal.format() == Format::Json {
        let blocked = addresses.iter().map(|address| {
            let message = "the cluster's `allow` does not permit it".to_owned();
            let code = BlockCode::DestroyNotAllowed;
            (address.clone(), Block { code, message })
        });
        output::result(&refused_json(&blocked.collect::<Vec<_>>())?)?;
    }
    Ok(Failure::NotPermitted { addresses })
}

/// What is left of what was named, or goes.
fn addresses(plan: &Plan, action: Action) -> Vec<String> {
    plan.resource_changes
        .iter()
        .filter(|change| change.action() == action)
        .map(|change| change.address.clone())
        .collect()
}
