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
    for columns in ["1", "20", "40", "0", "wide", "100000"] {
        let run = |arguments: &[&str]| {
            let output = mirrorctl()
                .env("COLUMNS", columns)
                .args(arguments)
                .output()
                .unwrap();
            Ended::from(output).code(0)
        };
        run(&["demo", "--records", "100"]).says("It works");
        run(&["plan", "--help"]);
    }
}
