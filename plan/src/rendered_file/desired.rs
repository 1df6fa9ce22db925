//! The files that a topology wants in its folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use folder::{Author, Clusters, ManifestEntry};
use serde::Serialize;

use super::KIND;
use crate::label;

/// The folder of rendered files, and what shall be in it. What other topologies have rendered into it is theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DesiredFolder {
    /// The folder of the topology file, absolute: a saved plan means this place wherever it is applied from. Elsewhere the
    /// same topology declares the same.
    #[serde(skip)]
    pub below: PathBuf,
    /// Where it is, relative to that.
    pub out: PathBuf,
    /// The clusters of the topology: whose files are in the folder, where it has no name. Every entry of `files` holds them.
    #[serde(skip)]
    pub clusters: Clusters,
    /// By path below the folder; parts are separated by `/`.
    pub files: BTreeMap<String, DesiredFile>,
}

impl DesiredFolder {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.below.join(&self.out)
    }

    /// The topology that wants it, which may have a name.
    pub(crate) fn author<'a>(&'a self, name: Option<&'a str>) -> Author<'a> {
        Author {
            name,
            clusters: &self.clusters,
        }
    }
}

/// A file as it was rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredFile {
    /// Its text; `entry` has the digest of it.
    #[serde(skip)]
    pub content: String,
    /// Whether it is meant to be executed.
    pub executable: bool,
    /// What the manifest shall say of it.
    pub entry: ManifestEntry,
}

/// The address of a file: `file.<path below the folder>`.
pub(crate) fn label(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(label::escaped).collect();
    format!("{KIND}.{}", parts.join("/"))
}
