//! What there is against what is wanted. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use folder::{Difference, FileState, Manifest, Present, Sides, Wanted, standing};

use crate::rendering::{RenderedFile, Rendering};

/// A file that is not as wanted, or is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Below the output folder; parts are separated by `/`.
    pub path: String,
    /// How it stands.
    pub state: FileState,
    /// As it is now; absent when it is not there.
    pub before: Option<Present>,
    /// The file as wanted; absent when it is not.
    pub after: Option<RenderedFile>,
}

impl FileChange {
    /// A unified diff from what there is to what is wanted; at most `lines` lines, and then how many more there are.
    pub fn diff(&self, lines: usize) -> String {
        let after = self.after.as_ref().map(|file| file.content.as_slice());
        let before = self.before.as_ref().map(|file| file.bytes.as_slice());
        Difference::between(&self.path, before, after).unified(lines)
    }
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
    /// `present` are the files that are wanted, or that the manifest names and the rendering speaks of, where they exist.
    pub(crate) fn new(
        rendering: &Rendering,
        recorded: &Manifest,
        present: &BTreeMap<String, Present>,
    ) -> Self {
        // what targets that were not asked for, or other topologies, have rendered stays as it is
        let (dropped, others): (BTreeMap<_, _>, BTreeMap<_, _>) = recorded
            .files
            .iter()
            .partition(|(_, entry)| rendering.speaks_of(entry));
        let mut manifest = Manifest {
            files: others
                .into_iter()
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
            ..Manifest::default()
        };
        let paths: BTreeSet<&String> = rendering.files.keys().chain(dropped.into_keys()).collect();
        let author = rendering.author();
        let files: Vec<FileChange> = paths
            .into_iter()
            .filter_map(|path| {
                let (before, after) = (present.get(path), rendering.files.get(path));
                let entry = recorded.files.get(path);
                let state = standing(&Sides {
                    wanted: after.map(|file| Wanted {
                        bytes: &file.content,
                        executable: file.is_script(),
                    }),
                    present: before,
                    recorded: entry,
                    author,
                })?;
                if let Some(file) = after
                    && !(state == FileState::Same
                        && entry.is_some_and(|it| it.is_claimed_against(author)))
                {
                    manifest.files.insert(path.clone(), file.entry());
                }
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
