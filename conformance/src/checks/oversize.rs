//! `oversize`: a record that is too large for the target is put aside and reported, and its neighbours go on.

use std::collections::BTreeSet;

use crate::notes::{GapKind, TopicNotes};
use crate::verdict::{
    CheckResult, Counterexample, Failures, TopicPartitionOffset, Verdict, figures,
};
use crate::words::counted;

/// A source record that is not on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostRecord {
    /// Source partition.
    pub partition: i32,
    /// Source offset.
    pub offset: i64,
    /// Bytes of key, value and headers.
    pub bytes: u64,
}

/// What is known about large records of a topic.
#[derive(Debug)]
pub struct OversizeFacts {
    /// The ledger and the positions.
    pub notes: TopicNotes,
    /// Source places of the records that the quarantine topic holds.
    pub quarantined: BTreeSet<(i32, i64)>,
    /// The source topic.
    pub source_topic: String,
    /// The topic beside the target topic.
    pub quarantine_topic: String,
    /// The first records that are lost, with their sizes.
    pub lost: Vec<LostRecord>,
    /// The largest batch that the target topic takes, where that is known.
    pub limit: Option<u64>,
}

/// Judges what became of records that are too large for the target topic.
pub fn oversize(subject: &str, facts: &OversizeFacts) -> CheckResult {
    let mut failures = Failures::default();
    let example = |partition, offset, expected: String, found: String| Counterexample {
        source: Some(TopicPartitionOffset::new(
            &facts.source_topic,
            partition,
            offset,
        )),
        target: None,
        record: None,
        expected,
        found,
    };
    let mut reported = 0;
    for &partition in facts.notes.positions.keys() {
        let gaps = facts.notes.current(partition);
        for gap in gaps.filter(|gap| gap.kind == GapKind::Oversize) {
            reported += 1;
            if !facts.quarantined.contains(&(partition, gap.from)) {
                failures.add(|| {
                    let expected = format!("the record in {}", facts.quarantine_topic);
                    let found = "a report that it was put aside, and no such record".to_owned();
                    example(partition, gap.from, expected, found)
                });
            }
        }
    }
    let mut stopped = 0;
    for lost in &facts.lost {
        let too_large = facts.limit.is_some_and(|limit| lost.bytes > limit);
        let position = facts.notes.positions.get(&lost.partition);
        if !too_large || facts.notes.reports(lost.partition, lost.offset) {
            continue;
        }
        // at the record itself the mirror has stopped, which is what `fail` declares
        if position.is_none_or(|position| position.offset <= lost.offset) {
            stopped += 1;
            continue;
        }
        failures.add(|| {
            let limit = facts.limit.unwrap_or_default();
            let expected =
                "the mirror to stop at the record, or a report that it was put aside".to_owned();
            let found = format!(
                "a position behind it, and no report; it has {}, the target topic takes {limit}",
                counted(lost.bytes, "byte")
            );
            example(lost.partition, lost.offset, expected, found)
        });
    }
    let counts = figures([
        ("reported", reported),
        ("stopped-at", stopped),
        ("lost-and-looked-at", facts.lost.len() as u64),
    ]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "{} put aside and reported, each in {}; the mirror stands before {stopped} more; no other that is too large is missing",
            counted(reported, "record"),
            facts.quarantine_topic
        ),
    });
    CheckResult {
        id: "oversize".to_owned(),
        subject: subject.to_owned(),
        title: "what is too large for the target is put aside and reported, or stops the mirror"
            .to_owned(),
        verdict,
        figures: counts,
    }
}
