//! On what the benchmark ran.

use std::path::PathBuf;
use std::process::Command;

use serde::Serialize;

/// Machine and versions; what cannot be found out is `unknown`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// UTC.
    pub(crate) date: String,
    /// Of this checkout.
    pub(crate) revision: String,
    pub(crate) kafka: String,
    pub(crate) jvm: String,
    pub(crate) kernel: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_bytes: u64,
    /// How busy the machine was before the benchmark began, over one minute.
    pub(crate) load_before: String,
    /// Where the brokers kept their logs.
    pub(crate) data: PathBuf,
}

impl Machine {
    pub(crate) fn look(data: PathBuf) -> Self {
        let checkout = env!("CARGO_MANIFEST_DIR");
        let git = |arguments: &[&str]| {
            output(Command::new("git").arg("-C").arg(checkout).args(arguments))
        };
        let changes = git(&["status", "--porcelain", "--untracked-files=no"]);
        let dirty = changes.is_some_and(|changes| !changes.is_empty());
        let revision = git(&["rev-parse", "--short=12", "HEAD"]).map(|hash| {
            if dirty {
                format!("{hash} with local changes")
            } else {
                hash
            }
        });
        Self {
            date: known(output(
                Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]),
            )),
            revision: known(revision),
            kafka: e2e::KAFKA_VERSION.to_owned(),
            jvm: known(jvm()),
            kernel: known(file("/proc/sys/kernel/osrelease")),
            cpu: known(line("/proc/cpuinfo", "model name")),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: line("/proc/meminfo", "MemTotal")
                .and_then(|size| size.split(' ').next()?.parse::<u64>().ok())
                .unwrap_or(0)
                * 1024,
            load_before: known(
                file("/proc/loadavg").and_then(|text| text.split(' ').next().map(str::to_owned)),
            ),
            data,
        }
    }
}

fn known(found: Option<String>) -> String {
    found.unwrap_or_else(|| "unknown".to_owned())
}

fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The version that Java prints first, on standard error.
fn jvm() -> Option<String> {
    let output = Command::new("java").arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().next().map(|line| line.replace('"', ""))
}

fn file(path: &str) -> Option<String> {
    std::fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
}

/// What follows `key:` in a file of the kernel.
fn line(path: &str, key: &str) -> Option<String> {
    let text = file(path)?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_once(':')
        .map(|(_, value)| value.trim().to_owned())
}
