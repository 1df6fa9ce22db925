//! What `replicate` copied, once it is over.

use std::time::Duration;

use comfy_table::Cell;
use replicator::{RunError, Summary};
use serde_json::{Value, json};

use crate::halted::Halted;
use crate::output::figures::{bytes, count, counted, elapsed, rate};
use crate::output::style::{BAD, DIM, GOOD, HEAD, WARN, indented, number, table, unbroken};

/// How one mirror from one source ended.
#[derive(Debug)]
pub(crate) struct RunEnd {
    /// Name of the mirror.
    pub(crate) mirror: String,
    /// Alias of the source.
    pub(crate) source: String,
    /// Alias of the target.
    pub(crate) target: String,
    /// What it copied, or why it could not go on.
    pub(crate) result: Result<Summary, RunError>,
}

/// A table a run, the partitions that stopped, and one last line.
pub(crate) fn replication_human(ends: &[RunEnd], width: usize) -> String {
    let mut text = String::new();
    for end in ends {
        let RunEnd {
            mirror,
            source,
            target,
            result,
        } = end;
        text.push_str(&format!("{HEAD}{mirror}{HEAD:#}  {source} → {target}\n"));
        match result {
            Ok(summary) => text.push_str(&run(summary, width)),
            Err(error) => text.push_str(&format!("  {BAD}failed{BAD:#}: {error}\n\n")),
        }
    }
    text.push_str(&last_line(ends));
    text
}

fn run(summary: &Summary, width: usize) -> String {
    let mut text = String::new();
    if summary.topics.is_empty() && summary.left_out.is_empty() && summary.failures.is_empty() {
        text.push_str(&format!("  {}\n", nothing(summary)));
    } else if !summary.topics.is_empty() {
        let header = ["topic", "on the target", "partitions", "records", "bytes"];
        let mut rows = table(width.saturating_sub(2), &header);
        for topic in &summary.topics {
            rows.add_row([
                Cell::new(&topic.source_topic),
                Cell::new(&topic.target_topic),
                number(count(topic.partitions as i128)),
                number(count(topic.records)),
                number(bytes(topic.bytes as f64)),
            ]);
        }
        unbroken(&mut rows, 2..=4);
        text.push_str(&indented(&rows));
        text.push_str(&format!(
            "  {DIM}batches: {} passed through, {} merged, {} rebuilt, {} left out{DIM:#}\n",
            count(summary.batches_passed),
            count(summary.batches_merged),
            count(summary.batches_rebuilt),
            count(summary.batches_filtered),
        ));
    }
    for left in &summary.left_out {
        let (topic, reason) = (&left.topic, &left.reason);
        text.push_str(&format!("  {WARN}left out{WARN:#}  {topic}: {reason}\n"));
    }
    text.push_str(&gaps(summary));
    for failure in &summary.failures {
        let mut what = failure.topic.clone();
        if let Some(partition) = failure.partition {
            what.push_str(&format!("-{partition}"));
        }
        if let Some(position) = failure.position {
            what.push_str(&format!(" at offset {position}"));
        }
        text.push_str(&format!(
            "  {BAD}stopped{BAD:#}  {what}: {}\n",
            failure.reason
        ));
    }
    text.push('\n');
    text
}

/// What the declared policies let pass uncopied; nothing where there is none.
fn gaps(summary: &Summary) -> String {
    let quarantined = summary.quarantined;
    let lost = summary.gaps.saturating_sub(quarantined);
    let mut parts = Vec::new();
    if lost > 0 {
        let offsets = summary.gap_offsets.saturating_sub(quarantined);
        parts.push(format!(
            "{}, {} passed over",
            counted(lost as usize, "gap"),
            counted(offsets as usize, "offset"),
        ));
    }
    if quarantined > 0 {
        parts.push(format!(
            "{} in quarantine",
            counted(quarantined as usize, "record")
        ));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "  {WARN}not copied{WARN:#}  {}: `mirrorctl status --gaps` says which and why\n",
        parts.join("; ")
    )
}

/// Why there is nothing to list.
fn nothing(summary: &Summary) -> String {
    match summary.selected {
        None => "it ended before it knew what there is to copy".to_owned(),
        Some(0) => format!(
            "no topic of {} is selected by {}",
            summary.source, summary.selection
        ),
        Some(topics) => format!(
            "nothing was copied of {}",
            counted(topics, "selected topic")
        ),
    }
}

fn last_line(ends: &[RunEnd]) -> String {
    let summaries = || ends.iter().filter_map(|end| end.result.as_ref().ok());
    let records: u64 = summaries().map(|summary| summary.records).sum();
    let sent: u64 = summaries().map(|summary| summary.bytes).sum();
    let time = Duration::from_millis(
        summaries()
            .map(|summary| summary.elapsed_ms)
            .max()
            .unwrap_or(0),
    );
    let halted = Halted::of(summaries().flat_map(|summary| &summary.failures));
    let style = if halted.is_nothing() { GOOD } else { WARN };
    let mut text = format!(
        "{style}Copied{style:#} {}",
        counted(records as usize, "record")
    );
    if records > 0 {
        text.push_str(&format!(
            ", {} in {} ({} records/s)",
            bytes(sent as f64),
            elapsed(time),
            count(rate(records, time) as u64),
        ));
    }
    if !halted.is_nothing() {
        text.push_str(&format!("; {halted}"));
    }
    text.push_str(".\n");
    text
}

/// Every run with its summary or its error, and the mirrors of which a cluster could not be reached.
pub(crate) fn replication_json(ends: &[RunEnd], unreached: &[String]) -> Value {
    let runs: Vec<Value> = ends
        .iter()
        .map(|end| match &end.result {
            Ok(summary) => json!({ "summary": summary, "error": null }),
            Err(error) => json!({
                "summary": null,
                "error": error.to_string(),
                "mirror": end.mirror,
                "source": end.source,
                "target": end.target,
            }),
        })
        .collect();
    json!({
        "format_version": "1.0",
        "complete": unreached.is_empty() && ends.iter().all(|end| {
            end.result.as_ref().is_ok_and(|summary| summary.failures.is_empty() && !summary.interrupted)
        }),
        "runs": runs,
        "unreached": unreached,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(gaps: u64, gap_offsets: u64, quarantined: u64) -> String {
        page_of(2_998, gaps, gap_offsets, quarantined)
    }

    fn page_of(records: u64, gaps: u64, gap_offsets: u64, quarantined: u64) -> String {
        let summary = Summary {
            mirror: "pay".to_owned(),
            source: "a".to_owned(),
            target: "b".to_owned(),
            records,
            bytes: 10_000,
            batches_passed: 3,
            batches_merged: 0,
            batches_rebuilt: 0,
            batches_filtered: 0,
            gaps,
            gap_offsets,
            quarantined,
            selection: "`.*`".to_owned(),
            selected: Some(1),
            topics: Vec::new(),
            failures: Vec::new(),
            left_out: Vec::new(),
            elapsed_ms: 10,
            interrupted: false,
        };
        let end = RunEnd {
            mirror: "pay".to_owned(),
            source: "a".to_owned(),
            target: "b".to_owned(),
            result: Ok(summary),
        };
        let page = replication_human(&[end], 80);
        anstream::adapter::strip_str(&page).to_string()
    }

    #[test]
    fn what_was_passed_over_is_said_with_where_to_look() {
        let both = page(3, 1_002, 2);
        assert!(
            both.contains(
                "  not copied  1 gap, 1,000 offsets passed over; 2 records in quarantine: \
                 `mirrorctl status --gaps` says which and why\n"
            ),
            "{both}"
        );
        let quarantined = page(1, 1, 1);
        assert!(
            quarantined.contains("  not copied  1 record in quarantine: "),
            "{quarantined}"
        );
        assert!(!page(0, 0, 0).contains("not copied"));
    }

    #[test]
    fn one_record_is_one() {
        assert!(page_of(1, 0, 0, 0).contains("Copied 1 record, "));
        assert!(page_of(0, 0, 0, 0).contains("Copied 0 records."));
        assert!(page(0, 0, 0).contains("Copied 2,998 records, "));
    }
}
