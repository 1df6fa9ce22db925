//! `mirrorctl apply`.

use std::path::Path;

use plan::{ApplyOptions, Clients, Plan, PlanFileError};

use crate::applicant::applicant;
use crate::cli::{ApplyArgs, Format};
use crate::commands::plan::{Subject, asked, human, make};
use crate::connect::{Address, connect_to};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, EventLines, Terminal, applied, question, refused_json};
use crate::session::{Ended, Session};
use crate::unheard::say_what_nobody_takes_up;

/// What to do where nobody can be asked.
const WITHOUT_A_QUESTION: &str =
    "give --auto-approve, or save a plan with `plan --out` and apply that";

/// Applies a saved plan, or plans, asks and applies.
pub(crate) async fn apply(session: &Session, args: &ApplyArgs) -> Ended {
    match (&args.plan, &args.file) {
        (Some(saved), _) => apply_saved(session, saved, &options(args)).await,
        (None, Some(file)) if args.auto_approve => {
            let (plan, clients) = planned(session, file, args).await?;
            execute(session, &plan, &clients, &options(args)).await
        }
        (None, Some(file)) => {
            let (plan, clients) = planned(session, file, args).await?;
            // a plan without changes, and one that will be refused, need no question
            if plan.has_changes() && !plan.is_blocked() {
                confirm(session, &plan, WITHOUT_A_QUESTION).await?;
            }
            execute(session, &plan, &clients, &options(args)).await
        }
        (None, None) => Err(Failure::Usage {
            message: "nothing to apply".to_owned(),
            hint: "give a topology with -f, or a saved plan".to_owned(),
        }),
    }
}

fn options(args: &ApplyArgs) -> ApplyOptions {
    ApplyOptions {
        concurrency: usize::from(args.parallelism),
        lock_timeout: args.lock_timeout,
        reassignment_throttle: args.reassignment_throttle,
        applicant: applicant(),
        ..ApplyOptions::default()
    }
}

async fn apply_saved(session: &Session, path: &Path, options: &ApplyOptions) -> Ended {
    let plan = Plan::load(path).map_err(|error| not_a_plan(path, error))?;
    let addresses: Vec<Address> = plan
        .clusters
        .iter()
        .map(|cluster| Address {
            alias: cluster.alias.clone(),
            bootstrap: cluster.bootstrap.clone(),
            cluster_id: Some(cluster.cluster_id.clone()),
            tls: cluster.tls.clone(),
            sasl: cluster.sasl.clone(),
        })
        .collect();
    show(session, &plan)?;
    let clients = session.until_stopped(connect_to(&addresses)).await??;
    execute(session, &plan, &clients, options).await
}

/// Whoever leaves out `-f` is told so, and not that a topology is a bad plan.
fn not_a_plan(path: &Path, error: PlanFileError) -> Failure {
    let is_topology = match &error {
        PlanFileError::NotAPlan { .. } | PlanFileError::Corrupt { .. } => {
            std::fs::read_to_string(path).is_ok_and(|text| says_topology(&text))
        }
        PlanFileError::Read { .. }
        | PlanFileError::NoFolder { .. }
        | PlanFileError::Write { .. }
        | PlanFileError::FormatVersion { .. }
        | PlanFileError::Digest { .. } => false,
    };
    if is_topology {
        Failure::Usage {
            message: format!("{} is a topology, not a saved plan", path.display()),
            hint: format!("mirrorctl apply -f {}", path.display()),
        }
    } else {
        error.into()
    }
}

/// By what every topology begins with, so that a broken one is known, too.
fn says_topology(text: &str) -> bool {
    text.contains("mirrorctl.io/") && text.contains("Topology")
}

async fn planned(
    session: &Session,
    file: &Path,
    args: &ApplyArgs,
) -> Result<(Plan, Clients), Failure> {
    let topology = load(file)?;
    let rate = args.reassignment_throttle;
    let subject = Subject::of(file, &topology)?;
    let (plan, clients) = make(session, &subject, &args.scope, rate).await?;
    if session.terminal.format() == Format::Human {
        output::result(&asked(&plan, &args.scope, session.terminal))?;
    }
    Ok((plan, clients))
}

pub(crate) fn show(session: &Session, plan: &Plan) -> Result<(), Failure> {
    match session.terminal.format() {
        Format::Human => output::result(&human(plan, session.terminal)),
        Format::Json => Ok(()),
    }
}

/// Asks whether the plan is to be carried out; `instead` is what helps where nobody can be asked.
pub(crate) async fn confirm(session: &Session, plan: &Plan, instead: &str) -> Result<(), Failure> {
    if session.terminal.format() == Format::Json {
        return Err(Failure::Usage {
            message: "nobody reads a plan to approve it where the output is JSON".to_owned(),
            hint: instead.to_owned(),
        });
    }
    if !Terminal::can_ask() {
        return Err(Failure::Usage {
            message: "there is nobody to ask: standard input is not a terminal".to_owned(),
            hint: instead.to_owned(),
        });
    }
    let question = question(plan);
    let asking = session.blocking(move || Terminal::ask(&question));
    let answered = session.until_stopped(asking).await;
    if answered.is_err() {
        output::end_line();
    }
    let answer = answered??.map_err(Failure::Runtime)?;
    if answer == "yes" {
        Ok(())
    } else {
        Err(Failure::Declined)
    }
}

pub(crate) async fn execute(
    session: &Session,
    plan: &Plan,
    clients: &Clients,
    options: &ApplyOptions,
) -> Ended {
    let format = session.terminal.format();
    let lines = EventLines::new(format);
    let result = plan::apply_with(plan, clients, options, &lines, &session.stop).await;
    if let (Format::Json, Err(plan::ApplyError::Blocked { blocked })) = (format, &result) {
        output::result(&refused_json(blocked)?)?;
    }
    let summary = match &result {
        Ok(summary) => Some(summary),
        Err(error) => error.summary(),
    };
    // as JSON the summary is the last event
    if let (Format::Human, Some(summary)) = (format, summary)
        && plan.has_changes()
    {
        output::result(&applied(summary))?;
    }
    if let Some(summary) = summary {
        let saying = say_what_nobody_takes_up(plan, summary, clients);
        // who presses Ctrl-C has waited long enough
        let _ = session.stop.run_until_cancelled(saying).await;
    }
    result?;
    lines.printed()?;
    Ok(Outcome::Done)
}
