//! `topic-reset`: a topic that was deleted and created again is not taken for the one before.

use std::collections::{BTreeMap, BTreeSet};

use crate::notes::{GapKind, TopicNotes};
use crate::verdict::{
    CheckResult, Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures,
};
use crate::words::{count, counted};

/// Judges what a mirror has noted about a topic by where the source's partitions end. The ends are to be asked for after the
/// notes were read: a mirror that runs moves its positions.
pub fn topic_reset(
    subject: &str,
    source_topic: &str,
    notes: &TopicNotes,
    source_ends: &BTreeMap<i32, i64>,
) -> CheckResult {
    let (verdict, figures) = judge(source_topic, notes, source_ends);
    CheckResult {
        id: "topic-reset".to_owned(),
        subject: subject.to_owned(),
        title: "a topic that was created again is not taken for the one before".to_owned(),
        verdict,
        figures,
    }
}

fn judge(
    source_topic: &str,
    notes: &TopicNotes,
    source_ends: &BTreeMap<i32, i64>,
) -> (Verdict, Figures) {
    let mut failures = Failures::default();
    let mut add = |partition, offset, expected: String, found: String| {
        failures.add(|| Counterexample {
            source: Some(TopicPartitionOffset::new(source_topic, partition, offset)),
            target: None,
            record: None,
            expected,
            found,
        });
    };
    let mut stopped = 0;
    let mut topics = BTreeSet::new();
    for (&partition, position) in &notes.positions {
        // who has stopped says why, and goes no further
        if position.stopped.is_some() {
            stopped += 1;
            continue;
        }
        topics.insert(position.source_topic_id.as_str());
        let end = source_ends.get(&partition).copied().unwrap_or(0);
        if position.offset > end {
            let expected = format!(
                "a position up to {end}, where the source ends: it was created again, or lost its end"
            );
            let found = format!("position {}, as in the topic before", position.offset);
            add(partition, end, expected, found);
        }
    }
    let resets = notes
        .gaps
        .iter()
        .filter(|gap| gap.kind == GapKind::TopicReset);
    let (mut reported, mut on_their_way) = (0, 0);
    for gap in resets {
        reported += 1;
        let Some(position) = notes.positions.get(&gap.partition) else {
            continue;
        };
        if position.source_topic_id != gap.source_topic_id {
            continue;
        }
        // the report comes first, and the position moves after it
        if position.offset == gap.from {
            on_their_way += 1;
        } else {
            let expected = "a position in the topic that was created again".to_owned();
            let found = format!(
                "position {} in topic {}, which the ledger says is gone",
                position.offset, gap.source_topic_id
            );
            add(gap.partition, position.offset, expected, found);
        }
    }
    let counts = figures([
        ("partitions", notes.positions.len() as u64),
        ("partitions-stopped", stopped),
        ("resets-reported", reported),
        ("topic-ids", topics.len() as u64),
    ]);
    let verdict = failures.verdict(|| {
        if notes.positions.is_empty() {
            let reason = "the mirror has noted no position of this topic".to_owned();
            return Verdict::Inconclusive { reason };
        }
        if topics.len() > 1 || on_their_way > 0 {
            return Verdict::Inconclusive {
                reason: format!(
                    "the mirror is on its way from one topic to the next: its positions speak of {}, and {} stand where the one \
                     before was left",
                    counted(topics.len() as u64, "topic id"),
                    count(on_their_way)
                ),
            };
        }
        Verdict::Pass {
            evidence: format!(
                "no position of {} lies behind the source's end; {} that the topic was created again; {} stopped",
                counted(notes.positions.len() as u64, "partition"),
                counted(reported, "report"),
                count(stopped)
            ),
        }
    });
    (verdict, counts)
}
