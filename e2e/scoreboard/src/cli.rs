//! Arguments, and what they lead to.

use std::path::PathBuf;
use std::process::Command;

use clap::Parser;

use crate::board::{Setting, document};
use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::external;
use crate::random::anything;
use crate::results::{Came, Results};
use crate::run::{Broken, Outcome, Verdict, run};
use crate::scenario::{Scenario, kept};

/// Runs the same scenarios on every engine and says which promises hold
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask scoreboard --",
    after_help = "Examples:
  cargo xtask scoreboard -- --write
  cargo xtask scoreboard -- --write --keep /tmp/board.json --scenario storm --engine builtin,mirus
  cargo xtask scoreboard -- --scenario crash --engine builtin --seed 7
  cargo xtask scoreboard -- --random 4711 --engine builtin
  cargo xtask scoreboard -- --engine external --topology topology.yaml --mirror onprem-to-aws"
)]
pub(crate) struct Arguments {
    /// Only these scenarios, separated by commas; all when none is named
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    scenario: Vec<String>,
    /// A scenario file of your own, besides
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Faults of most kinds (no disks, no clocks) at times that this seed decides, instead of scenarios; the same seed gives
    /// the same again
    #[arg(long, value_name = "SEED", conflicts_with_all = ["scenario", "file", "seed"])]
    random: Option<u64>,
    /// Which engines, separated by commas; all but `external` when none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    engine: Vec<Kind>,
    /// Of the external engine: a topology whose mirror copies the topic SCENARIO.records; both clusters and the engine
    /// run already. Only scenarios in which nothing goes wrong are for it
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Of the external engine: the mirror in it
    #[arg(long, value_name = "NAME")]
    mirror: Option<String>,
    /// Decides the records, and the faults of scenarios with random ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep what comes out in this file, and take into the document what runs before have kept there: a board may be made
    /// in parts, and a part made again
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Write SCOREBOARD.md at the root of the repository
    #[arg(long)]
    write: bool,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<()> {
        let scenarios = self.scenarios()?;
        let engines: &[Kind] = match self.engine.as_slice() {
            [] => &Kind::OURS_TO_START,
            named => named,
        };
        let mut results = match &self.keep {
            Some(path) => Results::read(path)?,
            None => Results::default(),
        };
        let mut without = 0;
        for scenario in &scenarios {
            for kind in engines {
                if !scenario.is_for(*kind) || (*kind == Kind::External && !scenario.is_quiet()) {
                    say(&format!("{} is not for {}", scenario.name, kind.title()));
                    continue;
                }
                say(&format!("{}, {}", scenario.name, kind.title()));
                let came = match self.one(scenario, *kind) {
                    Ok(outcome) => {
                        say(&in_a_line(&outcome));
                        if let Some(reason) = &outcome.not_compared {
                            say(&format!("  the clusters were not compared: {reason}"));
                        }
                        Came::To(outcome)
                    }
                    // what the others did is worth knowing
                    Err(error) => {
                        say(&format!("  no result: {error}"));
                        without += 1;
                        Came::ToNothing(Broken {
                            scenario: scenario.name.clone(),
                            engine: *kind,
                            seed: self.seed(),
                            reason: error.to_string(),
                        })
                    }
                };
                match &self.keep {
                    Some(path) => results = Results::keep(path, came)?,
                    None => results.add(came),
                }
                if self.write {
                    // each time: a run that is stopped halfway has measured something too
                    let text = document(&self.setting(), &self.board(&scenarios)?, &results);
                    let path =
                        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../SCOREBOARD.md");
                    std::fs::write(&path, text).map_err(Error::file(path))?;
                }
            }
        }
        if !self.write {
            let board = self.board(&scenarios)?;
            print(&document(&self.setting(), &board, &results));
        }
        match without {
            0 => Ok(()),
            runs => Err(Error::NoResult { runs }),
        }
    }

    fn one(&self, scenario: &Scenario, kind: Kind) -> Result<Outcome> {
        if kind != Kind::External {
            return run(scenario, kind, self.seed());
        }
        let (Some(topology), Some(mirror)) = (&self.topology, &self.mirror) else {
            return Err(Error::NoTopology);
        };
        external::run(scenario, topology, mirror, self.seed())
    }

    /// The scenarios of the document: with what was kept, all there are.
    fn board(&self, chosen: &[Scenario]) -> Result<Vec<Scenario>> {
        let mut board = match &self.keep {
            Some(_) => kept()?,
            None => Vec::new(),
        };
        for scenario in chosen {
            if !board.iter().any(|it| it.name == scenario.name) {
                board.push(scenario.clone());
            }
        }
        Ok(board)
    }

    fn seed(&self) -> u64 {
        self.random.unwrap_or(self.seed)
    }

    fn scenarios(&self) -> Result<Vec<Scenario>> {
        if let Some(seed) = self.random {
            return Ok(vec![anything(seed)]);
        }
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
            seed: self.seed(),
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
