//! The output folder, read and compared.

use std::collections::BTreeSet;
use std::path::Path;

use folder::{Folder, FolderError};

use crate::comparison::{Comparison, Present};
use crate::rendering::Rendering;

/// Compares a rendering with what is in a folder. The folder need not exist.
///
/// # Errors
/// When something there cannot be read, or is in the way.
pub fn compare(rendering: &Rendering, folder: &Path) -> Result<Comparison, FolderError> {
    let folder = Folder::at(folder);
    let recorded = folder.manifest()?;
    let paths: BTreeSet<&String> = rendering
        .files
        .keys()
        .chain(recorded.files.keys())
        .collect();
    let mut present = Present::default();
    for name in paths {
        if let Some(bytes) = folder.read(name)? {
            present.files.insert(name.clone(), bytes);
            if folder.is_executable(name) {
                present.executable.insert(name.clone());
            }
        }
    }
    Ok(Comparison::new(rendering, &recorded, &present))
}
