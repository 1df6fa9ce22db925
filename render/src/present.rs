//! The output folder, read and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use folder::{Folder, FolderError};

use crate::comparison::Comparison;
use crate::rendering::Rendering;

/// Compares a rendering with what is in a folder. The folder need not exist.
///
/// # Errors
/// When something there cannot be read, or is in the way.
pub fn compare(rendering: &Rendering, folder: &Path) -> Result<Comparison, FolderError> {
    let folder = Folder::at(folder);
    let recorded = folder.manifest()?;
    let known = recorded.files.iter();
    let known = known.filter(|(_, entry)| rendering.speaks_of(entry));
    let paths: BTreeSet<&String> = rendering
        .files
        .keys()
        .chain(known.map(|(path, _)| path))
        .collect();
    let mut present = BTreeMap::new();
    for name in paths {
        if let Some(file) = folder.read(name)? {
            present.insert(name.clone(), file);
        }
    }
    Ok(Comparison::new(rendering, &recorded, &present))
}
