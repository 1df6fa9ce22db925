//! What there is against what is wanted. No I/O.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::TextDiff;

use crate::digest::sha256;
use crate::manifest::{Manifest, ManifestEntry};
use crate::rendering::{RenderedFile, Rendering};

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// As wanted.
    Same,
    /// Wanted, and not there.
    Missing,
    /// There as it was rendered, and wanted otherwise.
    Outdated,
    /// There, neither as it was rendered nor as it is wanted: somebody edited it, or it was there before.
    Edited,
    /// There as it was rendered, and not wanted any more.
    Obsolete,
    /// Not wanted any more, and edited: it stays, and is not looked at again.
    Left,
}

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

/// How far a unified diff goes around a change, in lines.
const CONTEXT: usize = 3;

impl FileChange {
    /// A unified diff from what there is to what is wanted; at most `lines` lines, and then how many more there are.
    pub fn diff(&self, lines: usize) -> String {
        let text = |bytes: Option<&Vec<u8>>| {
            bytes.map_or_else(String::new, |it| String::from_utf8_lossy(it).into_owned())
        };
        let before = text(self.before.as_ref());
        let after = text(self.after.as_ref().map(|file| &file.content));
        let name = |there: bool| {
            if there {
                self.path.as_str()
            } else {
                "/dev/null"
            }
        };
        let diff = TextDiff::from_lines(&before, &after);
        let whole = diff
            .unified_diff()
            .context_radius(CONTEXT)
            .header(name(self.before.is_some()), name(self.after.is_some()))
            .to_string();
        let count = whole.lines().count();
        if count <= lines {
            return whole;
        }
        let mut shown: String = whole.split_inclusive('\n').take(lines).collect();
        // writing to a String cannot fail
        let _ = writeln!(shown, "… {} more lines", count - lines);
        shown
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
    /// `present` are the bytes of every file that is wanted or in the manifest, where it exists.
    pub(crate) fn new(
        rendering: &Rendering,
        recorded: &Manifest,
        present: &BTreeMap<String, Vec<u8>>,
    ) -> Self {
        // what targets that were not asked for have rendered stays as it is
        let mut manifest = Manifest {
            files: recorded
                .files
                .iter()
                .filter(|(_, entry)| !rendering.targets.contains(entry.target.as_str()))
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
            ..Manifest::default()
        };
        let mut files = Vec::new();
        for (path, wanted) in &rendering.files {
            let before = present.get(path).cloned();
            let state = state_of(wanted, before.as_deref(), recorded.files.get(path));
            files.push(FileChange {
                path: path.clone(),
                state,
                before,
                after: Some(wanted.clone()),
            });
            manifest.files.insert(path.clone(), entry_of(wanted));
        }
        for (path, entry) in &recorded.files {
            let asked_for = rendering.targets.contains(entry.target.as_str());
            let Some(before) = present.get(path) else {
                continue;
            };
            if !asked_for || rendering.files.contains_key(path) {
                continue;
            }
            files.push(FileChange {
                path: path.clone(),
                state: if sha256(before) == entry.sha256 {
                    FileState::Obsolete
                } else {
                    FileState::Left
                },
                before: Some(before.clone()),
                after: None,
            });
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Self {
            files,
            manifest_differs: manifest != *recorded,
            manifest,
        }
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

fn state_of(
    wanted: &RenderedFile,
    before: Option<&[u8]>,
    entry: Option<&ManifestEntry>,
) -> FileState {
    match before {
        None => FileState::Missing,
        Some(before) if before == wanted.content => FileState::Same,
        Some(before) if entry.is_some_and(|entry| entry.sha256 == sha256(before)) => {
            FileState::Outdated
        }
        Some(_) => FileState::Edited,
    }
}

fn entry_of(file: &RenderedFile) -> ManifestEntry {
    let (template, template_sha256) = file.template.clone().unzip();
    ManifestEntry {
        target: file.target.to_owned(),
        sha256: file.digest(),
        template,
        template_sha256,
    }
}
