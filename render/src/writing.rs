//! Writing what was compared: each file whole or not at all, the manifest last.

use std::io;
use std::path::{Path, PathBuf};

use folder::{FileState, Folder, FolderError, MANIFEST, Present};

use crate::comparison::Comparison;

/// Why files were not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Files were edited since they were rendered, were there before, or are another topology's: nothing was written.
    #[error("edited since rendered, or not rendered from this topology: {}", paths.join(", "))]
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
            .files
            .iter()
            .filter(|file| matches!(file.state, FileState::Edited | FileState::Others))
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
        let folder = Folder::at(folder);
        let failed = |name: &str| {
            let path = folder.path().join(name);
            move |source| WriteError::Io { path, source }
        };
        let mut written = Written::default();
        for file in &self.files {
            let name = &file.path;
            match file.state {
                FileState::Same => written.unchanged += 1,
                FileState::Left => {}
                FileState::NotExecutable
                | FileState::Missing
                | FileState::Outdated
                | FileState::Edited
                | FileState::Others => {
                    let Some(wanted) = &file.after else { continue };
                    unchanged_since(&folder, name, file.before.as_ref())?;
                    folder
                        .write(name, &wanted.content, wanted.is_script())
                        .map_err(failed(name))?;
                    if file.before.is_none() {
                        written.created += 1;
                    } else {
                        written.updated += 1;
                    }
                }
                FileState::Obsolete => {
                    unchanged_since(&folder, name, file.before.as_ref())?;
                    folder.remove(name).map_err(failed(name))?;
                    written.removed += 1;
                }
            }
        }
        if self.manifest_differs {
            folder.note(&self.manifest).map_err(failed(MANIFEST))?;
        }
        Ok(written)
    }
}

/// Looks once more, right before a change, links on the way included.
fn unchanged_since(
    folder: &Folder,
    name: &str,
    before: Option<&Present>,
) -> Result<(), WriteError> {
    if folder.read(name)?.as_ref() == before {
        Ok(())
    } else {
        Err(WriteError::Changed {
            path: name.to_owned(),
        })
    }
}
