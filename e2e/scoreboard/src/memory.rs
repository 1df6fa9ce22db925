//! How much memory an engine has taken.

use std::collections::BTreeMap;
use std::fs;

use e2e::ENGINE_HEAP_MEGABYTES;

use crate::engine::Kind;
use crate::run::{Counterexample, Judged, Verdict};

/// What the built-in replicator is declared to keep in flight, as its topology writes it.
pub(crate) const BYTE_BUDGET: &str = "16MiB";
const MEBIBYTE: u64 = 1 << 20;

/// The verdict on a process by the most memory that it has had; nothing where it is gone.
pub(crate) fn judge(kind: Kind, pid: u32) -> Option<Judged> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = peak_mebibytes(&status)?;
    let (most, why) = bound(kind);
    let verdict = if peak <= most {
        Verdict::Pass {
            evidence: format!(
                "{peak} MiB of memory at most, of {most}: {why}; no throttle is declared here"
            ),
        }
    } else {
        Verdict::Fail {
            failures: 1,
            counterexample: Counterexample {
                expected: format!("{most} MiB of memory at most: {why}"),
                found: format!("{peak} MiB"),
            },
        }
    };
    Some(Judged {
        id: "resources".to_owned(),
        by_comparison: false,
        verdict,
        figures: BTreeMap::from([("peak-mebibytes".to_owned(), peak)]),
    })
}

/// In mebibytes, and what makes it up.
fn bound(kind: Kind) -> (u64, String) {
    match kind {
        Kind::Builtin | Kind::External => (
            16 + 40,
            format!("a byte budget of {BYTE_BUDGET}, and 40 MiB besides"),
        ),
        Kind::Mirrormaker2 | Kind::Connect | Kind::Mirus => {
            let heap = u64::from(ENGINE_HEAP_MEGABYTES);
            (
                2 * heap,
                format!("a heap of {heap} MiB, and as much besides"),
            )
        }
    }
}

/// The largest resident set, without what is mapped of files: the code of a debug build is larger than all its data.
fn peak_mebibytes(status: &str) -> Option<u64> {
    let kilobytes = |key: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(key))?;
        value.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    let bytes = kilobytes("VmHWM:")?.saturating_sub(kilobytes("RssFile:")?) * 1024;
    Some(bytes.div_ceil(MEBIBYTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_without_what_is_mapped_of_files() {
        let status = "Name:\tx\nVmHWM:\t   61440 kB\nRssAnon:\t 10 kB\nRssFile:\t   40960 kB\n";
        assert_eq!(peak_mebibytes(status), Some(20));
        assert_eq!(peak_mebibytes("Name:\tx\n"), None, "of one that has ended");
    }

    #[test]
    fn this_process_has_some() {
        let judged = judge(Kind::Connect, std::process::id()).expect("a verdict");
        assert!(judged.figures["peak-mebibytes"] > 0);
    }
}
