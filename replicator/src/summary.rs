use std::time::Duration;

use serde::Serialize;
use topology::Mirror;

use crate::progress::{LeftOut, PartitionFailure, Progress};
use crate::topics::selection;

/// What a run did, once it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Name of the mirror.
    pub mirror: String,
    /// Alias of the source cluster.
    pub source: String,
    /// Alias of the target cluster.
    pub target: String,
    /// Records acknowledged by the target.
    pub records: u64,
    /// Bytes of record batches acknowledged by the target.
    pub bytes: u64,
    /// Batches sent byte for byte.
    pub batches_passed: u64,
    /// Batches that left as a part of a larger one, their records as they were.
    pub batches_merged: u64,
    /// Batches that had to be written anew (compacted, append time, a start inside a batch).
    pub batches_rebuilt: u64,
    /// Batches left out: transaction markers and aborted data.
    pub batches_filtered: u64,
    /// Gaps noted in the ledger.
    pub gaps: u64,
    /// Source offsets that these gaps cover, as far as known.
    pub gap_offsets: u64,
    /// Records put into quarantine topics; each is a gap too.
    pub quarantined: u64,
    /// What selects the mirror's topics.
    pub selection: String,
    /// Topics of the source that it selects, `pausedTopics` included; absent where the run ended before it looked.
    pub selected: Option<usize>,
    /// Sums a topic.
    pub topics: Vec<TopicSummary>,
    /// Partitions that stopped before their end.
    pub failures: Vec<PartitionFailure>,
    /// Topics that are selected and not copied, because their records come from the target.
    pub left_out: Vec<LeftOut>,
    /// Wall time, preparation included.
    pub elapsed_ms: u64,
    /// Stopped from outside before the end.
    pub interrupted: bool,
}

impl Summary {
    /// Of a run that was not interrupted.
    pub(crate) fn of(
        mirror: &Mirror,
        source: &str,
        progress: &Progress,
        elapsed: Duration,
    ) -> Self {
        let counts = progress.batch_counts();
        let topics = progress.topics();
        let now = progress.snapshot();
        Self {
            mirror: mirror.name.clone(),
            source: source.to_owned(),
            target: mirror.target.clone(),
            records: topics.iter().map(|topic| topic.records).sum(),
            bytes: topics.iter().map(|topic| topic.bytes).sum(),
            batches_passed: counts.passed,
            batches_merged: counts.merged,
            batches_rebuilt: counts.rebuilt,
            batches_filtered: counts.filtered,
            gaps: now.gaps,
            gap_offsets: now.gap_offsets,
            quarantined: now.quarantined,
            selection: selection(mirror),
            selected: progress.selected(),
            topics,
            failures: progress.failures(),
            left_out: progress.left_out(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            interrupted: false,
        }
    }

    /// With what earlier runs of the same mirror copied; how they ended is past.
    pub(crate) fn with(mut self, before: Option<Self>, elapsed: Duration) -> Self {
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        match before {
            Some(before) => self.and(before, usize::max),
            None => self,
        }
    }

    /// With what another task of the same mirror copied meanwhile, and how it ended.
    pub(crate) fn beside(mut self, other: Option<Self>) -> Self {
        let Some(mut other) = other else {
            return self;
        };
        self.failures.append(&mut other.failures);
        self.left_out.append(&mut other.left_out);
        self.selected = self.selected.or(other.selected);
        self.and(other, std::ops::Add::add)
    }

    /// With the sums of another; `partitions` says how many of a topic they are together.
    fn and(mut self, before: Self, partitions: fn(usize, usize) -> usize) -> Self {
        self.records += before.records;
        self.bytes += before.bytes;
        self.batches_passed += before.batches_passed;
        self.batches_merged += before.batches_merged;
        self.batches_rebuilt += before.batches_rebuilt;
        self.batches_filtered += before.batches_filtered;
        self.gaps += before.gaps;
        self.gap_offsets += before.gap_offsets;
        self.quarantined += before.quarantined;
        for topic in before.topics {
            let same = self.topics.iter_mut().find(|it| {
                (&it.source_topic, &it.target_topic) == (&topic.source_topic, &topic.target_topic)
            });
            match same {
                Some(same) => {
                    same.partitions = partitions(same.partitions, topic.partitions);
                    same.records += topic.records;
                    same.bytes += topic.bytes;
                }
                None => self.topics.push(topic),
            }
        }
        self.topics
            .sort_by(|one, other| one.source_topic.cmp(&other.source_topic));
        self
    }
}

/// One topic's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicSummary {
    /// Topic on the source.
    pub source_topic: String,
    /// Topic on the target.
    pub target_topic: String,
    /// Partitions copied.
    pub partitions: usize,
    /// Records acknowledged by the target.
    pub records: u64,
    /// Bytes of record batches acknowledged by the target.
    pub bytes: u64,
}
