//! `key-order`: the records of a key stay in order, whatever the partitions.

use std::collections::HashMap;
use std::fmt::Write as _;

use twox_hash::XxHash3_128;

use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::ranges::RangeSet;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::{count, counted};

/// So many keys of streams are followed; some 64 MiB.
const KEYS_FOLLOWED: usize = 1_000_000;

/// Where the records of one key of one stream were last.
#[derive(Debug)]
struct Trail {
    partition: i32,
    highest: u64,
}

/// Follows each key of each stream. A key of a stream that lies on two partitions has no order for a reader.
#[derive(Debug)]
pub struct KeyOrder<'j> {
    scope: Scope<'j>,
    seen: Vec<RangeSet>,
    trails: HashMap<(u32, u128), Trail>,
    records: u64,
    without_key: u64,
    not_followed: u64,
    failures: Failures,
}

impl<'j> KeyOrder<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>) -> Self {
        let seen = vec![RangeSet::new(); scope.journal.streams.len()];
        Self {
            scope,
            seen,
            trails: HashMap::new(),
            records: 0,
            without_key: 0,
            not_followed: 0,
            failures: Failures::default(),
        }
    }
}

impl Check for KeyOrder<'_> {
    fn id(&self) -> &'static str {
        "key-order"
    }

    fn title(&self) -> &'static str {
        "the records of a key first appear on one partition and in order"
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        if !self.seen[id.stream as usize].insert(id.sequence) {
            return;
        }
        let Some(key) = sighting.record.key else {
            self.without_key += 1;
            return;
        };
        let name = (id.stream, XxHash3_128::oneshot(key));
        if self.trails.len() >= KEYS_FOLLOWED && !self.trails.contains_key(&name) {
            self.not_followed += 1;
            return;
        }
        self.records += 1;
        let trail = self.trails.entry(name).or_insert(Trail {
            partition: sighting.partition,
            highest: id.sequence,
        });
        let (partition, highest) = (trail.partition, trail.highest);
        trail.highest = highest.max(id.sequence);
        let scope = &self.scope;
        if partition != sighting.partition {
            self.failures.add(|| {
                at_target(
                    scope.at(sighting),
                    Some(id),
                    format!("{id} on partition {partition}, as the records of its key before"),
                    format!("it on partition {}", sighting.partition),
                )
            });
        } else if id.sequence < highest {
            self.failures.add(|| {
                at_target(
                    scope.at(sighting),
                    Some(id),
                    format!("{id} before record {highest}, which has the same key"),
                    format!("its first occurrence after record {highest}"),
                )
            });
        }
    }

    fn finish(&self) -> Finding {
        let keys = self.trails.len() as u64;
        let counts = figures([
            ("records", self.records),
            ("keys", keys),
            ("without-key", self.without_key),
            ("not-followed", self.not_followed),
            ("out-of-key-order", self.failures.count()),
        ]);
        if self.records == 0 && self.without_key > 0 {
            let reason = "no record of this run has a key".to_owned();
            return Finding {
                verdict: Verdict::Inconclusive { reason },
                figures: counts,
            };
        }
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| {
            let mut evidence = format!(
                "{} of {} in order; {} without a key",
                counted(self.records, "record"),
                counted(keys, "key"),
                counted(self.without_key, "record"),
            );
            if self.not_followed > 0 {
                let _ = write!(
                    evidence,
                    "; {} not judged, of keys beyond the first {}",
                    counted(self.not_followed, "record"),
                    count(KEYS_FOLLOWED as u64),
                );
            }
            Verdict::Pass { evidence }
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
