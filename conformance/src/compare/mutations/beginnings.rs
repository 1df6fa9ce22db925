//! Where retention has taken the beginning of one side, and what the mirror has reported.

use std::collections::{BTreeMap, BTreeSet};

use super::lane::{ONCE, WITHIN, failed, figure, finish, original, result, walk};
use crate::compare::entry::TimestampRule;
use crate::compare::judge::{Judge, Starts};
use crate::notes::{GapKind, NotedGap, NotedPosition, TopicNotes};
use crate::record::Record;
use crate::verdict::{CheckResult, Verdict};

fn judged(ours: &[Record], theirs: &[Record], starts: Starts) -> Vec<CheckResult> {
    let mut judge = Judge::new("a", "b", WITHIN, 1, Some(1));
    judge.add(0, starts, walk(ours, theirs, ONCE, TimestampRule::Exact));
    finish(&judge, ours, theirs)
}

#[test]
fn what_retention_took_from_one_side_is_no_fault_and_what_lies_behind_is() {
    let whole = original(500);
    let rest = whole[20..].to_vec();
    let source_is_cut = Starts {
        source_is_cut: true,
        ..Starts::default()
    };
    let target_is_cut = Starts {
        target_is_cut: true,
        ..Starts::default()
    };
    for (ours, theirs, starts) in [
        (&rest, &whole, source_is_cut),
        (&whole, &rest, target_is_cut),
    ] {
        let results = judged(ours, theirs, starts);
        assert!(failed(&results).is_empty(), "{results:#?}");
        assert_eq!(figure(&results, "count", "expired-on-one-side"), 20);
        let mut theirs = theirs.clone();
        theirs.remove(300);
        assert_eq!(
            failed(&judged(ours, &theirs, starts)),
            BTreeSet::from(["count"])
        );
    }
    // the other side is whole, so nothing explains it
    let unexplained = judged(&whole, &rest, source_is_cut);
    assert_eq!(
        failed(&unexplained),
        BTreeSet::from(["count", "partition-growth"])
    );
    assert_eq!(
        failed(&judged(&rest, &whole, target_is_cut)),
        BTreeSet::from(["count"])
    );
}

#[test]
fn a_target_that_retention_emptied_says_nothing() {
    let starts = Starts {
        target_is_cut: true,
        ..Starts::default()
    };
    let results = judged(&original(50), &[], starts);
    assert!(failed(&results).is_empty(), "{results:#?}");
    let count = result(&results, "count");
    assert!(matches!(count, Verdict::Inconclusive { .. }), "{count:?}");
}

#[test]
fn a_new_partition_that_was_not_copied_is_named() {
    let ours = original(60);
    let mut judge = Judge::new("a", "b", WITHIN, 2, Some(2));
    let start = Starts::default();
    judge.add(0, start, walk(&ours, &ours, ONCE, TimestampRule::Exact));
    judge.add(1, start, walk(&ours, &[], ONCE, TimestampRule::Exact));
    let results = finish(&judge, &ours, &ours);
    assert_eq!(
        failed(&results),
        BTreeSet::from(["count", "partition-growth"])
    );
    let Verdict::Fail { counterexample, .. } = result(&results, "partition-growth") else {
        panic!("passed");
    };
    assert_eq!(counterexample.found, "none of its records");
}

fn reports(from: i64, to: i64, kind: GapKind) -> TopicNotes {
    let position = NotedPosition {
        offset: 1_000,
        target_topic: "b".to_owned(),
        source_topic_id: "id".to_owned(),
        target_offset: None,
        stopped: None,
    };
    TopicNotes {
        positions: BTreeMap::from([(0, position)]),
        gaps: vec![NotedGap {
            partition: 0,
            kind,
            source_topic_id: "id".to_owned(),
            from,
            to: Some(to),
            resumed_at: to,
        }],
    }
}

#[test]
fn what_the_mirror_reported_is_not_lost_without_a_word_and_its_neighbours_are() {
    let ours = original(500);
    let mut theirs = ours.clone();
    // its offset is twice its place
    theirs.remove(30);
    let judged = |notes: TopicNotes, theirs: &[Record]| {
        let mut judge = Judge::new("a", "b", WITHIN, 1, Some(1));
        judge.add(
            0,
            Starts::default(),
            walk(&ours, theirs, ONCE, TimestampRule::Exact),
        );
        judge.noted(notes);
        finish(&judge, &ours, theirs)
    };
    let results = judged(reports(60, 61, GapKind::Oversize), &theirs);
    assert!(failed(&results).is_empty(), "{results:#?}");
    assert_eq!(figure(&results, "count", "reported-as-gaps"), 1);
    let elsewhere = judged(reports(62, 63, GapKind::Oversize), &theirs);
    assert_eq!(failed(&elsewhere), BTreeSet::from(["count"]));
    let mut other_topic = reports(60, 61, GapKind::Oversize);
    other_topic.gaps[0].source_topic_id = "another".to_owned();
    assert_eq!(
        failed(&judged(other_topic, &theirs)),
        BTreeSet::from(["count"])
    );
    theirs.remove(31);
    let neighbour = judged(reports(60, 61, GapKind::Oversize), &theirs);
    assert_eq!(failed(&neighbour), BTreeSet::from(["count"]));
    assert_eq!(figure(&neighbour, "count", "lost"), 1);
}
