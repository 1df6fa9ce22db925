//! `cargo xtask scoreboard`.

use clap::Args;

use super::install;
use crate::error::Result;
use crate::process::execute;
use crate::project::{cache, cargo, root, say};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Arguments for the scoreboard itself; `-- --help` lists them
    #[arg(last = true)]
    pass: Vec<String>,
}

impl Arguments {
    /// For the deep tests: one scenario with every engine.
    pub(crate) fn smoke() -> Self {
        Self {
            pass: ["--scenario", "steady"].map(str::to_owned).to_vec(),
        }
    }
}

/// Builds the binary and the scoreboard, then runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    install::core()?;
    install::mirus()?;
    install::libfaketime()?;
    say("building the binary and the scoreboard");
    // scenarios end the replicator at its own steps
    let built = [
        "-p",
        "mirrorctl",
        "-p",
        "mirrorctl-scoreboard",
        "--features",
        "mirrorctl/fail-points",
    ];
    execute(cargo().arg("build").args(built))?;
    execute(
        cargo()
            .args(["run", "--quiet", "-p", "mirrorctl-scoreboard", "--"])
            .args(&arguments.pass)
            .current_dir(root())
            .env("MIRRORCTL_CACHE", cache()?),
    )
}
