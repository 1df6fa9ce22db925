//! Reads the folder of rendered files.

use std::collections::{BTreeMap, BTreeSet};

use folder::{Folder, FolderError, Manifest, Present, link_on_the_way};
use serde::Serialize;

use super::DesiredFolder;

/// What is in the folder, as far as it is anybody's business: files that are wanted, and those that the manifest names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObservedFolder {
    /// What was rendered into it.
    pub manifest: Manifest,
    /// The files that are there, by path below the folder.
    pub files: BTreeMap<String, Present>,
    /// Why others could not be read, or must not be, by path below the folder.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
    /// Why nothing at all is known, and what to do about it: the manifest could not be read, or the folder must not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Reads the folder, which need not exist. Nothing but reads. A file that cannot be read, is in the way, or is a symbolic link
/// is [`ObservedFolder::unread`].
///
/// # Errors
/// When the manifest cannot be read, so that nobody knows whose files are there, or where the folder, or one on the way to it, is
/// a symbolic link.
pub fn observe_folder(
    desired: &DesiredFolder,
    topology: Option<&str>,
) -> Result<ObservedFolder, FolderError> {
    if let Some(path) = link_on_the_way(&desired.below, &desired.out) {
        return Err(FolderError::Link { path });
    }
    let folder = Folder::at(desired.path());
    let manifest = folder.manifest()?;
    let recorded = manifest.files.iter();
    let author = desired.author(topology);
    let ours = recorded.filter(|(_, entry)| entry.is_of(author));
    let names: BTreeSet<&String> = desired
        .files
        .keys()
        .chain(ours.map(|(name, _)| name))
        .collect();
    let mut files = BTreeMap::new();
    let mut unread = BTreeMap::new();
    for name in names {
        match folder.read(name) {
            Ok(Some(file)) => {
                files.insert(name.clone(), file);
            }
            Ok(None) => {}
            Err(error) => {
                unread.insert(name.clone(), error.to_string());
            }
        }
    }
    Ok(ObservedFolder {
        manifest,
        files,
        unread,
        problem: None,
    })
}

/// The same where a folder that cannot be read keeps nothing else from being planned.
pub(crate) fn observe_where_possible(
    desired: &DesiredFolder,
    topology: Option<&str>,
) -> ObservedFolder {
    observe_folder(desired, topology).unwrap_or_else(|error| ObservedFolder {
        problem: Some(problem(&error)),
        ..ObservedFolder::default()
    })
}

/// What is wrong, and what helps. A manifest that is sound says whose the files are: it is not to be given up lightly.
fn problem(error: &FolderError) -> String {
    let unknown = "nobody knows what was rendered";
    match error {
        FolderError::Link { .. } => format!(
            "{error}; make it a folder, or let `render.out` be the folder that it leads to, below the one of the topology"
        ),
        FolderError::Manifest { .. } | FolderError::Path { .. } => format!(
            "{unknown}: {error}; restore it from version control, or remove it: files that are not as wanted count as edited then"
        ),
        FolderError::Read { .. } => format!("{unknown}: {error}; let it be read, and plan again"),
        FolderError::InTheWay { .. } => {
            format!("{unknown}: {error}; move that away, and plan again")
        }
    }
}
