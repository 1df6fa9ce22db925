//! `no-phantom`: every record on the target is one that the source may have.

use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::{Origin, Sighting};
use crate::stamp::RecordId;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::counted;

/// Looks for stamps of records that were never written, or whose write certainly failed.
#[derive(Debug)]
pub struct NoPhantom<'j> {
    scope: Scope<'j>,
    records: u64,
    unknown: u64,
    failures: Failures,
}

impl<'j> NoPhantom<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>) -> Self {
        Self {
            scope,
            records: 0,
            unknown: 0,
            failures: Failures::default(),
        }
    }

    fn fail(&mut self, sighting: &Sighting<'_>, id: RecordId, found: &str) {
        let scope = &self.scope;
        self.failures.add(|| {
            let found = format!("{id}, {found}");
            at_target(
                scope.at(sighting),
                Some(id),
                "records that the source may have",
                found,
            )
        });
    }
}

impl Check for NoPhantom<'_> {
    fn id(&self) -> &'static str {
        "no-phantom"
    }

    fn title(&self) -> &'static str {
        "every record on the target was written to the source"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        match sighting.origin {
            Origin::Ours { stamp, .. } => {
                self.records += 1;
                let stream = &self.scope.journal.streams[stamp.id.stream as usize];
                if stream.failed.contains(stamp.id.sequence) {
                    self.fail(sighting, stamp.id, "whose write the source refused");
                } else if stream.unknown.contains(stamp.id.sequence) {
                    self.unknown += 1;
                }
            }
            Origin::Unwritten(id) => {
                self.records += 1;
                self.fail(sighting, id, "which this run has not written");
            }
            // whose stamp is gone or damaged was altered, which `payload` says
            Origin::OtherRun | Origin::Unstamped | Origin::Damaged => {}
        }
    }

    fn finish(&self) -> Finding {
        let counts = figures([
            ("records", self.records),
            ("phantoms", self.failures.count()),
            ("of-unknown-writes", self.unknown),
        ]);
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: format!(
                "{} of this run, each of them written; {} of a write whose fate is not known",
                counted(self.records, "record"),
                counted(self.unknown, "record"),
            ),
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
