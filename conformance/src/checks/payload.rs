//! `payload`: key, value and headers arrive byte for byte, null stays null, headers keep order.

use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::generate::Generator;
use crate::history::{Origin, Sighting};
use crate::record::content_difference;
use crate::stamp::Stamp;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::counted;

/// Whether an unstamped record on the target must be one that lost its stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    OnlyOurs,
    Shared,
}

/// Compares each record with its stamp, and with the regenerated record where they disagree.
#[derive(Debug)]
pub struct Payload<'j> {
    scope: Scope<'j>,
    generator: Generator<'j>,
    source: Source,
    records: u64,
    failures: Failures,
}

impl<'j> Payload<'j> {
    /// The source topic holds nothing but this run's records.
    pub fn of_exclusive_topic(scope: Scope<'j>) -> Self {
        Self::new(scope, Source::OnlyOurs)
    }

    /// Others write to the source topic too.
    pub fn of_shared_topic(scope: Scope<'j>) -> Self {
        Self::new(scope, Source::Shared)
    }

    fn new(scope: Scope<'j>, source: Source) -> Self {
        let generator = Generator::new(scope.journal);
        Self {
            scope,
            generator,
            source,
            records: 0,
            failures: Failures::default(),
        }
    }

    fn compare(&mut self, sighting: &Sighting<'_>, stamp: Stamp, stamp_is_last: bool) {
        self.records += 1;
        let record = sighting.record;
        if stamp_is_last {
            let others = &record.headers[..record.headers.len() - 1];
            let wanted = self
                .generator
                .expected_hash(record.key, record.value, others, stamp.id);
            if wanted == stamp.hash {
                return;
            }
        }
        let written = self.generator.record(stamp.id);
        if let Some(difference) = content_difference(&written.view(), record) {
            let scope = &self.scope;
            self.failures.add(|| {
                let (expected, found) = (difference.expected, difference.found);
                let expected = format!("{} with {expected}", stamp.id);
                at_target(scope.at(sighting), Some(stamp.id), expected, found)
            });
        }
    }

    fn fail(&mut self, sighting: &Sighting<'_>, expected: &str, found: &str) {
        self.records += 1;
        let scope = &self.scope;
        self.failures
            .add(|| at_target(scope.at(sighting), None, expected, found));
    }
}

impl Check for Payload<'_> {
    fn id(&self) -> &'static str {
        "payload"
    }

    fn title(&self) -> &'static str {
        "key, value and headers in order are the same byte for byte, null is not empty"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        match sighting.origin {
            Origin::Ours {
                stamp,
                stamp_is_last,
            } => self.compare(sighting, stamp, stamp_is_last),
            Origin::Damaged => {
                self.fail(
                    sighting,
                    "one whole stamp header",
                    "a stamp that cannot be read",
                );
            }
            Origin::Unstamped if self.source == Source::OnlyOurs => {
                let expected = "a stamp header, as on every record of the source topic";
                self.fail(sighting, expected, "none");
            }
            Origin::Unstamped | Origin::OtherRun | Origin::Unwritten(_) => {}
        }
    }

    fn finish(&self) -> Finding {
        let counts = figures([
            ("records", self.records),
            ("altered", self.failures.count()),
        ]);
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: format!("{} equal byte for byte", counted(self.records, "record")),
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
