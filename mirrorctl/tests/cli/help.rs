//! Help, version, completions, schemas, and what clap refuses.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::run;

const COMMANDS: [&str; 15] = [
    "validate",
    "plan",
    "apply",
    "history",
    "destroy",
    "import",
    "forget",
    "render",
    "replicate",
    "verify",
    "status",
    "lag",
    "demo",
    "schema",
    "completions",
];

#[test]
fn the_program_and_every_command_explain_themselves_with_an_example() {
    let top = run(&["--help"]).code(0);
    insta::assert_snapshot!("help", top.out);
    for command in COMMANDS {
        top.says(command);
        let help = run(&[command, "--help"]).code(0);
        help.says("Examples:");
        help.says("--output");
        insta::assert_snapshot!(format!("help-{command}"), help.out);
        assert_eq!(help.err, "");
    }
}

#[test]
fn version_is_an_answer() {
    assert_eq!(
        run(&["--version"]).code(0).out,
        concat!("mirrorctl ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn wrong_usage_is_64_and_says_so_on_stderr() {
    let wrong: [&[&str]; 10] = [
        &[],
        &["bogus"],
        &["plan"],
        &["plan", "-f"],
        &["apply"],
        &["apply", "-f", "a.yaml", "a.plan"],
        &["verify", "-f", "a.yaml", "--mirror", "m"],
        &[
            "verify",
            "-f",
            "a.yaml",
            "--mirror",
            "m",
            "--mode",
            "stamped",
            "--timeout",
            "60",
        ],
        &["schema", "nothing"],
        &["demo", "--records", "0"],
    ];
    for arguments in wrong {
        let ended = run(arguments).code(64);
        assert_eq!(ended.out, "", "{arguments:?}");
        assert_ne!(ended.err, "", "{arguments:?}");
    }
}

#[test]
fn schemas_are_those_of_the_libraries() {
    let schema = run(&["schema", "topology"]).code(0).json();
    assert_eq!(schema, topology::json_schema());
    let schema = run(&["schema", "plan"]).code(0).json();
    assert_eq!(schema, plan::json_schema());
    let schema = run(&["schema", "report"]).code(0).json();
    assert_eq!(schema, conformance::report_schema());
}

#[test]
fn bash_accepts_its_completions() {
    let script = run(&["completions", "bash"]).code(0).out;
    assert!(script.contains("replicate"));
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    bash.stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(bash.wait().unwrap().success());
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(
            run(&["completions", shell])
                .code(0)
                .out
                .contains("replicate"),
            "{shell}"
        );
    }
}
