//! Mutants of a topic, walked side by side with the original: each has to be named for what it is.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::align::{Side, align};
use super::entry::{Entry, TimestampRule};
use super::judge::{Judge, RecordPair};
use crate::Error;
use crate::checks::{Delivery, ReplayBound};
use crate::record::{Record, RecordHasher, Timestamp, TimestampKind};
use crate::verdict::{CheckResult, Verdict};

struct Lane {
    entries: std::vec::IntoIter<Entry>,
}

impl Lane {
    fn new(records: &[Record], rule: TimestampRule) -> Self {
        let mut hasher = RecordHasher::default();
        // offsets with holes, as compaction and transaction markers leave them
        let entries: Vec<Entry> = records
            .iter()
            .enumerate()
            .map(|(place, record)| Entry::new(&mut hasher, rule, place as i64 * 2, &record.view()))
            .collect();
        Self {
            entries: entries.into_iter(),
        }
    }
}

impl Side for Lane {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        Ok(self.entries.next())
    }

    fn stop_waiting(&mut self) {}
}

fn original(records: usize) -> Vec<Record> {
    (0..records)
        .map(|number| Record {
            key: (number % 7 > 0).then(|| vec![(number % 11) as u8]),
            value: (number % 13 > 0).then(|| number.to_string().into_bytes()),
            headers: vec![(
                "h".to_owned(),
                (number % 5 > 0).then(|| vec![(number % 3) as u8]),
            )],
            timestamp: Timestamp::create(1_000_000 + number as i64),
        })
        .collect()
}

fn judge(
    ours: &[Record],
    theirs: &[Record],
    bound: ReplayBound,
    rule: TimestampRule,
) -> Vec<CheckResult> {
    let (mut source, mut target) = (Lane::new(ours, rule), Lane::new(theirs, rule));
    let remembered = bound.window as usize;
    let found =
        align(&mut source, &mut target, remembered, &mut || Ok(())).expect("no reader fails");
    let mut judge = Judge::new("a", "b", bound, 1, Some(1));
    judge.add(0, found);
    let mut again = |pair: RecordPair| {
        let at = |records: &[Record], offset: i64| records.get(offset as usize / 2).cloned();
        Ok((at(ours, pair.source), at(theirs, pair.target)))
    };
    judge.finish(&mut again).expect("no reader fails")
}

fn failed(results: &[CheckResult]) -> BTreeSet<&str> {
    results
        .iter()
        .filter(|result| matches!(result.verdict, Verdict::Fail { .. }))
        .map(|result| result.id.as_str())
        .collect()
}

fn figure(results: &[CheckResult], id: &str, name: &str) -> u64 {
    let result = results
        .iter()
        .find(|result| result.id == id)
        .expect("a result of this id");
    result.figures[name]
}

const WITHIN: ReplayBound = ReplayBound {
    delivery: Delivery::AtLeastOnce,
    window: 300,
    restarts: Some(2),
};
const ONCE: ReplayBound = ReplayBound {
    delivery: Delivery::ExactlyOnce,
    window: 300,
    restarts: None,
};

fn replay(records: &mut Vec<Record>, end: usize, length: usize) {
    let again = records[end - length..end].to_vec();
    records.splice(end..end, again);
}

type Mutate = fn(&mut Vec<Record>);

#[test]
fn each_mutant_is_named_for_what_it_is() {
    let mutants: [(&str, ReplayBound, Mutate, &[&str]); 25] = [
        ("nothing", ONCE, |_| (), &[]),
        ("one lost", WITHIN, |r| drop(r.remove(500)), &["count"]),
        ("the first lost", WITHIN, |r| drop(r.remove(0)), &["count"]),
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
        prop_assert_eq!(failed(&results), BTreeSet::from(["count"]));
        prop_assert_eq!(figure(&results, "count", "lost"), lost.len() as u64);
    }
}

fn result<'r>(results: &'r [CheckResult], id: &str) -> &'r Verdict {
    let found = results.iter().find(|result| result.id == id);
    &found.expect("a result of this id").verdict
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
