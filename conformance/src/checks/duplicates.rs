//! `duplicates`: at-least-once repeats within a bound and is counted; exactly-once never repeats.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checks::lanes::Lanes;
use crate::checks::panel::at_target;
use crate::checks::{Check, Finding, Scope};
use crate::history::Sighting;
use crate::ranges::RangeSet;
use crate::verdict::{Failures, Verdict, figures};
use crate::words::{count, counted};

/// What the mirror promises about repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Records may come again after a restart.
    AtLeastOnce,
    /// No record comes twice.
    ExactlyOnce,
}

/// How much repetition is within the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayBound {
    /// The promise.
    pub delivery: Delivery,
    /// At-least-once: the most records a single replay of a partition may repeat, which is the
    /// most a worker may have written past its last position.
    pub window: u64,
    /// At-least-once: how often the worker was restarted, which bounds the replays of each
    /// partition; `None` when nobody counted.
    pub restarts: Option<u64>,
}

impl ReplayBound {
    /// What was judged when `repeated` records came again in `replays` replays and none broke the
    /// promise; says what was not judged.
    pub(crate) fn evidence(&self, repeated: u64, replays: u64, longest: u64) -> String {
        let window = count(self.window);
        if repeated == 0 {
            return match self.delivery {
                Delivery::ExactlyOnce => "0 duplicates (exactly-once: none allowed)".to_owned(),
                Delivery::AtLeastOnce => {
                    format!("0 duplicates (a replay of up to {window} would be allowed)")
                }
            };
        }
        let seen = format!(
            "{} in {}, longest {}",
            counted(repeated, "duplicate"),
            counted(replays, "replay"),
            count(longest)
        );
        match self.restarts {
            None => format!(
                "{seen}; each replay is within {window}; how many there may be was not judged: \
                 --restarts not given"
            ),
            Some(restarts) => format!(
                "{seen}; each replay is within {window}, and no partition has more of them than \
                 the {}",
                counted(restarts, "restart")
            ),
        }
    }
}

impl Default for ReplayBound {
    fn default() -> Self {
        Self {
            delivery: Delivery::AtLeastOnce,
            window: 50_000,
            restarts: None,
        }
    }
}

#[derive(Debug, Default)]
struct Track {
    seen: RangeSet,
    last: Option<u64>,
    /// Length of the replay that is going on.
    replay: u64,
}

/// Sees replays: the sequence of a stream on a partition going back to what was seen before.
#[derive(Debug)]
pub struct Duplicates<'j> {
    scope: Scope<'j>,
    bound: ReplayBound,
    tracks: Lanes<Track>,
    replays: BTreeMap<i32, u64>,
    records: u64,
    repeated: u64,
    longest: u64,
    failures: Failures,
}

impl<'j> Duplicates<'j> {
    /// Nothing seen yet.
    pub fn new(scope: Scope<'j>, bound: ReplayBound) -> Self {
        Self {
            scope,
            bound,
            tracks: Lanes::default(),
            replays: BTreeMap::new(),
            records: 0,
            repeated: 0,
            longest: 0,
            failures: Failures::default(),
        }
    }

    fn judge(&mut self, sighting: &Sighting<'_>, replay: u64, replays: u64) {
        let ReplayBound {
            delivery,
            window,
            restarts,
        } = self.bound;
        let target = self.scope.at(sighting);
        let id = sighting.id();
        let mut fail = |expected: String, found: String| {
            self.failures
                .add(|| at_target(target.clone(), id, expected, found));
        };
        match delivery {
            Delivery::ExactlyOnce => fail(
                "every record once".to_owned(),
                format!("{} again", id.map(|id| id.to_string()).unwrap_or_default()),
            ),
            Delivery::AtLeastOnce => {
                // each replay is held against each bound once, at the record that breaks it
                if replay == window + 1 {
                    fail(
                        format!("replays of at most {}", counted(window, "record")),
                        format!("a replay that goes on after {}", counted(window, "record")),
                    );
                }
                if let Some(restarts) = restarts.filter(|r| replay == 1 && replays > *r) {
                    fail(
                        format!("at most one replay a restart, {restarts} in all"),
                        format!("replay {replays} of partition {}", sighting.partition),
                    );
                }
            }
        }
    }
}

impl Check for Duplicates<'_> {
    fn id(&self) -> &'static str {
        "duplicates"
    }

    fn title(&self) -> &'static str {
        match self.bound.delivery {
            Delivery::AtLeastOnce => "repeated records are counted and within the declared bound",
            Delivery::ExactlyOnce => "no record is on the target twice",
        }
    }

    fn observe(&mut self, sighting: &Sighting<'_>) {
        let Some(id) = sighting.id() else { return };
        self.records += 1;
        let track = self.tracks.of(sighting.partition, id.stream);
        let went_back = track.last.is_some_and(|last| id.sequence <= last);
        track.last = Some(id.sequence);
        if track.seen.insert(id.sequence) {
            track.replay = 0;
            return;
        }
        self.repeated += 1;
        let replays = self.replays.entry(sighting.partition).or_default();
        if went_back || track.replay == 0 {
            track.replay = 0;
            *replays += 1;
        }
        track.replay += 1;
        self.longest = self.longest.max(track.replay);
        let (replay, replays) = (track.replay, *replays);
        self.judge(sighting, replay, replays);
    }

    fn finish(&self) -> Finding {
        let replays: u64 = self.replays.values().sum();
        let counts = figures([
            ("records", self.records),
            ("duplicates", self.repeated),
            ("replays", replays),
            (
                "replays-of-worst-partition",
                self.replays.values().copied().max().unwrap_or(0),
            ),
            ("longest-replay", self.longest),
            ("bound", self.bound.window),
        ]);
        if self.records == 0 {
            return Finding::nothing_seen(counts);
        }
        let verdict = self.failures.verdict(|| Verdict::Pass {
            evidence: self.bound.evidence(self.repeated, replays, self.longest),
        });
        Finding {
            verdict,
            figures: counts,
        }
    }
}
