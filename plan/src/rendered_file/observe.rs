//! Reads the folder of rendered files.

use std::collections::{BTreeMap, BTreeSet};

use folder::{Folder, FolderError, Manifest};
use serde::Serialize;

use super::DesiredFolder;

/// What is in the folder, as far as it is anybody's business: files that are wanted, and those that the manifest names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedFolder {
    /// What was rendered into it.
    pub manifest: Manifest,
    /// The bytes of those that are there, by path below the folder.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Reads the folder, which need not exist. Nothing but reads.
///
/// # Errors
/// When something there cannot be read, is in the way, or is a symbolic link.
pub fn observe_folder(desired: &DesiredFolder) -> Result<ObservedFolder, FolderError> {
    let folder = Folder::at(&desired.path);
    let manifest = folder.manifest()?;
    let names: BTreeSet<&String> = desired.files.keys().chain(manifest.files.keys()).collect();
    let mut files = BTreeMap::new();
    for name in names {
        if let Some(bytes) = folder.read(name)? {
            files.insert(name.clone(), bytes);
        }
    }
    Ok(ObservedFolder { manifest, files })
}
