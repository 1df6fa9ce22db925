//! Mirrors as resources on real clusters: a running replicator follows what is applied, without a restart; what others write
//! is shown and repaired; a promotion copies to the end and is for good; what is written to the target since goes back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/waits.rs"]
mod waits;

use e2e::{
    ClusterSpec, Pair, Stream, Workspace, console_producer, identical, mirrorctl, record_count,
    start_mirrorctl,
};
use rustix::process::Signal;
use serde_json::Value;
use waits::{LIMIT, until, until_it_says};

const RECORDS: &str = "mirrorctl-mirrors.internal";

struct Bed {
    pair: Pair,
    workspace: Workspace,
}

impl Bed {
    fn start() -> Self {
        Self {
            pair: Pair::start(&ClusterSpec::single()).unwrap(),
            workspace: Workspace::create("mirror-states").unwrap(),
        }
    }

    /// Writes the topology that `apply` and `plan` get; the replicator has a file of its own, which stays as it is.
    fn declare(&self, file: &str, state: &str) {
        self.declare_beside(file, state, "");
    }

    fn declare_beside(&self, file: &str, state: &str, others: &str) {
        let rest = format!(
            "topics:\n- {{name: live, clusters: [source], partitions: 3, replicationFactor: 1}}\n\
             mirrors:\n- {{name: live, source: source, target: target, topicsPattern: live, \
             replicationPolicy: {{type: identity}}, topicSync: {{interval: 500ms}}, state: {state}}}\n{others}"
        );
        let text = self.pair.topology(&rest);
        self.workspace.write(file, text).unwrap();
    }

    /// Runs `mirrorctl`, checks its exit code, and returns what it printed on both streams.
    fn both(&self, arguments: &[&str], code: i32) -> [String; 2] {
        let assert = mirrorctl(&self.workspace)
            .unwrap()
            .args(arguments)
            .assert()
            .code(code);
        let output = assert.get_output();
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned())
    }

    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.both(arguments, code).concat()
    }

    fn apply(&self, state: &str) -> String {
        self.declare("t.yaml", state);
        self.run(&["apply", "-f", "t.yaml", "--auto-approve"], 0)
    }

    fn status(&self) -> Value {
        let [text, _] = self.both(&["status", "-f", "r.yaml", "--output", "json"], 0);
        serde_json::from_str(&text).unwrap()
    }

    fn copied(&self) -> u64 {
        record_count(&self.pair.target.bootstrap_servers(), "live").unwrap_or(0)
    }
}

#[test]
fn a_running_replicator_follows_what_is_applied() {
    let bed = Bed::start();
    bed.declare("r.yaml", "running");
    let first = bed.apply("running");
    assert!(first.contains("mirror.live: done"), "{first}");
    let servers = bed.pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, "live", 3, 500, "lz4").unwrap();
    let mut replicate =
        start_mirrorctl(&bed.workspace, "replicate", &["replicate", "-f", "r.yaml"]).unwrap();
    bed.pair.wait_for_records("live", 200, LIMIT).unwrap();

    // paused: it drains, and then stands still while records arrive
    bed.apply("paused");
    until_it_says(&replicate, "nothing is copied", 1);
    let (stands_at, written) = (bed.copied(), stream.sent());
    until("records arrive", || stream.sent() > written + 500);
    assert_eq!(bed.copied(), stands_at, "it stands still");
    let state = &bed.status()["mirrors"][0]["state"];
    assert_eq!(
        (&state["state"], &state["by"]),
        (&"paused".into(), &"record".into())
    );

    // running: it catches up
    bed.apply("running");
    bed.pair
        .wait_for_records("live", stream.sent(), LIMIT)
        .unwrap();

    // what somebody else writes counts, is shown, and is repaired
    let key = r#"{"mirror":"live"}"#;
    for (foreign, shown) in [
        (r#"{"version":1,"state":"paused"}"#, "paused → running"),
        ("NULL", "gone since the last apply"),
    ] {
        let held = replicate.stderr().matches("nothing is copied").count();
        let line = format!("by:hand\t{key}\t{foreign}\n");
        console_producer(&bed.pair.target, RECORDS, "none", &line).unwrap();
        until_it_says(&replicate, "nothing is copied", held + 1);
        let drifted = bed.run(
            &[
                "plan",
                "-f",
                "t.yaml",
                "--drift-only",
                "--detailed-exitcode",
            ],
            2,
        );
        assert!(
            drifted.contains("mirror.live") && drifted.contains(shown),
            "{drifted}"
        );
        bed.run(&["apply", "-f", "t.yaml", "--auto-approve"], 0);
        bed.run(&["plan", "-f", "t.yaml", "--detailed-exitcode"], 0);
        bed.pair
            .wait_for_records("live", stream.sent(), LIMIT)
            .unwrap();
    }

    // promoted: what the source holds by then arrives, and then nothing any more; also where its own file pauses it
    let held = replicate.stderr().matches("nothing is copied").count();
    bed.apply("paused");
    until_it_says(&replicate, "nothing is copied", held + 1);
    bed.declare("r.yaml", "paused");
    replicate.signal(Signal::HUP).unwrap();
    let both = "the topology file says paused, and its record on target says paused";
    until_it_says(&replicate, both, 1);
    let written = stream.stop().unwrap();
    bed.apply("promoted");
    let ended = replicate.wait(LIMIT).unwrap();
    assert_eq!(ended.code(), Some(0), "{}", replicate.stderr());
    let (source, target) = bed.pair.sides("live");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
    let state = bed.status()["mirrors"][0]["state"].clone();
    assert_eq!(state["state"], "promoted");
    let promotion = state["promotion"].as_str().unwrap();
    assert!(promotion.starts_with("complete"), "{promotion}");

    let refused = bed.run(&["replicate", "-f", "r.yaml"], 3);
    assert!(refused.contains("promoted"), "{refused}");
    bed.run(&["replicate", "-f", "r.yaml", "--once"], 3);
    bed.declare("t.yaml", "running");
    bed.run(&["apply", "-f", "t.yaml", "--auto-approve"], 3);
    let blocked = bed.run(&["plan", "-f", "t.yaml"], 0);
    assert!(blocked.contains("another name"), "{blocked}");

    // the way back beside it: what applications write to the target since, each once, and nothing else
    let back = "- {name: back, source: target, target: source, topicsPattern: live, replicationPolicy: {type: identity}}\n";
    bed.declare_beside("b.yaml", "promoted", back);
    bed.run(&["validate", "b.yaml"], 0);
    let applications = Stream::start(&bed.pair.target.bootstrap_servers(), "live", 3, 500, "lz4");
    let applications = applications.unwrap();
    until("applications write", || applications.sent() > 700);
    let since = applications.stop().unwrap();
    let applied = bed.run(&["apply", "-f", "b.yaml", "--auto-approve"], 0);
    assert!(applied.contains("mirror.back: done"), "{applied}");
    let once = ["replicate", "-f", "b.yaml", "--once"];
    bed.run(&once, 0);
    assert_eq!(
        identical(target.at(), source.at()).unwrap(),
        Ok(written + since)
    );
    let again = bed.run(&once, 0);
    assert!(again.contains("Copied 0 records"), "{again}");
}
