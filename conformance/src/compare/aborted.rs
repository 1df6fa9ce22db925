//! `transactions`: what a read-committed reader of the source does not see is not on the target.

use crate::Error;
use crate::compare::align::{Alignment, Side};
use crate::compare::judge::Walked;
use crate::compare::recent::HashKeyed;
use crate::verdict::{Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures};
use crate::words::counted;

impl Alignment {
    /// Whether the target holds records that the committed source does not have at their place.
    pub(crate) fn holds_foreign(&self) -> bool {
        self.open.iter().any(|open| open.target.is_some())
    }

    /// Looks among what the source's log holds, but shows to no read-committed reader (aborted and open transactions), for
    /// the records that only the target has: those it finds there are no strangers, but should not have been copied. Both
    /// sides are the source, `everything` with those records and `committed` without.
    pub(crate) fn set_aborted_apart(
        &mut self,
        everything: &mut dyn Side,
        committed: &mut dyn Side,
        tick: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut waiting: HashKeyed<Vec<usize>> = HashKeyed::default();
        for (at, open) in self.open.iter().enumerate().rev() {
            if let Some(theirs) = open.target {
                waiting.entry(theirs.identity).or_default().push(at);
            }
        }
        let mut seen = committed.next()?;
        while !waiting.is_empty() {
            tick()?;
            let Some(ours) = everything.next()? else {
                break;
            };
            while seen.is_some_and(|seen| seen.offset < ours.offset) {
                seen = committed.next()?;
            }
            if seen.is_some_and(|seen| seen.offset == ours.offset) {
                continue;
            }
            let Some(places) = waiting.get_mut(&ours.identity) else {
                continue;
            };
            let at = places.pop();
            if places.is_empty() {
                waiting.remove(&ours.identity);
            }
            if let Some(theirs) = at.and_then(|at| self.open[at].target.take()) {
                self.aborted += 1;
                self.first_aborted.get_or_insert((ours, theirs));
            }
        }
        self.open
            .retain(|open| open.source.is_some() || open.target.is_some());
        Ok(())
    }
}

/// Judges a topic's partitions.
pub(crate) fn judge(
    (source_topic, target_topic): (&str, &str),
    partitions: &[Walked],
) -> (Verdict, Figures) {
    let mut failures = Failures::default();
    for Walked {
        partition, found, ..
    } in partitions
    {
        for _ in 0..found.aborted {
            failures.add(|| {
                let (ours, theirs) = found.first_aborted.unzip();
                Counterexample {
                    source: ours
                        .map(|it| TopicPartitionOffset::new(source_topic, *partition, it.offset)),
                    target: theirs
                        .map(|it| TopicPartitionOffset::new(target_topic, *partition, it.offset)),
                    record: None,
                    expected: "only records that a read-committed reader of the source sees"
                        .to_owned(),
                    found: "one of a transaction that was aborted, or is still open".to_owned(),
                }
            });
        }
    }
    let records = partitions.iter().map(|it| it.found.target_records).sum();
    let counts = figures([
        ("target-records", records),
        ("aborted-and-copied", failures.count()),
    ]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "{} of the target, none of a transaction that the source aborted",
            counted(records, "record")
        ),
    });
    (verdict, counts)
}
