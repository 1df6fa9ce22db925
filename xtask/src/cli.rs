//! Arguments.

use clap::{Parser, Subcommand};

use crate::commands::{bench, ci, fuzz, install, judging, scoreboard, test};
use crate::error::Result;

/// Installs what the tests need, then runs them
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", after_help = "Example: cargo xtask test")]
pub(crate) struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the tests need: Apache Kafka's jars (Maven) and kcat
    Install,
    /// Install what the tests need and run them
    Test(test::Arguments),
    /// Measure the replicator against MirrorMaker 2 and the brokers' limit; `-- --write` writes e2e/bench/RESULTS.md
    Bench(bench::Arguments),
    /// Run the same scenarios on every engine; `-- --write` writes SCOREBOARD.md
    Scoreboard(scoreboard::Arguments),
    /// Measure the judge: its rate beside kafka-consumer-perf's, and its memory
    Judging(judging::Arguments),
    /// Throw bytes at every decoder of what comes from a network (installs cargo-fuzz and a nightly toolchain)
    Fuzz(fuzz::Arguments),
    /// Check formatting, lints, dependencies and generated files
    Ci,
    /// Check the dependencies' licences, origins and users (installs cargo-deny into the cache)
    Deny,
}

impl Cli {
    pub(crate) fn run(&self) -> Result<()> {
        match &self.task {
            Task::Install => install::core(),
            Task::Test(arguments) => test::run(arguments),
            Task::Bench(arguments) => bench::run(arguments),
            Task::Scoreboard(arguments) => scoreboard::run(arguments),
            Task::Judging(arguments) => judging::run(arguments),
            Task::Fuzz(arguments) => fuzz::run(arguments),
            Task::Ci => ci::run(),
            Task::Deny => ci::deny(),
        }
    }
}
