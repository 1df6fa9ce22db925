//! What is rendered from the example topologies, and the programs that judge it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::{Workspace, mirrorctl};

/// Renders a target, with settings, into a folder of the workspace; returns the target's folder.
pub(crate) fn render(
    workspace: &Workspace,
    topology: &Path,
    target: &str,
    settings: &[&str],
) -> PathBuf {
    let number = std::fs::read_dir(workspace.path())
        .expect("a workspace")
        .count();
    let out = workspace.path().join(format!("rendered-{number}"));
    let mut command = mirrorctl(workspace).expect("the binary");
    command.arg("render").arg("-f").arg(topology);
    command.arg("--out").arg(&out).args(["--target", target]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.assert().success();
    out.join(target)
}

/// Runs a program that has to succeed, and shows what it said where it does not.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let text = said(&output);
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// Runs a program, whatever it says.
pub(crate) fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Both outputs as text.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
