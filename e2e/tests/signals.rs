//! Signals: the first one drains, commits and exits with 0; the second ends at once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, Pair, Stream, Workspace, identical, mirrorctl, record_count, start_mirrorctl,
};
use rustix::process::Signal;

const TOPOLOGY: &str = "\
topics:
- {name: live, clusters: [source], partitions: 4, replicationFactor: 1}
mirrors:
- {name: live, source: source, target: target, topicsPattern: live, replicationPolicy: {type: identity}}
";

const REPLICATE: [&str; 3] = ["replicate", "-f", "t.yaml"];
/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_mins(2);

fn set_up() -> (Workspace, Pair) {
    let workspace = Workspace::create("signals").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    workspace.write("t.yaml", pair.topology(TOPOLOGY)).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
    (workspace, pair)
}

#[test]
fn the_first_signal_drains_and_commits() {
    let (workspace, pair) = set_up();
    let servers = pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, "live", 4, 5_000, "lz4").unwrap();
    let mut replicate = start_mirrorctl(&workspace, "first", &REPLICATE).unwrap();
    pair.wait_for_records("live", 10_000, LIMIT).unwrap();

    // in full flight
    replicate.signal(Signal::TERM).unwrap();
    let status = replicate.wait(LIMIT).unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "{}{}",
        replicate.stdout(),
        replicate.stderr()
    );
    let copied = record_count(&pair.target.bootstrap_servers(), "live").unwrap();
    let written = stream.stop().unwrap();
    assert!(copied < written, "the stream went on behind the replicator");

    // everything that was sent had been acknowledged and committed: the next run repeats nothing
    let once = ["replicate", "-f", "t.yaml", "--once"];
    mirrorctl(&workspace).unwrap().args(once).assert().code(0);
    let (source, target) = pair.sides("live");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
}

#[test]
fn the_second_signal_ends_at_once() {
    let (workspace, pair) = set_up();
    let servers = pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, "live", 4, 2_000, "none").unwrap();
    let mut replicate = start_mirrorctl(&workspace, "second", &REPLICATE).unwrap();
    pair.wait_for_records("live", 1_000, LIMIT).unwrap();

    // a target that does not answer: what is in flight cannot be drained
    pair.target.pause_broker(1).unwrap();
    thread::sleep(Duration::from_millis(500));
    replicate.signal(Signal::TERM).unwrap();
    thread::sleep(Duration::from_millis(700));
    assert_eq!(
        replicate.try_wait().unwrap(),
        None,
        "it still tries to drain"
    );
    let asked = Instant::now();
    replicate.signal(Signal::TERM).unwrap();
    let status = replicate.wait(LIMIT).unwrap();
    assert_eq!(
        status.code(),
        Some(143),
        "{}{}",
        replicate.stdout(),
        replicate.stderr()
    );
    assert!(
        // it would try to drain for twenty
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );

    pair.target.resume_broker(1).unwrap();
    stream.stop().unwrap();
}
