//! `cargo xtask ci`: what has to hold besides the tests.

use super::{generated, install};
use crate::error::Result;
use crate::process::execute;
use crate::project::{cargo, say};

/// Formatting, lints, generated files, dependencies.
pub(crate) fn run() -> Result<()> {
    say("cargo fmt --check");
    execute(cargo().args(["fmt", "--all", "--check"]))?;
    say("cargo clippy");
    execute(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "mirrorctl-e2e/deep",
        "--",
        "-D",
        "warnings",
    ]))?;
    generated::check()?;
    deny()
}

/// Licences, bans and sources. Advisories would need a database from the network and are left to a scheduled run.
pub(crate) fn deny() -> Result<()> {
    let cargo_deny = install::cargo_deny()?;
    say("cargo deny");
    execute(
        std::process::Command::new(cargo_deny)
            .args(["--workspace", "check", "licenses", "bans", "sources"])
            .current_dir(crate::project::root()),
    )
}
