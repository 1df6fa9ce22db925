//! Who applied what, and when.

use chrono::DateTime;
use plan::{AuditEvent, AuditRecord};
use serde_json::{Value, json};

use crate::commands::ClusterHistory;
use crate::output::figures::{count, counted};
use crate::output::style::{BAD, DIM, GOOD, HEAD, WARN};

/// Changes of one apply that are named.
const NAMED: usize = 10;

/// The applies of each cluster, the oldest first.
pub(crate) fn history_human(read: &[ClusterHistory]) -> String {
    let mut text = String::new();
    for ClusterHistory { alias, records } in read {
        text.push_str(&format!("{HEAD}{alias}{HEAD:#}\n"));
        if records.is_empty() {
            text.push_str("  nothing was ever applied\n");
        }
        for (at, record) in records {
            if let AuditEvent::Started { changes } = &record.event {
                let end = records
                    .iter()
                    .find_map(|(ended, other)| finished(record, other).map(|end| (*ended, end)));
                let topology = record.topology.as_ref();
                let topology = topology.map(|name| format!("  topology {name}"));
                text.push_str(&format!(
                    "  {}  {}{}  {}  {}\n",
                    time(*at),
                    record.who,
                    topology.unwrap_or_default(),
                    counted(changes.len(), "change"),
                    outcome(*at, end)
                ));
                for change in changes.iter().take(NAMED) {
                    let symbol = match change.action {
                        plan::Action::NoOp => ' ',
                        plan::Action::Create => '+',
                        plan::Action::Update => '~',
                        plan::Action::Delete => '-',
                    };
                    text.push_str(&format!("      {symbol} {}\n", change.address));
                }
                if changes.len() > NAMED {
                    let more = changes.len() - NAMED;
                    text.push_str(&format!(
                        "      {DIM}… and {more} more in the JSON output{DIM:#}\n"
                    ));
                }
            }
        }
    }
    text
}

/// How the apply that `started` tells of ended, when `other` tells that, and how many changes were there before.
fn finished<'a>(started: &AuditRecord, other: &'a AuditRecord) -> Option<(&'a str, usize)> {
    match &other.event {
        AuditEvent::Finished {
            outcome,
            already_done,
            ..
        } if other.apply == started.apply => Some((outcome.as_str(), already_done.len())),
        AuditEvent::Finished { .. } | AuditEvent::Started { .. } => None,
    }
}

fn outcome(started: i64, end: Option<(i64, (&str, usize))>) -> String {
    let Some((ended, (outcome, already_done))) = end else {
        return format!("{BAD}no end on record{BAD:#}: it runs, or was killed");
    };
    let mut text = if outcome == "done" {
        let seconds = (ended - started) as f64 / 1e3;
        format!("{GOOD}done{GOOD:#} after {seconds:.1} s")
    } else {
        format!("{WARN}stopped{WARN:#}: {outcome}")
    };
    if already_done > 0 {
        let already_done = count(already_done as i128);
        text.push_str(&format!("; {already_done} already as planned"));
    }
    text
}

fn time(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds).map_or_else(
        || milliseconds.to_string(),
        |at| at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// Every record as it stands in the topic, with its time.
pub(crate) fn history_json(read: &[ClusterHistory]) -> Value {
    let clusters: Vec<Value> = read
        .iter()
        .map(|ClusterHistory { alias, records }| {
            let records: Vec<Value> = records
                .iter()
                .map(|(at, record)| json!({ "at": at, "record": record }))
                .collect();
            json!({ "cluster": alias, "records": records })
        })
        .collect();
    json!({ "clusters": clusters })
}
