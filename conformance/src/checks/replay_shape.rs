//! `replay-shape`: what comes again comes whole and in order.

use crate::checks::lanes::Lanes;
use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::ranges::RangeSet;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::counted;

/// One stream on one target partition.
#[derive(Debug, Default)]
struct Lane {
    seen: RangeSet,
    last: Option<u64>,
    replaying: bool,
}

/// Watches replays: one may begin anywhere in what was seen, and may be broken off by another, but it repeats every record
/// that follows, until there is nothing left to repeat.
#[derive(Debug)]
pub struct ReplayShape<'j> {
    scope: Scope<'j>,
    lanes: Lanes<Lane>,
    records: u64,
    replays: u64,
    failures: Failures,
}

impl<'j> ReplayShape<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>) -> Self {
        Self {
            scope,
            lanes: Lanes::default(),
            records: 0,
            replays: 0,
            failures: Failures::default(),
        }
    }
}

impl Check for ReplayShape<'_> {
    fn id(&self) -> &'static str {
        "replay-shape"
    }

    fn title(&self) -> &'static str {
        "records that come again come without gaps and in order"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        self.records += 1;
        let lane = self.lanes.of(sighting.partition, id.stream);
        let due = lane
            .last
            .filter(|last| lane.replaying && id.sequence > *last)
            .and_then(|last| lane.seen.next_after(last));
        let again = !lane.seen.insert(id.sequence);
        let went_back = lane.last.is_some_and(|last| id.sequence <= last);
        self.replays += u64::from(again && (went_back || !lane.replaying));
        lane.replaying = again;
        lane.last = Some(id.sequence);
        if let Some(due) = due.filter(|due| *due < id.sequence) {
            let scope = &self.scope;
            self.failures.add(|| {
                at_target(
                    scope.at(sighting),
                    Some(id),
                    format!("record {due} of the same stream, which is next in this replay"),
                    format!("{id}"),
                )
            });
        }
    }

    fn finish(&self) -> Finding {
        let counts = figures([
            ("records", self.records),
            ("replays", self.replays),
            ("broken-replays", self.failures.count()),
        ]);
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: match self.replays {
                0 => "no record came again".to_owned(),
                replays => format!(
                    "{}, each without gaps and in order",
                    counted(replays, "replay")
                ),
            },
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
