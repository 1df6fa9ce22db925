//! Topics that this mirror filled and that the source no longer has.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kafka::Error;

use super::Upkeep;
use crate::appender::{Appender, tombstone};
use crate::error::RunError;
use crate::leaders::Leaders;
use crate::position::{POSITIONS_TOPIC, PositionKey};
use crate::position_writer::now_ms;
use crate::topics::source_delete;

/// How long forgetting positions may be kept from its end by something passing.
const PATIENCE: Duration = Duration::from_secs(30);

impl Upkeep {
    /// Topics that this mirror filled and that the source no longer has.
    pub(super) async fn see_to_missing(
        &mut self,
        seen: &BTreeSet<String>,
    ) -> Result<Vec<String>, RunError> {
        let own_cluster = self.source.cluster_id();
        let unseen: Vec<String> = self
            .target_log
            .records()
            .iter()
            .filter(|(key, record)| {
                key.mirror == self.mirror.name
                    && key.source_cluster_id == own_cluster
                    && !seen.contains(&key.topic)
                    && !self.mirror.is_paused(&key.topic)
                    && self
                        .mirror
                        .target_topic(&self.source_alias, &key.topic)
                        .as_deref()
                        == Some(record.target_topic.as_str())
            })
            .map(|(key, _)| key.topic.clone())
            .collect();
        let gone = self.missing.take_in(&self.source, &unseen).await;
        let gone = gone.map_err(self.on_source())?;
        if !self.task.leads() {
            return Ok(gone);
        }
        for topic in &gone {
            self.see_to_gone(topic).await.map_err(self.on_target())?;
        }
        Ok(gone)
    }

    async fn see_to_gone(&mut self, topic: &str) -> Result<(), Error> {
        let key = self.key(topic);
        let Some(record) = self.own(topic).cloned() else {
            return Ok(());
        };
        let target_topic = record.target_topic.clone();
        let metadata = self
            .target
            .metadata_of(std::slice::from_ref(&target_topic))
            .await?;
        let Some(there) = metadata.topics.get(&target_topic) else {
            tracing::info!(
                topic,
                "it is gone from the source, and `{target_topic}` from the target"
            );
            return Ok(());
        };
        let log = self.target_log.records();
        let id = there.id.to_string();
        if let Some(why) = source_delete::obstacle(&self.mirror, (&key, &record), log, &id) {
            tracing::warn!(
                topic,
                "it is gone from the source; `{target_topic}` stays: {why}"
            );
            return Ok(());
        }
        if let Err(error) = self.target.delete_topic(&target_topic, there.id).await {
            tracing::error!(topic, %error,
                "it is gone from the source, and `{target_topic}` could not be deleted");
            return Ok(());
        }
        tracing::warn!(
            topic,
            "it is gone from the source: deleted `{target_topic}` on the target"
        );
        let now = now_ms();
        let forgotten = (0..there.partitions.len() as i32)
            .map(|partition| {
                let position = PositionKey {
                    mirror: self.mirror.name.clone(),
                    source_cluster_id: self.source.cluster_id().to_owned(),
                    topic: topic.to_owned(),
                    partition,
                };
                tombstone(&position, now)
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let leaders = Arc::new(Leaders::tracking(self.target.clone(), POSITIONS_TOPIC));
        Appender::new(leaders, POSITIONS_TOPIC)
            .append_within(PATIENCE, &forgotten)
            .await?;
        self.target_log.write(&[(key, None)]).await
    }
}
