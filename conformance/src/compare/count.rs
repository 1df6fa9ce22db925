//! `count`: no record lost, none foreign.

use crate::compare::judge::Judge;
use crate::verdict::{Failures, Figures, Verdict, figures};
use crate::words::{add_if_any, count, counted};

/// Judges what one side alone has, but for what is explained: by retention at the beginning of a partition, or by a report
/// of the mirror.
pub(super) fn judge(judge: &Judge) -> (Verdict, Figures) {
    let mut failures = Failures::default();
    let (mut lost, mut foreign, mut expired, mut reported) = (0, 0, 0, 0);
    for walked in &judge.partitions {
        let partition = walked.partition;
        for open in &walked.found.open {
            if walked.is_expired(open) {
                expired += 1;
                continue;
            }
            let (expected, saw) = match (open.source, open.target) {
                (Some(ours), None) if judge.notes.reports(partition, ours.offset) => {
                    reported += 1;
                    continue;
                }
                (Some(_), None) => {
                    lost += 1;
                    ("the record on the target", "nothing")
                }
                (None, Some(_)) => {
                    foreign += 1;
                    ("only records of the source", "a record that is not there")
                }
                // altered: a matter of payload
                (Some(_), Some(_)) | (None, None) => continue,
            };
            failures.add(|| judge.example(partition, open.source, open.target, expected, saw));
        }
    }
    let (ours, theirs) = (
        judge.source_records(),
        judge.sum(|found| found.target_records),
    );
    let matched = judge.sum(|found| found.matched);
    let mut counts = figures([
        ("source-records", ours),
        ("target-records", theirs),
        ("matched", matched),
        ("lost", lost),
        ("foreign", foreign),
    ]);
    let given_up = judge.sum(|found| u64::from(found.gave_up));
    for (name, figure) in [
        ("partitions-given-up", given_up),
        ("expired-on-one-side", expired),
        ("reported-as-gaps", reported),
    ] {
        if figure > 0 {
            counts.insert(name.to_owned(), figure);
        }
    }
    let open = |reason: &str| Verdict::Inconclusive {
        reason: reason.to_owned(),
    };
    let verdict = failures.verdict(|| {
        if judge
            .target_partitions
            .is_none_or(|found| found < judge.source_partitions)
        {
            return open("the target lacks partitions, whose records were not counted");
        }
        if given_up > 0 {
            return open("too many differences to count every record to the end");
        }
        if ours > 0 && matched == 0 && expired > 0 {
            return open("retention has taken every record from one side that the other has");
        }
        let mut evidence = format!(
            "{} on the source, {} on the target, {} of them repeated",
            counted(ours, "record"),
            count(theirs),
            count(judge.sum(|found| found.duplicates))
        );
        add_if_any(&mut evidence, reported, "left out and reported as gaps");
        add_if_any(
            &mut evidence,
            expired,
            "at the beginning of one side that retention has taken from the other",
        );
        Verdict::Pass { evidence }
    });
    (verdict, counts)
}
