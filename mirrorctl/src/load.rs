//! Reads a topology for a command that acts on it.

use std::path::Path;

use topology::{LoadError, Topology};

use crate::failure::Failure;
use crate::output;

/// The topology in the file; its warnings go to stderr, one line each.
pub(crate) fn load(path: &Path) -> Result<Topology, Failure> {
    let loaded = topology::load(path)?;
    output::warnings(&loaded.warnings);
    Ok(loaded.topology)
}

/// The topology and the text it was read from; relative paths in it are as written.
pub(crate) fn load_as_written(path: &Path) -> Result<(Topology, String), Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    let loaded = topology::parse(&path.display().to_string(), &text).map_err(LoadError::Invalid)?;
    output::warnings(&loaded.warnings);
    Ok((loaded.topology, text))
}
