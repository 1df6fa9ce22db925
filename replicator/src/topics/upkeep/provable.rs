//! Exactly-once leaves out the topics of which it cannot keep its promise.

use std::collections::BTreeSet;

use topology::Delivery;

use super::{Selected, Upkeep};
use crate::error::RunError;
use crate::progress::PartitionFailure;
use crate::topics::MirroredTopic;
use crate::topics::compacted::{self, Policy};
use crate::traffic::Side;

impl Upkeep {
    /// Takes out what is compacted on the source, before anything is made for it on the target.
    pub(super) async fn provable_sources(
        &mut self,
        selected: Selected,
        running: &BTreeSet<&str>,
        refused: &mut Vec<PartitionFailure>,
    ) -> Result<Selected, RunError> {
        if self.mirror.delivery == Delivery::AtLeastOnce {
            return Ok(selected);
        }
        let judged = compacted::judge(&self.source, selected, |(topic, _)| &topic.name).await;
        let judged = judged.map_err(self.on_source())?;
        let name = |(topic, _): &(kafka::TopicMetadata, String)| topic.name.clone();
        Ok(self.sort_out(Side::Source, judged, name, running, refused))
    }

    /// Takes out what is compacted on the target.
    pub(super) async fn provable_targets(
        &mut self,
        ready: Vec<MirroredTopic>,
        running: &BTreeSet<&str>,
        refused: &mut Vec<PartitionFailure>,
    ) -> Result<Vec<MirroredTopic>, RunError> {
        if self.mirror.delivery == Delivery::AtLeastOnce {
            return Ok(ready);
        }
        let judged = compacted::judge(&self.target, ready, |topic| &topic.target.name).await;
        let judged = judged.map_err(self.on_target())?;
        let name = |topic: &MirroredTopic| topic.source.name.clone();
        Ok(self.sort_out(Side::Target, judged, name, running, refused))
    }

    /// What cannot be known is not a change: a topic that is copied, and was found to be provable when that began, is copied
    /// on until it is known to be compacted. One that is new has to be known.
    fn sort_out<T>(
        &mut self,
        side: Side,
        judged: Vec<(T, Policy)>,
        name: impl Fn(&T) -> String,
        running: &BTreeSet<&str>,
        refused: &mut Vec<PartitionFailure>,
    ) -> Vec<T> {
        let mut kept = Vec::with_capacity(judged.len());
        for (judged, policy) in judged {
            let topic = name(&judged);
            let place = (side, topic.clone());
            if let Policy::Unread(error) = &policy
                && running.contains(topic.as_str())
            {
                if self.unread.insert(place) {
                    tracing::warn!(topic, %error, "whether it is compacted on the {side} cannot be read any more; it is copied \
                        on, and that is tried again");
                }
                kept.push(judged);
                continue;
            }
            if self.unread.remove(&place) {
                tracing::info!(topic, "whether it is compacted on the {side} is known again");
            }
            match policy.refusal(side) {
                None => kept.push(judged),
                Some(reason) => refused.push(PartitionFailure {
                    topic,
                    partition: None,
                    position: None,
                    reason,
                }),
            }
        }
        kept
    }
}
