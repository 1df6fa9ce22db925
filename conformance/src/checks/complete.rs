//! `complete`: every acknowledged record is on the target.

use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::ranges::RangeSet;
use crate::stamp::RecordId;
use crate::verdict::{Counterexample, Verdict, figures};
use crate::words::{count, counted};

const RANGES_SHOWN: usize = 5;

/// Keeps which sequences of each stream were seen, on whatever partition.
#[derive(Debug)]
pub struct Complete<'j> {
    scope: Scope<'j>,
    seen: Vec<RangeSet>,
    acknowledged: u64,
    acknowledged_seen: u64,
}

impl<'j> Complete<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>) -> Self {
        let seen = vec![RangeSet::new(); scope.journal.streams.len()];
        let acknowledged = scope.journal.acknowledged();
        Self {
            scope,
            seen,
            acknowledged,
            acknowledged_seen: 0,
        }
    }

    /// Acknowledged records not seen so far.
    pub fn missing(&self) -> u64 {
        self.acknowledged - self.acknowledged_seen
    }

    /// What they are: stream, first sequence, the one after the last.
    pub fn missing_ranges(&self) -> Vec<(u32, u64, u64)> {
        let streams = self.scope.journal.streams.iter().zip(&self.seen);
        let missing = streams.enumerate().flat_map(|(number, (stream, seen))| {
            let ranges = stream.acknowledged.minus(seen);
            let ranges = ranges.ranges().iter();
            ranges
                .map(|&(start, end)| (number as u32, start, end))
                .collect::<Vec<_>>()
        });
        missing.collect()
    }
}

impl Check for Complete<'_> {
    fn id(&self) -> &'static str {
        "complete"
    }

    fn title(&self) -> &'static str {
        "every acknowledged record is on the target"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        let stream = id.stream as usize;
        if self.seen[stream].insert(id.sequence)
            && self.scope.journal.streams[stream]
                .acknowledged
                .contains(id.sequence)
        {
            self.acknowledged_seen += 1;
        }
    }

    fn finish(&self) -> Finding {
        let journal = self.scope.journal;
        let missing = self.missing_ranges();
        let mut unknown_seen = 0;
        for (stream, seen) in journal.streams.iter().zip(&self.seen) {
            unknown_seen += stream.unknown.len() - stream.unknown.minus(seen).len();
        }
        let counts = figures([
            ("acknowledged", self.acknowledged),
            ("acknowledged-seen", self.acknowledged_seen),
            ("missing", self.missing()),
            ("failed-writes", journal.failed()),
            ("unknown-writes", journal.unknown()),
            ("unknown-writes-seen", unknown_seen),
        ]);
        let verdict = match missing.first() {
            Some(&(stream, sequence, _)) => Verdict::Fail {
                failures: self.missing(),
                counterexample: Counterexample {
                    source: None,
                    target: None,
                    record: Some(RecordId { stream, sequence }),
                    expected: format!("{} on the target", RecordId { stream, sequence }),
                    found: format!(
                        "nothing; of {}, {} missing: {}",
                        counted(self.acknowledged, "acknowledged record"),
                        count(self.missing()),
                        in_words(&missing)
                    ),
                },
            },
            None if self.acknowledged == 0 => {
                let reason = "the source acknowledged no write of this run".to_owned();
                Verdict::Inconclusive { reason }
            }
            None => Verdict::Pass {
                evidence: format!(
                    "{} of {} seen; of {} of unknown fate, {} seen",
                    count(self.acknowledged_seen),
                    counted(self.acknowledged, "acknowledged record"),
                    counted(journal.unknown(), "write"),
                    count(unknown_seen)
                ),
            },
        };
        Finding {
            verdict,
            figures: counts,
        }
    }
}

fn in_words(missing: &[(u32, u64, u64)]) -> String {
    let mut shown: Vec<String> = missing
        .iter()
        .take(RANGES_SHOWN)
        .map(|(stream, start, end)| match end - start {
            1 => format!("stream {stream} sequence {start}"),
            _ => format!("stream {stream} sequences {start} to {}", end - 1),
        })
        .collect();
    if missing.len() > RANGES_SHOWN {
        shown.push(format!("and {} more ranges", missing.len() - RANGES_SHOWN));
    }
    shown.join(", ")
}
