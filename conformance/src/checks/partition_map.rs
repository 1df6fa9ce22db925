//! `partition-map`: the target partition follows the declared rule.

use serde::{Deserialize, Serialize};

use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::counted;

/// How source partitions map to target partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionRule {
    /// Partition p of the source goes to partition p of the target.
    #[default]
    Same,
}

impl PartitionRule {
    fn target(self, source: i32) -> i32 {
        match self {
            Self::Same => source,
        }
    }
}

/// Compares each record's partition with the one the rule asks for.
#[derive(Debug)]
pub struct PartitionMap<'j> {
    scope: Scope<'j>,
    rule: PartitionRule,
    records: u64,
    failures: Failures,
}

impl<'j> PartitionMap<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>, rule: PartitionRule) -> Self {
        Self {
            scope,
            rule,
            records: 0,
            failures: Failures::default(),
        }
    }
}

impl Check for PartitionMap<'_> {
    fn id(&self) -> &'static str {
        "partition-map"
    }

    fn title(&self) -> &'static str {
        "the target partition is the one the declared rule gives for the source partition"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        self.records += 1;
        let source = self.scope.journal.streams[id.stream as usize].partition;
        let wanted = self.rule.target(source);
        if sighting.partition != wanted {
            let scope = &self.scope;
            self.failures.add(|| {
                at_target(
                    scope.at(sighting),
                    Some(id),
                    format!("{id} of source partition {source} on target partition {wanted}"),
                    format!("it on target partition {}", sighting.partition),
                )
            });
        }
    }

    fn finish(&self) -> Finding {
        let counts = figures([
            ("records", self.records),
            ("misplaced", self.failures.count()),
        ]);
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: format!(
                "{} on the partition of the same number",
                counted(self.records, "record")
            ),
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
