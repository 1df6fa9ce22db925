//! `cargo xtask judging`.

use clap::Args;

use super::install;
use crate::error::Result;
use crate::process::execute;
use crate::project::{cache, cargo, root};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Arguments for the measurement itself; `-- --help` lists them
    #[arg(last = true)]
    pass: Vec<String>,
    /// Without optimisation: quick to build, and no measure of the rate
    #[arg(long)]
    debug: bool,
}

impl Arguments {
    /// For the deep tests: the checks alone, in the memory there is.
    pub(crate) fn smoke() -> Self {
        Self {
            pass: ["history", "--records", "2000000"]
                .map(str::to_owned)
                .to_vec(),
            debug: false,
        }
    }
}

/// Builds the measurement of the judge and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    install::core()?;
    let profile = if arguments.debug { "dev" } else { "release" };
    execute(
        cargo()
            .args(["run", "--quiet", "--profile", profile])
            .args(["-p", "mirrorctl-judging", "--"])
            .args(&arguments.pass)
            .current_dir(root())
            .env("MIRRORCTL_CACHE", cache()?),
    )
}
