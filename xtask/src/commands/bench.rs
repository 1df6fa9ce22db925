//! `cargo xtask bench`.

use clap::Args;

use super::install;
use crate::error::Result;
use crate::process::execute;
use crate::project::{cache, cargo, root, say};

/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
/// Where the tests and the benchmark keep data.
const DATA_VARIABLE: &str = "MIRRORCTL_E2E_DIR";
/// 4 GB on either side, and what is being deleted.
const DATA_BYTES: u64 = 10 << 30;
/// Two brokers and the largest engine.
const PROCESS_BYTES: u64 = 6 << 30;

/// Every row, once and small: enough to see that each can be measured.
const SMOKE: [&str; 8] = [
    "--runs",
    "1",
    "--percent",
    "3",
    "--seconds",
    "3",
    "--hundred-partitions",
    "10",
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Arguments for the benchmark itself; `-- --help` lists them
    #[arg(last = true)]
    pass: Vec<String>,
}

impl Arguments {
    /// For the deep tests: fails when a row cannot be measured, whatever the figures are.
    pub(crate) fn smoke() -> Self {
        Self {
            pass: SMOKE.map(str::to_owned).to_vec(),
        }
    }
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
    let mut bench = cargo();
    bench
        .args(["run", "--release", "--quiet", "-p", "mirrorctl-bench", "--"])
        .args(&arguments.pass)
        .current_dir(root())
        .env("MIRRORCTL_CACHE", cache()?);
    if std::env::var_os(DATA_VARIABLE).is_none() && memory_has_room() {
        say("the brokers' data goes to memory, so that the disk is not what is measured");
        bench.env(DATA_VARIABLE, format!("{MEMORY}/mirrorctl-e2e"));
    }
    execute(&mut bench)
}

/// Whether the file system in memory, and the memory behind it, have room for the largest workload twice.
fn memory_has_room() -> bool {
    let file_system = rustix::fs::statvfs(MEMORY).map_or(0, |fs| fs.f_bavail * fs.f_frsize);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
        .unwrap_or(0)
        * 1024;
    file_system.min(available) >= DATA_BYTES + PROCESS_BYTES
}
