//! What the deep tests need beside the binary.

use std::path::PathBuf;

/// What `cargo xtask test --all` installed, and says where; a test without it fails.
pub(crate) fn installed(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(place) => PathBuf::from(place),
        None => panic!("{variable} is not set: run `cargo xtask test --all`"),
    }
}
