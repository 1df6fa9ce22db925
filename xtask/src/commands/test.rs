//! `cargo xtask test`.

use clap::Args;

use super::{bench, install};
use crate::containers;
use crate::error::Result;
use crate::process::execute;
use crate::project::{cache, cargo, say};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The long runs, the container tests and the benchmark as well
    #[arg(long)]
    all: bool,
    /// Arguments for the test programs, such as a part of a test's name
    #[arg(last = true)]
    pass: Vec<String>,
}

/// Installs, builds the binary under test, runs every test.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    install::core()?;
    if arguments.all {
        deep(&arguments.pass)
    } else {
        core(&arguments.pass)
    }
}

fn core(pass: &[String]) -> Result<()> {
    build_binary()?;
    say("running the tests");
    execute(
        cargo()
            .args(["test", "--workspace", "--"])
            .args(pass)
            .env("MIRRORCTL_CACHE", cache()?),
    )
}

fn deep(pass: &[String]) -> Result<()> {
    let engine = containers::engine()?;
    build_binary()?;
    say("running the tests, the long ones included");
    execute(
        cargo()
            .args([
                "test",
                "--workspace",
                "--features",
                "mirrorctl-e2e/deep",
                "--",
            ])
            .args(pass)
            .env("MIRRORCTL_CACHE", cache()?)
            .envs(engine.environment()),
    )?;
    drop(engine);
    bench::run(&bench::Arguments::default())
}

/// The tests run the binary of the same profile, next to themselves in the target directory.
fn build_binary() -> Result<()> {
    execute(cargo().args(["build", "-p", "mirrorctl"]))
}
