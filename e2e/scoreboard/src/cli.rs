//! Arguments, and what they lead to.

use std::path::PathBuf;
use std::process::Command;

use clap::{Parser, ValueEnum};

use crate::board::{Setting, document};
use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::run::{Outcome, Verdict, run};
use crate::scenario::{Scenario, kept};

/// Runs the same scenarios on every engine and says which promises hold
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask scoreboard --",
    after_help = "Examples:\n  cargo xtask scoreboard -- --write\n  cargo xtask scoreboard -- --scenario crash --engine builtin --seed 7"
)]
pub(crate) struct Arguments {
    /// Only these scenarios, separated by commas; all when none is named
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    scenario: Vec<String>,
    /// A scenario file of your own, besides
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Which engines, separated by commas; all when none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    engine: Vec<Kind>,
    /// Decides the records, and the faults of scenarios with random ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write e2e/scoreboard/SCOREBOARD.md
    #[arg(long)]
    write: bool,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<()> {
        let scenarios = self.scenarios()?;
        let engines = match self.engine.as_slice() {
            [] => Kind::value_variants(),
            named => named,
        };
        let mut outcomes = Vec::new();
        for scenario in &scenarios {
            for kind in engines {
                say(&format!("{}, {}", scenario.name, kind.title()));
                let outcome = run(scenario, *kind, self.seed)?;
                say(&in_a_line(&outcome));
                outcomes.push(outcome);
            }
        }
        let text = document(&self.setting(), &scenarios, &outcomes);
        if self.write {
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("SCOREBOARD.md");
            std::fs::write(&path, text).map_err(Error::file(path))
        } else {
            print(&text);
            Ok(())
        }
    }

    fn scenarios(&self) -> Result<Vec<Scenario>> {
        let kept = kept()?;
        let mut chosen = Vec::new();
        for name in &self.scenario {
            let found = kept.iter().find(|scenario| scenario.name == *name);
            chosen.push(found.cloned().ok_or_else(|| {
                Error::UnknownScenario {
                    name: name.clone(),
                    known: kept
                        .iter()
                        .map(|scenario| scenario.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", "),
                }
            })?);
        }
        for path in &self.file {
            chosen.push(Scenario::read(path)?);
        }
        Ok(if chosen.is_empty() { kept } else { chosen })
    }

    fn setting(&self) -> Setting {
        let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
        Setting {
            date: date.map_or_else(
                |_| "date unknown".to_owned(),
                |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            ),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            seed: self.seed,
        }
    }
}

fn in_a_line(outcome: &Outcome) -> String {
    let of = |wanted: fn(&Verdict) -> bool| {
        let ids = outcome.checks.iter().filter(|it| wanted(&it.verdict));
        ids.map(|it| it.id.as_str()).collect::<Vec<_>>()
    };
    let failed = of(|verdict| matches!(verdict, Verdict::Fail { .. }));
    let passed = of(|verdict| matches!(verdict, Verdict::Pass { .. })).len();
    let failed = if failed.is_empty() {
        "none failed".to_owned()
    } else {
        format!("FAILED: {}", failed.join(", "))
    };
    format!(
        "  {passed} of {} passed, {failed}, seed {}, {:.0} s",
        outcome.checks.len(),
        outcome.seed,
        outcome.took.as_secs_f64()
    )
}

/// What goes on, for who waits.
#[expect(
    clippy::print_stderr,
    reason = "the one place of this program that says something"
)]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(
    clippy::print_stdout,
    reason = "the one place of this program that prints its result"
)]
fn print(text: &str) {
    print!("{text}");
}
