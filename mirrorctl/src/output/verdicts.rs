//! The verdicts of a verification as people read them.

use conformance::{CheckResult, Report, Verdict};

use crate::output::figures::{count, counted, elapsed};
use crate::output::style::{BAD, DIM, GOOD, HEAD, WARN, bad, good, indented, table, warn};
use comfy_table::Cell;

/// A table a subject, each failed check's first counterexample in full, and one last line.
pub(crate) fn verdicts_human(report: &Report, width: usize) -> String {
    let mut text = String::new();
    for (subject, checks) in by_subject(report) {
        text.push_str(&format!("{HEAD}{subject}{HEAD:#}\n"));
        let mut rows = table(width.saturating_sub(2), &["check", "verdict", "evidence"]);
        for check in checks {
            rows.add_row(row(check));
        }
        text.push_str(&indented(&rows));
        text.push('\n');
    }
    for check in report.failures() {
        text.push_str(&counterexample(check));
    }
    text.push_str(&last_line(report));
    text
}

fn by_subject(report: &Report) -> Vec<(&str, Vec<&CheckResult>)> {
    let mut subjects: Vec<(&str, Vec<&CheckResult>)> = Vec::new();
    for check in &report.checks {
        match subjects
            .iter_mut()
            .find(|(subject, _)| *subject == check.subject)
        {
            Some((_, checks)) => checks.push(check),
            None => subjects.push((&check.subject, vec![check])),
        }
    }
    subjects
}

fn row(check: &CheckResult) -> [Cell; 3] {
    let id = Cell::new(&check.id);
    match &check.verdict {
        Verdict::Pass { evidence } => [id, good("pass"), Cell::new(evidence)],
        Verdict::Fail {
            failures,
            counterexample,
        } => [
            id,
            bad("FAIL"),
            Cell::new(format!(
                "{} in all; first: {}",
                count(*failures),
                counterexample.found
            )),
        ],
        Verdict::Inconclusive { reason } => [id, warn("inconclusive"), Cell::new(reason)],
    }
}

fn counterexample(check: &CheckResult) -> String {
    let Verdict::Fail { counterexample, .. } = &check.verdict else {
        return String::new();
    };
    let mut text = format!(
        "{BAD}{}{BAD:#}  {}  {DIM}{}{DIM:#}\n",
        check.id, check.title, check.subject
    );
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("  {DIM}{name:<9}{DIM:#} {value}\n"));
    };
    line("expected", &counterexample.expected);
    line("found", &counterexample.found);
    if let Some(at) = &counterexample.source {
        line("source", &at.to_string());
    }
    if let Some(at) = &counterexample.target {
        line("target", &at.to_string());
    }
    for (name, value) in &check.figures {
        line(name, &count(*value));
    }
    text.push('\n');
    text
}

fn last_line(report: &Report) -> String {
    let checks = report.checks.len();
    let failed = report.failures().count();
    let unsure = report
        .checks
        .iter()
        .filter(|check| matches!(check.verdict, Verdict::Inconclusive { .. }))
        .count();
    let (style, word) = match (failed, unsure) {
        (0, 0) => (GOOD, "PASS"),
        (0, _) => (WARN, "PASS with doubts"),
        (_, _) => (BAD, "FAIL"),
    };
    let mut text = format!("{style}{word}{style:#}: {}", counted(checks, "check"));
    if failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    if unsure > 0 {
        text.push_str(&format!(", {unsure} inconclusive"));
    }
    text.push_str(&format!(
        "; {} records read in {}",
        count(report.records_read),
        elapsed(report.duration())
    ));
    if let Some(seed) = report.seed {
        text.push_str(&format!("; seed {seed}"));
    }
    text.push('\n');
    text
}
