//! The verdicts of a verification as people read them.

use conformance::{CheckResult, Report, Verdict};

use crate::output::figures::{count, counted, elapsed};
use crate::output::style::{BAD, DIM, GOOD, HEAD, WARN, bad, good, indented, table, warn};
use comfy_table::Cell;

/// A counterexample in a table is this short; below it stands in full.
const LONGEST: usize = 80;
/// With more subjects than this, one where all is well gets one line.
const SUBJECTS_IN_FULL: usize = 3;

/// A table a subject, each failed check's first counterexample in full, and one last line.
pub(crate) fn verdicts_human(report: &Report, width: usize) -> String {
    let mut text = String::new();
    let subjects = report.by_subject();
    let many = subjects.len() > SUBJECTS_IN_FULL;
    for (subject, checks) in &subjects {
        if many
            && checks
                .iter()
                .all(|check| matches!(check.verdict, Verdict::Pass { .. }))
        {
            let checks = counted(checks.len(), "check");
            text.push_str(&format!(
                "{GOOD}pass{GOOD:#}  {subject}  {DIM}{checks}{DIM:#}\n"
            ));
            continue;
        }
        text.push_str(&format!("{HEAD}{subject}{HEAD:#}\n"));
        let mut rows = table(width.saturating_sub(2), &["check", "verdict", "evidence"]);
        for check in checks {
            rows.add_row(row(check));
        }
        text.push_str(&indented(&rows));
        text.push('\n');
    }
    if many {
        text.push('\n');
    }
    for check in report.failures() {
        text.push_str(&counterexample(check));
    }
    for limit in &report.limits {
        text.push_str(&format!("{WARN}Not everything{WARN:#}: {limit}.\n"));
    }
    text.push_str(&last_line(report));
    text
}

/// A line a check: its first words of evidence. For reports without a failure.
pub(crate) fn verdicts_brief(report: &Report, width: usize) -> String {
    let widest = widest_id(report);
    let room = width.saturating_sub(widest + 8);
    let mut text = String::new();
    for check in &report.checks {
        let (style, word, words) = match &check.verdict {
            Verdict::Pass { evidence } => (GOOD, "pass", evidence),
            Verdict::Fail { counterexample, .. } => (BAD, "FAIL", &counterexample.found),
            Verdict::Inconclusive { reason } => (WARN, "?", reason),
        };
        let words = first_clause(words, room);
        text.push_str(&format!(
            "{:widest$}  {style}{word:4}{style:#}  {words}\n",
            check.id
        ));
    }
    text
}

/// All checks in one line. For reports without a failure.
pub(crate) fn verdicts_in_a_line(report: &Report, name: &str, indent: usize) -> String {
    format!(
        "{name:indent$}  {GOOD}pass{GOOD:#}  {} read side by side, without stamps: equal\n",
        counted(report.records_read as usize, "record"),
    )
}

/// Columns of the longest check id.
pub(crate) fn widest_id(report: &Report) -> usize {
    report
        .checks
        .iter()
        .map(|check| check.id.len())
        .max()
        .unwrap_or(0)
}

/// Up to the first `;`, `(` or `. `, and never longer than there is room.
fn first_clause(words: &str, room: usize) -> String {
    let end = [";", " (", ". "]
        .iter()
        .filter_map(|stop| words.find(stop))
        .min();
    let clause = &words[..end.unwrap_or(words.len())];
    if clause.chars().count() <= room {
        return clause.to_owned();
    }
    let mut clipped: String = clause.chars().take(room.saturating_sub(1)).collect();
    clipped.push('…');
    clipped
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
                "{} in all; first: expected {}, found {}",
                count(*failures),
                first_clause(&counterexample.expected, LONGEST),
                first_clause(&counterexample.found, LONGEST),
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
    let found = [
        ("expected", counterexample.expected.clone()),
        ("found", counterexample.found.clone()),
    ];
    let places = [
        ("source", &counterexample.source),
        ("target", &counterexample.target),
    ]
    .into_iter()
    .filter_map(|(name, at)| Some((name, at.as_ref()?.to_string())));
    let figures = check
        .figures
        .iter()
        .map(|(name, value)| (name.as_str(), count(*value)));
    let lines: Vec<(&str, String)> = found.into_iter().chain(places).chain(figures).collect();
    let widest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in lines {
        text.push_str(&format!("  {DIM}{name:<widest$}{DIM:#}  {value}\n"));
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
        "; {} read in {}",
        counted(report.records_read as usize, "record"),
        elapsed(report.duration())
    ));
    if let Some(seed) = report.seed {
        text.push_str(&format!("; seed {seed}"));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::first_clause;

    #[test]
    fn a_clause_ends_at_a_stop_or_where_the_room_ends() {
        assert_eq!(first_clause("60000 seen; of 0 unknown", 80), "60000 seen");
        assert_eq!(first_clause("0 replays (bound 5; more)", 80), "0 replays");
        assert_eq!(first_clause("records → target", 10), "records →…");
        assert_eq!(first_clause("", 10), "");
    }
}
