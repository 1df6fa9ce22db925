//! `cargo xtask fuzz`.

use std::fs;
use std::process::Command;

use clap::Args;

use super::install;
use crate::error::{Error, Result};
use crate::process::{execute, output};
use crate::project::{cache, root, say};

/// One for each kind of bytes that come from a network.
const TARGETS: [&str; 6] = [
    "responses",
    "batches",
    "frames",
    "requests",
    "logins",
    "stored",
];
/// Each target, unless told otherwise.
const SECONDS: u32 = 25;
/// No input of a few kilobytes may take more memory than this, nor may one allocation.
const MEMORY_MEGABYTES: u32 = 1_500;
const ALLOCATION_MEGABYTES: u32 = 1_200;
/// No input may take longer than this, by the wall's clock: a machine that is busy with other things is no finding.
const INPUT_SECONDS: u32 = 60;
const INPUT_BYTES: u32 = 8_192;

/// What to fuzz and for how long.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask fuzz
  cargo xtask fuzz --seconds 3600 --only responses")]
pub(crate) struct Arguments {
    /// For each target
    #[arg(long, default_value_t = SECONDS)]
    seconds: u32,
    /// Only this target, may be given several times
    #[arg(long, value_name = "TARGET", value_parser = TARGETS)]
    only: Vec<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            seconds: SECONDS,
            only: Vec::new(),
        }
    }
}

/// Builds the fuzz targets with a nightly compiler and runs each for a bounded time. Corpora grow in the cache from
/// run to run; the first finding ends everything, and its input lies where the fuzzer says.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let cargo_fuzz = install::cargo_fuzz()?;
    let target_directory = cache()?.join("fuzz/target");
    let nightly = || {
        let mut command = Command::new("rustup");
        command
            .args(["run", "nightly"])
            .arg(&cargo_fuzz)
            .current_dir(root().join("fuzz"))
            .env("CARGO_TARGET_DIR", &target_directory)
            // of the cargo that runs this program, which is another toolchain's
            .env_remove("CARGO");
        command
    };
    let is_chosen = |target: &str| {
        arguments.only.is_empty() || arguments.only.iter().any(|only| only == target)
    };
    for target in TARGETS.into_iter().filter(|target| is_chosen(target)) {
        say(&format!("fuzzing {target} for {} s", arguments.seconds));
        let corpus = cache()?.join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus).map_err(Error::file("creating", &corpus))?;
        execute(
            nightly()
                // the code is safe Rust: what an address sanitizer would find, it cannot do
                .args(["run", "--fuzz-dir", ".", "--sanitizer", "none", target])
                .arg(corpus)
                .arg(root().join("fuzz/seeds").join(target))
                .arg("--")
                .arg(format!("-max_total_time={}", arguments.seconds))
                .arg(format!("-rss_limit_mb={MEMORY_MEGABYTES}"))
                .arg(format!("-malloc_limit_mb={ALLOCATION_MEGABYTES}"))
                .arg(format!("-timeout={INPUT_SECONDS}"))
                .arg(format!("-max_len={INPUT_BYTES}"))
                .arg("-print_final_stats=1")
                .arg("-verbosity=0"),
        )?;
    }
    Ok(())
}

/// A nightly toolchain, which the fuzzer's instrumentation needs.
pub(crate) fn ensure_nightly() -> Result<()> {
    let installed = output(Command::new("rustup").args(["toolchain", "list"]))?;
    if installed.lines().any(|line| line.starts_with("nightly")) {
        return Ok(());
    }
    say("installing a nightly toolchain");
    execute(Command::new("rustup").args([
        "toolchain",
        "install",
        "nightly",
        "--profile",
        "minimal",
    ]))
}
