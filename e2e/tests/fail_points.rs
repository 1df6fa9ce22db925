//! The replicator dies at each step between fetch and committed position: nothing is lost, and where exactly-once is declared
//! nothing is there twice.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the figures of a test must be seen")]

use std::time::Duration;

use e2e::{
    ClusterSpec, Pair, Stream, Workspace, at_least_once, identical, mirrorctl, start_mirrorctl_with,
};

/// As in `replicator/src/fail_point.rs`, in the order in which a batch comes by.
const POINTS: [&str; 6] = [
    "fetched",
    "before-produce",
    "answered",
    "acknowledged",
    "before-commit",
    "committed",
];
/// Right at the beginning, and when batches and positions are under way.
const PASSES: [u32; 2] = [1, 7];
const PARTITIONS: u16 = 4;
const LIMIT: Duration = Duration::from_mins(1);
/// By SIGKILL.
const KILLED: i32 = 137;

struct Stage {
    workspace: Workspace,
    pair: Pair,
}

impl Stage {
    fn set() -> Self {
        let workspace = Workspace::create("fail-points").unwrap();
        let pair = Pair::start(&ClusterSpec::single()).unwrap();
        let deliveries = ["exactly-once", "at-least-once"];
        let topics = deliveries.map(|delivery| {
            format!("- {{name: {delivery}, clusters: [source], partitions: {PARTITIONS}, replicationFactor: 1}}\n")
        });
        let mirrors = deliveries.map(|delivery| {
            format!(
                "- {{name: {delivery}, source: source, target: target, topicsPattern: {delivery}, \
                 delivery: {delivery}, replicationPolicy: {{type: identity}}}}\n"
            )
        });
        let (topics, mirrors) = (topics.concat(), mirrors.concat());
        let topology = pair.topology(&format!("topics:\n{topics}mirrors:\n{mirrors}"));
        workspace.write("t.yaml", topology).unwrap();
        let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
        mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
        Self { workspace, pair }
    }

    /// Under a stream of records, one run after the other ends at its fail point. Returns how many records were written, all
    /// of which a last run has copied then.
    fn die_everywhere(&self, delivery: &str) -> u64 {
        let servers = self.pair.source.bootstrap_servers();
        let stream = Stream::start(&servers, delivery, PARTITIONS, 2_000, "lz4").unwrap();
        let replicate = ["replicate", "-f", "t.yaml", "--mirror", delivery];
        for point in POINTS {
            for pass in PASSES {
                let armed = format!("{point}:{pass}");
                let mut run = start_mirrorctl_with(
                    &self.workspace,
                    &format!("{delivery}-{point}-{pass}"),
                    &replicate,
                    &[("MIRRORCTL_FAIL_POINT", &armed)],
                )
                .unwrap();
                let ended = run.wait(LIMIT);
                let code = ended.ok().and_then(|status| status.code());
                assert_eq!(
                    code,
                    Some(KILLED),
                    "{armed}: is it a binary with the feature fail-points, as `cargo xtask test` builds it?\n{}",
                    run.stderr()
                );
            }
        }
        let written = stream.stop().unwrap();
        let mut once = mirrorctl(&self.workspace).unwrap();
        once.args(replicate).arg("--once").assert().code(0);
        written
    }
}

#[test]
fn a_crash_at_any_step_loses_nothing_and_in_exactly_once_repeats_nothing() {
    let stage = Stage::set();

    let written = stage.die_everywhere("exactly-once");
    let (source, target) = stage.pair.sides("exactly-once");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));

    let written = stage.die_everywhere("at-least-once");
    let (source, target) = stage.pair.sides("at-least-once");
    let counts = at_least_once(source.at(), target.at()).unwrap().unwrap();
    assert_eq!(counts.records, written);
    println!(
        "{written} records after {} crashes, {} of them twice in at-least-once",
        POINTS.len() * PASSES.len(),
        counts.duplicates
    );
    // or the crashes came where they could not hurt
    assert!(counts.duplicates > 0);
}
