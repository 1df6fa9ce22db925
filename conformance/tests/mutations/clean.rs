//! What is no fault raises no alarm.

use std::collections::BTreeSet;

use conformance::{RangeSet, RecordId, Verdict};
use proptest::prelude::*;

use crate::history::{AGAIN, Lying, ONCE, clean, failed, find, journal, journal_of, judge, replay};

#[test]
fn an_empty_target_is_incomplete_and_says_nothing_about_the_rest() {
    let journal = journal(5);
    let results = judge(&journal, &[], AGAIN);
    assert_eq!(failed(&results), BTreeSet::from(["complete"]));
    let open = results
        .iter()
        .filter(|r| matches!(r.verdict, Verdict::Inconclusive { .. }))
        .count();
    assert_eq!(open, results.len() - 1);
}

#[test]
fn writes_of_unknown_fate_may_be_there_or_not() {
    let mut journal = journal(5);
    let whole = clean(&journal);
    journal.streams[1].acknowledged = RangeSet::span(0, 398);
    journal.streams[1].unknown = RangeSet::span(398, 400);
    let complete = judge(&journal, &whole, ONCE);
    assert!(failed(&complete).is_empty(), "{complete:#?}");
    let without: Vec<Lying> = whole
        .iter()
        .enumerate()
        .filter(|(i, _)| ![798, 799].contains(i))
        .map(|(_, l)| l.clone())
        .collect();
    let results = judge(&journal, &without, ONCE);
    assert!(failed(&results).is_empty(), "{results:#?}");
    assert_eq!(find(&results, "complete").figures["unknown-writes"], 2);
    assert_eq!(find(&results, "complete").figures["unknown-writes-seen"], 0);
}

#[test]
fn records_of_another_run_are_left_alone() {
    let (ours, theirs) = (journal(5), journal(6));
    let mut history = clean(&theirs);
    history.extend(clean(&ours));
    history.extend(clean(&theirs));
    let results = judge(&ours, &history, ONCE);
    assert!(failed(&results).is_empty(), "{results:#?}");
    assert_eq!(find(&results, "payload").figures["other-runs"], 2400);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Any interleaving of the partitions and any replays within the bound raise no alarm.
    #[test]
    fn clean_histories_raise_no_alarm(
        seed in 0..u64::MAX - 77,
        picks in prop::collection::vec(0_usize..3, 360),
        replays in prop::collection::btree_map(0_i32..3, (60_usize..120, 1_usize..50), 0..3),
    ) {
        let journal = journal_of(seed, 120);
        let mut lanes: Vec<Vec<Lying>> = vec![Vec::new(); 3];
        for lying in clean(&journal) {
            lanes[lying.partition as usize].push(lying);
        }
        for (partition, (end, length)) in replays {
            replay(&mut lanes[partition as usize], end, length);
        }
        let mut lanes: Vec<_> = lanes.into_iter().map(Vec::into_iter).collect();
        let mut history = Vec::new();
        for pick in picks {
            history.extend(lanes[pick].next());
        }
        for lane in lanes {
            history.extend(lane);
        }
        let results = judge(&journal, &history, AGAIN);
        prop_assert!(results.iter().all(|r| matches!(r.verdict, Verdict::Pass { .. })), "{:#?}", results);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever a record is lost, `complete` and nothing else names it.
    #[test]
    fn any_lost_record_is_named(seed in 0..u64::MAX - 77, index in 0_usize..1200) {
        let journal = journal(seed);
        let mut history = clean(&journal);
        history.remove(index);
        let results = judge(&journal, &history, ONCE);
        prop_assert_eq!(failed(&results), BTreeSet::from(["complete"]));
        let Verdict::Fail { failures, counterexample } = &find(&results, "complete").verdict else {
            panic!("passed");
        };
        let lost = RecordId { stream: (index / 400) as u32, sequence: (index % 400) as u64 };
        prop_assert_eq!((*failures, counterexample.record), (1, Some(lost)));
    }
}
