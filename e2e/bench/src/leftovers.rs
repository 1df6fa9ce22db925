//! Gigabytes of brokers' data, often in memory, must not outlive an interrupted benchmark until the next run sweeps.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::bed::data_directory;
use crate::error::{Error, Result};

// $1 directory, $2 our process id, which is part of every name. Brokers die with us; they get a moment for that.
const SCRIPT: &str = r#"
read -r _
sleep 2
rm -rf "$1"/*-"$2"-*
"#;

/// Holds the pipe whose end tells the sweeper that this process has ended, in whatever way.
#[derive(Debug)]
pub(crate) struct Sweeper {
    _lifeline: Option<ChildStdin>,
    _shell: Child,
}

/// Starts a shell that removes this process's data when it ends; Ctrl-C does not reach it.
pub(crate) fn sweep_at_exit() -> Result<Option<Sweeper>> {
    if std::env::var_os("MIRRORCTL_E2E_KEEP").is_some() {
        return Ok(None);
    }
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT, "sh"])
        .arg(data_directory()?)
        .arg(std::process::id().to_string())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| Error::Process {
            path: "sh".into(),
            source,
        })?;
    Ok(Some(Sweeper {
        _lifeline: shell.stdin.take(),
        _shell: shell,
    }))
}
