//! Topics that are refused as a whole: said once, and shown as failed with what the source has of them.

use std::collections::BTreeSet;

use kafka::{PartitionMetadata, TopicMetadata, TopicPartition};

use super::Run;
use crate::identity::PartitionId;
use crate::options::Mode;
use crate::progress::{PartitionFailure, PartitionProgress};
use crate::topics::{MirroredTopic, Refused};

impl Run<'_> {
    /// Says what is new among the refusals, and which are over. A run that ends by itself names them at its end; one that
    /// goes on shows their partitions meanwhile, so that whoever watches the figures sees that records are missing.
    pub(super) async fn refuse(&mut self, refused: &[Refused], ready: &[MirroredTopic]) {
        let names: BTreeSet<&str> = refused.iter().map(|it| &*it.topic.name).collect();
        let over = |topic: &String, _: &mut String| !names.contains(topic.as_str());
        for (topic, _) in self.refused.extract_if(.., over) {
            tracing::info!(topic, "it is refused no longer");
            self.progress.allow(&topic);
            // what is copied now is shown as such in its place
            if ready.iter().all(|it| *it.source_name != *topic) {
                self.progress.let_go(&topic);
            }
        }
        for Refused { topic, reason, .. } in refused {
            let said = self.refused.insert(topic.name.clone(), reason.clone());
            if said.as_ref() == Some(reason) {
                continue;
            }
            tracing::error!(topic = topic.name, %reason, "topic is not copied; the others go on");
            self.progress.allow(&topic.name);
            self.progress.fail(PartitionFailure {
                topic: topic.name.clone(),
                partition: None,
                position: None,
                reason: reason.clone(),
            });
        }
        if self.options.mode == Mode::Continuous {
            self.show_refused(refused).await;
        }
    }

    /// Shows their partitions as failed: where they were copied to, or where they would begin. Those that are copied all the
    /// same, because only new partitions of their topic are refused, stay as they are.
    async fn show_refused(&mut self, refused: &[Refused]) {
        let mut new: Vec<(&Refused, &PartitionMetadata)> = Vec::new();
        for it in refused {
            for partition in &it.topic.partitions {
                let place = TopicPartition::new(it.topic.name.clone(), partition.index);
                // where only new partitions of a topic are refused, other tasks may copy the rest
                let others = !self.task.has(&place)
                    && self
                        .ownership
                        .positions()
                        .contains_key(&self.position_key(&place));
                let copied = others || self.running.contains(&place);
                if !copied && !self.progress.refuse(&place, &it.reason) {
                    new.push((it, partition));
                }
            }
        }
        let places: Vec<(&TopicMetadata, &PartitionMetadata)> = new
            .iter()
            .map(|(it, partition)| (&*it.topic, *partition))
            .collect();
        let standing = self.standing(&places).await;
        self.note_starts(&places, &standing);
        for (it, partition) in new {
            let place = TopicPartition::new(it.topic.name.clone(), partition.index);
            let Some(position) = standing.get(&place) else {
                continue;
            };
            let id = PartitionId {
                source_topic: it.topic.name.as_str().into(),
                target_topic: it.target.clone(),
                partition: partition.index,
            };
            let shown = PartitionProgress::only_shown(id, *position);
            shown.fail(&it.reason);
            self.progress.add(shown);
        }
    }
}
