//! `timestamp`: the create time is kept.

use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::generate::Generator;
use crate::history::Sighting;
use crate::record::{Timestamp, describe_timestamp};
use crate::verdict::{Failures, Verdict, figures};
use crate::words::counted;

/// Compares each record's timestamp with the one it was written with.
#[derive(Debug)]
pub struct TimestampKept<'j> {
    scope: Scope<'j>,
    generator: Generator<'j>,
    records: u64,
    failures: Failures,
}

impl<'j> TimestampKept<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>) -> Self {
        let generator = Generator::new(scope.journal);
        Self {
            scope,
            generator,
            records: 0,
            failures: Failures::default(),
        }
    }
}

impl Check for TimestampKept<'_> {
    fn id(&self) -> &'static str {
        "timestamp"
    }

    fn title(&self) -> &'static str {
        "the create time is kept"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        self.records += 1;
        let written = Timestamp::create(self.generator.timestamp(id));
        let found = sighting.record.timestamp;
        if found != written {
            let scope = &self.scope;
            self.failures.add(|| {
                let expected = format!("{id} with {}", describe_timestamp(written));
                at_target(
                    scope.at(sighting),
                    Some(id),
                    expected,
                    describe_timestamp(found),
                )
            });
        }
    }

    fn finish(&self) -> Finding {
        let counts = figures([
            ("records", self.records),
            ("shifted", self.failures.count()),
        ]);
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: format!(
                "{} kept to the millisecond",
                counted(self.records, "create time")
            ),
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
