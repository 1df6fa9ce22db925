//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    // this crate lies directly below it
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// What is downloaded or built once for all checkouts: `MIRRORCTL_CACHE`, or `~/.cache/mirrorctl`.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = match std::env::var_os("MIRRORCTL_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").ok_or(Error::NoCacheDirectory)?)
            .join(".cache/mirrorctl"),
    };
    std::fs::create_dir_all(&cache).map_err(Error::file("creating", &cache))?;
    Ok(cache)
}

/// The same cargo that runs this program, in the checkout.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Tells what happens. Standard output belongs to the programs that are run.
#[expect(
    clippy::print_stderr,
    reason = "the one place of this program that prints"
)]
pub(crate) fn say(message: &str) {
    eprintln!("xtask: {message}");
}
