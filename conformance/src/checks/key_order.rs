//! `key-order`: the records of a key stay in order, whatever the partitions.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use twox_hash::XxHash3_128;

use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::ranges::RangeSet;
use crate::stamp::RecordId;
use crate::verdict::{Counterexample, Failures, TopicPartitionOffset, Verdict, figures};
use crate::words::{count, counted};

/// So many keys of streams are followed; some 64 MiB.
const KEYS_FOLLOWED: usize = 1_000_000;
/// So many of those that were seen on several partitions are followed there, too; some 64 MiB where there are eight.
const STRAYS_FOLLOWED: usize = 100_000;

/// A stream, and the hash of a key in it.
type Name = (u32, u128);

/// The records of one key of one stream on one partition.
#[derive(Debug, Clone, Copy)]
struct Trail {
    partition: i32,
    /// The sequence of the first one that was seen there, and its offset.
    first: (u64, i64),
    highest: u64,
    records: u64,
}

impl Trail {
    fn at(sighting: &Sighting<'_>, sequence: u64) -> Self {
        Self {
            partition: sighting.partition,
            first: (sequence, sighting.offset),
            highest: sequence,
            records: 0,
        }
    }
}

/// Follows each key of each stream. A key of a stream that lies on two partitions has no order for a reader.
#[derive(Debug)]
pub struct KeyOrder<'j> {
    scope: Scope<'j>,
    seen: Vec<RangeSet>,
    trails: HashMap<Name, Trail>,
    /// Of keys that were seen on other partitions, too. Which of them is theirs is decided in the end: partitions are read in no
    /// order, and a run that is judged again has the same counterexample.
    strays: BTreeMap<Name, Vec<Trail>>,
    /// Records of more such keys than are followed.
    strays_beyond: u64,
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
            strays: BTreeMap::new(),
            strays_beyond: 0,
            records: 0,
            without_key: 0,
            not_followed: 0,
            failures: Failures::default(),
        }
    }

    /// How many records lie on another partition than the first one of their key, and the first of them.
    fn strayed(&self) -> Option<(u64, Counterexample)> {
        let mut records = self.strays_beyond;
        let mut first: Option<(RecordId, Trail, i32)> = None;
        for (name, others) in &self.strays {
            let all = others.iter().chain(self.trails.get(name));
            let Some(home) = all.clone().min_by_key(|it| it.first.0) else {
                continue;
            };
            for away in all.filter(|it| it.partition != home.partition) {
                records += away.records;
                let id = RecordId {
                    stream: name.0,
                    sequence: away.first.0,
                };
                if first.is_none_or(|(before, ..)| id < before) {
                    first = Some((id, *away, home.partition));
                }
            }
        }
        let (id, away, home) = first?;
        let place =
            TopicPartitionOffset::new(&*self.scope.target_topic, away.partition, away.first.1);
        let expected = format!("{id} on partition {home}, as the first record of its key");
        let found = format!("it on partition {}", away.partition);
        Some((records, at_target(place, Some(id), expected, found)))
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
        let first = Trail::at(sighting, id.sequence);
        let mut trail = self.trails.entry(name).or_insert(first);
        if trail.partition != sighting.partition {
            if self.strays.len() >= STRAYS_FOLLOWED && !self.strays.contains_key(&name) {
                self.strays_beyond += 1;
                return;
            }
            let others = self.strays.entry(name).or_default();
            let known = others
                .iter()
                .position(|it| it.partition == sighting.partition);
            let place = known.unwrap_or(others.len());
            if known.is_none() {
                others.push(first);
            }
            trail = &mut others[place];
        }
        let highest = trail.highest;
        trail.highest = highest.max(id.sequence);
        trail.records += 1;
        if id.sequence < highest {
            let scope = &self.scope;
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
        let strayed = self.strayed();
        let disordered =
            self.failures.count() + strayed.as_ref().map_or(0, |(records, _)| *records);
        let counts = figures([
            ("records", self.records),
            ("keys", keys),
            ("without-key", self.without_key),
            ("not-followed", self.not_followed),
            ("out-of-key-order", disordered),
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
        if let Some((_, counterexample)) = strayed {
            return Finding {
                verdict: Verdict::Fail {
                    failures: disordered,
                    counterexample,
                },
                figures: counts,
            };
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
