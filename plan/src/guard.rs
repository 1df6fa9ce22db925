//! Clients by alias, the guard against the wrong cluster, and how failures map to exit codes.

use std::collections::BTreeMap;

use folder::FolderError;

/// Connected clients by cluster alias.
pub type Clients = BTreeMap<String, kafka::Cluster>;

/// What a failure means to whoever started the command; each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Something went wrong (exit code 1).
    Error,
    /// A safety rail refused to go on; nothing was changed (exit code 3).
    Refused,
    /// The plan no longer fits what is live (exit code 4).
    Stale,
}

/// A link could lead writing out of the folder.
pub(crate) fn of_folder(error: &FolderError) -> FailureKind {
    match error {
        FolderError::Link { .. } => FailureKind::Refused,
        FolderError::Read { .. }
        | FolderError::Manifest { .. }
        | FolderError::Path { .. }
        | FolderError::InTheWay { .. } => FailureKind::Error,
    }
}
