//! One mirror between two clusters, and what it says about itself.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every test program uses its part of it")]

#[path = "waits.rs"]
pub(crate) mod waits;

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    Guarded, Pair, Record, TopicAdmin, Workspace, mirrorctl, read_partition, record_count,
    start_mirrorctl,
};
use rustix::process::Signal;
use serde_json::Value;
use waits::LIMIT;

/// A mirror of the topics whose names begin with its own name.
pub(crate) struct Case<'p> {
    pub(crate) pair: &'p Pair,
    pub(crate) workspace: Workspace,
    name: &'static str,
    started: Cell<u32>,
}

impl<'p> Case<'p> {
    pub(crate) fn new(pair: &'p Pair, name: &'static str) -> Self {
        let workspace = Workspace::create(name).unwrap();
        let case = Self {
            pair,
            workspace,
            name,
            started: Cell::new(0),
        };
        case.declare("");
        case
    }

    /// Writes the topology, with `more` keys of the mirror, each after a comma.
    pub(crate) fn declare(&self, more: &str) {
        let name = self.name;
        let mirrors = format!(
            "mirrors:\n- {{name: {name}, source: source, target: target, topicsPattern: \"{name}.*\", \
             replicationPolicy: {{type: identity}}{more}}}\n"
        );
        self.declare_all(&self.pair.topology(&mirrors));
    }

    pub(crate) fn declare_all(&self, topology: &str) {
        self.workspace.write("t.yaml", topology).unwrap();
    }

    /// Copies up to the ends of now; its summary.
    pub(crate) fn once(&self, code: i32) -> Value {
        let once = ["replicate", "-f", "t.yaml", "--once"];
        let ended = self.json(&once, code);
        ended["runs"][0]["summary"].clone()
    }

    /// A run that goes on until it is stopped.
    pub(crate) fn start(&self, more: &[&str]) -> Guarded {
        // a log of its own, or an earlier run's might be read
        let number = self.started.replace(self.started.get() + 1);
        let replicate = ["replicate", "-f", "t.yaml"];
        let arguments = [&replicate[..], more].concat();
        start_mirrorctl(&self.workspace, &format!("run-{number}"), &arguments).unwrap()
    }

    /// What `status --gaps` lists.
    pub(crate) fn gaps(&self) -> Vec<Value> {
        let listed = self.json(&["status", "-f", "t.yaml", "--gaps"], 0);
        listed["mirrors"][0]["gaps"].as_array().unwrap().clone()
    }

    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> Value {
        let mut command = mirrorctl(&self.workspace).unwrap();
        let assert = command
            .args(arguments)
            .args(["--output", "json"])
            .assert()
            .code(code);
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    pub(crate) fn source(&self) -> String {
        self.pair.source.bootstrap_servers()
    }

    pub(crate) fn target(&self) -> String {
        self.pair.target.bootstrap_servers()
    }

    pub(crate) fn source_admin(&self) -> TopicAdmin {
        TopicAdmin::new(&self.source()).unwrap()
    }

    pub(crate) fn target_admin(&self) -> TopicAdmin {
        TopicAdmin::new(&self.target()).unwrap()
    }

    pub(crate) fn on_source(&self, topic: &str, partition: i32) -> Vec<Record> {
        contents(&self.source(), topic, partition)
    }

    pub(crate) fn on_target(&self, topic: &str, partition: i32) -> Vec<Record> {
        contents(&self.target(), topic, partition)
    }

    /// Waits until the target's topic holds at least so many records.
    pub(crate) fn until_target_has(&self, topic: &str, records: usize) {
        self.pair
            .wait_for_records(topic, records as u64, LIMIT)
            .unwrap();
    }
}

/// A partition's records, without their offsets.
pub(crate) fn contents(servers: &str, topic: &str, partition: i32) -> Vec<Record> {
    let records = read_partition(servers, topic, partition).unwrap();
    records.into_iter().map(Record::anywhere).collect()
}

/// The same records in the same order; too many to print them all where they are not.
pub(crate) fn assert_same(found: &[Record], expected: &[Record], what: &str) {
    let differs = found.iter().zip(expected).position(|(a, b)| a != b);
    let show = |records: &[Record], at: usize| {
        records
            .get(at)
            .map(|record| (record.key.clone(), record.timestamp))
    };
    if let Some(at) = differs {
        let (found, expected) = (show(found, at), show(expected, at));
        panic!("{what}: record {at} is {found:?}, expected {expected:?}");
    }
    assert_eq!(found.len(), expected.len(), "{what}: how many");
}

/// The only failure of a run, as (topic, partition, position, reason).
pub(crate) fn only_failure(summary: &Value) -> (String, Option<i64>, Option<i64>, String) {
    let failures = summary["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{summary:#}");
    let failure = &failures[0];
    let text = |key: &str| failure[key].as_str().unwrap().to_owned();
    (
        text("topic"),
        failure["partition"].as_i64(),
        failure["position"].as_i64(),
        text("reason"),
    )
}

pub(crate) fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
}

/// Waits until a run's log has all these words in one line; that line.
pub(crate) fn until_it_says(process: &Guarded, words: &[&str]) -> String {
    let mut found = None;
    let started = Instant::now();
    while found.is_none() {
        let log = process.stderr();
        let waited = started.elapsed();
        assert!(waited < LIMIT, "{words:?} within {LIMIT:?} in:\n{log}");
        found = log
            .lines()
            .find(|line| words.iter().all(|word| line.contains(word)))
            .map(str::to_owned);
        thread::sleep(Duration::from_millis(50));
    }
    found.unwrap()
}

/// Ends a run as SIGTERM does; what it wrote to standard error.
pub(crate) fn stop(mut process: Guarded, code: i32) -> String {
    process.signal(Signal::TERM).unwrap();
    let status = process.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(code), "{}", process.stderr());
    process.stderr()
}

pub(crate) fn count(servers: &str, topic: &str) -> u64 {
    record_count(servers, topic).unwrap_or(0)
}
