//! What one judging came to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::memory::peak_kib;

/// The most memory that the judge may take, in KiB.
pub(crate) const MOST_KIB: u64 = 256 * 1024;

/// How much was judged, how long that took, and what it took of memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) records: u64,
    pub(crate) seconds: f64,
    pub(crate) peak_kib: u64,
    pub(crate) failed: u64,
}

impl Figures {
    /// Of this process, which has judged.
    pub(crate) fn of(records: u64, took: Duration, failed: u64) -> Result<Self> {
        Ok(Self {
            records,
            seconds: took.as_secs_f64(),
            peak_kib: peak_kib()?,
            failed,
        })
    }

    pub(crate) fn rate(&self) -> f64 {
        self.records as f64 / self.seconds.max(1e-9)
    }

    /// Whether nothing failed, in the memory there is.
    pub(crate) fn holds(&self) -> bool {
        self.failed == 0 && self.peak_kib <= MOST_KIB
    }

    pub(crate) fn in_words(&self) -> String {
        format!(
            "{} records judged in {:.1} s, {:.0} a second, {} of memory at most ({} allowed), {}",
            self.records,
            self.seconds,
            self.rate(),
            mebibytes(self.peak_kib),
            mebibytes(MOST_KIB),
            match self.failed {
                0 => "no check failed".to_owned(),
                failed => format!("{failed} checks FAILED"),
            }
        )
    }
}

fn mebibytes(kib: u64) -> String {
    format!("{} MiB", kib.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(peak_kib: u64, failed: u64) -> Figures {
        Figures {
            records: 1_000,
            seconds: 2.0,
            peak_kib,
            failed,
        }
    }

    #[test]
    fn too_much_memory_and_failed_checks_do_not_hold() {
        assert!(figures(MOST_KIB, 0).holds());
        assert!(!figures(MOST_KIB + 1, 0).holds());
        assert!(!figures(1, 1).holds());
        assert!((figures(1, 0).rate() - 500.0).abs() < 1e-9);
        assert!(figures(1, 2).in_words().contains("2 checks FAILED"));
    }
}
