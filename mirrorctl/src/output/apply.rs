//! What `apply` says: the question, a line for each change on stderr, the result on stdout.

use std::sync::{Mutex, PoisonError};

use plan::{ApplyEvent, ApplyObserver, ApplySummary, Block, Plan};
use serde_json::{Value, json};

use crate::cli::Format;
use crate::failure::Failure;
use crate::output::figures::{count, counted, elapsed};
use crate::output::stream::to_stderr;
use crate::output::style::{BAD, DIM, GOOD, HEAD, WARN};
use crate::output::terminal::result;

/// The question before changes are made.
pub(crate) fn question(plan: &Plan) -> String {
    let summary = plan.summary();
    let changes = summary.add + summary.change + summary.destroy + plan.left_behind.len();
    let changes = counted(changes, "change");
    let mut places: Vec<String> = plan
        .clusters
        .iter()
        .map(|cluster| cluster.alias.clone())
        .collect();
    if let Some(folder) = &plan.folder {
        places.push(folder.path.display().to_string());
    }
    format!(
        "\n{HEAD}Make {changes} on {}?{HEAD:#} Only `yes` is accepted: ",
        places.join(", ")
    )
}

/// Prints each event of an apply as it happens.
#[derive(Debug)]
pub(crate) struct EventLines {
    format: Format,
    /// The first event that could not be printed. The apply goes on: half of it is worse.
    broken: Mutex<Option<Failure>>,
}

impl EventLines {
    /// Lines for people on stderr, or one JSON object a line on stdout.
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            broken: Mutex::new(None),
        }
    }

    /// Whether every event was printed.
    pub(crate) fn printed(self) -> Result<(), Failure> {
        let broken = self.broken.into_inner();
        broken
            .unwrap_or_else(PoisonError::into_inner)
            .map_or(Ok(()), Err)
    }
}

impl ApplyObserver for EventLines {
    fn event(&self, event: &ApplyEvent) {
        match self.format {
            Format::Human => {
                if let Some(line) = human(event) {
                    to_stderr(&line);
                }
            }
            Format::Json => {
                let printed = serde_json::to_string(event)
                    .map_err(Failure::Json)
                    .and_then(|line| result(&format!("{line}\n")));
                if let Err(failure) = printed {
                    let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
                    broken.get_or_insert(failure);
                }
            }
        }
    }
}

/// The one event of an apply that was refused before it began; it has no summary.
pub(crate) fn refused_json(blocked: &[(String, Block)]) -> Result<String, Failure> {
    let blocked: Vec<Value> = blocked
        .iter()
        .map(|(address, Block { code, message })| {
            json!({ "address": address, "code": code, "message": message })
        })
        .collect();
    let event = json!({ "event": "apply_refused", "blocked": blocked });
    serde_json::to_string(&event)
        .map(|line| format!("{line}\n"))
        .map_err(Failure::Json)
}

fn human(event: &ApplyEvent) -> Option<String> {
    Some(match event {
        ApplyEvent::ApplyStarted { .. } | ApplyEvent::Summary(_) => return None,
        ApplyEvent::ChangeStarted {
            address,
            action,
            number,
            of,
        } => {
            let doing = match action {
                plan::Action::NoOp => "checking",
                plan::Action::Create => "creating",
                plan::Action::Update => "changing",
                plan::Action::Delete => "deleting",
            };
            format!("  {DIM}[{number}/{of}]{DIM:#} {address}: {doing}\n")
        }
        ApplyEvent::ChangeDone {
            address,
            elapsed_ms,
        } => format!(
            "        {address}: {GOOD}done{GOOD:#} after {}\n",
            elapsed(std::time::Duration::from_millis(*elapsed_ms))
        ),
        ApplyEvent::ReassignmentProgress { address, done, of } => format!(
            "        {address}: {} of {} moved\n",
            count(*done as i128),
            counted(*of, "partition")
        ),
        ApplyEvent::ThrottlesCleared { address } => {
            format!("        {address}: throttles of an earlier apply taken away\n")
        }
        ApplyEvent::ThrottlesLeft { address, message } => format!(
            "        {address}: {WARN}throttles of an earlier apply stay{WARN:#}: {message}\n"
        ),
        ApplyEvent::ChangeSkipped { address } => {
            format!("        {address}: already as planned\n")
        }
        ApplyEvent::ChangeStale {
            address,
            differences,
        } => {
            let mut text = format!("        {address}: {WARN}stale{WARN:#}, left as it is\n");
            for difference in differences {
                text.push_str(&format!("          {difference}\n"));
            }
            text
        }
        ApplyEvent::ChangeFailed {
            address, message, ..
        } => {
            format!("        {address}: {BAD}failed{BAD:#}: {message}\n")
        }
        ApplyEvent::BrokersBehind { cluster, brokers } => format!(
            "{WARN}not everywhere yet{WARN:#}: {} of {cluster} {} not show all of it, and a plan that asks there may hold \
             it again\n",
            brokers_named(brokers),
            if brokers.len() == 1 { "does" } else { "do" }
        ),
        ApplyEvent::Waiting { cluster, holder } => {
            format!("{WARN}waiting{WARN:#} for another apply on {cluster}: {holder}\n")
        }
        ApplyEvent::Stopping {
            under_way,
            lease_lost,
        } => {
            let why = if *lease_lost {
                "the lease could not be renewed"
            } else {
                "interrupted"
            };
            let rest = counted(*under_way, "change");
            format!("        {WARN}{why}{WARN:#}: waiting for {rest} under way\n")
        }
        ApplyEvent::Interrupted { .. } => {
            format!("        {WARN}interrupted{WARN:#}: stopping before the next change\n")
        }
    })
}

fn brokers_named(ids: &[i32]) -> String {
    let listed: Vec<String> = ids.iter().map(i32::to_string).collect();
    let brokers = if ids.len() == 1 { "broker" } else { "brokers" };
    format!("{brokers} {}", listed.join(", "))
}

/// What was done and what was not.
pub(crate) fn applied(summary: &ApplySummary) -> String {
    let ApplySummary {
        applied,
        already_done,
        unfinished,
        not_started,
        elapsed_ms,
    } = summary;
    let complete = unfinished.is_empty() && not_started.is_empty();
    let style = if complete { GOOD } else { WARN };
    let mut text = format!(
        "{style}{}{style:#}: {} made",
        if complete { "Applied" } else { "Stopped" },
        counted(applied.len(), "change"),
    );
    if !already_done.is_empty() {
        text.push_str(&format!(
            ", {} already as planned",
            count(already_done.len() as i128)
        ));
    }
    text.push_str(&format!(
        " in {}.\n",
        elapsed(std::time::Duration::from_millis(*elapsed_ms))
    ));
    for unfinished in unfinished {
        let done = if unfinished.in_doubt {
            "no answer: whether it was done is not known".to_owned()
        } else if unfinished.steps_done.is_empty() {
            "nothing of it was done".to_owned()
        } else {
            format!("done of it: {}", unfinished.steps_done.join("; "))
        };
        text.push_str(&format!(
            "  not finished: {} ({done})\n",
            unfinished.address
        ));
    }
    for address in not_started {
        text.push_str(&format!("  not started:  {address}\n"));
    }
    text
}
