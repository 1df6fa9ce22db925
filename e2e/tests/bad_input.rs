//! Bad input: a message that names what is wrong, the right exit code, and nothing changed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use e2e::{ClusterSpec, Pair, ReservedPort, Workspace, end_offsets, mirrorctl};

/// Shared by the tests of this file, which change nothing on it.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let pair = Pair::start(&ClusterSpec::single()).unwrap();
        let workspace = Workspace::create("bad").unwrap();
        workspace.write("t.yaml", pair.topology(&topic(8))).unwrap();
        let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
        mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
        pair
    })
}

fn topic(partitions: u16) -> String {
    format!("topics:\n- {{name: there, clusters: [source], partitions: {partitions}}}\n")
}

/// Runs a command that has to fail with `code`, and returns its standard error.
fn refused(workspace: &Workspace, arguments: &[&str], code: i32) -> String {
    let assert = mirrorctl(workspace)
        .unwrap()
        .args(arguments)
        .assert()
        .code(code);
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

fn assert_names(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in:\n{message}");
    }
}

#[test]
fn an_unknown_key() {
    let workspace = Workspace::create("bad").unwrap();
    workspace
        .write(
            "t.yaml",
            pair().topology("topics:\n- {name: x, partition: 3}\n"),
        )
        .unwrap();
    let message = refused(&workspace, &["plan", "-f", "t.yaml"], 1);
    assert_names(&message, &["t.yaml:7", "partition", "partitions"]);
    // diagnostics are what `validate` is asked for, so there they are its result
    let assert = mirrorctl(&workspace)
        .unwrap()
        .args(["validate", "t.yaml"])
        .assert()
        .code(1);
    let result = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert_names(&result, &["t.yaml:7", "partition", "partitions"]);
    refused(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 1);
    assert!(
        end_offsets(&pair().source.bootstrap_servers(), "x")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_cluster_that_is_not_declared() {
    let workspace = Workspace::create("bad").unwrap();
    let rest = "mirrors:\n- {name: m, source: sorce, target: target, topicsPattern: x}\n";
    workspace.write("t.yaml", pair().topology(rest)).unwrap();
    let message = refused(&workspace, &["plan", "-f", "t.yaml"], 1);
    assert_names(&message, &["t.yaml:7", "sorce", "source"]);
    refused(&workspace, &["replicate", "-f", "t.yaml", "--once"], 1);
}

#[test]
fn a_broker_that_does_not_answer() {
    let workspace = Workspace::create("bad").unwrap();
    // reserved, so that nothing listens there
    let port = ReservedPort::any().unwrap();
    let address = format!("127.0.0.1:{}", port.number());
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {{alias: source, bootstrapServers: [\"{address}\"]}}\n\
         - {{alias: target, bootstrapServers: [\"{}\"]}}\n{}\
         mirrors:\n- {{name: m, source: source, target: target, topicsPattern: there}}\n",
        pair().target.bootstrap_servers(),
        topic(8),
    );
    workspace.write("t.yaml", topology).unwrap();
    for command in [
        vec!["plan", "-f", "t.yaml"],
        vec!["apply", "-f", "t.yaml", "--auto-approve"],
        vec!["replicate", "-f", "t.yaml", "--once"],
        vec![
            "verify", "-f", "t.yaml", "--mirror", "m", "--mode", "compare",
        ],
        vec!["status", "-f", "t.yaml"],
    ] {
        let started = Instant::now();
        let message = refused(&workspace, &command, 1);
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{command:?}: {:?}",
            started.elapsed()
        );
        assert_names(&message, &["source", &address]);
    }
}

#[test]
fn another_cluster_than_declared() {
    let workspace = Workspace::create("bad").unwrap();
    let right = pair().topology(&topic(12));
    let wrong = right.replacen(pair().source.cluster_id(), "AAAAAAAAAAAAAAAAAAAAAA", 1);
    workspace.write("t.yaml", wrong).unwrap();
    for command in [
        vec!["plan", "-f", "t.yaml"],
        vec!["apply", "-f", "t.yaml", "--auto-approve"],
    ] {
        let message = refused(&workspace, &command, 3);
        assert_names(
            &message,
            &["AAAAAAAAAAAAAAAAAAAAAA", pair().source.cluster_id()],
        );
    }
    assert_eq!(
        end_offsets(&pair().source.bootstrap_servers(), "there")
            .unwrap()
            .len(),
        8
    );
}

#[test]
fn fewer_partitions() {
    let workspace = Workspace::create("bad").unwrap();
    workspace
        .write("t.yaml", pair().topology(&topic(4)))
        .unwrap();
    let message = refused(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 3);
    assert_names(&message, &["topic.source.there"]);
    assert_eq!(
        end_offsets(&pair().source.bootstrap_servers(), "there")
            .unwrap()
            .len(),
        8
    );
}

#[test]
fn a_file_that_cannot_be_read() {
    let workspace = Workspace::create("bad").unwrap();
    let message = refused(&workspace, &["plan", "-f", "nowhere.yaml"], 1);
    assert_names(&message, &["nowhere.yaml"]);
    let message = refused(&workspace, &["plan", "-f", "."], 1);
    assert_names(&message, &["."]);
    workspace.write("t.yaml", [0xff, 0xfe, 0x00]).unwrap();
    let message = refused(&workspace, &["plan", "-f", "t.yaml"], 1);
    assert_names(&message, &["t.yaml"]);
    // root reads everything, so this one says something only elsewhere
    let secret = workspace.write("secret.yaml", pair().topology("")).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&secret).is_err() {
        let message = refused(&workspace, &["plan", "-f", "secret.yaml"], 1);
        assert_names(&message, &["secret.yaml"]);
    }
}

#[test]
fn a_saved_plan_that_is_damaged() {
    let workspace = Workspace::create("bad").unwrap();
    workspace
        .write("t.yaml", pair().topology(&topic(12)))
        .unwrap();
    let plan = ["plan", "-f", "t.yaml", "--out", "saved.plan"];
    mirrorctl(&workspace).unwrap().args(plan).assert().code(0);
    let whole = std::fs::read(workspace.path().join("saved.plan")).unwrap();

    let half = whole[..whole.len() / 2].to_vec();
    let edited = String::from_utf8_lossy(&whole)
        .replace("12", "16")
        .into_bytes();
    assert_ne!(edited, whole);
    for damaged in [half, edited, Vec::new(), b"not a plan".to_vec()] {
        workspace.write("damaged.plan", &damaged).unwrap();
        let message = refused(&workspace, &["apply", "damaged.plan"], 1);
        assert_names(&message, &["damaged.plan"]);
    }
    assert_eq!(
        end_offsets(&pair().source.bootstrap_servers(), "there")
            .unwrap()
            .len(),
        8
    );
}

#[test]
fn wrong_usage() {
    let workspace = Workspace::create("bad").unwrap();
    assert_names(&refused(&workspace, &["plam"], 64), &["plam", "plan"]);
    assert_names(&refused(&workspace, &["plan"], 64), &["--file"]);
    assert_names(
        &refused(&workspace, &["plan", "-f", "t.yaml", "--output", "xml"], 64),
        &["xml"],
    );
    assert_names(&refused(&workspace, &[], 64), &["Usage"]);
}
