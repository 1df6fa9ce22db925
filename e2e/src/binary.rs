//! The binary under test.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Error, Guarded, Result, Workspace};

/// No command of a test runs longer.
const COMMAND_LIMIT: Duration = Duration::from_mins(5);

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

/// `mirrorctl` as a command to run to its end, in `workspace` and with nothing but `PATH` in its environment.
pub fn mirrorctl(workspace: &Workspace) -> Result<assert_cmd::Command> {
    let mut command = assert_cmd::Command::new(mirrorctl_binary()?);
    command
        .env_clear()
        // tests share clusters, and one apply at a time changes a cluster
        .env("MIRRORCTL_LOCK_TIMEOUT", "2m")
        .current_dir(workspace.path())
        .timeout(COMMAND_LIMIT);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    Ok(command)
}

/// `mirrorctl` as a process in the background, in `workspace`, its output in files that start with `name`.
pub fn start_mirrorctl(workspace: &Workspace, name: &str, arguments: &[&str]) -> Result<Guarded> {
    start_mirrorctl_with(workspace, name, arguments, &[])
}

/// As [`start_mirrorctl`], with these variables in its environment, besides.
pub fn start_mirrorctl_with(
    workspace: &Workspace,
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Guarded> {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    Guarded::spawn(
        name,
        mirrorctl_binary()?.as_os_str(),
        &arguments,
        environment,
        workspace.path(),
    )
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
