//! Killing the replicator again and again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "the seed of a failed test must be seen"
)]

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::Duration;

use e2e::{ClusterSpec, Pair, Stream, Workspace, at_least_once, mirrorctl, start_mirrorctl};

const TOPOLOGY: &str = "\
topics:
- {name: live.stream, clusters: [source], partitions: 8, replicationFactor: 1}
- {name: live.stamped, clusters: [source], partitions: 8, replicationFactor: 1}
mirrors:
- {name: live, source: source, target: target, topicsPattern: \"live\\\\..*\", replicationPolicy: {type: identity}}
";

const REPLICATE: [&str; 3] = ["replicate", "-f", "t.yaml"];
const CATCH_UP: Duration = Duration::from_mins(2);

/// Random moments that a printed seed repeats (xorshift).
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let seed = std::env::var("MIRRORCTL_E2E_SEED")
            .map_or_else(
                |_| RandomState::new().hash_one(0),
                |seed| seed.parse().unwrap(),
            )
            .max(1);
        println!("seed {seed}; MIRRORCTL_E2E_SEED={seed} repeats these moments");
        Self(seed)
    }

    fn next(&mut self, longest: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        longest.mul_f64((self.0 % 1_000) as f64 / 1_000.0)
    }
}

/// Kills the replicator `kills` times under load; two judges then read both clusters.
pub(crate) fn survive(kills: u32) {
    let workspace = Workspace::create("kill").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    workspace.write("t.yaml", pair.topology(TOPOLOGY)).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);

    let servers = pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, "live.stream", 8, 4_000, "lz4").unwrap();
    // about as long as the kills take
    let records = (kills * 3_000).to_string();
    let verify = [
        "verify", "-f", "t.yaml", "--mirror", "live", "--mode", "stamped",
    ];
    let journal = ["--topic", "live.stamped", "--journal", "run.json"];
    let mut writer = start_mirrorctl(
        &workspace,
        "write",
        &[
            &verify[..],
            &journal,
            &["--phase", "write", "--records", &records, "--rate", "2000"],
        ]
        .concat(),
    )
    .unwrap();

    let mut moments = Moments::new();
    for number in 1..=kills {
        let mut replicate =
            start_mirrorctl(&workspace, &format!("run-{number}"), &REPLICATE).unwrap();
        // sometimes before it has connected, sometimes in full flight
        thread::sleep(moments.next(Duration::from_millis(2_500)));
        assert_eq!(
            replicate.try_wait().unwrap(),
            None,
            "{}",
            replicate.stderr()
        );
        assert_eq!(replicate.kill().unwrap().code(), Some(137));
    }
    let written = stream.stop().unwrap();
    let status = writer.wait(CATCH_UP).unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "{}{}",
        writer.stdout(),
        writer.stderr()
    );
    let once = ["replicate", "-f", "t.yaml", "--once"];
    mirrorctl(&workspace).unwrap().args(once).assert().code(0);

    // the independent reader
    let (source, target) = pair.sides("live.stream");
    let counts = at_least_once(source.at(), target.at()).unwrap().unwrap();
    assert_eq!(counts.records, written);
    println!(
        "{written} records, {} duplicates after {kills} kills",
        counts.duplicates
    );

    // the product's own judge, which knows the bound
    let restarts = kills.to_string();
    let check = [
        &verify[..],
        &journal,
        &["--phase", "check", "--restarts", &restarts],
    ]
    .concat();
    let assert = mirrorctl(&workspace).unwrap().args(check).assert().code(0);
    let verdict = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    println!("{verdict}");
    for check in ["complete", "order", "duplicates"] {
        let line = verdict
            .lines()
            .find(|line| line.trim_start().starts_with(check));
        assert!(
            line.is_some_and(|line| line.contains("pass")),
            "{check} in {verdict}"
        );
    }
}
