//! An engine that somebody else has started, between clusters of somebody else, is judged as it is; nothing is done to it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use e2e::{ClusterSpec, Pair, Workspace, start_mirrorctl};
use serde_json::Value;

const QUIET: &str = "name: short
says: Nothing goes wrong.
patience: 30
workload: {records: 2000, partitions: 2, rate: 1000}
";
/// What only whoever has started an engine can do to it.
const UNQUIET: &str = "name: unquiet
says: The engine is killed.
workload: {records: 2000, partitions: 2}
steps:
- {at: 0, fault: kill, target: engine}
";

fn board(workspace: &Workspace, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mirrorctl-scoreboard"))
        .args(["--engine", "external", "--keep", "board.json"])
        .args(more)
        .current_dir(workspace.path())
        .output()
        .unwrap()
}

#[test]
fn an_engine_that_runs_already_is_judged() {
    let workspace = Workspace::create("external").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    let topology = pair.topology(
        "mirrors:\n- {name: m, source: source, target: target, topicsPattern: 'short[.].*', \
         replicationPolicy: {type: prefix, prefix: copied.}, slo: {lag: 1m}, \
         topicSync: {interval: 1s, replicationFactor: 1}}\n",
    );
    workspace.write("t.yaml", topology).unwrap();
    workspace.write("short.yaml", QUIET).unwrap();
    workspace.write("unquiet.yaml", UNQUIET).unwrap();
    let named = ["--topology", "t.yaml", "--mirror", "m"];
    let mut engine = start_mirrorctl(&workspace, "engine", &["replicate", "-f", "t.yaml"]).unwrap();

    let files = ["--file", "short.yaml", "--file", "unquiet.yaml"];
    let output = board(&workspace, &[&named[..], &files].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}\n{}", engine.stderr());
    assert!(said.contains("unquiet is not for external"), "{said}");
    assert!(engine.try_wait().unwrap().is_none(), "nothing ends it");

    let kept = std::fs::read(workspace.path().join("board.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let outcomes = kept["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), 1, "{kept:#}");
    assert_eq!(outcomes[0]["engine"], "external");
    assert_eq!(outcomes[0]["not_compared"], Value::Null);
    let checks = outcomes[0]["checks"].as_array().unwrap();
    let verdict = |id: &str| {
        let found = checks.iter().find(|check| check["id"] == id);
        found.map_or(Value::Null, |check| check["result"].clone())
    };
    for id in [
        "complete",
        "order",
        "payload",
        "latency",
        "count",
        "config-sync",
    ] {
        assert_eq!(verdict(id), "pass", "{id} of {checks:#?}");
    }
    let document = String::from_utf8(output.stdout).unwrap();
    assert!(document.contains("| check | external |"), "{document}");

    let without = board(&workspace, &["--file", "short.yaml"]);
    assert!(!without.status.success());
    let said = String::from_utf8(without.stderr).unwrap();
    assert!(said.contains("needs --topology FILE"), "{said}");
}
