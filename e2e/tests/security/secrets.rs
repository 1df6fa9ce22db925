//! Secrets are in nothing that is shown or kept.

use std::fs;
use std::path::Path;
use std::time::Duration;

use e2e::{ADMIN, Way, Workspace, mirrorctl, start_mirrorctl};
use rustix::process::Signal;

use crate::bed::{bed, topology, wait_for};

/// Every place below `folder` where `secret` is written, besides the files that are there to hold it.
fn leaks(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(leaks(&path, secret));
        } else if path.extension().is_none_or(|it| it != "secret") {
            let text = fs::read(&path).unwrap();
            if String::from_utf8_lossy(&text).contains(secret) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn secrets_are_in_nothing_that_is_shown_or_kept() {
    let bed = bed();
    let workspace = Workspace::create("secrets").unwrap();
    let secret = bed.security.secret(ADMIN);
    let plain = bed.access(&workspace, Way::Plain);
    let tokens = bed.access(&workspace, Way::Oauthbearer);
    // one secret from the environment, one from a file
    let source = plain.cluster("source", &bed.pair.source).unwrap().replace(
        &format!("{{file: {}}}", plain.secret_file().display()),
        "{env: KAFKA_PW}",
    );
    assert!(source.contains("KAFKA_PW"), "{source}");
    let target = tokens.cluster("target", &bed.pair.target).unwrap();
    let text = topology(&source, &target, "secret.topic");
    workspace.write("t.yaml", text).unwrap();

    let mut shown = String::new();
    for (arguments, code) in [
        (&["validate", "t.yaml", "--output", "json"][..], 0),
        (&["plan", "-f", "t.yaml", "--out", "saved.plan"], 0),
        (&["plan", "-f", "t.yaml", "--output", "json"], 0),
        (&["apply", "saved.plan"], 0),
        (
            &[
                "verify",
                "-f",
                "t.yaml",
                "--mirror",
                "secret.topic",
                "--mode",
                "stamped",
                "--phase",
                "write",
                "--topic",
                "secret.topic",
                "--records",
                "500",
                "--journal",
                "run.json",
            ],
            0,
        ),
        (&["replicate", "-f", "t.yaml", "--once"], 0),
        (
            &[
                "replicate",
                "-f",
                "t.yaml",
                "--once",
                "--output",
                "json",
                "--log-format",
                "json",
            ],
            0,
        ),
        (
            &[
                "verify",
                "-f",
                "t.yaml",
                "--mirror",
                "secret.topic",
                "--mode",
                "stamped",
                "--phase",
                "check",
                "--journal",
                "run.json",
                "--report-json",
                "report.json",
                "--junit",
                "report.xml",
            ],
            0,
        ),
        (
            &[
                "verify",
                "-f",
                "t.yaml",
                "--mirror",
                "secret.topic",
                "--mode",
                "compare",
                "--output",
                "json",
            ],
            0,
        ),
        (&["status", "-f", "t.yaml", "--output", "json"], 0),
    ] {
        let assert = mirrorctl(&workspace)
            .unwrap()
            .env("KAFKA_PW", &secret)
            .args(arguments)
            .arg("-vv")
            .assert()
            .code(code);
        let output = assert.get_output();
        shown.push_str(&String::from_utf8_lossy(&output.stdout));
        shown.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert!(
        shown.len() > 1_000,
        "nothing was shown, which proves nothing"
    );
    assert!(!shown.contains(&secret), "the password is shown");
    // every token of the test's server begins with the same header
    let token = bed.security.tokens().token(ADMIN).unwrap();
    let header = token.split('.').next().unwrap();
    assert!(!shown.contains(header), "a token is shown");

    // and of a mirror that runs
    let files = bed.topology(&plain, &tokens, "secret.topic");
    workspace.write("files.yaml", files).unwrap();
    let arguments = ["replicate", "-f", "files.yaml", "-vv"];
    let mut running = start_mirrorctl(&workspace, "running", &arguments).unwrap();
    wait_for(Duration::from_mins(2), || {
        running.stderr().contains("copying begins")
    });
    let command = fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&command).contains(&secret));
    running.signal(Signal::TERM).unwrap();
    assert_eq!(
        running.wait(Duration::from_mins(2)).unwrap().code(),
        Some(0)
    );
    for kept in [secret.as_str(), header] {
        assert_eq!(
            leaks(workspace.path(), kept),
            Vec::<String>::new(),
            "{kept}"
        );
    }
    assert!(workspace.path().join("report.xml").exists());
}
