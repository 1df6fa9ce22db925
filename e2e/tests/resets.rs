//! Topics that are deleted and created again under their old name, on the source and on the target, while the mirror is
//! stopped and while it runs: each as the topology declares.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/case.rs"]
mod case;

use std::sync::OnceLock;

use case::{Case, assert_same, assert_says, stop, until_it_says};
use e2e::{ClusterSpec, Pair, Record, write_mixed};
use serde_json::{Value, json};

const RESTART: &str = ", onTopicReset: restart, topicSync: {interval: 500ms}";
const SOON: &str = ", topicSync: {interval: 500ms}";

/// Shared by the tests of this file, whose topics have different names.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::start(&ClusterSpec::single()).unwrap())
}

/// Deletes and creates the topic, and writes `records` of which every one differs from those before.
fn recreate_on_source(case: &Case<'_>, topic: &str, records: u64) {
    let admin = case.source_admin();
    admin.delete(topic).unwrap();
    admin.create(topic, 2, &[]).unwrap();
    write_mixed(&case.source(), topic, 2, records).unwrap();
}

fn on_source(case: &Case<'_>, topic: &str) -> [Vec<Record>; 2] {
    [0, 1].map(|partition| case.on_source(topic, partition))
}

/// The target holds these records, one life of the topic after the other.
fn assert_target(case: &Case<'_>, topic: &str, lives: &[&[Vec<Record>; 2]]) {
    for partition in 0..2 {
        let expected: Vec<&[Record]> = lives.iter().map(|life| &life[partition][..]).collect();
        let found = case.on_target(topic, partition as i32);
        assert_same(&found, &expected.concat(), &format!("{topic}-{partition}"));
    }
}

/// (kind, partition, resumed at) of all gaps.
fn gaps(case: &Case<'_>) -> Vec<Value> {
    let of = |gap: &Value| json!([gap["kind"], gap["partition"], gap["resumed_at"]]);
    case.gaps().iter().map(of).collect()
}

fn one_of_each(kind: &str) -> Vec<Value> {
    vec![json!([kind, 0, 0]), json!([kind, 1, 0])]
}

#[test]
fn a_source_topic_that_is_recreated_while_the_mirror_is_stopped() {
    let case = Case::new(pair(), "asleep");
    case.source_admin().create("asleep", 2, &[]).unwrap();
    case.source_admin().create("asleep.beside", 1, &[]).unwrap();
    write_mixed(&case.source(), "asleep", 2, 600).unwrap();
    case.once(0);
    let old = on_source(&case, "asleep");
    // more records than before: the old position is a valid offset in the new topic
    recreate_on_source(&case, "asleep", 1_000);
    write_mixed(&case.source(), "asleep.beside", 1, 100).unwrap();

    let summary = case.once(1);
    for failure in summary["failures"].as_array().unwrap() {
        let reason = failure["reason"].as_str().unwrap();
        assert_says(reason, &["`asleep` was recreated", "onTopicReset: restart"]);
    }
    assert_target(&case, "asleep", &[&old]);
    case.until_target_has("asleep.beside", 100);

    case.declare(RESTART);
    case.once(0);
    assert_target(&case, "asleep", &[&old, &on_source(&case, "asleep")]);
    assert_eq!(gaps(&case), one_of_each("topic-reset"));
    assert_eq!(case.once(0)["records"], 0);
}

#[test]
fn a_source_topic_that_is_recreated_while_the_mirror_runs() {
    let case = Case::new(pair(), "awake");
    case.declare(SOON);
    case.source_admin().create("awake", 2, &[]).unwrap();
    case.source_admin().create("awake.beside", 1, &[]).unwrap();
    write_mixed(&case.source(), "awake", 2, 600).unwrap();
    let old = on_source(&case, "awake");
    let replicate = case.start(&[]);
    case.until_target_has("awake", 600);
    recreate_on_source(&case, "awake", 1_000);
    until_it_says(&replicate, &["partition stopped", "`awake` was recreated"]);
    write_mixed(&case.source(), "awake.beside", 1, 100).unwrap();
    case.until_target_has("awake.beside", 100);
    stop(replicate, 1);
    assert_target(&case, "awake", &[&old]);

    // the second life, and a third one that begins while it runs
    case.declare(RESTART);
    let replicate = case.start(&[]);
    case.until_target_has("awake", 1_600);
    let second = on_source(&case, "awake");
    recreate_on_source(&case, "awake", 800);
    case.until_target_has("awake", 2_400);
    stop(replicate, 0);
    let third = on_source(&case, "awake");
    assert_target(&case, "awake", &[&old, &second, &third]);
    assert_eq!(gaps(&case).len(), 4, "two partitions, twice");
}

#[test]
fn a_target_topic_that_is_recreated_is_filled_again() {
    let case = Case::new(pair(), "emptied");
    case.declare(SOON);
    case.source_admin().create("emptied", 2, &[]).unwrap();
    write_mixed(&case.source(), "emptied", 2, 600).unwrap();
    case.once(0);
    let records = on_source(&case, "emptied");
    let target = case.target_admin();

    // while the mirror is stopped
    target.delete("emptied").unwrap();
    case.once(0);
    assert_target(&case, "emptied", &[&records]);
    assert_eq!(gaps(&case), one_of_each("target-reset"));

    // while it runs: so quickly that no request fails, and slowly
    let replicate = case.start(&[]);
    // before, it would find another topic than its positions are of, and begin with that
    until_it_says(&replicate, &["copying begins", "emptied"]);
    target.delete("emptied").unwrap();
    target.create("emptied", 2, &[]).unwrap();
    until_it_says(&replicate, &["beginning anew", "emptied"]);
    case.until_target_has("emptied", 600);
    target.delete("emptied").unwrap();
    write_mixed(&case.source(), "emptied", 2, 400).unwrap();
    case.until_target_has("emptied", 1_000);
    stop(replicate, 0);
    assert_target(&case, "emptied", &[&on_source(&case, "emptied")]);
}

#[test]
fn a_recreated_source_topic_with_fewer_partitions() {
    let case = Case::new(pair(), "smaller");
    case.declare(RESTART);
    let admin = case.source_admin();
    admin.create("smaller", 2, &[]).unwrap();
    write_mixed(&case.source(), "smaller", 2, 600).unwrap();
    let replicate = case.start(&[]);
    case.until_target_has("smaller", 600);
    let old = on_source(&case, "smaller");
    admin.delete("smaller").unwrap();
    admin.create("smaller", 1, &[]).unwrap();
    write_mixed(&case.source(), "smaller", 1, 500).unwrap();
    case.until_target_has("smaller", 1_100);
    stop(replicate, 0);
    let new = [case.on_source("smaller", 0), Vec::new()];
    assert_target(&case, "smaller", &[&old, &new]);
    let summary = case.once(0);
    assert_eq!(summary["failures"], json!([]), "{summary:#}");
    // with the policy that stops, there is nothing to stop any more
    case.declare("");
    case.once(0);
}
