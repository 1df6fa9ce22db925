//! Help, version, completions, schemas, and what clap refuses.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Ended, mirrorctl, run};

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

/// What the lines of examples begin with.
const BEGINNINGS: [&str; 5] = ["  mirrorctl ", "  # ", "  curl ", "  kubectl ", "  echo "];

/// Whoever copies an example out of a terminal copies the line breaks, too.
#[test]
fn no_example_is_wrapped_in_a_terminal_of_80_columns() {
    for command in COMMANDS {
        let help: Ended = mirrorctl()
            .args([command, "--help"])
            .env("COLUMNS", "80")
            .output()
            .unwrap()
            .into();
        let help = help.code(0).out;
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        let mut goes_on = false;
        for line in examples.lines().take_while(|line| !line.is_empty()) {
            // the rest of a wrapped line has the indent of the line, and begins with any word
            let begins = if goes_on {
                line.starts_with("    ")
            } else {
                BEGINNINGS.iter().any(|it| line.starts_with(it))
            };
            assert!(begins, "{command}: {line:?} is the rest of a wrapped line");
            goes_on = line.ends_with('\\');
        }
        let mut objects = examples.lines().filter(|line| line.starts_with("  {"));
        assert!(objects.all(|line| line.ends_with('}')), "{command}");
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
        &["verify", "-f", "a.yaml"],
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
                .contains("MIRRORCTL_COMPLETE"),
            "{shell}"
        );
    }
}

/// As bash does it: the script is loaded, and its function asked about words. Nobody listens where the clusters would be.
#[test]
fn bash_completes_commands_addresses_and_mirrors_without_a_cluster() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
                - {alias: a, bootstrapServers: ['127.0.0.1:1']}\n- {alias: b, bootstrapServers: ['127.0.0.1:1']}\n\
                topics:\n- {name: pay.orders, clusters: [a]}\n- {name: bill, clusters: [a]}\n\
                acls:\n- {principal: 'User:app', clusters: [a], resource: {type: topic, name: bill}, operations: [read]}\n\
                mirrors:\n- {name: m, source: a, target: b, engine: mirrormaker2, topicsPattern: orders, \
                replicationPolicy: {type: default}}\nrender: {out: rendered, targets: [mirrormaker2]}\n";
    std::fs::write(folder.path().join("t.yaml"), file).unwrap();
    std::fs::write(folder.path().join("wrong.yaml"), "kind: Topology\n").unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_mirrorctl"));
    let path = std::env::var_os("PATH").unwrap();
    let path =
        std::iter::once(binary.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(path).unwrap();
    let completed = |words: &str| -> Vec<String> {
        let script = format!(
            "source <(mirrorctl completions bash); COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); \
             COMP_TYPE=9; before=${{COMP_WORDS[COMP_CWORD]}}; [[ $before == : ]] && before=''; \
             _mirrorctl_whole_words mirrorctl \"$before\" ''; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &script])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", &path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    assert_eq!(completed("mirrorctl repl"), ["replicate"]);
    for words in [
        "mirrorctl plan -f t.yaml --target to",
        // bash takes this one apart
        "mirrorctl forget --file = t.yaml to",
        "mirrorctl destroy -f t.yaml --allow-destroy to",
    ] {
        let addresses = ["topic.a.bill", "topic.a.pay.orders"];
        assert_eq!(completed(words), addresses, "{words}");
    }
    assert_eq!(
        completed("mirrorctl apply -f t.yaml --exclude fi"),
        ["file.mirrormaker2/m/mm2.properties"]
    );
    // what it replaces is what comes after the colon
    let rule = "mirrorctl plan -f t.yaml --target acl";
    let whole = completed(rule);
    assert_eq!(whole.len(), 1, "{whole:?}");
    let (before, after) = whole[0].split_once(':').unwrap();
    assert_eq!(before, "acl.a.User");
    for begun in ["acl.a.User :", "acl.a.User : ap"] {
        let words = format!("mirrorctl plan -f t.yaml --target {begun}");
        assert_eq!(completed(&words), [after], "{begun}");
    }
    assert_eq!(completed("mirrorctl lag -f t.yaml --mirror ''"), ["m"]);
    for file in ["none.yaml", "wrong.yaml"] {
        let words = format!("mirrorctl plan -f {file} --target to");
        assert_eq!(completed(&words).concat(), "", "{file}");
    }
}
