//! Directories for one test's data, outside the checkout.
//!
//! Next to each directory lies a lock file that its owner holds for life. The kernel lets go of the lock however
//! the owner ends, so the next run can tell leftovers from a neighbour at work, and removes only the former.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::disk::unmount_all_below;
use crate::{Error, Result};

static SWEEP: Once = Once::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A directory that is removed when dropped; if that never happens, by the next run.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    lock_path: PathBuf,
    // held for life: says "in use" to other runs
    _lock: File,
}

impl Workspace {
    /// Creates an empty directory whose name starts with `label`.
    pub fn create(label: &str) -> Result<Self> {
        let root = root()?;
        SWEEP.call_once(|| sweep(&root));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{label}-{}-{number}", std::process::id());
        let lock_path = root.join(format!("{name}.lock"));
        let lock = File::create(&lock_path).map_err(Error::file("creating", &lock_path))?;
        lock.lock().map_err(Error::file("locking", &lock_path))?;
        let path = root.join(&name);
        // left by an earlier process with our process id, which is no longer alive
        if path.exists() {
            fs::remove_dir_all(&path).map_err(Error::file("removing", &path))?;
        }
        fs::create_dir(&path).map_err(Error::file("creating", &path))?;
        Ok(Self {
            path,
            lock_path,
            _lock: lock,
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the directory and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content).map_err(Error::file("writing", &path))?;
        Ok(path)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if std::env::var_os("MIRRORCTL_E2E_KEEP").is_some() {
            return;
        }
        // what cannot be removed now is a leftover for the next run
        drop(fs::remove_dir_all(&self.path));
        drop(fs::remove_file(&self.lock_path));
    }
}

/// Where all test data lives: `MIRRORCTL_E2E_DIR`, or a directory in the system's temporary directory.
pub(crate) fn root() -> Result<PathBuf> {
    let root = std::env::var_os("MIRRORCTL_E2E_DIR")
        .map_or_else(|| std::env::temp_dir().join("mirrorctl-e2e"), PathBuf::from);
    fs::create_dir_all(&root).map_err(Error::file("creating", &root))?;
    Ok(root)
}

fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for lock_path in entries.flatten().map(|entry| entry.path()) {
        if lock_path
            .extension()
            .is_none_or(|extension| extension != "lock")
        {
            continue;
        }
        let Ok(lock) = File::open(&lock_path) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            // removing can fail halfway, then the lock file stays for the next sweep
            let directory = lock_path.with_extension("");
            unmount_all_below(&directory);
            if !directory.exists() || fs::remove_dir_all(&directory).is_ok() {
                drop(fs::remove_file(&lock_path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_removes_leftovers_and_spares_what_is_in_use() {
        let base = tempfile::tempdir().expect("a temporary directory");
        let abandoned = base.path().join("abandoned-1-0");
        fs::create_dir(&abandoned).expect("creating");
        File::create(base.path().join("abandoned-1-0.lock")).expect("creating");
        let busy = base.path().join("busy-1-0");
        fs::create_dir(&busy).expect("creating");
        let held = File::create(base.path().join("busy-1-0.lock")).expect("creating");
        held.lock().expect("locking");

        sweep(base.path());

        assert!(!abandoned.exists());
        assert!(!base.path().join("abandoned-1-0.lock").exists());
        assert!(busy.exists());
    }

    #[test]
    fn a_workspace_is_gone_after_drop() {
        let workspace = Workspace::create("unit").expect("creating");
        let path = workspace.path().to_owned();
        assert!(path.is_dir());
        drop(workspace);
        assert!(!path.exists());
    }
}
