//! Reads a topology for a command that acts on it.

use std::path::Path;

use topology::{LoadError, Loaded, Topology};

use crate::failure::Failure;
use crate::output;

/// The topology in the file; its warnings go to stderr, one line each.
pub(crate) fn load(path: &Path) -> Result<Topology, Failure> {
    let loaded = topology::load(path)?;
    output::warnings(&loaded.warnings);
    Ok(loaded.topology)
}

/// The topology and the text it was read from; relative paths in it are as written. Its warnings go to stderr.
pub(crate) fn load_as_written(path: &Path) -> Result<(Topology, String), Failure> {
    let (loaded, text) = read(path)?;
    output::warnings(&loaded.warnings);
    Ok((loaded.topology, text))
}

/// The same without a word: for a file that was loaded before.
pub(crate) fn as_written(path: &Path) -> Result<(Topology, String), Failure> {
    let (loaded, text) = read(path)?;
    Ok((loaded.topology, text))
}

fn read(path: &Path) -> Result<(Loaded, String), Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    let loaded = topology::parse(&path.display().to_string(), &text).map_err(LoadError::Invalid)?;
    Ok((loaded, text))
}
