//! The files that a topology wants in its folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use folder::ManifestEntry;
use serde::Serialize;

use super::KIND;
use crate::label;

/// The folder of rendered files, and what shall be in it. All that its manifest names belongs to the topology.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DesiredFolder {
    /// Where it is. A relative path is relative to the folder that the program runs in.
    pub path: PathBuf,
    /// By path below the folder; parts are separated by `/`.
    pub files: BTreeMap<String, DesiredFile>,
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
