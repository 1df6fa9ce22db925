//! `cargo xtask bench`.

use clap::Args;

use super::install;
use crate::error::Result;
use crate::process::execute;
use crate::project::{cache, cargo, root, say};

/// What to measure.
#[derive(Debug, Args, Default)]
pub(crate) struct Arguments {
    /// Arguments for the benchmark itself; `-- --help` lists them
    #[arg(last = true)]
    pass: Vec<String>,
}

/// Builds the binary as it is released, then measures it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    install::core()?;
    say("building the release binary and the benchmark");
    execute(cargo().args([
        "build",
        "--release",
        "-p",
        "mirrorctl",
        "-p",
        "mirrorctl-bench",
    ]))?;
    execute(
        cargo()
            .args(["run", "--release", "--quiet", "-p", "mirrorctl-bench", "--"])
            .args(&arguments.pass)
            .current_dir(root())
            .env("MIRRORCTL_CACHE", cache()?),
    )
}
