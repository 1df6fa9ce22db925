//! Folders that a topology rendered files into before: nothing remembers them but the manifests that lie in them.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use plan::FormerFolder;
use render::{Author, MANIFEST, Manifest};
use topology::Topology;

use crate::rendered::folder_of;

/// How far below the topology's own folder is looked.
const DEPTH: usize = 3;
/// How many folders are looked into: a topology may lie beside anything.
const MOST_FOLDERS: usize = 2_000;

/// Those below the folder of the topology file that still hold files of the topology, sorted. What cannot be read says nothing.
pub(crate) fn folders(file: &Path, topology: &Topology) -> Vec<FormerFolder> {
    let Ok(below) = folder_of(file) else {
        return Vec::new();
    };
    let clusters = render::clusters(topology);
    let author = Author {
        name: topology.name.as_deref(),
        clusters: &clusters,
    };
    let current = topology.render.as_ref();
    let current = current.and_then(|block| std::path::absolute(&block.out).ok());
    // what is seen through a link is in use, too
    let real = current.as_ref().and_then(|it| fs::canonicalize(it).ok());
    let in_use = |folder: &PathBuf| {
        current.as_ref() == Some(folder) || real.is_some() && fs::canonicalize(folder).ok() == real
    };
    let mut found = Vec::new();
    let mut ahead = VecDeque::from([(below, 0)]);
    let mut looked = 0;
    while let Some((folder, depth)) = ahead.pop_front() {
        if in_use(&folder) {
            continue;
        }
        looked += 1;
        if looked > MOST_FOLDERS {
            break;
        }
        match files(&folder, author) {
            // what is rendered lies in one folder, and not in folders of that
            Some(0) => {}
            Some(files) => found.push(FormerFolder {
                path: folder,
                files,
            }),
            None if depth < DEPTH => {
                ahead.extend(inner(&folder).map(|inner| (inner, depth + 1)));
            }
            None => {}
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// How many files of the topology are in a folder; nothing where nobody ever rendered into it.
fn files(folder: &Path, author: Author<'_>) -> Option<usize> {
    let bytes = fs::read(folder.join(MANIFEST)).ok()?;
    let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
    let ours = manifest
        .files
        .iter()
        .filter(|(name, entry)| entry.is_of(author) && folder.join(name).is_file());
    Some(ours.count())
}

/// Folders in a folder, but for links and hidden ones.
fn inner(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
            is_folder && !entry.file_name().as_encoded_bytes().starts_with(b".")
        })
        .map(|entry| entry.path())
}
