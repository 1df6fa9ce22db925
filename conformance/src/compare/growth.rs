//! `partition-growth`: every partition was copied from its first record on, also one that came later.

use std::fmt::Write as _;

use crate::compare::judge::Walked;
use crate::notes::TopicNotes;
use crate::verdict::{Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures};
use crate::words::{count, counted};

/// Judges how the walks over the partitions of a topic began, but for those where the target holds its first records no
/// more, or where they were not read.
pub(crate) fn judge(
    source_topic: &str,
    partitions: &[Walked],
    notes: &TopicNotes,
) -> (Verdict, Figures) {
    let mut failures = Failures::default();
    let (mut begun, mut not_seen) = (0, 0);
    for Walked {
        partition,
        found,
        starts,
    } in partitions
    {
        if starts.target_is_cut || starts.chosen {
            not_seen += 1;
            continue;
        }
        let common = found.first_common.map(|(ours, _)| ours.offset);
        begun += u64::from(common.is_some());
        let lost = found
            .open
            .iter()
            .filter(|open| open.target.is_none() && found.is_before_all(open))
            .filter_map(|open| open.source)
            .filter(|ours| !notes.reports(*partition, ours.offset));
        for ours in lost {
            failures.add(|| Counterexample {
                source: Some(TopicPartitionOffset::new(
                    source_topic,
                    *partition,
                    ours.offset,
                )),
                target: None,
                record: None,
                expected: format!("partition {partition} on the target from its first record on"),
                found: match common {
                    Some(common) => format!("records from source offset {common} on"),
                    None => "none of its records".to_owned(),
                },
            });
        }
    }
    let counts = figures([
        ("partitions", partitions.len() as u64),
        ("partitions-with-records", begun),
        ("lost-before-the-first", failures.count()),
        ("beginning-not-seen", not_seen),
    ]);
    let verdict = failures.verdict(|| {
        if not_seen > 0 && begun == 0 {
            return Verdict::Inconclusive {
                reason: "no partition was read from its first record on".to_owned(),
            };
        }
        let mut evidence = format!(
            "{} copied from the first record on",
            counted(begun, "partition")
        );
        if not_seen > 0 {
            // writing to a String cannot fail
            let _ = write!(
                evidence,
                "; the beginning of {} more is not there to see",
                count(not_seen)
            );
        }
        Verdict::Pass { evidence }
    });
    (verdict, counts)
}
