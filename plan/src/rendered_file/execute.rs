//! Carries out changes of rendered files, one after the other: the file whole or not at all, then the manifest.

use std::collections::BTreeMap;

use folder::{Folder, MANIFEST, Present};

use super::{FileError, RenderedFileState, label};
use crate::apply::execute::{ChangeError, Done};
use crate::apply::work::Outlook;
use crate::change::{Change, RecordChange, Resource, ResourceChange};
use crate::difference::Difference;
use crate::ownership::{Owner, change_of_hands};

/// Why a file is not as planned; as a [`ChangeError`], and smaller.
pub(crate) enum NotDone {
    Stale(Vec<Difference>),
    File(FileError),
    Misplaced,
}

impl From<FileError> for NotDone {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<NotDone> for ChangeError {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Stale(differences) => Self::Stale(differences),
            NotDone::File(error) => Self::File(error),
            NotDone::Misplaced => Self::Misplaced,
        }
    }
}

/// What the file that is there means for a change.
pub(crate) fn outlook(change: &Change<RenderedFileState>, live: Option<&Present>) -> Outlook {
    let found = live.map(RenderedFileState::of);
    let done = match (&found, change.after()) {
        (Some(found), Some(after)) => found.is_as(after),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let digest = |state: Option<&RenderedFileState>| state.map(|state| state.sha256.clone());
    let (before, found) = (digest(change.before()), digest(found.as_ref()));
    if done {
        Outlook::AlreadyDone
    } else if found == before {
        Outlook::Remaining
    } else {
        let shown = |digest: Option<String>| digest.map(|digest| format!("sha256:{digest}"));
        Outlook::Stale(vec![Difference {
            attribute: "content".to_owned(),
            expected: shown(before),
            found: shown(found),
        }])
    }
}

/// Looks at the file once more, and whose it is for this plan of `topology`, writes or removes it, then puts the manifest right. Killed in between, the file is as
/// planned and the manifest does not know it: the next plan finds that out. Nothing else of the apply goes on meanwhile.
pub(crate) fn execute(
    folder: &Folder,
    change: &ResourceChange,
    topology: Option<&str>,
    steps_done: &mut Vec<String>,
) -> Result<Done, NotDone> {
    let file = match &change.resource {
        Resource::RenderedFile(file) => file,
        Resource::Topic(_)
        | Resource::Acl(_)
        | Resource::ClientQuota(_)
        | Resource::ScramUser(_)
        | Resource::Mirror(_) => return Err(NotDone::Misplaced),
    };
    let live = read(folder, &change.name)?;
    // nothing keeps another topology out of the folder meanwhile
    let owner = owners(folder)?.remove(&change.address);
    let gone = live.is_none() && file.after().is_none();
    let moved = change_of_hands(change.owner.as_ref(), owner.as_ref(), topology, gone);
    if let Some(difference) = moved {
        return Err(NotDone::Stale(vec![difference]));
    }
    let done = match outlook(file, live.as_ref()) {
        Outlook::Stale(differences) => return Err(NotDone::Stale(differences)),
        Outlook::AlreadyDone => Done::Already,
        Outlook::Remaining => {
            steps_done.push(carry_out(folder, &change.name, file)?);
            Done::Applied
        }
    };
    if let Some(record) = &change.record {
        note(folder, &[(&change.name, record)])?;
    }
    Ok(done)
}

/// A plan may come from a file: its names are checked like those of any manifest.
fn read(folder: &Folder, name: &str) -> Result<Option<Present>, FileError> {
    folder::check(name)?;
    Ok(folder.read(name)?)
}

fn carry_out(
    folder: &Folder,
    name: &str,
    change: &Change<RenderedFileState>,
) -> Result<String, NotDone> {
    let failed = |step| {
        let path = folder.path().join(name);
        move |source| FileError::Io { step, path, source }
    };
    let Some(after) = change.after() else {
        folder.remove(name).map_err(failed("remove"))?;
        return Ok("remove the file".to_owned());
    };
    let content = after.content.as_ref().ok_or(NotDone::Misplaced)?;
    let written = folder.write(name, content.as_bytes(), after.executable);
    written.map_err(failed("write"))?;
    Ok("write the file".to_owned())
}

/// Puts into the manifest what was rendered, and takes out what is not wanted any more.
pub(crate) fn note(folder: &Folder, records: &[(&str, &RecordChange)]) -> Result<(), FileError> {
    let before = folder.manifest()?;
    let mut manifest = before.clone();
    for (name, record) in records {
        match record {
            RecordChange::Rendered(entry) => {
                manifest.files.insert((*name).to_owned(), entry.clone());
            }
            RecordChange::Forget => {
                manifest.files.remove(*name);
            }
            // what a cluster remembers, not a manifest
            RecordChange::Remember(_) => {}
        }
    }
    if manifest == before {
        return Ok(());
    }
    folder.note(&manifest).map_err(|source| FileError::Io {
        step: "write",
        path: folder.path().join(MANIFEST),
        source,
    })
}

/// Which of these addresses are those of files in the manifest, with the paths.
pub(crate) fn known(
    folder: &Folder,
    addresses: &[String],
) -> Result<BTreeMap<String, String>, FileError> {
    let names = folder.manifest()?.files.into_keys();
    let known = names.map(|name| (label(&name), name));
    Ok(known
        .filter(|(address, _)| addresses.contains(address))
        .collect())
}

/// What the files that are there mean for each of these changes.
pub(crate) fn outlooks<'a>(
    folder: &Folder,
    changes: &[&'a ResourceChange],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, FileError> {
    let mut outlooks = Vec::new();
    for change in changes {
        let file = match &change.resource {
            Resource::RenderedFile(file) => file,
            // refused when its turn comes
            Resource::Topic(_)
            | Resource::Acl(_)
            | Resource::ClientQuota(_)
            | Resource::ScramUser(_)
            | Resource::Mirror(_) => continue,
        };
        let live = read(folder, &change.name)?;
        outlooks.push((*change, outlook(file, live.as_ref())));
    }
    Ok(outlooks)
}

/// Whose the files are that the manifest names, by address.
pub(crate) fn owners(folder: &Folder) -> Result<BTreeMap<String, Owner>, FileError> {
    let entries = folder.manifest()?.files.into_iter();
    let owner = |topology| Owner { topology };
    Ok(entries
        .map(|(name, entry)| (label(&name), owner(entry.topology)))
        .collect())
}
