//! Names partitions that stand still although there is something to copy.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::partition_figures::PartitionState;
use crate::progress::PartitionProgress;

/// A partition that stands still is named again after this long.
const SAY_EVERY: Duration = Duration::from_mins(5);
const NO_REASON: &str =
    "no error was reported: nothing comes from the source, or the target does not acknowledge";

/// What it remembers of one partition.
#[derive(Debug)]
struct Seen {
    position: i64,
    since: Instant,
    said: Option<Instant>,
    /// What the last attempt ended with since it stands still.
    reason: Option<String>,
}

/// Looks at all partitions of a run from time to time.
#[derive(Debug)]
pub(crate) struct Watchdog {
    limit: Duration,
    seen: HashMap<(Arc<str>, i32), Seen>,
}

impl Watchdog {
    /// Names partitions without progress for `limit`.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            seen: HashMap::new(),
        }
    }

    /// How often to look.
    pub(crate) fn interval(&self) -> Duration {
        (self.limit / 6).max(Duration::from_millis(100))
    }

    /// Marks those that stand still, with the last reason they had, and takes the mark from those
    /// that move again or have nothing to do.
    pub(crate) fn look(&mut self, now: Instant, partitions: &[Arc<PartitionProgress>]) {
        for partition in partitions.iter().filter(|partition| !partition.is_done()) {
            let key = (partition.id.source_topic.clone(), partition.id.partition);
            let position = partition.position();
            let seen = self.seen.entry(key).or_insert(Seen {
                position,
                since: now,
                said: None,
                reason: None,
            });
            let idle = partition.remaining() == 0 || partition.state() == PartitionState::Paused;
            if idle || seen.position != position {
                if seen.said.is_some() {
                    partition.stalled(None);
                    tracing::info!(partition = %partition.id, position, "progress again");
                }
                *seen = Seen {
                    position,
                    since: now,
                    said: None,
                    reason: None,
                };
                continue;
            }
            // An attempt begins without one; what the last one ended with still stands in the way.
            seen.reason = partition.reason().or(seen.reason.take());
            let still = now - seen.since;
            if still < self.limit {
                continue;
            }
            let reason = seen.reason.clone().unwrap_or_else(|| NO_REASON.to_owned());
            partition.stalled(Some(&reason));
            if seen.said.is_none_or(|said| now - said >= SAY_EVERY) {
                seen.said = Some(now);
                tracing::warn!(partition = %partition.id, position, lag = partition.remaining(),
                    seconds = still.as_secs(), %reason, "stands still although there is something to copy");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PartitionId;

    fn partition(position: i64) -> Arc<PartitionProgress> {
        let id = PartitionId {
            source_topic: "t".into(),
            target_topic: "t".into(),
            partition: 0,
        };
        Arc::new(PartitionProgress::new(id, position, i64::MAX))
    }

    #[test]
    fn a_partition_that_stands_still_is_marked_with_its_reason_until_it_moves() {
        let (one, start) = (partition(5), Instant::now());
        let mut dog = Watchdog::new(Duration::from_mins(1));
        let all = [one.clone()];
        let mut look = |seconds| dog.look(start + Duration::from_secs(seconds), &all);
        look(0);
        look(600);
        assert_eq!(one.state(), PartitionState::Running, "nothing to copy");
        one.saw_end(9);
        one.interrupted(&"the target is away");
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
        one.acknowledged(1, 1, 6);
        look(662);
        assert_eq!(one.state(), PartitionState::Running);
        look(723);
        assert_eq!(one.state(), PartitionState::Stalled);
        assert!(
            one.reason()
                .is_some_and(|reason| reason.contains("no error"))
        );
    }
}
