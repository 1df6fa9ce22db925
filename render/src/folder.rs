//! The output folder, read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::comparison::Comparison;
use crate::manifest::{FORMAT_VERSION, MANIFEST, Manifest};
use crate::path::{self, PathError};
use crate::rendering::Rendering;

/// Why an output folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something in it cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest was not written by this program, or by a later one.
    #[error("{} is damaged, or no manifest of this program: {problem}", path.display())]
    Manifest {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The manifest names a file outside the folder: it was changed by hand.
    #[error("{} was changed by hand: {source}", manifest.display())]
    Path {
        /// Where the manifest is.
        manifest: PathBuf,
        /// What it names.
        source: PathError,
    },
    /// A file or folder below the output folder is a symbolic link, so that writing could leave it.
    #[error("{} is a symbolic link: refusing to write through it", path.display())]
    Link {
        /// Which.
        path: PathBuf,
    },
    /// Something that is no file stands where a file is wanted, or no folder where a folder is.
    #[error("{} is in the way: it is no {wanted}", path.display())]
    InTheWay {
        /// Where.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
}

/// Compares a rendering with what is in a folder. The folder need not exist.
///
/// # Errors
/// When something there cannot be read, or is in the way.
pub fn compare(rendering: &Rendering, folder: &Path) -> Result<Comparison, FolderError> {
    let recorded = read_manifest(folder)?;
    let paths: BTreeSet<&String> = rendering
        .files
        .keys()
        .chain(recorded.files.keys())
        .collect();
    let mut present = BTreeMap::new();
    for name in paths {
        if let Some(bytes) = read_file(folder, name)? {
            present.insert(name.clone(), bytes);
        }
    }
    Ok(Comparison::new(rendering, &recorded, &present))
}

fn read_manifest(folder: &Path) -> Result<Manifest, FolderError> {
    let path = folder.join(MANIFEST);
    let Some(bytes) = read_file(folder, MANIFEST)? else {
        return Ok(Manifest::default());
    };
    let wrong = |problem: String| FolderError::Manifest {
        path: path.clone(),
        problem,
    };
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if manifest.format_version != FORMAT_VERSION {
        return Err(wrong(format!(
            "its format_version is `{}`, this program reads `{FORMAT_VERSION}`",
            manifest.format_version
        )));
    }
    for name in manifest.files.keys() {
        path::check(name).map_err(|source| FolderError::Path {
            manifest: path.clone(),
            source,
        })?;
    }
    Ok(manifest)
}

/// The bytes of a file below the folder, when it is there. Links are refused on the whole way.
pub(crate) fn read_file(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
    let mut path = folder.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let about = match fs::symlink_metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            // a file stands where a folder of the way should be
            Err(source) => return Err(FolderError::Read { path, source }),
        };
        let wanted = if parts.peek().is_some() {
            "folder"
        } else {
            "file"
        };
        if about.is_symlink() {
            return Err(FolderError::Link { path });
        }
        let fits = if wanted == "folder" {
            about.is_dir()
        } else {
            about.is_file()
        };
        if !fits {
            return Err(FolderError::InTheWay { path, wanted });
        }
    }
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(source) => Err(FolderError::Read { path, source }),
    }
}
