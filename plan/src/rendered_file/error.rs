//! Why rendered files were not changed.

use std::io;
use std::path::PathBuf;

use folder::{FolderError, PathError};

use crate::guard::FailureKind;

/// Why a file, or the manifest, was not changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The plan names a file outside of the folder.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The plan was made for files elsewhere.
    #[error(
        "the plan writes files below {}, which is not there; nothing was changed: plan where it is to be applied",
        below.display()
    )]
    Elsewhere {
        /// The folder of the topology that it was made from.
        below: PathBuf,
    },
    /// The system refused.
    #[error("cannot {step} {}: {source}", path.display())]
    Io {
        /// What was tried.
        step: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl FileError {
    /// What the failure means to whoever started the command.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Folder(error) => crate::guard::of_folder(error),
            Self::Elsewhere { .. } => FailureKind::Stale,
            Self::Path(_) | Self::Io { .. } => FailureKind::Error,
        }
    }
}
