//! Keeps the ends of the source known while fetching does not tell them.
//!
//! A partition that waits for the target or for the throttle, is paused, or has stopped does not
//! fetch, and what the source gets meanwhile is lag all the same. Idle partitions cost nothing
//! here: a fetch stands there and tells.

use std::sync::Arc;
use std::time::Duration;

use kafka::{Cluster, OffsetSpec, TopicPartition};

use crate::partition_progress::PartitionProgress;
use crate::progress::Progress;

/// How long an end may be unheard of, and how often that is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until it is dropped. Cancel safe.
pub(crate) async fn watch(source: Cluster, progress: Arc<Progress>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let after_ms = EVERY.as_millis() as i64;
        // Which partitions a lane would read is not known here; those that are heard of are left out.
        let throttled = progress.traffic().is_throttled();
        let stale: Vec<Arc<PartitionProgress>> = progress
            .partitions()
            .into_iter()
            .filter(|partition| {
                partition.end_is_stale(after_ms) || throttled && partition.end_is_unheard(after_ms)
            })
            .collect();
        if stale.is_empty() {
            continue;
        }
        let named: Vec<TopicPartition> = stale
            .iter()
            .map(|partition| {
                TopicPartition::new(&*partition.id.source_topic, partition.id.partition)
            })
            .collect();
        // whose leader is away or silent holds up the ends of no other
        let told = source
            .list_offsets_told(&named, OffsetSpec::LatestCommitted, EVERY)
            .await;
        let told = match told {
            Ok(told) => told,
            Err(error) => {
                tracing::debug!(%error, "the ends of the source are not known");
                continue;
            }
        };
        for (partition, name) in stale.iter().zip(&named) {
            // A partition that is gone has no end; why it is gone is said elsewhere.
            if let Some(end) = told.get(name) {
                partition.saw_end(end.offset);
            }
        }
    }
}
