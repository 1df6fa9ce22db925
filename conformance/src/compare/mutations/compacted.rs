//! Compacted topics: cleaners leave different records on the two sides, and the newest of each key on both.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::lane::{ONCE, failed, figure, finish, result, walk};
use crate::compare::compaction::Settled;
use crate::compare::entry::TimestampRule;
use crate::compare::judge::{Judge, Starts};
use crate::compare::latest::Pair;
use crate::record::{Record, RecordHasher, Timestamp};
use crate::verdict::{CheckResult, Verdict};

type Mutate = fn(&mut Vec<Record>);

fn record(key: u8, value: Option<u8>, at: i64) -> Record {
    Record {
        key: Some(vec![key]),
        value: value.map(|value| vec![value]),
        headers: Vec::new(),
        timestamp: Timestamp::create(at),
    }
}

/// Each key several times, some deleted at the end.
fn original() -> Vec<Record> {
    (0..300)
        .map(|number| {
            let key = (number % 50) as u8;
            let value = (number < 250 || key > 10).then_some((number / 50) as u8);
            record(key, value, number)
        })
        .collect()
}

/// What a cleaner leaves of the first `until` records: the newest of each key, of which it may take tombstones.
fn cleaned(records: &[Record], until: usize, tombstones_too: bool) -> Vec<Record> {
    let newest: BTreeMap<_, _> = (0_usize..)
        .zip(records)
        .map(|(at, it)| (&it.key, at))
        .collect();
    let stays = |(at, it): &(usize, &Record)| {
        *at >= until || (newest[&it.key] == *at && !(tombstones_too && it.value.is_none()))
    };
    let kept = (0..).zip(records).filter(stays);
    kept.map(|(_, record)| record.clone()).collect()
}

fn fold(latest: &mut crate::compare::latest::Latest, records: &[Record]) {
    let mut hasher = RecordHasher::default();
    for (place, record) in records.iter().enumerate() {
        latest.take(&mut hasher, place as i64 * 2, &record.view());
    }
}

fn judged(ours: &[Record], theirs: &[Record], expires: bool) -> Vec<CheckResult> {
    let mut judge = Judge::new("a", "b", ONCE, 1, Some(1));
    judge.add(
        0,
        Starts::default(),
        walk(ours, theirs, ONCE, TimestampRule::Exact),
    );
    let mut latest = Pair::default();
    fold(&mut latest.source, ours);
    fold(&mut latest.target, theirs);
    let unlike = latest.unlike();
    judge.compacted(vec![(0, Settled::new(&latest, &unlike, expires))]);
    finish(&judge, ours, theirs)
}

#[test]
fn cleaners_at_different_moments_raise_no_alarm() {
    let whole = original();
    for (ours, theirs) in [
        (whole.clone(), whole.clone()),
        (cleaned(&whole, 300, false), whole.clone()),
        (whole.clone(), cleaned(&whole, 300, true)),
        (cleaned(&whole, 120, false), cleaned(&whole, 290, true)),
    ] {
        let results = judged(&ours, &theirs, false);
        assert!(failed(&results).is_empty(), "{results:#?}");
        assert!(matches!(
            result(&results, "compaction"),
            Verdict::Pass { .. }
        ));
    }
    let unjudged = judged(&cleaned(&whole, 300, false), &whole, false);
    let count = result(&unjudged, "count");
    assert!(matches!(count, Verdict::Inconclusive { .. }), "{count:?}");
}

#[test]
fn each_mutant_is_named() {
    let mutants: [(&str, Mutate); 8] = [
        ("the newest value altered", |r| {
            r[270].value = Some(vec![99]);
        }),
        ("the newest value empty", |r| {
            r[270].value = Some(Vec::new());
        }),
        ("a tombstone become an empty value", |r| {
            r[255].value = Some(Vec::new());
        }),
        ("a tombstone lost", |r| drop(r.remove(255))),
        ("a value become a tombstone", |r| r[270].value = None),
        ("the newest record of a key lost", |r| drop(r.remove(270))),
        ("a key lost", |r| r.retain(|it| it.key != Some(vec![30]))),
        ("a header of the newest record altered", |r| {
            r[270].headers.push(("h".to_owned(), None));
        }),
    ];
    let whole = original();
    // one side was cleaned, so that counting says nothing
    let ours = cleaned(&whole, 200, false);
    for (name, mutate) in mutants {
        let mut theirs = whole.clone();
        mutate(&mut theirs);
        let results = judged(&ours, &theirs, false);
        assert_eq!(
            failed(&results),
            BTreeSet::from(["compaction"]),
            "{name}: {results:#?}"
        );
        assert_eq!(figure(&results, "compaction", "unlike"), 1, "{name}");
    }
}

#[test]
fn old_and_new_swapped_and_a_key_that_was_never_there_are_named() {
    let ours = original();
    let mut swapped = ours.clone();
    swapped.swap(220, 270);
    assert_eq!(
        failed(&judged(&ours, &swapped, false)),
        BTreeSet::from(["compaction", "order"])
    );
    let mut stranger = cleaned(&ours, 300, false);
    stranger.push(record(200, Some(1), 1));
    assert_eq!(
        failed(&judged(&ours, &stranger, false)),
        BTreeSet::from(["compaction"])
    );
}

#[test]
fn where_retention_takes_records_too_a_key_on_one_side_says_nothing() {
    let ours = original();
    let mut theirs = ours.clone();
    theirs.retain(|it| it.key != Some(vec![30]));
    let results = judged(&ours, &theirs, true);
    assert!(failed(&results).is_empty(), "{results:#?}");
    theirs[270 - 6].value = Some(vec![99]);
    assert_eq!(
        failed(&judged(&ours, &theirs, true)),
        BTreeSet::from(["compaction"])
    );
}

#[test]
fn what_the_source_writes_meanwhile_is_not_judged() {
    let ours = original();
    let mut theirs = ours.clone();
    theirs[270].value = Some(vec![99]);
    let mut latest = Pair::default();
    fold(&mut latest.source, &ours);
    fold(&mut latest.target, &theirs);
    let before = latest.unlike();
    assert_eq!(before.len(), 1);
    let mut later = ours.clone();
    later.push(record(20, Some(5), 400));
    fold(&mut latest.source, &later);
    let settled = Settled::new(&latest, &before, false);
    assert_eq!((settled.in_motion, settled.unlike.len()), (1, 0));
}

/// The same promise with everything in memory: the last value of each key, deleted ones left out.
fn reference(records: &[Record]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut map = BTreeMap::new();
    for record in records {
        let Some(key) = record.key.clone() else {
            continue;
        };
        match record.value.clone() {
            Some(value) => drop(map.insert(key, value)),
            None => drop(map.remove(&key)),
        }
    }
    map
}

fn history() -> impl Strategy<Value = Vec<Record>> {
    let record = (0_u8..12, prop::option::of(0_u8..4));
    let records = prop::collection::vec(record, 1..80);
    records.prop_map(|records| {
        let records = (0..).zip(records);
        records
            .map(|(at, (key, value))| self::record(key, value, at))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn clean_histories_raise_no_alarm(
        whole in history(), ours in 0_usize..80, theirs in 0_usize..80, gone in any::<bool>(),
    ) {
        let results = judged(&cleaned(&whole, ours, false), &cleaned(&whole, theirs, gone), false);
        prop_assert!(failed(&results).is_empty(), "{:#?}", results);
    }

    #[test]
    fn the_check_agrees_with_the_reference(ours in history(), theirs in history()) {
        let results = judged(&ours, &theirs, false);
        let equal = reference(&ours) == reference(&theirs);
        prop_assert_eq!(failed(&results).contains("compaction"), !equal, "{:#?}", results);
    }
}
