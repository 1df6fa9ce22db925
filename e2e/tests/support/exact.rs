//! A mirror that promises exactly-once, and what is done to it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "the seed and the figures of a test must be seen"
)]
#![allow(dead_code, reason = "each test program uses its part of this")]

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    ClusterSpec, Guarded, Pair, Stream, Transactions, Workspace, end_offsets, identical, mirrorctl,
    record_count, start_mirrorctl, write_mixed,
};
use rustix::process::Signal;

const TOPIC: &str = "exact";
const PARTITIONS: u16 = 6;
const REPLICATE: [&str; 3] = ["replicate", "-f", "t.yaml"];
/// Takes the mirror a second or more.
const BULK: u64 = 300_000;
const LIMIT: Duration = Duration::from_mins(2);

/// Random moments that a printed seed repeats (xorshift).
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) fn new() -> Self {
        let seed = std::env::var("MIRRORCTL_E2E_SEED")
            .map_or_else(
                |_| RandomState::new().hash_one(0),
                |seed| seed.parse().unwrap(),
            )
            .max(1);
        println!("seed {seed}; MIRRORCTL_E2E_SEED={seed} repeats these moments");
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub(crate) fn pause(&mut self, longest: Duration) {
        thread::sleep(longest.mul_f64(self.below(1_000) as f64 / 1_000.0));
    }
}

/// Both clusters, the topology, and a stream into the source.
pub(crate) struct Stage {
    pub(crate) workspace: Workspace,
    pub(crate) pair: Pair,
    stream: Option<Stream>,
    transactions: Option<Transactions>,
    /// Records that were written before and beside the stream.
    bulk: u64,
    runs: u32,
    began: Instant,
}

impl Stage {
    pub(crate) fn set(spec: &ClusterSpec, replicas: u16, rate: u32) -> Self {
        let workspace = Workspace::create("exact").unwrap();
        let pair = Pair::start(spec).unwrap();
        let topology = pair.topology(&format!(
            "topics:\n\
             - {{name: {TOPIC}, clusters: [source], partitions: {PARTITIONS}, replicationFactor: {replicas}}}\n\
             mirrors:\n\
             - {{name: exact, source: source, target: target, topicsPattern: {TOPIC}, \
                  delivery: exactly-once, replicationPolicy: {{type: identity}}}}\n"
        ));
        workspace.write("t.yaml", topology).unwrap();
        let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
        mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
        let servers = pair.source.bootstrap_servers();
        let stream = Stream::start(&servers, TOPIC, PARTITIONS, rate, "lz4").unwrap();
        Self {
            workspace,
            pair,
            stream: Some(stream),
            transactions: None,
            bulk: 0,
            runs: 0,
            began: Instant::now(),
        }
    }

    pub(crate) fn start(&mut self) -> Guarded {
        self.runs += 1;
        let name = format!("run-{}", self.runs);
        start_mirrorctl(&self.workspace, &name, &REPLICATE).unwrap()
    }

    /// Waits until something was copied after this moment.
    pub(crate) fn wait_for_progress(&self) {
        let sent = self.stream.as_ref().unwrap().sent();
        let reached = self
            .pair
            .wait_for_records(TOPIC, self.bulk + sent + 500, LIMIT);
        if let Err(error) = reached {
            let last = format!("run-{}.err", self.runs);
            let said = std::fs::read_to_string(self.workspace.path().join(last));
            let (source, target) = self.pair.sides(TOPIC);
            let ends = |servers| end_offsets(servers, TOPIC);
            panic!(
                "{error}\nends on the source {:?}, on the target {:?}\n{}",
                ends(source.at().servers),
                ends(target.at().servers),
                said.unwrap_or_default()
            );
        }
    }

    pub(crate) fn once(&self) {
        let once = ["replicate", "-f", "t.yaml", "--once"];
        mirrorctl(&self.workspace)
            .unwrap()
            .args(once)
            .assert()
            .code(0);
    }

    /// Ends the stream, copies the rest, and compares record by record.
    pub(crate) fn judge(mut self) {
        let mut written = self.bulk + self.stop_stream();
        if let Some(transactions) = self.transactions.take() {
            let transacted = transactions.stop().unwrap();
            assert!(transacted.committed > 0 && transacted.aborted > 0);
            println!(
                "{} records were committed, {} aborted, {written} written without a transaction",
                transacted.committed, transacted.aborted
            );
            written += transacted.committed;
        }
        self.once();
        self.assert_identical(written);
        // And the end is one: nothing is copied again.
        self.once();
        self.assert_identical(written);
        println!(
            "{} runs in {} s: {written} records, identical on both sides, no duplicate",
            self.runs,
            self.began.elapsed().as_secs()
        );
    }

    pub(crate) fn stop_stream(&mut self) -> u64 {
        self.stream.take().unwrap().stop().unwrap()
    }

    /// Between the records of the stream: interleaved transactions, some of which are aborted.
    pub(crate) fn add_transactions(&mut self, moments: &mut Moments) {
        let servers = self.pair.source.bootstrap_servers();
        let seed = moments.below(u64::MAX);
        let transactions = Transactions::start(&servers, TOPIC, PARTITIONS, seed);
        self.transactions = Some(transactions.unwrap());
    }

    /// Many records at once, half a day old.
    pub(crate) fn add_bulk(&mut self, records: u64) {
        let servers = self.pair.source.bootstrap_servers();
        self.bulk += write_mixed(&servers, TOPIC, PARTITIONS, records).unwrap();
    }

    /// Records on the target.
    pub(crate) fn on_target(&self) -> u64 {
        record_count(&self.pair.target.bootstrap_servers(), TOPIC).unwrap_or_default()
    }

    /// The reader is one that reads committed records only.
    pub(crate) fn assert_identical(&self, written: u64) {
        let (source, target) = self.pair.sides(TOPIC);
        assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
    }

    /// How many producers the target's leaders remember, as Kafka's own tool shows.
    pub(crate) fn producers_remembered(&self) -> usize {
        (0..PARTITIONS)
            .map(|partition| self.producers_of(partition))
            .sum()
    }

    /// The same of one partition.
    pub(crate) fn producers_of(&self, partition: u16) -> usize {
        let shown = self
            .pair
            .target
            .tool_output(
                "org.apache.kafka.tools.TransactionsCommand",
                &[
                    "--bootstrap-server",
                    &self.pair.target.bootstrap_servers(),
                    "describe-producers",
                    "--topic",
                    TOPIC,
                    "--partition",
                    &partition.to_string(),
                ],
                b"",
            )
            .unwrap();
        // below the heading
        shown
            .lines()
            .skip(1)
            .filter(|line| !line.trim().is_empty())
            .count()
    }
}

/// kill -9 again and again at random moments.
pub(crate) fn survives_kills(kills: u32) {
    let mut stage = Stage::set(&ClusterSpec::single(), 1, 3_000);
    let mut moments = Moments::new();
    kill_again_and_again(&mut stage, &mut moments, kills);
    stage.judge();
}

/// The same, and the source is written in transactions that are committed, aborted and abandoned.
pub(crate) fn survives_kills_among_transactions(kills: u32) {
    let mut stage = Stage::set(&ClusterSpec::single(), 1, 500);
    let mut moments = Moments::new();
    stage.add_transactions(&mut moments);
    kill_again_and_again(&mut stage, &mut moments, kills);
    stage.judge();
}

fn kill_again_and_again(stage: &mut Stage, moments: &mut Moments, kills: u32) {
    for _ in 0..kills {
        let mut replicate = stage.start();
        moments.pause(Duration::from_secs(2));
        assert_eq!(
            replicate.try_wait().unwrap(),
            None,
            "{}",
            replicate.stderr()
        );
        assert_eq!(replicate.kill().unwrap().code(), Some(137));
    }
}

/// A target that keeps producer ids for three seconds by the time of their records, which are hours old here: it forgets
/// the mirror at every check, also in the middle of copying.
fn forgetful() -> ClusterSpec {
    ClusterSpec::single()
        .with("producer.id.expiration.ms", "3000")
        .with("producer.id.expiration.check.interval.ms", "500")
}

/// Old records under a mirror that runs, is killed, and whose target crashes.
pub(crate) fn survives_old_records(rounds: u32) {
    let mut stage = Stage::set(&forgetful(), 1, 2_000);
    let mut moments = Moments::new();
    for round in 0..rounds {
        let mut replicate = stage.start();
        stage.wait_for_progress();
        moments.pause(Duration::from_secs(1));
        if round % 2 == 0 {
            stage.pair.target.kill_broker(1).unwrap();
            stage.pair.target.restart_broker(1).unwrap();
            stage.wait_for_progress();
        }
        assert_eq!(
            replicate.try_wait().unwrap(),
            None,
            "{}",
            replicate.stderr()
        );
        replicate.kill().unwrap();
        // Sooner than the expiration: by the records' time it is over at once.
        let killed = Instant::now();
        while stage.producers_of(0) > 0 {
            assert!(
                killed.elapsed() < LIMIT,
                "the target does not forget producers"
            );
        }
    }
    stage.judge();
}

/// Old records, and a run that is frozen while the target forgets its producer: when it wakes up the target would take
/// whatever it sends.
pub(crate) fn survives_a_frozen_twin_of_old_records(frozen: Duration, rounds: u32) {
    let mut stage = Stage::set(&forgetful(), 1, 1_000);
    let mut moments = Moments::new();
    for _ in 0..rounds {
        stage.add_bulk(BULK);
        let before = stage.on_target();
        let mut first = stage.start();
        let started = Instant::now();
        while stage.on_target() < before + BULK / 20 {
            assert!(started.elapsed() < LIMIT, "{}", first.stderr());
            thread::sleep(Duration::from_millis(5));
        }
        moments.pause(Duration::from_millis(100));
        // In full flight: it has requests half written.
        first.signal(Signal::STOP).unwrap();
        let mut second = stage.start();
        stage.wait_for_progress();
        thread::sleep(frozen);
        first.signal(Signal::CONT).unwrap();
        let woken = Instant::now();
        while !first.stderr().contains("standing by") {
            assert!(woken.elapsed() < LIMIT, "{}", first.stderr());
            thread::sleep(Duration::from_millis(100));
        }
        stage.wait_for_progress();
        assert_eq!(second.try_wait().unwrap(), None, "{}", second.stderr());
        first.kill().unwrap();
        second.kill().unwrap();
    }
    stage.judge();
}

/// Three brokers a side: each round moves leaders or kills a broker of the target, and kills the replicator as well.
pub(crate) fn survives_brokers(rounds: u64) {
    let spec = ClusterSpec::three().with("min.insync.replicas", "2");
    let mut stage = Stage::set(&spec, 3, 1_000);
    let mut moments = Moments::new();
    for round in 0..rounds {
        let mut replicate = stage.start();
        moments.pause(Duration::from_millis(1_500));
        let broker = 1 + moments.below(3) as u16;
        let cluster = if moments.below(4) == 0 {
            &stage.pair.source
        } else {
            &stage.pair.target
        };
        println!(
            "round {round}: broker {broker} of {}",
            cluster.bootstrap_servers()
        );
        cluster.kill_broker(broker).unwrap();
        moments.pause(Duration::from_millis(1_500));
        if moments.below(2) == 0 {
            replicate.kill().unwrap();
            replicate = stage.start();
        }
        let cluster = [&stage.pair.source, &stage.pair.target];
        for cluster in cluster {
            for id in cluster.brokers() {
                if cluster.broker_process_id(id).unwrap().is_none() {
                    cluster.restart_broker(id).unwrap();
                }
            }
        }
        // Leaders go back to where they were: each a move in a new epoch.
        let servers = stage.pair.target.bootstrap_servers();
        let elect = [
            "--bootstrap-server",
            &servers,
            "--election-type",
            "preferred",
            "--all-topic-partitions",
        ];
        let _ = stage
            .pair
            .target
            .tool("org.apache.kafka.tools.LeaderElectionCommand", &elect, b"")
            .unwrap();
        stage.wait_for_progress();
        replicate.kill().unwrap();
    }
    stage.judge();
}

/// The target forgets our producer id, between two runs and under one.
pub(crate) fn survives_expiry(rounds: u32) {
    let mut stage = Stage::set(&forgetful(), 1, 1_000);
    let mut moments = Moments::new();
    for _ in 0..rounds {
        let mut replicate = stage.start();
        stage.wait_for_progress();
        moments.pause(Duration::from_millis(500));
        replicate.kill().unwrap();
        let started = Instant::now();
        while stage.producers_remembered() > 0 {
            assert!(started.elapsed() < LIMIT, "the producer id never expires");
            thread::sleep(Duration::from_millis(300));
        }
    }
    // Under a run that goes on: a mirror with nothing to copy is forgotten, and then has something to copy.
    let written = stage.stop_stream();
    let mut replicate = stage.start();
    stage.pair.wait_for_records(TOPIC, written, LIMIT).unwrap();
    let started = Instant::now();
    while stage.producers_remembered() > 0 {
        assert!(started.elapsed() < LIMIT, "the producer id never expires");
        thread::sleep(Duration::from_millis(300));
    }
    let servers = stage.pair.source.bootstrap_servers();
    stage.stream = Some(Stream::start(&servers, TOPIC, PARTITIONS, 1_000, "none").unwrap());
    stage
        .pair
        .wait_for_records(TOPIC, written + 2_000, LIMIT)
        .unwrap();
    assert_eq!(
        replicate.try_wait().unwrap(),
        None,
        "{}",
        replicate.stderr()
    );
    replicate.kill().unwrap();
    let more = stage.stop_stream();
    stage.once();
    stage.assert_identical(written + more);
    println!("{written} and {more} records, identical on both sides, no duplicate");
}

/// Two instances at once, one of which is frozen and wakes up later, not knowing what happened.
pub(crate) fn survives_a_frozen_twin(frozen: Duration, rounds: u32) {
    let mut stage = Stage::set(&ClusterSpec::single(), 1, 2_000);
    let mut moments = Moments::new();
    for _ in 0..rounds {
        let mut first = stage.start();
        stage.wait_for_progress();
        moments.pause(Duration::from_millis(300));
        first.signal(Signal::STOP).unwrap();
        let mut second = stage.start();
        stage.wait_for_progress();
        thread::sleep(frozen);
        first.signal(Signal::CONT).unwrap();
        // Both, or the one that is left, get on with it for a while.
        thread::sleep(Duration::from_secs(3));
        let ended = first.try_wait().unwrap();
        println!("the first one: {ended:?}\n{}", first.stderr());
        assert_eq!(second.try_wait().unwrap(), None, "{}", second.stderr());
        first.kill().unwrap();
        second.kill().unwrap();
    }
    stage.judge();
}
