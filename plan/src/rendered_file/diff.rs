//! The files that are wanted against those that are there: pure.

use std::collections::{BTreeMap, BTreeSet};

use folder::{Author, Difference, FileState, ManifestEntry, Present, Sides, Wanted, standing};

use super::{
    DesiredFile, DesiredFolder, ObservedFolder, RENDERED_NO_LONGER, RenderedFileState, label,
};
use crate::change::{
    Block, BlockCode, Change, Detail, RecordChange, Resource, ResourceChange, Risk,
};
use crate::document::OtherFiles;
use crate::draft::detail;
use crate::home::Home;
use crate::ownership::Owner;
use crate::permissions::Permissions;
use crate::rails;

/// Lines of a diff that a plan holds of each file.
const DIFF_LINES: usize = 40;

/// What all files of a comparison have in common.
pub(crate) struct Scene<'a> {
    /// What is wanted.
    pub(crate) desired: &'a DesiredFolder,
    /// The name of the topology that wants it, where it has one.
    pub(crate) topology: Option<&'a str>,
    /// Addresses of what is to go although it is declared.
    pub(crate) withdrawn: &'a BTreeSet<String>,
    /// What there is; nothing where nobody looked.
    pub(crate) live: Option<&'a ObservedFolder>,
    /// What whoever plans allows.
    pub(crate) allowed: &'a Permissions,
}

impl<'a> Scene<'a> {
    /// Who asks.
    fn author(&self) -> Author<'a> {
        self.desired.author(self.topology)
    }
}

/// One file from all sides.
struct File<'a> {
    path: &'a str,
    wanted: Option<&'a DesiredFile>,
    present: Option<&'a Present>,
    recorded: Option<&'a ManifestEntry>,
    /// Why it could not be read.
    unread: Option<&'a str>,
    author: Author<'a>,
}

/// What has to be done about the files that are wanted, and about those that were rendered and are not wanted any more.
pub(crate) fn changes(scene: &Scene<'_>) -> Vec<ResourceChange> {
    let nothing = ObservedFolder::default();
    let seen = scene.live.unwrap_or(&nothing);
    let mut changes: Vec<ResourceChange> = paths(scene, seen)
        .into_iter()
        .filter_map(|path| {
            let file = file(path, scene, seen);
            match file.unread {
                Some(why) => file.refused(why, scene),
                None => Some(file.change(file.standing()?, file.resource()?, scene)),
            }
        })
        .collect();
    let unknown = match (scene.live, &seen.problem) {
        (None, _) => Some("the folder was not read, so nothing is known about it".to_owned()),
        (Some(_), Some(problem)) => Some(problem.clone()),
        (Some(_), None) => None,
    };
    if let Some(message) = unknown {
        for change in &mut changes {
            "not known".clone_into(&mut change.reason);
            change.details.clear();
            change.blocked = vec![rails::block(BlockCode::NotObserved, message.clone())];
        }
    }
    changes
}

/// Files that the manifest names for this topology, and that are neither wanted nor there.
pub(crate) fn in_vain(scene: &Scene<'_>) -> Vec<String> {
    let Some(live) = scene.live else {
        return Vec::new();
    };
    paths(scene, live)
        .into_iter()
        .filter(|path| {
            let file = file(path, scene, live);
            file.unread.is_none() && file.standing().is_none()
        })
        .map(str::to_owned)
        .collect()
}

/// How many files of other topologies are in the folder, besides those that are wanted here, too.
pub(crate) fn others(scene: &Scene<'_>) -> Vec<OtherFiles> {
    let mut others: BTreeMap<&Option<String>, usize> = BTreeMap::new();
    let known = scene.live.into_iter().flat_map(|it| &it.manifest.files);
    for (path, entry) in known {
        if !entry.is_of(scene.author()) && !scene.desired.files.contains_key(path) {
            *others.entry(&entry.topology).or_default() += 1;
        }
    }
    let others = others.into_iter();
    others
        .map(|(topology, files)| OtherFiles {
            topology: topology.clone(),
            files,
        })
        .collect()
}

fn paths<'a>(scene: &Scene<'a>, live: &'a ObservedFolder) -> BTreeSet<&'a str> {
    let ours = live.manifest.files.iter();
    let ours = ours.filter(|(_, entry)| entry.is_of(scene.author()));
    let paths = scene.desired.files.keys().chain(ours.map(|(path, _)| path));
    paths.map(String::as_str).collect()
}

fn file<'a>(path: &'a str, scene: &Scene<'a>, live: &'a ObservedFolder) -> File<'a> {
    File {
        path,
        wanted: scene.desired.files.get(path),
        present: live.files.get(path),
        recorded: live.manifest.files.get(path),
        unread: live.unread.get(path).map(String::as_str),
        author: scene.author(),
    }
}

impl File<'_> {
    fn standing(&self) -> Option<FileState> {
        standing(&Sides {
            wanted: self.wanted.map(|file| Wanted {
                bytes: file.content.as_bytes(),
                executable: file.executable,
            }),
            present: self.present,
            recorded: self.recorded,
            author: self.author,
        })
    }

    /// Whose it is, where anything is done about it.
    fn owner(&self, state: FileState, recorded_anew: bool) -> Option<Owner> {
        let concerned = recorded_anew || state != FileState::Same;
        let entry = self.recorded.filter(|_| concerned)?;
        Some(Owner::named(entry.topology.as_deref()))
    }

    /// The other topology that rendered it, in words.
    fn other(&self) -> Option<String> {
        let entry = self.recorded?;
        let theirs = entry.is_claimed_against(self.author);
        theirs.then(|| entry.author_in_words())
    }

    fn change(
        &self,
        state: FileState,
        change: Change<RenderedFileState>,
        scene: &Scene<'_>,
    ) -> ResourceChange {
        let record = self.record(state);
        let details = self.details(state);
        let blocked = self.rails(state, scene);
        ResourceChange {
            reason: self.reason(state, record.is_none()),
            risk: details.iter().map(|it| it.risk).max().unwrap_or(Risk::Safe),
            diff: self.diff(state),
            details,
            // of what is refused nothing is to be said that would come of it
            notes: self
                .note(state)
                .filter(|_| blocked.is_none())
                .into_iter()
                .collect(),
            blocked: blocked.into_iter().collect(),
            owner: self.owner(state, record.is_some()),
            record,
            ..self.plain(change, scene)
        }
    }

    /// One that nobody could look at, or that is a link: what is done about it, when that is put right, is not known.
    fn refused(&self, why: &str, scene: &Scene<'_>) -> Option<ResourceChange> {
        let recorded = self.recorded.map(|entry| RenderedFileState {
            sha256: entry.sha256.clone(),
            content: None,
            executable: false,
        });
        let change = match (recorded, self.after()) {
            (None, None) => return None,
            (None, Some(after)) => Change::Create { after },
            (Some(before), Some(after)) => Change::Update { before, after },
            (Some(before), None) => Change::Delete { before },
        };
        let message = format!("{why}; put that right, or leave the file out with `--exclude`");
        Some(ResourceChange {
            blocked: vec![rails::block(BlockCode::FileNotRead, message)],
            ..self.plain(change, scene)
        })
    }

    /// A change with nothing to say.
    fn plain(&self, change: Change<RenderedFileState>, scene: &Scene<'_>) -> ResourceChange {
        ResourceChange {
            address: label(self.path),
            home: Home::Folder(scene.desired.path()),
            name: self.path.to_owned(),
            resource: Resource::RenderedFile(change),
            reason: "cannot be read".to_owned(),
            risk: Risk::Safe,
            details: Vec::new(),
            diff: None,
            blocked: Vec::new(),
            notes: Vec::new(),
            drifted: false,
            unmanaged: BTreeMap::new(),
            impact: None,
            record: None,
            owner: None,
            taken_from: None,
        }
    }

    /// What the manifest is to say. What another topology rendered in the same way stays that one's.
    fn record(&self, state: FileState) -> Option<RecordChange> {
        match self.wanted {
            Some(_) if state == FileState::Same && self.other().is_some() => None,
            Some(file) if self.recorded == Some(&file.entry) => None,
            Some(file) => Some(RecordChange::Rendered(file.entry.clone())),
            None => Some(RecordChange::Forget),
        }
    }

    fn note(&self, state: FileState) -> Option<String> {
        match (state, self.recorded, self.other()) {
            (FileState::Same, None, _) => {
                Some("it was there already; the next apply puts it into the manifest".to_owned())
            }
            (FileState::Same, _, Some(other)) => {
                Some(format!("{other} renders the same, and keeps it"))
            }
            (FileState::Missing | FileState::Others, _, Some(other)) => Some(format!(
                "{other} renders it too, or did; this apply takes it over"
            )),
            _ => None,
        }
    }

    fn after(&self) -> Option<RenderedFileState> {
        self.wanted.map(|file| RenderedFileState {
            sha256: file.entry.sha256.clone(),
            content: Some(file.content.clone()),
            executable: file.executable,
        })
    }

    /// Nothing about a file that is neither wanted nor there.
    fn resource(&self) -> Option<Change<RenderedFileState>> {
        let before = self.present.map(RenderedFileState::of);
        match (before, self.after()) {
            (None, None) => None,
            (None, Some(after)) => Some(Change::Create { after }),
            (Some(before), None) => Some(Change::Delete { before }),
            (Some(before), Some(after)) if before.is_as(&after) => {
                Some(Change::NoOp { current: before })
            }
            (Some(before), Some(after)) => Some(Change::Update { before, after }),
        }
    }

    fn reason(&self, state: FileState, drifted: bool) -> String {
        let reason = match (state, self.recorded) {
            (FileState::Same, _) => "as rendered",
            (FileState::NotExecutable, Some(_)) if drifted => "drifted: not executable any more",
            (FileState::NotExecutable, _) => "not executable",
            (FileState::Missing, None) => "not there",
            (FileState::Missing, Some(_)) => "gone since it was rendered",
            (FileState::Outdated, _) => "rendered otherwise now",
            (FileState::Edited, Some(_)) if drifted => "drifted: edited since it was rendered",
            (FileState::Edited, Some(_)) => {
                "rendered otherwise now, and edited since the last time"
            }
            (FileState::Edited, None) => "there, and not rendered by mirrorctl",
            (FileState::Others, _) => "there, and rendered from another topology",
            (FileState::Obsolete, _) => RENDERED_NO_LONGER,
            (FileState::Left, _) => "rendered no longer, and edited since it was",
        };
        reason.to_owned()
    }

    fn difference(&self) -> Difference {
        let wanted = self.wanted.map(|file| file.content.as_bytes());
        let present = self.present.map(|file| file.bytes.as_slice());
        Difference::between(self.path, present, wanted)
    }

    /// What a person wants to see: a file that changes, not one that comes or goes whole.
    fn diff(&self, state: FileState) -> Option<String> {
        match state {
            FileState::Outdated | FileState::Edited | FileState::Others => {
                Some(self.difference().unified(DIFF_LINES))
            }
            FileState::Same
            | FileState::NotExecutable
            | FileState::Missing
            | FileState::Obsolete
            | FileState::Left => None,
        }
    }

    fn details(&self, state: FileState) -> Vec<Detail> {
        let loses = |reason: &str| Some((Risk::LosesEdits, reason.to_owned()));
        let risk = match state {
            FileState::Same => return Vec::new(),
            FileState::NotExecutable => {
                let words = ["no", "yes"].map(|word| Some(word.to_owned()));
                let [before, after] = words;
                return vec![detail("executable", before, after, None)];
            }
            FileState::Missing | FileState::Outdated | FileState::Obsolete => None,
            FileState::Edited => loses("what was written into it is overwritten"),
            FileState::Others => loses("what the other topology renders is overwritten"),
            FileState::Left => loses("what was written into it goes with it"),
        };
        let before = self.present.map(|file| lines(&file.bytes));
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

    /// What somebody else wrote is lost only where that is asked for by address, and so is what the topology declares and is
    /// to go all the same.
    fn rails(&self, state: FileState, scene: &Scene<'_>) -> Option<Block> {
        let address = label(self.path);
        let flag = rails::allow_destroy(&address);
        let message = match state {
            FileState::Edited => format!(
                "overwriting what somebody wrote: take the edit back, or let it be lost with {flag}"
            ),
            FileState::Others => {
                let other = self.other().unwrap_or_default();
                format!(
                    "overwriting what {other} renders: give one of the two another `render.out`, or take the \
                     file over with {flag}"
                )
            }
            FileState::Left => format!(
                "removing what somebody wrote: remove it yourself, `mirrorctl forget` it, or let it be lost with {flag}"
            ),
            FileState::Obsolete if scene.withdrawn.contains(&address) => {
                return rails::asked_for(&address, scene.allowed);
            }
            FileState::Same
            | FileState::NotExecutable
            | FileState::Missing
            | FileState::Outdated
            | FileState::Obsolete => return None,
        };
        let allowed = scene.allowed.may_destroy(&address);
        (!allowed).then(|| rails::block(BlockCode::DestroyNotAllowed, message))
    }
}

fn lines(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes).lines().count() {
        1 => "1 line".to_owned(),
        count => format!("{count} lines"),
    }
}
