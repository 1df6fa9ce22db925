//! Names partitions that stand still although there is something to copy, and says when they go on.
//!
//! A broker that does not answer takes all of its partitions along: those that stand still at one broker for one cause are
//! one line.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::partition_figures::PartitionState;
use crate::progress::{PartitionProgress, Progress};
use crate::traffic::Side;
use crate::way::Hindrance;
use crate::words::named;

/// A partition that stands still is named again after this long.
const SAY_EVERY: Duration = Duration::from_mins(5);
/// Lines at a time; what there is beside them is counted.
const LINES: usize = 8;
/// Partitions that a line names one by one.
const NAMES: usize = 8;

/// Looks at the partitions of a run from time to time, for as long as it is polled. Names those without progress for `limit`.
/// Cancel safe.
pub(crate) async fn watch(progress: Arc<Progress>, limit: Duration) {
    let mut watchdog = Watchdog::new(limit);
    let mut ticks = tokio::time::interval(watchdog.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = ticks.tick().await;
        watchdog.look(now, &progress.partitions()).say();
    }
}

/// What it remembers of one partition.
#[derive(Debug)]
struct Seen {
    position: i64,
    since: Instant,
    said: Option<Instant>,
    /// What the last attempt ended with since it stands still.
    hindrance: Option<Hindrance>,
}

#[derive(Debug)]
struct Watchdog {
    limit: Duration,
    seen: HashMap<(Arc<str>, i32), Seen>,
}

/// What one look has found that is not said yet.
#[derive(Debug, Default)]
struct Report {
    standing: BTreeMap<Cause, Standing>,
    /// Partitions that go on.
    moving: Vec<String>,
}

/// Why partitions stand still, and at which broker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    side: Option<Side>,
    broker: Option<i32>,
    reason: String,
}

/// Partitions that stand still for one cause.
#[derive(Debug, Default, PartialEq, Eq)]
struct Standing {
    partitions: Vec<String>,
    /// Records that they have to copy.
    lag: u64,
    /// For how long the first of them has been standing.
    longest: Duration,
}

impl Watchdog {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            seen: HashMap::new(),
        }
    }

    /// How often to look.
    fn interval(&self) -> Duration {
        (self.limit / 6).max(Duration::from_millis(100))
    }

    /// Marks those that stand still, with the last reason they had, and takes the mark from those that move again or have
    /// nothing to do.
    fn look(&mut self, now: Instant, partitions: &[Arc<PartitionProgress>]) -> Report {
        let mut report = Report::default();
        for partition in partitions.iter().filter(|partition| !partition.is_done()) {
            let key = (partition.id.source_topic.clone(), partition.id.partition);
            let position = partition.position();
            let seen = self.seen.entry(key).or_insert(Seen {
                position,
                since: now,
                said: None,
                hindrance: None,
            });
            let idle = partition.remaining() == 0 || partition.state() == PartitionState::Paused;
            if idle || seen.position != position {
                if seen.said.is_some() {
                    partition.stalled(None);
                    report.moving.push(partition.id.to_string());
                }
                *seen = Seen {
                    position,
                    since: now,
                    said: None,
                    hindrance: None,
                };
                continue;
            }
            // An attempt begins without one; what the last one ended with still stands in the way.
            seen.hindrance = partition.hindrance().or(seen.hindrance.take());
            let still = now - seen.since;
            if still < self.limit {
                continue;
            }
            let hindrance = seen.hindrance.clone();
            let hindrance = hindrance.unwrap_or_else(|| partition.way.silence());
            partition.stalled(Some(hindrance.clone()));
            if seen.said.is_none_or(|said| now - said >= SAY_EVERY) {
                seen.said = Some(now);
                let cause = Cause {
                    side: hindrance.side,
                    broker: hindrance.side.and_then(|side| partition.way.leader(side)),
                    reason: hindrance.reason,
                };
                let standing = report.standing.entry(cause).or_default();
                standing.partitions.push(partition.id.to_string());
                standing.lag += partition.remaining();
                standing.longest = standing.longest.max(still);
            }
        }
        report
    }
}

impl Report {
    /// The causes that most partitions stand still for, each in a line.
    fn say(self) {
        let mut standing: Vec<(Cause, Standing)> = self.standing.into_iter().collect();
        standing.sort_by_key(|(_, standing)| Reverse(standing.partitions.len()));
        let beside = standing.split_off(standing.len().min(LINES));
        for (cause, standing) in standing {
            let side = cause.side.map(|side| side.to_string());
            let (partition, names) = naming(&standing.partitions);
            tracing::warn!(
                partition,
                partitions = standing.partitions.len(),
                names,
                side,
                broker = cause.broker,
                lag = standing.lag,
                seconds = standing.longest.as_secs(),
                reason = cause.reason,
                "stands still although there is something to copy"
            );
        }
        if !beside.is_empty() {
            let partitions = beside.iter().map(|(_, standing)| standing.partitions.len());
            let partitions: usize = partitions.sum();
            tracing::warn!(
                partitions,
                reasons = beside.len(),
                "stands still for other reasons, which /readyz names"
            );
        }
        if !self.moving.is_empty() {
            let (partition, names) = naming(&self.moving);
            tracing::info!(
                partition,
                partitions = self.moving.len(),
                names,
                "progress again"
            );
        }
    }
}

/// One partition is named where every line names its partition, so that who looks for its lines finds this one; several are
/// named together.
fn naming(partitions: &[String]) -> (Option<&str>, Option<String>) {
    match partitions {
        [one] => (Some(one.as_str()), None),
        several => (None, Some(named(several, NAMES))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PartitionId;

    fn partition(partition: i32, position: i64) -> Arc<PartitionProgress> {
        let id = PartitionId {
            source_topic: "t".into(),
            target_topic: "t".into(),
            partition,
        };
        Arc::new(PartitionProgress::new(id, position, i64::MAX))
    }

    #[test]
    fn a_partition_that_stands_still_is_marked_with_its_reason_until_it_moves() {
        let (one, start) = (partition(0, 5), Instant::now());
        let mut dog = Watchdog::new(Duration::from_mins(1));
        let all = [one.clone()];
        let mut look = |seconds| dog.look(start + Duration::from_secs(seconds), &all);
        look(0);
        look(600);
        assert_eq!(one.state(), PartitionState::Running, "nothing to copy");
        one.saw_end(9);
        one.interrupted(&"the target is away", Some(Side::Target));
        look(659);
        assert_eq!(one.state(), PartitionState::Waiting);
        one.waits(false);
        look(661);
        assert_eq!(one.state(), PartitionState::Stalled);
        assert_eq!(one.reason().as_deref(), Some("the target is away"));
        one.waits(false);
        let kept = one.reason();
        assert_eq!(
            kept.as_deref(),
            Some("the target is away"),
            "one more attempt"
        );
        one.interrupted(&"the target is full", Some(Side::Target));
        look(662);
        let newest = one.reason();
        assert_eq!(newest.as_deref(), Some("the target is full"));
        one.acknowledged(1, 1, 6);
        assert_eq!(look(663).moving, ["t-0"]);
        assert_eq!(one.state(), PartitionState::Waiting);
        one.waits(false);
        look(724);
        assert_eq!(one.state(), PartitionState::Stalled);
        assert!(
            one.reason()
                .is_some_and(|reason| reason.contains("no error"))
        );
    }

    #[test]
    fn partitions_of_one_silent_broker_are_said_together_and_seldom() {
        let start = Instant::now();
        let all: Vec<_> = (0..20).map(|it| partition(it, 0)).collect();
        for it in &all {
            it.saw_end(10);
            it.way.led_by(Side::Target, it.id.partition % 2);
            it.way.awaits(1);
        }
        all[19].way.awaits(0);
        let mut dog = Watchdog::new(Duration::from_mins(1));
        let mut look = |seconds| dog.look(start + Duration::from_secs(seconds), &all);
        look(0);
        let report = look(60);
        let found: Vec<(Option<Side>, Option<i32>, usize, u64)> = report
            .standing
            .iter()
            .map(|(cause, it)| (cause.side, cause.broker, it.partitions.len(), it.lag))
            .collect();
        let (source, target) = (Some(Side::Source), Some(Side::Target));
        assert_eq!(
            found,
            [
                (source, None, 1, 10),
                (target, Some(0), 10, 100),
                (target, Some(1), 9, 90)
            ]
        );
        let alone = &report.standing.values().next().expect("three").partitions;
        assert_eq!(naming(alone), (Some("t-19"), None));
        assert!(look(70).standing.is_empty(), "it was said");
        assert_eq!(look(360).standing.len(), 3, "it is said again");
        let last = report.standing.values().next_back().expect("three");
        let several = "t-1, t-3, t-5, t-7, t-9, t-11, t-13, t-15 and 1 more";
        assert_eq!(naming(&last.partitions), (None, Some(several.to_owned())));
    }
}
