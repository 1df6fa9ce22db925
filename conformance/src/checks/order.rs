//! `order`: first occurrences rise.

use crate::checks::lanes::Lanes;
use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::ranges::RangeSet;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::counted;

/// Keeps what was seen of each stream on each partition. A repeated record is no matter of order.
#[derive(Debug)]
pub struct Order<'j> {
    scope: Scope<'j>,
    seen: Lanes<RangeSet>,
    firsts: u64,
    failures: Failures,
}

impl<'j> Order<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>) -> Self {
        Self {
            scope,
            seen: Lanes::default(),
            firsts: 0,
            failures: Failures::default(),
        }
    }
}

impl Check for Order<'_> {
    fn id(&self) -> &'static str {
        "order"
    }

    fn title(&self) -> &'static str {
        "records first appear on a target partition in the order of their source partition"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        let seen = self.seen.of(sighting.partition, id.stream);
        let highest = seen.max();
        if !seen.insert(id.sequence) {
            return;
        }
        self.firsts += 1;
        if let Some(highest) = highest.filter(|highest| *highest > id.sequence) {
            let scope = &self.scope;
            self.failures.add(|| {
                at_target(
                    scope.at(sighting),
                    Some(id),
                    format!("{id} before record {highest} of the same stream"),
                    format!("its first occurrence after record {highest}"),
                )
            });
        }
    }

    fn finish(&self) -> Finding {
        let counts = figures([
            ("first-occurrences", self.firsts),
            ("out-of-order", self.failures.count()),
        ]);
        if self.firsts == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: format!(
                "{} in rising order, in {} of a stream on a partition",
                counted(self.firsts, "first occurrence"),
                counted(self.seen.len() as u64, "sequence")
            ),
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
