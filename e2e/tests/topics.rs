//! Which topics and partitions are copied, and from where on: several sources into one target, partitions that come
//! later, a mirror that began at the end, topics and mirrors that are paused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/case.rs"]
mod case;
#[path = "support/http.rs"]
mod http;

use std::collections::HashSet;
use std::sync::OnceLock;

use case::{Case, assert_same, count, stop, until_it_says, waits::until};
use e2e::{
    ClusterSpec, Guarded, KafkaCluster, Pair, Stream, TopicAdmin, TopicAt, identical, write_mixed,
};
use http::{http_get, listening_at};
use rustix::process::Signal;
use serde_json::Value;

const SOON: &str = ", topicSync: {interval: 500ms}";
const LATEST: &str = ", startOffset: latest, topicSync: {interval: 500ms}";
const LISTEN: [&str; 4] = ["--listen", "127.0.0.1:0", "--log-format", "json"];

/// Shared by the tests of this file, whose topics have different names.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::start(&ClusterSpec::single()).unwrap())
}

fn readiness(address: &str) -> (u16, Value) {
    let (status, body) = http_get(address, "/readyz");
    (status, serde_json::from_str(&body).unwrap())
}

/// A run that copies, and where it listens.
fn start_ready(case: &Case<'_>) -> (Guarded, String) {
    let replicate = case.start(&LISTEN);
    let address = listening_at(&replicate);
    until("it is ready", || readiness(&address).0 == 200);
    (replicate, address)
}

#[test]
fn several_sources_into_one_target_do_not_wait_for_each_other() {
    let case = Case::new(pair(), "orders");
    let second = KafkaCluster::start(&ClusterSpec::single()).unwrap();
    let topology = case.pair.topology(&format!(
        "- {{alias: second, clusterId: {}, bootstrapServers: [\"{}\"]}}\n\
         mirrors:\n- {{name: all, source: [source, second], target: target, topicsPattern: orders}}\n",
        second.cluster_id(),
        second.bootstrap_servers(),
    ));
    case.declare_all(&topology);
    let sources = [case.source(), second.bootstrap_servers()];
    for servers in &sources {
        let admin = TopicAdmin::new(servers).unwrap();
        admin.create("orders", 3, &[]).unwrap();
    }
    let streams = sources
        .each_ref()
        .map(|servers| Stream::start(servers, "orders", 3, 500, "lz4").unwrap());
    let replicate = case.start(&[]);
    until("both flow", || {
        ["source.orders", "second.orders"]
            .iter()
            .all(|topic| count(&case.target(), topic) > 300)
    });

    // one source is gone in full flight
    second.pause_broker(1).unwrap();
    let before = count(&case.target(), "source.orders");
    until("the other one goes on", || {
        count(&case.target(), "source.orders") > before + 1_000
    });
    second.resume_broker(1).unwrap();
    let written = streams.map(|stream| stream.stop().unwrap());
    case.until_target_has("source.orders", written[0] as usize);
    case.until_target_has("second.orders", written[1] as usize);
    stop(replicate, 0);
    let target = case.target();
    for ((alias, servers), written) in ["source", "second"].iter().zip(&sources).zip(written) {
        let from = TopicAt {
            servers,
            topic: "orders",
        };
        let topic = format!("{alias}.orders");
        let to = TopicAt {
            servers: &target,
            topic: &topic,
        };
        assert_eq!(identical(from, to).unwrap(), Ok(written), "{alias}");
    }
    let status = case.json(&["status", "-f", "t.yaml"], 0);
    assert_eq!(status["mirrors"].as_array().unwrap().len(), 2, "{status:#}");
}

#[test]
fn partitions_that_are_added_are_copied_from_their_first_record() {
    let case = Case::new(pair(), "grown");
    case.declare(SOON);
    let admin = case.source_admin();
    admin.create("grown", 1, &[]).unwrap();
    let stream = Stream::start(&case.source(), "grown", 1, 1_000, "lz4").unwrap();
    let replicate = case.start(&[]);
    case.until_target_has("grown", 500);
    let mut others = 0;
    for partitions in [2, 5] {
        admin.grow("grown", partitions).unwrap();
        // at once: the mirror has not seen the new partitions yet
        others += write_mixed(&case.source(), "grown", partitions as u16, 2_000).unwrap();
    }
    let written = stream.stop().unwrap() + others;
    case.until_target_has("grown", written as usize);
    stop(replicate, 0);
    let (source, target) = case.pair.sides("grown");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
}

#[test]
fn a_mirror_that_began_at_the_end_loses_nothing_from_then_on() {
    let case = Case::new(pair(), "late");
    case.declare(LATEST);
    let admin = case.source_admin();
    admin.create("late", 2, &[]).unwrap();
    write_mixed(&case.source(), "late", 2, 300).unwrap();
    let began = [150, 150];

    // stopped before anything came
    let (replicate, _) = start_ready(&case);
    stop(replicate, 0);
    write_mixed(&case.source(), "late", 2, 400).unwrap();
    // killed
    let (mut replicate, _) = start_ready(&case);
    case.until_target_has("late", 400);
    replicate.kill().unwrap();
    // while nobody looks: more records, and partitions that were not there when the mirror began
    admin.grow("late", 4).unwrap();
    write_mixed(&case.source(), "late", 4, 800).unwrap();
    let (replicate, _) = start_ready(&case);
    case.until_target_has("late", 1_200);
    stop(replicate, 0);
    for partition in 0..4 {
        let source = case.on_source("late", partition);
        let from = began.get(partition as usize).copied().unwrap_or(0);
        // the kill may have repeated what was not committed
        let mut seen = HashSet::new();
        let mut once = case.on_target("late", partition);
        once.retain(|record| seen.insert(record.timestamp.to_millis()));
        assert_same(&once, &source[from..], &format!("late-{partition}"));
    }
}

#[test]
fn what_is_paused_on_purpose_is_no_reason_not_to_be_ready() {
    let case = Case::new(pair(), "held");
    case.declare(", pausedTopics: held.b");
    for topic in ["held.a", "held.b"] {
        case.source_admin().create(topic, 1, &[]).unwrap();
        write_mixed(&case.source(), topic, 1, 200).unwrap();
    }
    let (replicate, address) = start_ready(&case);
    case.until_target_has("held.a", 200);
    assert_eq!(count(&case.target(), "held.b"), 0);
    assert_eq!(readiness(&address).0, 200);

    // a topic that was copied and is held back now
    case.declare(", pausedTopics: held.a");
    replicate.signal(Signal::HUP).unwrap();
    case.until_target_has("held.b", 200);
    until("it is ready", || readiness(&address).0 == 200);
    write_mixed(&case.source(), "held.a", 1, 100).unwrap();
    write_mixed(&case.source(), "held.b", 1, 100).unwrap();
    case.until_target_has("held.b", 300);
    let (status, body) = readiness(&address);
    assert_eq!(
        (status, count(&case.target(), "held.a")),
        (200, 200),
        "{body:#}"
    );

    // the whole mirror
    case.declare(", state: paused");
    replicate.signal(Signal::HUP).unwrap();
    until_it_says(&replicate, &["reload: paused"]);
    until("it has drained", || {
        readiness(&address).1["mirrors"][0]["phase"] == "paused"
    });
    assert_eq!(readiness(&address).0, 200);
    stop(replicate, 0);

    // from the start
    let replicate = case.start(&LISTEN);
    let address = listening_at(&replicate);
    until("it is ready", || readiness(&address).0 == 200);
    case.declare("");
    replicate.signal(Signal::HUP).unwrap();
    case.until_target_has("held.a", 300);
    until("it is ready", || readiness(&address).0 == 200);
    stop(replicate, 0);
}
