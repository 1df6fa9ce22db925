//! A small filesystem for the data of one broker, which can be filled.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Result};

const FILLER: &str = "filler";
static CHUNK: [u8; 64 * 1024] = [0; 64 * 1024];

/// A filesystem in memory, there until this value is dropped. Only root may mount one.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts it on an empty directory.
    pub(crate) fn mount(path: &Path, megabytes: u32) -> Result<Self> {
        let size = format!("size={megabytes}m,mode=700");
        let arguments = ["-t", "tmpfs", "-o", &size, "mirrorctl-e2e"].map(OsStr::new);
        run(Command::new("mount").args(arguments).arg(path))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&self) -> Result<()> {
        let path = self.path.join(FILLER);
        let mut file = File::create(&path).map_err(Error::file("creating", &path))?;
        // what the last chunk leaves free is filled byte by byte
        for size in [CHUNK.len(), 1] {
            loop {
                match file.write_all(&CHUNK[..size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(Error::file("filling", &path)(error)),
                }
            }
        }
        Ok(())
    }

    /// Gives it back.
    pub(crate) fn free(&self) -> Result<()> {
        let path = self.path.join(FILLER);
        fs::remove_file(&path).map_err(Error::file("removing", path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // what cannot be unmounted now is for the next run's sweep
        drop(run(Command::new("umount").arg("--lazy").arg(&self.path)));
    }
}

/// Unmounts what a run that was killed has left mounted below `directory`.
pub(crate) fn unmount_all_below(directory: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    for point in points.filter(|point| Path::new(point).starts_with(directory)) {
        drop(run(Command::new("umount").arg("--lazy").arg(point)));
    }
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(Error::program(&program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program: format!("{program} (root may mount and unmount)"),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
