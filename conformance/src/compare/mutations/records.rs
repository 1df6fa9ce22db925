//! Mutants of a topic, walked side by side with the original: each has to be named for what it is.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::lane::{ONCE, WITHIN, failed, figure, judge, original, replay, result};
use crate::checks::ReplayBound;
use crate::compare::entry::TimestampRule;
use crate::record::{Record, Timestamp, TimestampKind};
use crate::verdict::Verdict;

type Mutate = fn(&mut Vec<Record>);

#[test]
fn each_mutant_is_named_for_what_it_is() {
    let mutants: [(&str, ReplayBound, Mutate, &[&str]); 27] = [
        ("nothing", ONCE, |_| (), &[]),
        ("one lost", WITHIN, |r| drop(r.remove(500)), &["count"]),
        (
            "the first lost",
            WITHIN,
            |r| drop(r.remove(0)),
            &["count", "partition-growth"],
        ),
        (
            "the first hundred lost",
            ONCE,
            |r| drop(r.drain(..100)),
            &["count", "partition-growth"],
        ),
        (
            "all but the last lost",
            ONCE,
            |r| drop(r.drain(..999)),
            &["count", "partition-growth"],
        ),
        ("the tail lost", WITHIN, |r| r.truncate(900), &["count"]),
        (
            "a long stretch lost",
            WITHIN,
            |r| drop(r.drain(100..700)),
            &["count"],
        ),
        (
            "a foreign one",
            ONCE,
            |r| {
                r.insert(
                    9,
                    Record {
                        key: Some(b"x".to_vec()),
                        ..r[9].clone()
                    },
                );
            },
            &["count"],
        ),
        (
            "a foreign tail",
            ONCE,
            |r| r.extend(original(1010).split_off(1000)),
            &["count"],
        ),
        ("neighbours swapped", ONCE, |r| r.swap(30, 31), &["order"]),
        (
            "the first two swapped",
            WITHIN,
            |r| r.swap(0, 1),
            &["order"],
        ),
        ("far ones swapped", ONCE, |r| r.swap(30, 800), &["order"]),
        (
            "one late",
            WITHIN,
            |r| {
                let late = r.remove(100);
                r.insert(600, late);
            },
            &["order"],
        ),
        (
            "a batch backwards",
            WITHIN,
            |r| r[700..720].reverse(),
            &["order"],
        ),
        (
            "a repeat, exactly-once",
            ONCE,
            |r| replay(r, 50, 1),
            &["duplicates"],
        ),
        (
            "a repeat at the end, exactly-once",
            ONCE,
            |r| replay(r, 1000, 1),
            &["duplicates"],
        ),
        (
            "replays within the bound",
            WITHIN,
            |r| {
                replay(r, 900, 300);
                replay(r, 400, 10);
            },
            &[],
        ),
        (
            "three replays at two restarts",
            WITHIN,
            |r| {
                replay(r, 900, 5);
                replay(r, 905, 5);
                replay(r, 400, 10);
            },
            &["duplicates"],
        ),
        (
            "a value altered",
            ONCE,
            |r| r[77].value = Some(b"other".to_vec()),
            &["payload"],
        ),
        (
            "a null value become empty",
            ONCE,
            |r| r[13].value = Some(Vec::new()),
            &["payload"],
        ),
        ("a key become null", ONCE, |r| r[1].key = None, &["payload"]),
        (
            "a null key become empty",
            ONCE,
            |r| r[7].key = Some(Vec::new()),
            &["payload"],
        ),
        (
            "a header lost",
            ONCE,
            |r| r[999].headers.clear(),
            &["payload"],
        ),
        (
            "a null header become empty",
            ONCE,
            |r| r[5].headers[0].1 = Some(Vec::new()),
            &["payload"],
        ),
        (
            "a time shifted",
            ONCE,
            |r| r[0].timestamp.millis += 1,
            &["timestamp"],
        ),
        (
            "log-append times",
            ONCE,
            |r| {
                for record in r {
                    record.timestamp = Timestamp {
                        millis: 5,
                        kind: TimestampKind::LogAppend,
                    };
                }
            },
            &["timestamp"],
        ),
        (
            "a type of time",
            ONCE,
            |r| r[8].timestamp.kind = TimestampKind::LogAppend,
            &["timestamp"],
        ),
    ];
    let ours = original(1000);
    for (name, bound, mutate, guilty) in mutants {
        let mut theirs = ours.clone();
        mutate(&mut theirs);
        let results = judge(&ours, &theirs, bound, TimestampRule::Exact);
        let guilty: BTreeSet<&str> = guilty.iter().copied().collect();
        assert_eq!(failed(&results), guilty, "{name}: {results:#?}");
        for result in &results {
            if let Verdict::Fail { counterexample, .. } = &result.verdict {
                let placed = counterexample.source.is_some() || counterexample.target.is_some();
                assert!(placed, "{name}: {counterexample}");
            }
        }
    }
}

#[test]
fn the_first_altered_record_is_told_in_words() {
    let ours = original(1000);
    let mut theirs = ours.clone();
    theirs.remove(3);
    theirs[700].value = Some(b"7x1".to_vec());
    let results = judge(&ours, &theirs, WITHIN, TimestampRule::Exact);
    assert_eq!(failed(&results), BTreeSet::from(["count", "payload"]));
    let payload = results
        .iter()
        .find(|result| result.id == "payload")
        .expect("payload");
    let Verdict::Fail {
        failures: 1,
        counterexample,
    } = &payload.verdict
    else {
        panic!("passed")
    };
    assert_eq!(
        counterexample.to_string(),
        "expected value of 3 bytes, from byte 1: 3031, found value of 3 bytes, from byte 1: 7831; \
         source a-0@1402; target b-0@1400"
    );
}

#[test]
fn timestamp_rules_decide_what_counts() {
    let ours = original(100);
    let mut theirs = ours.clone();
    theirs[8].timestamp.kind = TimestampKind::LogAppend;
    assert!(failed(&judge(&ours, &theirs, ONCE, TimestampRule::Millis)).is_empty());
    theirs[9].timestamp.millis += 1;
    assert_eq!(
        failed(&judge(&ours, &theirs, ONCE, TimestampRule::Millis)),
        ["timestamp"].into()
    );
    assert!(failed(&judge(&ours, &theirs, ONCE, TimestampRule::Ignore)).is_empty());
}

#[test]
fn a_wholly_different_topic_is_given_up_on_and_fails() {
    let ours = original(150_000);
    let mut theirs = ours.clone();
    for record in &mut theirs {
        record.headers.clear();
    }
    let results = judge(&ours, &theirs, WITHIN, TimestampRule::Exact);
    assert_eq!(failed(&results), BTreeSet::from(["payload"]));
    let count = results
        .iter()
        .find(|result| result.id == "count")
        .expect("count");
    assert!(matches!(count.verdict, Verdict::Inconclusive { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Replays within the bound, wherever they are, raise no alarm and are counted exactly.
    #[test]
    fn replays_are_counted(at in prop::collection::btree_map(2_usize..1000, 1_usize..300, 0..3)) {
        let ours = original(1000);
        let mut theirs = ours.clone();
        let mut repeated = 0;
        let replays = at.len() as u64;
        for (end, length) in at.into_iter().rev() {
            let length = length.min(end);
            repeated += length as u64;
            replay(&mut theirs, end, length);
        }
        let results = judge(&ours, &theirs, WITHIN, TimestampRule::Exact);
        prop_assert!(failed(&results).is_empty(), "{:#?}", results);
        prop_assert_eq!(figure(&results, "duplicates", "duplicates"), repeated);
        prop_assert!(figure(&results, "duplicates", "replays") <= replays);
        prop_assert_eq!(figure(&results, "count", "matched"), 1000);
    }

    /// Any set of lost records is counted exactly, and only as lost.
    #[test]
    fn lost_records_are_counted(lost in prop::collection::btree_set(0_usize..1000, 1..40)) {
        let ours = original(1000);
        let theirs: Vec<Record> = ours.iter().enumerate()
            .filter(|(place, _)| !lost.contains(place)).map(|(_, record)| record.clone()).collect();
        let results = judge(&ours, &theirs, ONCE, TimestampRule::Exact);
        let guilty: BTreeSet<&str> = if lost.contains(&0) {
            ["count", "partition-growth"].into()
        } else {
            ["count"].into()
        };
        prop_assert_eq!(failed(&results), guilty);
        prop_assert_eq!(figure(&results, "count", "lost"), lost.len() as u64);
    }
}

#[test]
fn without_a_record_at_its_place_order_is_not_judged() {
    let ours = original(50);
    let mut theirs = ours.clone();
    for record in &mut theirs {
        record.timestamp.millis += 1;
    }
    let results = judge(&ours, &theirs, ONCE, TimestampRule::Exact);
    let order = result(&results, "order");
    assert!(matches!(order, Verdict::Inconclusive { .. }), "{order:?}");
    let results = judge(&[], &[], ONCE, TimestampRule::Exact);
    assert!(matches!(result(&results, "order"), Verdict::Pass { .. }));
}

#[test]
fn what_was_not_judged_about_replays_is_said() {
    let ours = original(500);
    let mut theirs = ours.clone();
    replay(&mut theirs, 400, 100);
    for (restarts, says) in [
        (None, "how many there may be was not judged"),
        (Some(1), "no partition has more of them than the 1 restart"),
    ] {
        let bound = ReplayBound { restarts, ..WITHIN };
        let results = judge(&ours, &theirs, bound, TimestampRule::Exact);
        let Verdict::Pass { evidence } = result(&results, "duplicates") else {
            panic!("{results:#?}");
        };
        assert!(
            evidence.starts_with("100 duplicates in 1 replay, "),
            "{evidence}"
        );
        assert!(evidence.contains(says), "{evidence}");
    }
}
