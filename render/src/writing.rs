//! Writing what was compared: each file whole or not at all, the manifest last.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::comparison::{Comparison, FileState};
use crate::folder::{FolderError, read_file};
use crate::manifest::MANIFEST;

/// Why files were not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Files were edited since they were rendered, or were there before: nothing was written.
    #[error("edited since rendered, or not rendered by mirrorctl: {}", paths.join(", "))]
    Edited {
        /// Their paths.
        paths: Vec<String>,
    },
    /// A file was changed while this ran: it was left as it is.
    #[error("{path} was changed meanwhile; render again")]
    Changed {
        /// Its path.
        path: String,
    },
    /// Something in the folder is in the way.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file could not be written or removed. Files before it, by their names, were.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest is no JSON: a bug.
    #[error("cannot write the manifest: {0}")]
    Manifest(serde_json::Error),
}

/// How many files were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Files that were not there.
    pub created: usize,
    /// Files that were there otherwise.
    pub updated: usize,
    /// Files that are not wanted any more.
    pub removed: usize,
    /// Files that were as wanted.
    pub unchanged: usize,
}

impl Comparison {
    /// Refuses when files were edited.
    ///
    /// # Errors
    /// [`WriteError::Edited`] with all of them.
    pub fn refuse_edited(&self) -> Result<(), WriteError> {
        let paths: Vec<String> = self
            .in_state(FileState::Edited)
            .map(|file| file.path.clone())
            .collect();
        if paths.is_empty() {
            Ok(())
        } else {
            Err(WriteError::Edited { paths })
        }
    }

    /// Makes the folder as wanted, edited files included; call [`Self::refuse_edited`] before, unless they are to be
    /// overwritten. A file that is not as it was when it was compared is left, and ends the writing.
    ///
    /// Killed halfway, each file is either old or new; the next run finds out which.
    ///
    /// # Errors
    /// With the first file that cannot be written.
    pub fn apply(&self, folder: &Path) -> Result<Written, WriteError> {
        let mut written = Written::default();
        for file in &self.files {
            let path = folder.join(&file.path);
            match file.state {
                FileState::Same => written.unchanged += 1,
                FileState::Left => {}
                FileState::Missing | FileState::Outdated | FileState::Edited => {
                    let Some(wanted) = &file.after else { continue };
                    unchanged_since(folder, &file.path, file.before.as_deref())?;
                    put(&path, &wanted.content, wanted.is_script())
                        .map_err(|source| WriteError::Io { path, source })?;
                    if file.before.is_none() {
                        written.created += 1;
                    } else {
                        written.updated += 1;
                    }
                }
                FileState::Obsolete => {
                    unchanged_since(folder, &file.path, file.before.as_deref())?;
                    fs::remove_file(&path).map_err(|source| WriteError::Io {
                        path: path.clone(),
                        source,
                    })?;
                    remove_empty_folders(folder, &path);
                    written.removed += 1;
                }
            }
        }
        if self.manifest_differs {
            let path = folder.join(MANIFEST);
            let text = self.manifest.to_text().map_err(WriteError::Manifest)?;
            put(&path, text.as_bytes(), false).map_err(|source| WriteError::Io { path, source })?;
        }
        Ok(written)
    }
}

/// Looks once more, right before a change, links on the way included.
fn unchanged_since(folder: &Path, name: &str, before: Option<&[u8]>) -> Result<(), WriteError> {
    if read_file(folder, name)?.as_deref() == before {
        Ok(())
    } else {
        Err(WriteError::Changed {
            path: name.to_owned(),
        })
    }
}

fn put(path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    let parent = path
        .parent()
        .ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    fs::create_dir_all(parent)?;
    let mut file = NamedTempFile::new_in(parent)?;
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

/// Folders that a removed file leaves empty go too, the output folder itself never.
fn remove_empty_folders(folder: &Path, removed: &Path) {
    let mut parent = removed.parent();
    while let Some(empty) = parent.filter(|it| *it != folder && it.starts_with(folder)) {
        // not empty, or not ours to remove: then it stays
        if fs::remove_dir(empty).is_err() {
            return;
        }
        parent = empty.parent();
    }
}
