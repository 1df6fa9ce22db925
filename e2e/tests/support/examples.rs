//! The example topologies.

use std::path::{Path, PathBuf};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a checkout")
        .to_owned()
}

/// An example topology.
pub(crate) fn example(name: &str) -> PathBuf {
    root().join("topology/examples").join(name)
}
