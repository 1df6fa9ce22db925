//! `SCOREBOARD.md`, from what was measured.

use std::fmt::Write as _;

use crate::contract::{CHECKS, Standing};
use crate::engine::{Kind, REBALANCE_DELAY};
use crate::run::{Broken, Outcome, Verdict};
use crate::scenario::Scenario;

/// Characters of an error that are told; what a tool printed may be long.
const REASON: usize = 300;

/// What the results hold for.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) date: String,
    pub(crate) cores: usize,
    pub(crate) seed: u64,
}

/// The whole document.
pub(crate) fn document(
    setting: &Setting,
    scenarios: &[Scenario],
    outcomes: &[Outcome],
    broken: &[Broken],
) -> String {
    let mut engines: Vec<Kind> = outcomes.iter().map(|outcome| outcome.engine).collect();
    engines.sort_unstable();
    engines.dedup();
    let mut text = format!(
        "# Scoreboard\n\nWritten by `cargo xtask scoreboard -- --write`; not to be edited. The same scenarios on every \
         engine, each on two fresh clusters of Apache Kafka {} with one broker, judged by `mirrorctl verify`: \
         by stamps, and what those do not show by comparing both clusters. Each engine is judged by what it promises: mirrorctl exactly-once, the others at-least-once. \
         Mirus is {}, with the Kafka Connect that it is built on. Workers of Kafka Connect have `{REBALANCE_DELAY}`: with the default \
         of five minutes they would copy nothing for so long after each kill.\n\n\
         {}, {} cores, seed {}.\n",
        e2e::KAFKA_VERSION,
        e2e::MIRUS_VERSION,
        setting.date,
        setting.cores,
        setting.seed
    );
    text.push_str(
        "\n## Checks\n\nThe worst verdict over all scenarios. `?`: not judged, see below.\n\n",
    );
    header(&mut text, "check", &engines);
    for (check, _) in CHECKS {
        let cells = engines.iter().map(|kind| over_all(check, *kind, outcomes));
        row(&mut text, check, cells);
    }
    for scenario in scenarios {
        of_scenario(&mut text, scenario, setting.seed, &engines, outcomes);
    }
    if !broken.is_empty() {
        text.push_str("\n## Without a result\n\n");
        for Broken {
            scenario,
            engine,
            reason,
        } in broken
        {
            let words: Vec<&str> = reason.split_whitespace().collect();
            let reason: String = words.join(" ").chars().take(REASON).collect();
            let _ = writeln!(text, "- {scenario}, {}: {reason}", engine.title());
        }
    }
    text.push_str("\n## Not judged, or not provoked\n\n");
    for (check, standing) in CHECKS {
        match standing {
            Standing::Provoked => {}
            Standing::Unprovoked => {
                let _ = writeln!(
                    text,
                    "- {check}: judged where it applies, by comparing both clusters, but no scenario provokes it yet"
                );
            }
            Standing::Not(reason) => {
                let _ = writeln!(text, "- {check}: {reason}");
            }
        }
    }
    text
}

fn header(text: &mut String, first: &str, engines: &[Kind]) {
    row(
        text,
        first,
        engines.iter().map(|kind| kind.title().to_owned()),
    );
    row(text, "---", engines.iter().map(|_| "---".to_owned()));
}

fn row(text: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    let _ = write!(text, "| {first} |");
    for cell in cells {
        let _ = write!(text, " {} |", cell.replace('|', "\\|"));
    }
    text.push('\n');
}

fn verdicts<'o>(
    check: &'o str,
    kind: Kind,
    outcomes: &'o [Outcome],
) -> impl Iterator<Item = (&'o Outcome, &'o Verdict)> {
    let of_kind = outcomes
        .iter()
        .filter(move |outcome| outcome.engine == kind);
    of_kind.flat_map(move |outcome| {
        let judged = outcome.checks.iter().filter(move |it| it.id == check);
        judged.map(move |it| (outcome, &it.verdict))
    })
}

fn over_all(check: &str, kind: Kind, outcomes: &[Outcome]) -> String {
    let (mut passed, mut failed, mut open) = (0, Vec::new(), 0);
    for (outcome, verdict) in verdicts(check, kind, outcomes) {
        match verdict {
            Verdict::Pass { .. } => passed += 1,
            Verdict::Fail { .. } => failed.push(outcome.scenario.as_str()),
            Verdict::Inconclusive { .. } => open += 1,
        }
    }
    match (failed.is_empty(), passed, open) {
        (false, ..) => format!("**fail** ({})", failed.join(", ")),
        (true, 0, _) => "?".to_owned(),
        (true, _, 0) => "pass".to_owned(),
        (true, _, open) => format!("pass, {open} inconclusive"),
    }
}

fn of_scenario(
    text: &mut String,
    scenario: &Scenario,
    seed: u64,
    engines: &[Kind],
    outcomes: &[Outcome],
) {
    let here: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.scenario == scenario.name)
        .collect();
    if here.is_empty() {
        return;
    }
    let _ = write!(text, "\n## {}\n\n{}", scenario.name, scenario.says);
    let workload = &scenario.workload;
    let rate = workload
        .rate
        .map_or_else(String::new, |rate| format!(", {rate} a second"));
    let _ = writeln!(
        text,
        " {} records on {} partitions{rate}.\n",
        workload.records, workload.partitions
    );
    for step in scenario.steps(seed) {
        let _ = writeln!(text, "- {step}");
    }
    text.push('\n');
    header(text, "check", engines);
    for (check, _) in CHECKS {
        let cells: Vec<String> = engines
            .iter()
            .map(|kind| {
                let outcome = here.iter().find(|outcome| outcome.engine == *kind);
                let judged =
                    outcome.and_then(|outcome| outcome.checks.iter().find(|it| it.id == check));
                judged.map_or_else(String::new, |judged| in_words(&judged.verdict))
            })
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            row(text, check, cells.into_iter());
        }
    }
    let after = engines.iter().map(|kind| {
        let outcome = here.iter().find(|outcome| outcome.engine == *kind);
        outcome.map_or_else(String::new, |outcome| {
            format!("{:.1} s", outcome.judged_after.as_secs_f64())
        })
    });
    row(text, "judged after the last write", after);
    for outcome in here {
        if let Some(ended) = &outcome.ended {
            let _ = writeln!(
                text,
                "\n{} ended by itself: {ended}",
                outcome.engine.title()
            );
        }
    }
}

fn in_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass { evidence } => format!("pass: {evidence}"),
        Verdict::Fail {
            failures,
            counterexample,
        } => format!(
            "**fail** ({failures}): expected {}, found {}",
            counterexample.expected, counterexample.found
        ),
        Verdict::Inconclusive { reason } => format!("?: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::{Counterexample, Judged};
    use crate::scenario::kept;

    fn outcome(scenario: &str, engine: Kind, verdict: Verdict) -> Outcome {
        Outcome {
            scenario: scenario.to_owned(),
            engine,
            seed: 1,
            took: Duration::from_secs(1),
            judged_after: Duration::from_millis(2_340),
            ended: None,
            checks: vec![Judged {
                id: "complete".to_owned(),
                by_comparison: false,
                figures: std::collections::BTreeMap::new(),
                verdict,
            }],
        }
    }

    fn pass() -> Verdict {
        Verdict::Pass {
            evidence: "all seen".to_owned(),
        }
    }

    #[test]
    fn one_failure_outweighs_what_passed_and_what_was_not_judged_is_no_pass() {
        let fail = Verdict::Fail {
            failures: 2,
            counterexample: Counterexample {
                expected: "a | b".to_owned(),
                found: "nothing".to_owned(),
            },
        };
        let outcomes = [
            outcome("steady", Kind::Builtin, pass()),
            outcome("steady", Kind::Connect, pass()),
            outcome("crash", Kind::Connect, fail),
        ];
        let broken = Broken {
            scenario: "storm".to_owned(),
            engine: Kind::Connect,
            reason: "no port\nand more".to_owned(),
        };
        let setting = Setting {
            date: "2026-01-01".to_owned(),
            cores: 4,
            seed: 1,
        };
        let text = document(&setting, &kept().expect("scenarios"), &outcomes, &[broken]);
        assert!(
            text.contains("| complete | pass | **fail** (crash) |"),
            "{text}"
        );
        assert!(text.contains("| group-sync | ? | ? |"), "{text}");
        assert!(
            text.contains("| judged after the last write | 2.3 s | 2.3 s |"),
            "{text}"
        );
        assert!(
            text.contains("\n- storm, MirrorMaker 2 on Connect: no port and more\n"),
            "{text}"
        );
        assert!(text.contains("expected a \\| b, found nothing"), "{text}");
    }
}
