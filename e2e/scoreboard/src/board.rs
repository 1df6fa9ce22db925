//! `SCOREBOARD.md`, from what was measured.

use std::fmt::Write as _;

use crate::contract::{CHECKS, Standing, unjudged};
use crate::engine::{Kind, REBALANCE_DELAY};
use crate::results::Results;
use crate::run::{Broken, OBJECTIVE, Outcome, Verdict};
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

/// What became of a scenario on an engine.
#[derive(Debug, Clone, Copy)]
enum Cell<'r> {
    Judged(&'r Outcome),
    /// It was begun and came to nothing.
    Nothing(&'r Broken),
    NotRun,
    /// The engine has not what the scenario does.
    NotForIt,
}

/// A board of scenarios and engines.
#[derive(Debug)]
struct Board<'r> {
    scenarios: &'r [Scenario],
    engines: Vec<Kind>,
    results: &'r Results,
    seed: u64,
}

/// The whole document.
pub(crate) fn document(setting: &Setting, scenarios: &[Scenario], results: &Results) -> String {
    let board = Board::of(scenarios, results, setting.seed);
    let mut text = preface(setting);
    text.push_str(
        "\n## Checks\n\nThe worst verdict over all scenarios. `?`: not judged, see the end. A scenario without a result says \
         nothing about any check.\n\n",
    );
    board.header(&mut text, "check");
    for (check, _) in CHECKS {
        row(
            &mut text,
            check,
            board
                .engines
                .iter()
                .map(|kind| board.over_all(check, *kind)),
        );
    }
    row(
        &mut text,
        "scenarios with a result",
        board.engines.iter().map(|kind| board.judged_of(*kind)),
    );
    for scenario in scenarios {
        board.of_scenario(&mut text, scenario);
    }
    board.gaps(&mut text);
    board.open_checks(&mut text);
    text
}

fn preface(setting: &Setting) -> String {
    format!(
        "# Scoreboard\n\nWritten by `cargo xtask scoreboard -- --write`; not to be edited. The same scenarios on every \
         engine, each on two fresh clusters of Apache Kafka {} with one broker, or three where brokers change places, judged by \
         `mirrorctl verify`: by stamps, and what those do not show by comparing both clusters; what was done to topics beside the \
         stamped one is judged by what the board finds on the target, where an engine keeps no notes. A scenario begins when the \
         engine copies. Each engine is judged by what it promises: mirrorctl exactly-once, the others at-least-once, which may \
         repeat records once in each partition after each start of theirs, each outage of a link or a broker, and each time that \
         one wakes beside its successor (`duplicates` calls all of these restarts). `latency` and `recovery` are judged by a lag \
         of {OBJECTIVE}, within a minute after a fault. Mirus is {}, with the Kafka Connect that it is built on. Workers of Kafka \
         Connect have `{REBALANCE_DELAY}`: with the default of five minutes they would copy nothing for so long after each kill.\n\n\
         {}, {} cores, seed {}.\n",
        e2e::KAFKA_VERSION,
        e2e::MIRUS_VERSION,
        setting.date,
        setting.cores,
        setting.seed
    )
}

impl<'r> Board<'r> {
    fn of(scenarios: &'r [Scenario], results: &'r Results, seed: u64) -> Self {
        let judged = results.outcomes.iter().map(|it| it.engine);
        let broken = results.broken.iter().map(|it| it.engine);
        let mut engines: Vec<Kind> = judged.chain(broken).collect();
        engines.sort_unstable();
        engines.dedup();
        Self {
            scenarios,
            engines,
            results,
            seed,
        }
    }

    fn cell(&self, scenario: &Scenario, kind: Kind) -> Cell<'r> {
        let wanted = (scenario.name.as_str(), kind, self.seed);
        let mut judged = self.results.outcomes.iter();
        let mut broken = self.results.broken.iter();
        if let Some(found) = judged.find(|it| (it.scenario.as_str(), it.engine, it.seed) == wanted)
        {
            return Cell::Judged(found);
        }
        if let Some(found) = broken.find(|it| (it.scenario.as_str(), it.engine, it.seed) == wanted)
        {
            return Cell::Nothing(found);
        }
        if scenario.is_for(kind) && (kind != Kind::External || scenario.is_quiet()) {
            Cell::NotRun
        } else {
            Cell::NotForIt
        }
    }

    /// Of every scenario that has a result on this engine.
    fn outcomes(&self, kind: Kind) -> impl Iterator<Item = &'r Outcome> {
        self.scenarios
            .iter()
            .filter_map(move |scenario| match self.cell(scenario, kind) {
                Cell::Judged(outcome) => Some(outcome),
                Cell::Nothing(_) | Cell::NotRun | Cell::NotForIt => None,
            })
    }

    fn judged_of(&self, kind: Kind) -> String {
        let all = self.scenarios.iter();
        let all = all.filter(|it| !matches!(self.cell(it, kind), Cell::NotForIt));
        format!("{} of {}", self.outcomes(kind).count(), all.count())
    }

    fn header(&self, text: &mut String, first: &str) {
        row(
            text,
            first,
            self.engines.iter().map(|kind| kind.title().to_owned()),
        );
        row(text, "---", self.engines.iter().map(|_| "---".to_owned()));
    }

    fn over_all(&self, check: &str, kind: Kind) -> String {
        let (mut passed, mut failed, mut open) = (0, Vec::new(), 0);
        for outcome in self.outcomes(kind) {
            for judged in outcome.checks.iter().filter(|it| it.id == check) {
                match judged.verdict {
                    Verdict::Pass { .. } => passed += 1,
                    Verdict::Fail { .. } => failed.push(outcome.scenario.as_str()),
                    Verdict::Inconclusive { .. } => open += 1,
                }
            }
        }
        match (failed.is_empty(), passed, open) {
            (false, ..) => format!("**fail** ({})", failed.join(", ")),
            (true, 0, _) => "?".to_owned(),
            (true, _, 0) => "pass".to_owned(),
            (true, _, open) => format!("pass, {open} inconclusive"),
        }
    }

    fn of_scenario(&self, text: &mut String, scenario: &Scenario) {
        let cells: Vec<(Kind, Cell<'_>)> = self
            .engines
            .iter()
            .map(|kind| (*kind, self.cell(scenario, *kind)))
            .collect();
        let is_judged = |(_, cell): &(Kind, Cell<'_>)| matches!(cell, Cell::Judged(_));
        if !cells.iter().any(is_judged) {
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
        for step in scenario.steps(self.seed) {
            let _ = writeln!(text, "- {step}");
        }
        text.push('\n');
        self.header(text, "check");
        for (check, _) in CHECKS {
            let judged = |(_, cell): &(Kind, Cell<'_>)| match cell {
                Cell::Judged(outcome) => outcome.checks.iter().any(|it| it.id == check),
                Cell::Nothing(_) | Cell::NotRun | Cell::NotForIt => false,
            };
            if cells.iter().any(judged) {
                let words = cells
                    .iter()
                    .map(|(kind, cell)| in_words(check, *kind, *cell));
                row(text, check, words);
            }
        }
        let after = cells.iter().map(|(_, cell)| match cell {
            Cell::Judged(outcome) => format!("{:.1} s", outcome.judged_after.as_secs_f64()),
            Cell::Nothing(broken) => format!("no result: {}", in_short(&broken.reason)),
            Cell::NotRun => "not run".to_owned(),
            Cell::NotForIt => "not for it".to_owned(),
        });
        row(text, "judged after the last write", after);
        for (kind, cell) in &cells {
            let Cell::Judged(outcome) = cell else {
                continue;
            };
            let title = kind.title();
            if let Some(ended) = &outcome.ended {
                let _ = writeln!(text, "\n{title} ended by itself: {ended}");
            }
            if let Some(reason) = &outcome.not_compared {
                let reason = in_short(reason);
                let _ = writeln!(text, "\n{title}: the clusters were not compared: {reason}");
            }
        }
    }

    /// What this board does not say, because it was not run or came to nothing.
    fn gaps(&self, text: &mut String) {
        let mut missing = String::new();
        for scenario in self.scenarios {
            for kind in &self.engines {
                let reason = match self.cell(scenario, *kind) {
                    Cell::Nothing(broken) => in_short(&broken.reason),
                    Cell::NotRun => "not run".to_owned(),
                    Cell::Judged(_) | Cell::NotForIt => continue,
                };
                let _ = writeln!(missing, "- {}, {}: {reason}", scenario.name, kind.title());
            }
        }
        if !missing.is_empty() {
            let _ = write!(text, "\n## Without a result\n\n{missing}");
        }
    }

    fn open_checks(&self, text: &mut String) {
        text.push_str("\n## Not judged\n\n");
        for (check, standing) in CHECKS {
            if let Standing::Not(reason) = standing {
                let _ = writeln!(text, "- {check}: {reason}");
                continue;
            }
            let judged = |kind: &Kind| {
                let mut outcomes = self.outcomes(*kind);
                outcomes.any(|outcome| outcome.checks.iter().any(|it| it.id == check))
            };
            for kind in self.engines.iter().filter(|kind| !judged(kind)) {
                let reason = unjudged(check, *kind);
                let _ = writeln!(text, "- {check}, {}: {reason}", kind.title());
            }
        }
    }
}

fn row(text: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    let _ = write!(text, "| {first} |");
    for cell in cells {
        let _ = write!(text, " {} |", cell.replace('|', "\\|"));
    }
    text.push('\n');
}

/// An error in a line that is not too long.
fn in_short(reason: &str) -> String {
    let words: Vec<&str> = reason.split_whitespace().collect();
    words.join(" ").chars().take(REASON).collect()
}

fn in_words(check: &str, kind: Kind, cell: Cell<'_>) -> String {
    let outcome = match cell {
        Cell::Judged(outcome) => outcome,
        Cell::Nothing(_) => return "no result".to_owned(),
        Cell::NotRun => return "not run".to_owned(),
        Cell::NotForIt => return "not for it".to_owned(),
    };
    let judged = outcome.checks.iter().find(|it| it.id == check);
    match judged.map(|it| &it.verdict) {
        None if outcome.not_compared.is_some() => "?: not compared, see below".to_owned(),
        None => format!("?: {}", unjudged(check, kind)),
        Some(Verdict::Pass { evidence }) => format!("pass: {evidence}"),
        Some(Verdict::Fail {
            failures,
            counterexample,
        }) => format!(
            "**fail** ({failures}): expected {}, found {}",
            counterexample.expected, counterexample.found
        ),
        Some(Verdict::Inconclusive { reason }) => format!("?: {reason}"),
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
            not_compared: None,
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

    fn board() -> String {
        let fail = Verdict::Fail {
            failures: 2,
            counterexample: Counterexample {
                expected: "a | b".to_owned(),
                found: "nothing".to_owned(),
            },
        };
        let broken = Broken {
            scenario: "crash".to_owned(),
            engine: Kind::Mirus,
            seed: 1,
            reason: "no port\nand more".to_owned(),
        };
        let mut not_compared = outcome("changes", Kind::Builtin, pass());
        not_compared.not_compared = Some("verify ended\nwith 1".to_owned());
        let mut compared = outcome("changes", Kind::Connect, pass());
        compared.checks[0].id = "transactions".to_owned();
        let results = Results {
            outcomes: vec![
                not_compared,
                compared,
                outcome("steady", Kind::Builtin, pass()),
                outcome("steady", Kind::Connect, pass()),
                outcome("crash", Kind::Connect, fail),
                outcome("fail-points", Kind::Builtin, pass()),
            ],
            broken: vec![broken],
        };
        let setting = Setting {
            date: "2026-01-01".to_owned(),
            cores: 4,
            seed: 1,
        };
        document(&setting, &kept().expect("scenarios"), &results)
    }

    #[test]
    fn one_failure_outweighs_what_passed_and_what_was_not_judged_is_no_pass() {
        let text = board();
        for line in [
            "| complete | pass | **fail** (crash) | ? |",
            "| group-sync | ? | ? | ? |",
            "| judged after the last write | 2.3 s | 2.3 s | not run |",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("expected a \\| b, found nothing"), "{text}");
    }

    #[test]
    fn a_cell_says_why_it_holds_no_verdict() {
        let text = board();
        for line in [
            "| complete | not run | **fail** (2): expected a \\| b, found nothing | no result |",
            "| judged after the last write | not run | 2.3 s | no result: no port and more |",
            "| complete | pass: all seen | not for it | not for it |",
            "\n- crash, Mirus: no port and more\n",
            "| transactions | ?: not compared, see below | pass: all seen |",
            "\nmirrorctl: the clusters were not compared: verify ended with 1\n",
            "\n- crash, mirrorctl: not run\n",
            "\n- offset-map, Mirus: it keeps no record of which offsets belong together\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("- fail-points, Mirus"), "{text}");
    }
}
