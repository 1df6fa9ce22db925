//! What this process has taken of memory at most, by its own account.

use std::fs;
use std::path::PathBuf;

use crate::error::{Error, Result};

const STATUS: &str = "/proc/self/status";

/// Peak resident memory of this process, in KiB.
pub(crate) fn peak_kib() -> Result<u64> {
    let text = fs::read_to_string(STATUS).map_err(|source| Error::File {
        path: PathBuf::from(STATUS),
        source,
    })?;
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = peak.and_then(|rest| rest.split_whitespace().next());
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or(Error::NoMemory { path: STATUS })
}
