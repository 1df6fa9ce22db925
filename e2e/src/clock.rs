//! A clock for some processes that is set while they run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result, Workspace};

/// Where Debian and what comes from it put libraries of all architectures.
const LIBRARIES: &str = "/usr/lib";
/// The one for programs with several threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The time of day for every process that is started with its environment, by libfaketime. Clocks that count how long
/// something takes go on as they do.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// One that is right so far; its file is in `workspace` and starts with `name`.
    ///
    /// # Errors
    /// [`Error::NoLibrary`] where libfaketime is not installed.
    pub fn right(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = Path::new(LIBRARIES);
        let entries = fs::read_dir(folder).map_err(Error::file("listing", folder))?;
        let mut libraries = entries.flatten().map(|entry| entry.path().join(LIBRARY));
        let library = libraries.find(|path| path.is_file());
        let clock = Self {
            library: library.ok_or(Error::NoLibrary {
                name: "libfaketime",
                command: "apt-get install libfaketime",
            })?,
            file: workspace.path().join(format!("{name}.clock")),
        };
        clock.set(0)?;
        Ok(clock)
    }

    /// What makes a process go by it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            // seconds until a process notices
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            // what waits goes by that clock: what libfaketime would do about it costs a JVM four times its start
            ("FAKETIME_FORCE_MONOTONIC_FIX", "0".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    /// From within a second on it is so many seconds ahead of this machine's, or behind where they are negative.
    pub fn set(&self, seconds: i64) -> Result<()> {
        // in one step: processes read it at any time
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n")).map_err(Error::file("writing", &new))?;
        fs::rename(&new, &self.file).map_err(Error::file("renaming", &new))
    }
}
