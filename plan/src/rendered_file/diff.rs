//! The files that are wanted against those that are there: pure.

use std::collections::{BTreeMap, BTreeSet};

use folder::{Difference, FileState, ManifestEntry, sha256, standing};

use super::{DesiredFile, DesiredFolder, ObservedFolder, RenderedFileState, label};
use crate::change::{
    Block, BlockCode, Change, Detail, RecordChange, Resource, ResourceChange, Risk,
};
use crate::draft::{DECLARED_NO_LONGER, detail};
use crate::home::Home;
use crate::permissions::Permissions;
use crate::rails;

/// Lines of a diff that a plan holds of each file.
const DIFF_LINES: usize = 40;

/// One file from all sides.
struct File<'a> {
    path: &'a str,
    wanted: Option<&'a DesiredFile>,
    present: Option<&'a [u8]>,
    recorded: Option<&'a ManifestEntry>,
}

/// What has to be done about the files that are wanted, and about those that were rendered and are not wanted any more.
pub(crate) fn changes(
    desired: &DesiredFolder,
    live: Option<&ObservedFolder>,
    allowed: &Permissions,
) -> Vec<ResourceChange> {
    let unread = ObservedFolder::default();
    let seen = live.unwrap_or(&unread);
    let mut changes: Vec<ResourceChange> = paths(desired, seen)
        .into_iter()
        .filter_map(|path| {
            let file = file(path, desired, seen);
            Some(file.change(file.standing()?, file.resource()?, desired, allowed))
        })
        .collect();
    if live.is_none() {
        for change in &mut changes {
            let message = "the folder was not read, so nothing is known about it".to_owned();
            change.blocked = vec![rails::block(BlockCode::NotObserved, message)];
        }
    }
    changes
}

/// Files that the manifest names and that are neither wanted nor there.
pub(crate) fn in_vain(desired: &DesiredFolder, live: &ObservedFolder) -> Vec<String> {
    paths(desired, live)
        .into_iter()
        .filter(|path| file(path, desired, live).standing().is_none())
        .map(str::to_owned)
        .collect()
}

fn paths<'a>(desired: &'a DesiredFolder, live: &'a ObservedFolder) -> BTreeSet<&'a str> {
    let paths = desired.files.keys().chain(live.manifest.files.keys());
    paths.map(String::as_str).collect()
}

fn file<'a>(path: &'a str, desired: &'a DesiredFolder, live: &'a ObservedFolder) -> File<'a> {
    File {
        path,
        wanted: desired.files.get(path),
        present: live.files.get(path).map(Vec::as_slice),
        recorded: live.manifest.files.get(path),
    }
}

impl File<'_> {
    fn standing(&self) -> Option<FileState> {
        let wanted = self.wanted.map(|file| file.content.as_bytes());
        standing(wanted, self.present, self.recorded)
    }

    fn change(
        &self,
        state: FileState,
        change: Change<RenderedFileState>,
        desired: &DesiredFolder,
        allowed: &Permissions,
    ) -> ResourceChange {
        let (address, details) = (label(self.path), self.details(state));
        let record = match self.wanted {
            Some(file) if self.recorded == Some(&file.entry) => None,
            Some(file) => Some(RecordChange::Rendered(file.entry.clone())),
            None => Some(RecordChange::Forget),
        };
        let mut notes = Vec::new();
        if matches!(change, Change::NoOp { .. }) && self.recorded.is_none() {
            notes.push("it was there already; the next apply puts it into the manifest".to_owned());
        }
        ResourceChange {
            home: Home::Folder(desired.path.clone()),
            name: self.path.to_owned(),
            reason: self.reason(state, record.is_none()).to_owned(),
            risk: details.iter().map(|it| it.risk).max().unwrap_or(Risk::Safe),
            resource: Resource::RenderedFile(change),
            diff: self.diff(state),
            details,
            blocked: edit_stays(state, &address, allowed).into_iter().collect(),
            notes,
            unmanaged: BTreeMap::new(),
            impact: None,
            record,
            address,
        }
    }

    /// Nothing about a file that is neither wanted nor there.
    fn resource(&self) -> Option<Change<RenderedFileState>> {
        let before = self.present.map(|bytes| RenderedFileState {
            sha256: sha256(bytes),
            content: None,
            executable: false,
        });
        let after = self.wanted.map(|file| RenderedFileState {
            sha256: file.entry.sha256.clone(),
            content: Some(file.content.clone()),
            executable: file.executable,
        });
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(Change::Create { after }),
            (Some(before), None) => Some(Change::Delete { before }),
            (Some(current), Some(after)) if current.sha256 == after.sha256 => {
                Some(Change::NoOp { current })
            }
            (Some(before), Some(after)) => Some(Change::Update { before, after }),
        }
    }

    fn reason(&self, state: FileState, drifted: bool) -> &'static str {
        match (state, self.recorded) {
            (FileState::Same, _) => "as rendered",
            (FileState::Missing, None) => "not there",
            (FileState::Missing, Some(_)) => "gone since it was rendered",
            (FileState::Outdated, _) => "rendered otherwise now",
            (FileState::Edited, Some(_)) if drifted => "drifted: edited since it was rendered",
            (FileState::Edited, Some(_)) => {
                "rendered otherwise now, and edited since the last time"
            }
            (FileState::Edited, None) => "there, and not rendered by mirrorctl",
            (FileState::Obsolete, _) => DECLARED_NO_LONGER,
            (FileState::Left, _) => "declared no longer, and edited since it was rendered",
        }
    }

    fn difference(&self) -> Difference {
        let wanted = self.wanted.map(|file| file.content.as_bytes());
        Difference::between(self.path, self.present, wanted)
    }

    /// What a person wants to see: a file that changes, not one that comes or goes whole.
    fn diff(&self, state: FileState) -> Option<String> {
        match state {
            FileState::Outdated | FileState::Edited => Some(self.difference().unified(DIFF_LINES)),
            FileState::Same | FileState::Missing | FileState::Obsolete | FileState::Left => None,
        }
    }

    fn details(&self, state: FileState) -> Vec<Detail> {
        let loses = |reason: &str| Some((Risk::LosesEdits, reason.to_owned()));
        let risk = match state {
            FileState::Same => return Vec::new(),
            FileState::Missing | FileState::Outdated | FileState::Obsolete => None,
            FileState::Edited => loses("what was written into it is overwritten"),
            FileState::Left => loses("what was written into it goes with it"),
        };
        let before = self.present.map(lines);
        let after = match (self.wanted, self.present) {
            (Some(file), Some(_)) => {
                let found = self.difference();
                let now = lines(file.content.as_bytes());
                format!("{now} (+{} −{})", found.added, found.removed)
            }
            (Some(file), None) => lines(file.content.as_bytes()),
            (None, _) => "gone".to_owned(),
        };
        vec![detail("content", before, Some(after), risk)]
    }
}

/// What somebody wrote is lost only where that is asked for by address.
fn edit_stays(state: FileState, address: &str, allowed: &Permissions) -> Option<Block> {
    let (doing, instead) = match state {
        FileState::Edited => (
            "overwriting",
            "take the edit back, put it into the topology, or",
        ),
        FileState::Left => ("removing", "remove it yourself, `forget` it, or"),
        FileState::Same | FileState::Missing | FileState::Outdated | FileState::Obsolete => {
            return None;
        }
    };
    (!allowed.may_destroy(address)).then(|| {
        let flag = rails::allow_destroy(address);
        let message = format!("{doing} what somebody wrote: {instead} ask for it with {flag}");
        rails::block(BlockCode::DestroyNotAllowed, message)
    })
}

fn lines(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes).lines().count() {
        1 => "1 line".to_owned(),
        count => format!("{count} lines"),
    }
}
