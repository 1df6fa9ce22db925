//! stdout and stderr: closed readers, full disks, colours.

use std::process::{Command, Stdio};

use crate::support::{Ended, mirrorctl};

fn shell(script: &str) -> Ended {
    let output = Command::new("bash")
        .args(["-c", script])
        .env("M", env!("CARGO_BIN_EXE_mirrorctl"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    output.into()
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let ended = shell("set -o pipefail; \"$M\" schema topology | head -n 1").code(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("{\n", ""));
}

#[test]
fn a_full_disk_is_an_error() {
    let ended = shell("\"$M\" schema topology > /dev/full").code(1);
    assert!(
        ended.err.contains("cannot write the result"),
        "{}",
        ended.err
    );
}

#[test]
fn colours_are_for_terminals_and_can_be_forced_or_forbidden() {
    let coloured = |variables: &[(&str, &str)]| {
        let output = mirrorctl()
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .args([
                "validate",
                concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../topology/examples/demo.yaml"
                ),
            ])
            .output()
            .unwrap();
        Ended::from(output).code(0).out.contains('\u{1b}')
    };
    assert!(!coloured(&[]), "a pipe shows no colours");
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "0"), ("NO_COLOR", "1")]));
}

#[test]
fn a_page_may_be_as_narrow_as_it_likes() {
    for columns in ["1", "40", "0", "wide", "100000"] {
        let run = |arguments: &[&str]| {
            let mut command = mirrorctl();
            Ended::from(
                command
                    .env("COLUMNS", columns)
                    .args(arguments)
                    .output()
                    .unwrap(),
            )
        };
        let invalid = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../topology/examples/invalid/unknown-keys.yaml"
        );
        run(&["validate", invalid])
            .code(1)
            .says("topology::unknown-key");
        run(&["plan", "--help"]).code(0);
    }
    let output = mirrorctl()
        .env("COLUMNS", "1")
        .args(["demo", "--records", "100"])
        .output();
    Ended::from(output.unwrap()).code(0).says("It works");
}

#[test]
fn a_log_filter_that_is_none_is_wrong_usage() {
    let output = mirrorctl()
        .env("MIRRORCTL_LOG", "plan==x")
        .args(["schema", "plan"])
        .output();
    let ended = Ended::from(output.unwrap()).code(64);
    ended.says("MIRRORCTL_LOG");
    assert_eq!(ended.out, "");
}
