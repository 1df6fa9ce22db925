//! Nothing is skipped silently: records that the source deleted before they were copied, and records that the target
//! does not take. Each stops its own partition with a message that names the offsets, or is passed as the topology
//! says, with an entry in the ledger.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/case.rs"]
mod case;

use std::sync::OnceLock;

use case::{
    Case, assert_same, assert_says, contents, only_failure, stop, until_it_says, waits::until,
};
use e2e::{ClusterSpec, Pair, end_offsets, read_partition, write_batch, write_mixed};
use serde_json::{Value, json};

const CONTINUE: &str = ", onDataLoss: continue";
/// The target keeps what the source does not.
const KEEP_LONGER: &str = ", topicSync: {config: false}";
/// What the source topic takes that the target does not: its limit does not follow.
const LARGE: (&str, &str) = ("max.message.bytes", "8388608");
const KEEP_LIMIT: &str = ", topicSync: {configExclude: [max.message.bytes]}";

/// Shared by the tests of this file, whose topics have different names.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let spec = ClusterSpec::single()
            // retention is looked at at once
            .with("log.retention.check.interval.ms", "500")
            .with("log.initial.task.delay.ms", "500");
        Pair::start(&spec).unwrap()
    })
}

/// The ledger as a reader of its own finds it: (key, value).
fn ledger_of(case: &Case<'_>, topic: &str) -> Vec<(Value, Value)> {
    let records = read_partition(&case.target(), "mirrorctl-gaps.internal", 0).unwrap();
    let json = |bytes: &Option<Vec<u8>>| -> Value {
        serde_json::from_slice(bytes.as_deref().unwrap()).unwrap()
    };
    let entries = records.iter().map(|it| (json(&it.key), json(&it.value)));
    entries.filter(|(key, _)| key["topic"] == topic).collect()
}

fn assert_one_gap(case: &Case<'_>, kind: &str, partition: i32, from: i64, to: i64) {
    let gaps = case.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    let gap = &gaps[0];
    let found = json!([gap["kind"], gap["partition"], gap["from"], gap["to"]]);
    assert_eq!(found, json!([kind, partition, from, to]));
    let ledger = ledger_of(case, gap["source_topic"].as_str().unwrap());
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    let (key, value) = &ledger[0];
    let found = json!([key["kind"], key["partition"], key["from"], value["to"]]);
    assert_eq!(found, json!([kind, partition, from, to]));
}

#[test]
fn records_that_were_deleted_before_they_were_copied() {
    let case = Case::new(pair(), "purged");
    case.source_admin().create("purged", 2, &[]).unwrap();
    write_mixed(&case.source(), "purged", 2, 1_000).unwrap();
    case.once(0);
    let before = case.on_target("purged", 0);
    let position = end_offsets(&case.source(), "purged").unwrap()[0];
    write_mixed(&case.source(), "purged", 2, 1_000).unwrap();
    let start = position + 123;
    let admin = case.source_admin();
    admin.delete_records("purged", 0, start).unwrap();

    // fail, which is the default: this partition alone, with the offsets
    let summary = case.once(1);
    let (topic, partition, at, reason) = only_failure(&summary);
    assert_eq!(
        (topic.as_str(), partition, at),
        ("purged", Some(0), Some(position))
    );
    let from = format!("123 offsets from {position}");
    let begins = format!("begins at {start}");
    assert_says(&reason, &[&from, &begins, "onDataLoss: continue"]);
    assert!(case.gaps().is_empty());
    assert_same(
        &case.on_target("purged", 0),
        &before,
        "the stopped partition",
    );
    assert_same(
        &case.on_target("purged", 1),
        &case.on_source("purged", 1),
        "its neighbour",
    );

    // declared: exactly these offsets are gone, and everything else is there
    case.declare(CONTINUE);
    let summary = case.once(0);
    assert_eq!(summary["gaps"], 1);
    assert_one_gap(&case, "deleted", 0, position, start);
    let expected = [before, case.on_source("purged", 0)].concat();
    assert_same(&case.on_target("purged", 0), &expected, "behind the gap");
    assert_eq!(case.once(0)["records"], 0, "the gap was passed for good");
}

#[test]
fn records_that_retention_took_from_a_mirror_that_runs() {
    let case = Case::new(pair(), "expired");
    case.declare(KEEP_LONGER);
    let admin = case.source_admin();
    admin
        .create("expired", 1, &[("retention.ms", "-1")])
        .unwrap();
    write_mixed(&case.source(), "expired", 1, 500).unwrap();
    case.once(0);
    let before = case.on_target("expired", 0);
    // a day old, and longer than they are kept
    write_mixed(&case.source(), "expired", 1, 400).unwrap();
    admin
        .configure("expired", &[("retention.ms", "3600000")])
        .unwrap();
    until("retention takes everything", || {
        read_partition(&case.source(), "expired", 0).is_ok_and(|left| left.is_empty())
    });
    write_batch(&case.source(), "expired", 0, "lz4", &[100; 10]).unwrap();

    let replicate = case.start(&[]);
    until_it_says(
        &replicate,
        &["partition stopped", "expired", "400 offsets from 500"],
    );
    stop(replicate, 1);

    case.declare(&format!("{KEEP_LONGER}{CONTINUE}"));
    let replicate = case.start(&[]);
    case.until_target_has("expired", 510);
    stop(replicate, 0);
    assert_one_gap(&case, "deleted", 0, 500, 900);
    let expected = [before, case.on_source("expired", 0)].concat();
    assert_same(&case.on_target("expired", 0), &expected, "behind the gap");
}

#[test]
fn a_batch_that_is_too_large_for_the_target_is_cut() {
    let case = Case::new(pair(), "cut");
    case.declare(KEEP_LIMIT);
    case.source_admin().create("cut", 1, &[LARGE]).unwrap();
    for codec in ["none", "zstd"] {
        write_batch(&case.source(), "cut", 0, codec, &[100_000; 30]).unwrap();
        write_batch(&case.source(), "cut", 0, codec, &[100; 3]).unwrap();
    }
    let summary = case.once(0);
    assert!(
        summary["batches_rebuilt"].as_u64() >= Some(8),
        "{summary:#}"
    );
    assert_eq!(summary["gaps"], 0);
    assert_same(
        &case.on_target("cut", 0),
        &case.on_source("cut", 0),
        "all of them",
    );
}

#[test]
fn a_record_that_is_too_large_for_the_target() {
    let case = Case::new(pair(), "large");
    case.declare(KEEP_LIMIT);
    case.source_admin().create("large", 2, &[LARGE]).unwrap();
    let (source, target) = (case.source(), case.target());
    write_batch(&source, "large", 0, "none", &[100, 100, 3_000_000, 100]).unwrap();
    write_batch(&source, "large", 1, "none", &[100; 4]).unwrap();

    let summary = case.once(1);
    let (topic, partition, position, reason) = only_failure(&summary);
    assert_eq!(
        (topic.as_str(), partition, position),
        ("large", Some(0), Some(2))
    );
    assert_says(
        &reason,
        &[
            "offset 2",
            "the limit is 1048588",
            "max.message.bytes",
            "onOversize: quarantine",
        ],
    );
    let sent = case.on_source("large", 0);
    assert_same(
        &case.on_target("large", 0),
        &sent[..2],
        "what comes before it",
    );
    assert_same(
        &case.on_target("large", 1),
        &case.on_source("large", 1),
        "the neighbour",
    );
    // who asks later is told, too
    let status = || {
        let status = case.json(&["status", "-f", "t.yaml"], 0);
        status["mirrors"][0]["partitions"][0].clone()
    };
    let stopped = status();
    assert_eq!(stopped["condition"], "stopped", "{stopped:#}");
    let why = stopped["cause"].as_str().unwrap();
    assert_says(why, &["offset 2", "onOversize: quarantine"]);

    case.declare(&format!("{KEEP_LIMIT}, onOversize: quarantine"));
    let summary = case.once(0);
    assert_eq!(summary["gaps"], 1, "{summary:#}");
    assert_eq!(status()["condition"], "caught-up");
    let expected = [&sent[..2], &sent[3..]].concat();
    assert_same(
        &case.on_target("large", 0),
        &expected,
        "all but that record",
    );
    assert_one_gap(&case, "oversize", 0, 2, 3);
    let kept = contents(&target, "large.mirrorctl-quarantine", 0);
    assert_eq!(kept.len(), 1);
    let (kept, original) = (&kept[0], &sent[2]);
    assert!(kept.key == original.key && kept.value == original.value);
    assert_eq!(kept.timestamp, original.timestamp);
    assert_eq!(
        kept.headers[0], original.headers[0],
        "its own header comes first"
    );
    let cluster = case.pair.source.cluster_id();
    for (name, value) in [
        ("mirrorctl.source.cluster", cluster),
        ("mirrorctl.source.topic", "large"),
        ("mirrorctl.source.partition", "0"),
        ("mirrorctl.source.offset", "2"),
    ] {
        assert_eq!(kept.header(name).as_deref(), Some(value), "{name}");
    }
    assert_says(&kept.header("mirrorctl.reason").unwrap(), &["1048588"]);
    assert_says(
        &kept.header("mirrorctl.error").unwrap(),
        &["MESSAGE_TOO_LARGE"],
    );
}
