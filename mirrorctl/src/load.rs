//! Reads a topology for a command that acts on it.

use std::path::Path;

use topology::Topology;

use crate::failure::Failure;
use crate::output;

/// The topology in the file; its warnings go to stderr, one line each.
pub(crate) fn load(path: &Path) -> Result<Topology, Failure> {
    let loaded = topology::load(path)?;
    output::warnings(&loaded.warnings);
    Ok(loaded.topology)
}
