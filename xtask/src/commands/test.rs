//! `cargo xtask test`.

use std::process::Command;

use clap::Args;

use super::{bench, fuzz, install, judging, scoreboard};
use crate::error::Result;
use crate::process::execute;
use crate::project::{cache, cargo, say};
use crate::{amazon, containers, needs};

/// What to run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask test
  cargo xtask test --only signals
  cargo xtask test --all --only containers")]
pub(crate) struct Arguments {
    /// The long runs, the container tests, the fuzz targets, and small runs of the scoreboard and the benchmark as well
    #[arg(long)]
    all: bool,
    /// Only this test program of e2e/tests, may be given several times, and only what it needs is installed; no benchmark
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Arguments for the test programs, such as a part of a test's name
    #[arg(last = true)]
    pass: Vec<String>,
}

impl Arguments {
    /// Whether a test program of the deep tier is among those that run.
    fn runs_deep(&self, name: &str) -> bool {
        self.all && (self.only.is_empty() || self.only.iter().any(|it| it == name))
    }
}

/// Installs, builds the binary under test, runs the tests.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    install::core()?;
    let mut environment = needs::install(|program| arguments.runs_deep(program))?;
    if arguments.runs_deep(amazon::TEST) {
        environment.extend(amazon::environment()?);
    }
    if !arguments.only.is_empty() {
        // The tests run the binary next to themselves in the target directory. When all are run it is built with them;
        // by itself it would be built once more, because what packages share then has fewer features.
        execute(cargo().args(["build", "-p", "mirrorctl", "--features", "fail-points"]))?;
    }
    if !arguments.all {
        return execute(&mut tests(arguments)?);
    }
    let mut tests = tests(arguments)?;
    tests.envs(environment);
    // stopped after the tests, whatever becomes of them
    let engine = if needs::ENGINE.iter().any(|it| arguments.runs_deep(it)) {
        Some(containers::engine()?)
    } else {
        None
    };
    if let Some(engine) = &engine {
        tests.envs(engine.environment());
    }
    execute(&mut tests)?;
    drop(engine);
    if arguments.only.is_empty() {
        fuzz::run(&fuzz::Arguments::default())?;
        scoreboard::run(&scoreboard::Arguments::smoke())?;
        judging::run(&judging::Arguments::smoke())?;
        bench::run(&bench::Arguments::smoke())
    } else {
        Ok(())
    }
}

fn tests(arguments: &Arguments) -> Result<Command> {
    say("running the tests");
    let mut command = cargo();
    // one failure does not hide the next: a run takes long
    command.args(["test", "--no-fail-fast"]);
    if arguments.only.is_empty() {
        command.arg("--workspace");
    } else {
        command.args(["-p", "mirrorctl-e2e"]);
        command.args(arguments.only.iter().flat_map(|name| ["--test", name]));
    }
    if arguments.all {
        // cargo refuses features of packages that are not selected
        let features = if arguments.only.is_empty() {
            "mirrorctl-e2e/deep,mirrorctl-replicator/deep"
        } else {
            "mirrorctl-e2e/deep"
        };
        command.args(["--features", features]);
    }
    command
        .arg("--")
        .args(&arguments.pass)
        .env("MIRRORCTL_CACHE", cache()?);
    Ok(command)
}
