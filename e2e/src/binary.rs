//! The binary under test.

use std::path::PathBuf;

use crate::{Error, Result};

/// `mirrorctl`: the one that `MIRRORCTL_BIN` names, or the one built in the same profile as the running program.
pub fn mirrorctl_binary() -> Result<PathBuf> {
    let path = std::env::var_os("MIRRORCTL_BIN")
        .map(PathBuf::from)
        .map_or_else(beside_us, Ok)?;
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NoBinary { path })
    }
}

fn beside_us() -> Result<PathBuf> {
    let this = std::env::current_exe().map_err(Error::program("this program"))?;
    // tests lie in `deps`, one below the binaries
    let directory = this
        .ancestors()
        .skip(1)
        .find(|directory| !directory.ends_with("deps"));
    Ok(directory
        .map(|directory| directory.join("mirrorctl"))
        .unwrap_or_default())
}
