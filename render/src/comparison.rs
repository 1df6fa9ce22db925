//! What there is against what is wanted. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use folder::{Difference, FileState, Manifest, standing};

use crate::rendering::{RenderedFile, Rendering};

/// A file that is not as wanted, or is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Below the output folder; parts are separated by `/`.
    pub path: String,
    /// How it stands.
    pub state: FileState,
    /// Its bytes now; absent when it is not there.
    pub before: Option<Vec<u8>>,
    /// The file as wanted; absent when it is not.
    pub after: Option<RenderedFile>,
}

impl FileChange {
    /// A unified diff from what there is to what is wanted; at most `lines` lines, and then how many more there are.
    pub fn diff(&self, lines: usize) -> String {
        let after = self.after.as_ref().map(|file| file.content.as_slice());
        Difference::between(&self.path, self.before.as_deref(), after).unified(lines)
    }
}

/// What there is of the files that are wanted or in the manifest.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// Their bytes.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Those that may be executed.
    pub(crate) executable: BTreeSet<String>,
}

/// Everything about the files of the targets asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// By path.
    pub files: Vec<FileChange>,
    /// The manifest as it will be.
    pub(crate) manifest: Manifest,
    /// Whether the manifest on disk is another.
    pub(crate) manifest_differs: bool,
}

impl Comparison {
    pub(crate) fn new(rendering: &Rendering, recorded: &Manifest, present: &Present) -> Self {
        // what targets that were not asked for have rendered stays as it is
        let mut manifest = Manifest {
            files: recorded
                .files
                .iter()
                .filter(|(_, entry)| !rendering.extent.covers(&entry.target))
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
            ..Manifest::default()
        };
        for (path, wanted) in &rendering.files {
            manifest.files.insert(path.clone(), wanted.entry());
        }
        let dropped = recorded.files.iter().filter(|(_, entry)| {
            // what was asked for is all that is looked at
            rendering.extent.covers(&entry.target)
        });
        let paths: BTreeSet<&String> = rendering
            .files
            .keys()
            .chain(dropped.map(|(path, _)| path))
            .collect();
        let files: Vec<FileChange> = paths
            .into_iter()
            .filter_map(|path| {
                let (before, after) = (present.files.get(path), rendering.files.get(path));
                let by_bytes = standing(
                    after.map(|file| file.content.as_slice()),
                    before.map(Vec::as_slice),
                    recorded.files.get(path),
                )?;
                // a script that nobody can execute is not as it was rendered
                let lost_its_bit = by_bytes == FileState::Same
                    && after.is_some_and(RenderedFile::is_script)
                    && !present.executable.contains(path);
                let state = if lost_its_bit {
                    FileState::Outdated
                } else {
                    by_bytes
                };
                Some(FileChange {
                    path: path.clone(),
                    state,
                    before: before.cloned(),
                    after: after.cloned(),
                })
            })
            .collect();
        // what is left there stays known, so that it is said again, and can be removed
        for left in files.iter().filter(|file| file.state == FileState::Left) {
            if let Some(entry) = recorded.files.get(&left.path) {
                manifest.files.insert(left.path.clone(), entry.clone());
            }
        }
        Self {
            files,
            manifest_differs: manifest != *recorded,
            manifest,
        }
    }

    /// The same, but edited files that are not wanted any more are removed, too.
    #[must_use]
    pub fn removing_edited(mut self) -> Self {
        for file in &mut self.files {
            if file.state == FileState::Left {
                file.state = FileState::Obsolete;
                self.manifest.files.remove(&file.path);
                self.manifest_differs = true;
            }
        }
        self
    }

    /// The files in one state.
    pub fn in_state(&self, state: FileState) -> impl Iterator<Item = &FileChange> {
        self.files.iter().filter(move |file| file.state == state)
    }

    /// Whether writing would change anything, the manifest included.
    pub fn is_current(&self) -> bool {
        !self.manifest_differs
            && self
                .files
                .iter()
                .all(|file| matches!(file.state, FileState::Same | FileState::Left))
    }
}
