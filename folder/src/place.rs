//! The folder itself: reading without following links, and changing one file, whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::{Builder, NamedTempFile};

use crate::manifest::{MANIFEST, Manifest};
use crate::path::{self, PathError};

/// What is written is called so until it is whole.
const UNFINISHED: (&str, &str) = (".mirrorctl-", ".part");
/// In the mode of a file.
const OWNER_EXECUTES: u32 = 0o100;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something in it cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest was not written by this program, or by a later one.
    #[error("{} is damaged, or no manifest of this program: {problem}", path.display())]
    Manifest {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The manifest names a file outside the folder: it was changed by hand.
    #[error("{} was changed by hand: {source}", manifest.display())]
    Path {
        /// Where the manifest is.
        manifest: PathBuf,
        /// What it names.
        source: PathError,
    },
    /// A file or folder below the output folder is a symbolic link, so that writing could leave it.
    #[error("{} is a symbolic link: refusing to write through it", path.display())]
    Link {
        /// Which.
        path: PathBuf,
    },
    /// Something that is no file stands where a file is wanted, or no folder where a folder is.
    #[error("{} is in the way: it is no {wanted}", path.display())]
    InTheWay {
        /// Where.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Present {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// A folder of rendered files. It need not exist. Names of files are relative to it, parts separated by `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at this path.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What was rendered into it; nothing where nothing ever was.
    ///
    /// # Errors
    /// When there is a manifest that cannot be read, or that names files outside of the folder.
    pub fn manifest(&self) -> Result<Manifest, FolderError> {
        let Some(found) = self.read(MANIFEST)? else {
            return Ok(Manifest::default());
        };
        let manifest =
            Manifest::from_bytes(&found.bytes).map_err(|problem| FolderError::Manifest {
                path: self.root.join(MANIFEST),
                problem,
            })?;
        for name in manifest.files.keys() {
            path::check(name).map_err(|source| FolderError::Path {
                manifest: self.root.join(MANIFEST),
                source,
            })?;
        }
        Ok(manifest)
    }

    /// A file, when it is there. Links are refused on the whole way.
    ///
    /// # Errors
    /// When it cannot be read, or something is in the way.
    pub fn read(&self, name: &str) -> Result<Option<Present>, FolderError> {
        let mut path = self.root.clone();
        let mut executable = false;
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let about = match fs::symlink_metadata(&path) {
                Ok(about) => about,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                // a file stands where a folder of the way should be
                Err(source) => return Err(FolderError::Read { path, source }),
            };
            let wanted = if parts.peek().is_some() {
                "folder"
            } else {
                "file"
            };
            executable = about.permissions().mode() & OWNER_EXECUTES != 0;
            if about.is_symlink() {
                return Err(FolderError::Link { path });
            }
            let fits = if wanted == "folder" {
                about.is_dir()
            } else {
                about.is_file()
            };
            if !fits {
                return Err(FolderError::InTheWay { path, wanted });
            }
        }
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Present { bytes, executable })),
            Err(source) => Err(FolderError::Read { path, source }),
        }
    }

    /// Puts a file there, whole or not at all, over one that is there already; folders on the way are made.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, name: &str, bytes: &[u8], executable: bool) -> io::Result<()> {
        let path = self.root.join(name);
        let parent = path
            .parent()
            .ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
        fs::create_dir_all(parent)?;
        sweep(parent);
        let mut file = temporary(parent)?;
        file.write_all(bytes)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(if executable {
                0o755
            } else {
                0o644
            }))?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// Takes a file away, and the folders that it leaves empty; the folder itself stays.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.root.join(name);
        fs::remove_file(&path)?;
        let mut parent = path.parent();
        while let Some(empty) = parent.filter(|it| *it != self.root && it.starts_with(&self.root)) {
            // not empty, or not ours to remove: then it stays
            if fs::remove_dir(empty).is_err() {
                break;
            }
            parent = empty.parent();
        }
        Ok(())
    }

    /// Puts the manifest there.
    ///
    /// # Errors
    /// What the system says.
    pub fn note(&self, manifest: &Manifest) -> io::Result<()> {
        let text = manifest.to_text()?;
        self.write(MANIFEST, text.as_bytes(), false)
    }
}

/// The first part of the way from `below` to `below/out` that is a symbolic link: what is written through it goes elsewhere.
/// What cannot be looked at is none.
pub fn link_on_the_way(below: &Path, out: &Path) -> Option<PathBuf> {
    let mut path = below.to_owned();
    out.components().find_map(|part| {
        path.push(part);
        let about = fs::symlink_metadata(&path).ok()?;
        about.is_symlink().then(|| path.clone())
    })
}

/// A file beside the one that it will be. Its writer holds a lock on it, which ends with the writer.
fn temporary(parent: &Path) -> io::Result<NamedTempFile> {
    let (prefix, suffix) = UNFINISHED;
    let file = Builder::new()
        .prefix(prefix)
        .suffix(suffix)
        .tempfile_in(parent)?;
    // where a file system knows no locks, nothing can be told of leftovers either
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Takes away what writers left that were killed: files of that name that nobody holds. What cannot be looked at stays.
fn sweep(parent: &Path) {
    let (prefix, suffix) = UNFINISHED;
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let left = name
            .to_str()
            .is_some_and(|it| it.starts_with(prefix) && it.ends_with(suffix));
        let is_file = entry.file_type().is_ok_and(|it| it.is_file());
        if left
            && is_file
            && let Ok(file) = fs::File::open(entry.path())
            && file.try_lock().is_ok()
        {
            // gone already, or not ours to remove
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays() {
        let place = tempfile::tempdir().expect("folder");
        let inner = place.path().join("a");
        fs::create_dir(&inner).expect("folder");
        let left = inner.join(".mirrorctl-abc123.part");
        fs::write(&left, "half").expect("write");
        let mine = inner.join(".mirrorctl-notes");
        fs::write(&mine, "mine").expect("write");
        let living = temporary(&inner).expect("file");
        let folder = Folder::at(place.path());
        folder.write("a/b", b"whole", false).expect("write");
        assert!(!left.exists());
        assert!(mine.exists() && living.path().exists());
        assert_eq!(
            folder.read("a/b").expect("read").expect("there").bytes,
            b"whole"
        );
        drop(living);
        let names: Vec<_> = fs::read_dir(&inner)
            .expect("read")
            .map(|entry| entry.expect("entry").file_name())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
