//! `retention-gap`: what was gone from the source before it was copied is in the gap ledger, and what the ledger calls gone
//! is gone.

use std::collections::BTreeMap;

use crate::journal::Journal;
use crate::notes::{GapKind, NotedGap, TopicNotes};
use crate::stamp::RecordId;
use crate::verdict::{
    CheckResult, Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures,
};
use crate::words::{count, counted};

const ID: &str = "retention-gap";
const TITLE: &str = "data that was gone before it was copied is reported, and nothing else is";

fn result(subject: &str, (verdict, figures): (Verdict, Figures)) -> CheckResult {
    CheckResult {
        id: ID.to_owned(),
        subject: subject.to_owned(),
        title: TITLE.to_owned(),
        verdict,
        figures,
    }
}

/// Judges the ledger of a topic by where the source's partitions begin (`source_firsts`, by partition).
pub fn retention_gap(
    subject: &str,
    source_topic: &str,
    notes: &TopicNotes,
    source_firsts: &BTreeMap<i32, i64>,
) -> CheckResult {
    let mut failures = Failures::default();
    let (mut gaps, mut offsets, mut not_yet) = (0, 0, 0);
    let mut first_not_yet = None;
    for (&partition, &first) in source_firsts {
        let deleted = notes
            .current(partition)
            .filter(|gap| gap.kind == GapKind::Deleted);
        for gap in deleted {
            gaps += 1;
            offsets += gap.to.map_or(0, |to| (to - gap.from).max(0) as u64);
            if let Some(complaint) = wrong(gap, first) {
                let at = gap.from.max(first);
                failures
                    .add(|| complaint.at(TopicPartitionOffset::new(source_topic, partition, at)));
            }
        }
        let position = notes.positions.get(&partition);
        if let Some(position) = position
            && position.offset < first
            && !notes.reports(partition, position.offset)
        {
            not_yet += 1;
            first_not_yet.get_or_insert((partition, position.offset, first));
        }
    }
    let counts = figures([
        ("gaps-reported", gaps),
        ("offsets-reported", offsets),
        ("partitions-behind-the-source", not_yet),
    ]);
    let verdict = failures.verdict(|| match first_not_yet {
        Some((partition, position, first)) => Verdict::Inconclusive {
            reason: format!(
                "the mirror stands at offset {position} of partition {partition}, and the source begins at {first} by now: \
                 what was between them is lost, and the mirror has not gone past it yet"
            ),
        },
        None if notes.positions.is_empty() => Verdict::Inconclusive {
            reason: "the mirror has noted no position of this topic".to_owned(),
        },
        None => Verdict::Pass {
            evidence: format!(
                "{} of {} reported as gone, and gone; no position lies before the source's first offset",
                counted(gaps, "gap"),
                counted(offsets, "offset")
            ),
        },
    });
    result(subject, (verdict, counts))
}

struct Complaint {
    expected: String,
    found: String,
}

impl Complaint {
    fn at(self, source: TopicPartitionOffset) -> Counterexample {
        Counterexample {
            source: Some(source),
            target: None,
            record: None,
            expected: self.expected,
            found: self.found,
        }
    }
}

/// What is wrong with a report of deleted offsets, by where the source begins.
fn wrong(gap: &NotedGap, first: i64) -> Option<Complaint> {
    let Some(to) = gap.to else {
        return Some(Complaint {
            expected: "an end of what was gone".to_owned(),
            found: format!("a gap from offset {} without one", gap.from),
        });
    };
    if to <= gap.from || gap.resumed_at < to {
        return Some(Complaint {
            expected: "a gap that copying goes on behind".to_owned(),
            found: format!(
                "offsets {} to {to}, and copying went on at {}",
                gap.from, gap.resumed_at
            ),
        });
    }
    (first < to).then(|| Complaint {
        expected: format!(
            "offsets {} to {} gone from the source, as reported",
            gap.from,
            to - 1
        ),
        found: format!("a source that begins at offset {first}"),
    })
}

/// What a stamped run knows about what is missing.
#[derive(Debug)]
pub struct MissingFacts<'j> {
    /// What was written.
    pub journal: &'j Journal,
    /// Acknowledged sequences that are not on the target: stream, first, the one after the last.
    pub missing: Vec<(u32, u64, u64)>,
    /// Where the source's partitions begin.
    pub source_firsts: BTreeMap<i32, i64>,
    /// Whether nobody else has written to the source topic: then a place on it follows from one before.
    pub only_ours: bool,
    /// The ledger.
    pub notes: TopicNotes,
}

/// Judges missing records that the source itself has no more: each has to be in the ledger.
pub fn retention_gap_of_missing(subject: &str, facts: &MissingFacts<'_>) -> CheckResult {
    let topic = &facts.journal.spec.topic;
    let mut failures = Failures::default();
    let (mut gone, mut reported, mut still_there) = (0_u64, 0_u64, 0_u64);
    for &(stream, start, end) in &facts.missing {
        let Some(lane) = facts.journal.streams.get(stream as usize) else {
            continue;
        };
        let first = facts
            .source_firsts
            .get(&lane.partition)
            .copied()
            .unwrap_or(0);
        for sequence in start..end {
            let (least, most) = offsets_of(&lane.anchors, sequence, facts.only_ours);
            if most >= first {
                still_there += 1;
                continue;
            }
            gone += 1;
            let whole = facts
                .notes
                .current(lane.partition)
                .any(|gap| gap.covers(least) && gap.covers(most));
            if whole {
                reported += 1;
                continue;
            }
            failures.add(|| {
                let complaint = Complaint {
                    expected: format!("{} in the gap ledger", RecordId { stream, sequence }),
                    found: "it neither on the source, nor on the target, nor in the ledger"
                        .to_owned(),
                };
                let mut example =
                    complaint.at(TopicPartitionOffset::new(topic, lane.partition, least));
                example.record = Some(RecordId { stream, sequence });
                example
            });
        }
    }
    let counts = figures([
        ("gone-before-copied", gone),
        ("reported", reported),
        ("missing-and-still-on-the-source", still_there),
    ]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "{} gone from the source before they were copied, {} of them reported",
            counted(gone, "record"),
            count(reported)
        ),
    });
    result(subject, (verdict, counts))
}

/// Between which source offsets a sequence lies: of a stream's records, one lies behind the other.
fn offsets_of(anchors: &[(u64, i64)], sequence: u64, only_ours: bool) -> (i64, i64) {
    let after = anchors.partition_point(|(anchor, _)| *anchor <= sequence);
    let least = match after.checked_sub(1).map(|at| anchors[at]) {
        Some((anchor, offset)) => offset + (sequence - anchor) as i64,
        None => 0,
    };
    let most = match anchors.get(after) {
        Some((anchor, offset)) => offset - (anchor - sequence) as i64,
        None if only_ours => least,
        None => i64::MAX,
    };
    (least, most.max(least))
}

#[cfg(test)]
mod tests {
    use super::offsets_of;

    #[test]
    fn a_sequence_lies_between_its_anchors() {
        let anchors = [(0, 100), (10, 115)];
        assert_eq!(offsets_of(&anchors, 0, false), (100, 105));
        assert_eq!(offsets_of(&anchors, 9, true), (109, 114));
        assert_eq!(offsets_of(&anchors, 12, true), (117, 117));
        assert_eq!(offsets_of(&anchors, 12, false), (117, i64::MAX));
    }
}
