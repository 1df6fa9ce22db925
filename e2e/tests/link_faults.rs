//! Links that break, go silent, become long and narrow, lose responses and damage them: an exactly-once mirror goes on by
//! itself, and both sides are identical in the end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    Api, ClusterSpec, Guarded, Harm, KafkaProxy, Pair, Workspace, identical, mirrorctl,
    start_mirrorctl, write_batch,
};
use rustix::process::Signal;

const TOPIC: &str = "linked";
const PARTITIONS: i32 = 4;
/// Of each partition, each time.
const RECORDS: usize = 300;
const LIMIT: Duration = Duration::from_mins(2);

#[derive(Debug, Clone, Copy)]
enum Side {
    Source,
    Target,
}

struct Stage {
    // held for its files
    _workspace: Workspace,
    pair: Pair,
    source: KafkaProxy,
    target: KafkaProxy,
    replicate: Guarded,
    written: u64,
}

impl Stage {
    /// A mirror that sees both clusters through proxies alone.
    fn set() -> Self {
        let workspace = Workspace::create("links").unwrap();
        let pair = Pair::start(&ClusterSpec::single()).unwrap();
        let source = KafkaProxy::before(&pair.source).unwrap();
        let target = KafkaProxy::before(&pair.target).unwrap();
        let topology = pair
            .topology(&format!(
                "topics:\n\
                 - {{name: {TOPIC}, clusters: [source], partitions: {PARTITIONS}, replicationFactor: 1}}\n\
                 mirrors:\n\
                 - {{name: linked, source: source, target: target, topicsPattern: {TOPIC}, \
                    delivery: exactly-once, replicationPolicy: {{type: identity}}}}\n"
            ))
            .replace(&pair.source.bootstrap_servers(), &source.bootstrap_servers())
            .replace(&pair.target.bootstrap_servers(), &target.bootstrap_servers());
        workspace.write("t.yaml", topology).unwrap();
        let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
        mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
        let replicate =
            start_mirrorctl(&workspace, "replicate", &["replicate", "-f", "t.yaml"]).unwrap();
        Self {
            _workspace: workspace,
            pair,
            source,
            target,
            replicate,
            written: 0,
        }
    }

    fn link(&self, side: Side) -> &KafkaProxy {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Writes to the source itself, past the proxy.
    fn write(&mut self, bytes: usize) {
        let servers = self.pair.source.bootstrap_servers();
        for partition in 0..PARTITIONS {
            write_batch(&servers, TOPIC, partition, "lz4", &vec![bytes; RECORDS]).unwrap();
            self.written += RECORDS as u64;
        }
    }

    fn until_copied(&mut self, after: &str) {
        let copied = self.pair.wait_for_records(TOPIC, self.written, LIMIT);
        if let Err(error) = copied {
            panic!("{after}: {error}\n{}", self.replicate.stderr());
        }
    }

    fn until_struck(&self, side: Side, times: u64, what: &str) {
        let started = Instant::now();
        while self.link(side).struck() < times {
            assert!(
                started.elapsed() < LIMIT,
                "{what} was never struck, so the mirror goes around the proxy\n{}",
                self.replicate.stderr()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_mirror_outlives_what_its_links_do_to_it() {
    let mut stage = Stage::set();
    stage.write(100);
    stage.until_copied("nothing happened");

    for (times, harm) in (1..).zip([Harm::Lose, Harm::Corrupt]) {
        stage.target.strike(Api::PRODUCE, harm);
        stage.write(100);
        let what = format!("{harm:?} of {}", Api::PRODUCE);
        stage.until_struck(Side::Target, times, &what);
        stage.until_copied(&what);
    }
    for (times, harm) in (1..).zip([Harm::Lose, Harm::Corrupt]) {
        stage.source.strike(Api::FETCH, harm);
        stage.write(100);
        let what = format!("{harm:?} of {}", Api::FETCH);
        stage.until_struck(Side::Source, times, &what);
        stage.until_copied(&what);
    }

    stage.source.delay(Duration::from_millis(30));
    stage.target.throttle(400_000);
    stage.write(1_000);
    stage.until_copied("long and narrow");
    stage.source.heal();
    stage.target.heal();

    for side in [Side::Source, Side::Target] {
        stage.link(side).cut();
        stage.write(100);
        stage.link(side).heal();
        stage.until_copied(&format!("{side:?}: its link was cut"));
        stage.link(side).half_open();
        stage.write(100);
        stage.link(side).heal();
        stage.until_copied(&format!("{side:?}: its link was silent"));
    }

    stage.replicate.signal(Signal::TERM).unwrap();
    let status = stage.replicate.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", stage.replicate.stderr());
    let (source, target) = stage.pair.sides(TOPIC);
    let same = identical(source.at(), target.at()).unwrap();
    assert_eq!(same, Ok(stage.written));
}
