//! A source of three brokers that lose their leaders: records that an unclean election takes back are noticed and
//! reported, and a partition that nobody leads is named while its neighbours go on, before a run and during it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/case.rs"]
mod case;

use std::thread;

use case::{Case, assert_same, count, stop, until_it_says, waits::until};
use e2e::{ClusterSpec, KafkaCluster, Pair, TopicAdmin, end_offsets, write_batch};
use serde_json::json;

const UNCLEAN: [(&str, &str); 2] = [
    ("unclean.leader.election.enable", "true"),
    ("min.insync.replicas", "1"),
];

const SOON: &str = ", topicSync: {interval: 500ms}";

fn pair() -> Pair {
    let source = ClusterSpec::three()
        .with("broker.session.timeout.ms", "5000")
        .with("broker.heartbeat.interval.ms", "500")
        .with("replica.lag.time.max.ms", "3000")
        .with("unclean.leader.election.interval.ms", "500");
    thread::scope(|scope| {
        let target = scope.spawn(|| KafkaCluster::start(&ClusterSpec::single()).unwrap());
        let source = KafkaCluster::start(&source).unwrap();
        Pair {
            source,
            target: target.join().unwrap(),
        }
    })
}

fn write(case: &Case<'_>, topic: &str, partition: i32, records: usize) {
    write_batch(&case.source(), topic, partition, "lz4", &vec![100; records]).unwrap();
}

/// Two mirrors of one topic: one that goes on behind a loss, and one that does not.
fn declare_both(case: &Case<'_>) {
    let mirrors = "mirrors:\n\
         - {name: goes-on, source: source, target: target, topicsPattern: torn, onDataLoss: continue, \
           replicationPolicy: {type: identity}}\n\
         - {name: strict, source: source, target: target, topicsPattern: torn, \
           replicationPolicy: {type: prefix, prefix: strict.}}\n";
    case.declare_all(&case.pair.topology(mirrors));
}

/// Partition 0 loses its last 200 records: they were on broker 2 alone, which dies, and broker 3 leads without them.
fn records_that_an_unclean_election_takes_back(case: &Case<'_>) {
    declare_both(case);
    let replicate = case.start(&[]);
    let target = case.target();
    let reach = |records: [i64; 2]| {
        for topic in ["torn", "strict.torn"] {
            until("both mirrors copy", || {
                end_offsets(&target, topic).is_ok_and(|ends| ends == records)
            });
        }
    };
    write(case, "torn", 0, 300);
    write(case, "torn", 1, 300);
    reach([300, 300]);
    let source = &case.pair.source;
    source.kill_broker(3).unwrap();
    write(case, "torn", 0, 200);
    reach([500, 300]);
    let before = case.on_target("torn", 0);
    stop(replicate, 0);
    source.kill_broker(2).unwrap();
    source.restart_broker(3).unwrap();
    // more than were lost: the old position is an offset of the new log, and only the leader epochs tell
    write(case, "torn", 0, 400);
    write(case, "torn", 1, 100);

    let replicate = case.start(&[]);
    let line = until_it_says(&replicate, &["partition stopped", "strict"]);
    for words in ["torn-0", "200 offsets from 300", "unclean leader election"] {
        assert!(line.contains(words), "{words} in {line}");
    }
    until("its neighbour and the other mirror go on", || {
        let ends = |topic| end_offsets(&target, topic).unwrap_or_default();
        ends("torn") == [900, 400] && ends("strict.torn") == [500, 400]
    });
    stop(replicate, 1);
    let left = case.on_source("torn", 0);
    assert_eq!(left.len(), 700);
    let expected = [&before[..], &left[300..]].concat();
    assert_same(
        &case.on_target("torn", 0),
        &expected,
        "behind the truncation",
    );
    let gaps = case.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    let gap = &gaps[0];
    assert_eq!(
        json!([
            gap["kind"],
            gap["partition"],
            gap["from"],
            gap["to"],
            gap["resumed_at"]
        ]),
        json!(["truncation", 0, 300, 500, 300])
    );
    what_the_source_has_lost_is_foreign(case);
}

/// The mirror has reported them, and the target holds them all the same: the judge names them as what the source has not.
fn what_the_source_has_lost_is_foreign(case: &Case<'_>) {
    let compare = ["verify", "-f", "t.yaml", "--mirror", "goes-on"];
    let compare = [&compare[..], &["--mode", "compare", "--timeout", "10s"]].concat();
    let report = case.json(&compare, 5);
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["result"] == "fail");
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    let (id, figures) = (&failed[0]["id"], &failed[0]["figures"]);
    let found = json!([id, figures["foreign"], figures["lost"]]);
    assert_eq!(found, json!(["count", 200, 0]));
    let first = &failed[0]["counterexample"]["target"];
    let found = json!([first["partition"], first["offset"]]);
    assert_eq!(found, json!([0, 300]));
}

/// Partition 1 lies on broker 2 alone, which is down.
fn a_partition_that_nobody_leads(case: &Case<'_>) {
    case.declare(SOON);
    let replicate = case.start(&["--log-format", "json"]);
    until_it_says(&replicate, &["still", "no leader on the source"]);
    write(case, "still", 0, 100);
    until("its neighbours go on", || {
        count(&case.target(), "still") == 200
    });
    // a topic that comes meanwhile
    let admin = TopicAdmin::new(&case.source()).unwrap();
    admin.create_on("still.new", &[&[1]], &[]).unwrap();
    write(case, "still.new", 0, 10);
    until("it is copied", || count(&case.target(), "still.new") == 10);

    stop(replicate, 0);
    // a run that ends by itself names it, and copies the others
    write(case, "still", 0, 100);
    let summary = case.once(1);
    let failures = summary["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{summary:#}");
    let named = (&failures[0]["topic"], &failures[0]["partition"]);
    assert_eq!(named, (&json!("still"), &json!(1)));
    assert_eq!(count(&case.target(), "still"), 300);
}

/// The same partition has a leader again, and loses it in full flight, with records that are known of.
fn a_partition_that_stands_still(case: &Case<'_>) {
    let source = &case.pair.source;
    source.restart_broker(2).unwrap();
    case.declare(", stallAfter: 3s, throttle: {bytesPerSecond: 1MB}");
    for _ in 0..20 {
        write_batch(&case.source(), "still", 1, "none", &[100_000; 9]).unwrap();
    }
    let replicate = case.start(&[]);
    let ends = || end_offsets(&case.target(), "still").unwrap_or_default();
    until("it flows", || ends()[1] > 110);
    source.kill_broker(2).unwrap();
    let line = until_it_says(
        &replicate,
        &["stands still although there is something to copy"],
    );
    assert!(line.contains("still-1"), "{line}");
    write(case, "still", 0, 100);
    until("its neighbour goes on", || ends()[0] == 400);
    stop(replicate, 0);
    let expected = case.on_source("still", 0);
    assert_same(&case.on_target("still", 0), &expected, "the neighbour");
}

#[test]
fn leaders_that_are_lost() {
    let pair = pair();
    let torn = Case::new(&pair, "torn");
    let still = Case::new(&pair, "still");
    let admin = TopicAdmin::new(&pair.source.bootstrap_servers()).unwrap();
    admin
        .create_on("torn", &[&[2, 3], &[1, 2]], &UNCLEAN)
        .unwrap();
    admin.create_on("still", &[&[1], &[2]], &[]).unwrap();
    write(&still, "still", 0, 100);
    write(&still, "still", 1, 100);
    records_that_an_unclean_election_takes_back(&torn);
    a_partition_that_nobody_leads(&still);
    a_partition_that_stands_still(&still);
}
