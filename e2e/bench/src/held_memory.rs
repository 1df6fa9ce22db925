//! Memory that the target's broker will need, kept at hand until it needs it.
//!
//! A virtual machine gives free pages back to its host, seconds after they became free, and gets them again page by page:
//! here a broker in memory then wrote 0.4 GB/s at first, and 1.4 GB/s where pages had just become free. That is the
//! host's speed, and it meets the faster engines only. So what a copy is going to write is held, touched, from before the
//! engine's start, and let go of a little faster than anybody writes, from the first record on, whoever's it is.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::statvfs;
use rustix::io::Errno;

use crate::error::{Error, Result};

const CHUNK: usize = 64 << 20;
/// From one chunk to the next: 2 GB/s.
const PAUSE: Duration = Duration::from_millis(33);
/// Brokers delete what a run has copied soon after its end.
const DELETION: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);
/// What brokers write beside the records.
const SLACK: u64 = 128 << 20;

/// So much memory, in use.
#[derive(Debug)]
pub(crate) struct HeldMemory {
    chunks: Vec<Vec<u8>>,
}

impl HeldMemory {
    /// Takes that much, rounded up; nothing for nothing.
    pub(crate) fn take(bytes: u64) -> Self {
        let chunks = bytes.div_ceil(CHUNK as u64);
        // not zeros: those would be promised, not taken
        Self {
            chunks: (0..chunks).map(|_| vec![1; CHUNK]).collect(),
        }
    }

    /// Lets go of it by and by, in a thread of its own.
    pub(crate) fn release(self) {
        thread::spawn(move || {
            for chunk in self.chunks {
                drop(chunk);
                thread::sleep(PAUSE);
            }
        });
    }
}

/// What is free where the brokers' data is.
pub(crate) fn free_bytes(directory: &Path) -> Result<u64> {
    let system = statvfs(directory).map_err(unreadable)?;
    Ok(system.f_bavail * system.f_frsize)
}

/// Waits until about as much is free as there was before a run; a broker that takes its time only makes the next run's
/// memory slower.
pub(crate) fn wait_until_free(directory: &Path, before: u64) -> Result<()> {
    let begun = Instant::now();
    while free_bytes(directory)? + SLACK < before && begun.elapsed() < DELETION {
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Whether files there are memory.
pub(crate) fn is_memory(directory: &Path) -> Result<bool> {
    // `TMPFS_MAGIC`, statfs(2)
    const TMPFS: i64 = 0x0102_1994;
    let system = rustix::fs::statfs(directory).map_err(unreadable)?;
    Ok(system.f_type == TMPFS)
}

fn unreadable(source: Errno) -> Error {
    Error::System {
        what: "the file system of the brokers' data",
        source: source.into(),
    }
}
