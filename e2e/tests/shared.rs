//! A mirror that three processes share (`tasks`), on real brokers: one of them is killed, another ended, a new one comes. An
//! independent reader finds both sides identical.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::Duration;

use e2e::{ClusterSpec, Guarded, Pair, Stream, Workspace, identical, mirrorctl, start_mirrorctl};
use rustix::process::Signal;

const TOPIC: &str = "shared";
const LIMIT: Duration = Duration::from_mins(2);

fn start(workspace: &Workspace, name: &str) -> Guarded {
    let replicate = ["replicate", "-f", "t.yaml", "--output", "json"];
    start_mirrorctl(workspace, name, &replicate).unwrap()
}

/// Tells it to stop, and waits until it has, in order.
fn end(worker: &mut Guarded) {
    worker.signal(Signal::TERM).unwrap();
    assert_eq!(
        worker.wait(LIMIT).unwrap().code(),
        Some(0),
        "{}",
        worker.stderr()
    );
}

#[test]
fn workers_come_and_go() {
    let workspace = Workspace::create("shared").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    let topology = pair.topology(&format!(
        "topics:\n\
         - {{name: {TOPIC}, clusters: [source], partitions: 8, replicationFactor: 1}}\n\
         mirrors:\n\
         - {{name: shared, source: source, target: target, topicsPattern: {TOPIC}, tasks: 4, \
              delivery: exactly-once, replicationPolicy: {{type: identity}}}}\n"
    ));
    workspace.write("t.yaml", topology).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
    let servers = pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, TOPIC, 8, 4_000, "lz4").unwrap();

    let mut first = start(&workspace, "first");
    let mut second = start(&workspace, "second");
    let mut third = start(&workspace, "third");
    thread::sleep(Duration::from_secs(8));
    second.kill().unwrap();
    // what it had is taken over once it has been silent for 15 s
    thread::sleep(Duration::from_secs(20));
    let mut fourth = start(&workspace, "fourth");
    thread::sleep(Duration::from_secs(6));
    end(&mut third);
    thread::sleep(Duration::from_secs(4));
    let written = stream.stop().unwrap();
    pair.wait_for_records(TOPIC, written, LIMIT).unwrap();
    for worker in [&mut first, &mut fourth] {
        end(worker);
    }
    for worker in [&first, &third, &fourth] {
        let said: serde_json::Value = serde_json::from_str(&worker.stdout()).unwrap();
        assert!(
            said["runs"][0]["summary"]["records"].as_u64() > Some(0),
            "each copied: {said}"
        );
    }
    let (source, target) = pair.sides(TOPIC);
    assert_eq!(
        identical(source.at(), target.at()).unwrap().unwrap(),
        written
    );
}
