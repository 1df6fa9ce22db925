//! Exactly-once leaves out the topics of which it cannot keep its promise.

use std::collections::BTreeSet;
use std::sync::Arc;

use topology::Delivery;

use super::{Selected, Upkeep};
use crate::error::RunError;
use crate::topics::compacted::{self, Policy};
use crate::topics::{MirroredTopic, Refused};
use crate::traffic::Side;

impl Upkeep {
    /// Takes out what is compacted on the source, before anything is made for it on the target.
    pub(super) async fn provable_sources(
        &mut self,
        selected: Selected,
        running: &BTreeSet<&str>,
        refused: &mut Vec<Refused>,
    ) -> Result<Selected, RunError> {
        if self.mirror.delivery == Delivery::AtLeastOnce {
            return Ok(selected);
        }
        let judged = compacted::judge(&self.source, selected, |(topic, _)| &topic.name).await;
        let judged = judged.map_err(self.on_source())?;
        let mut kept = Selected::with_capacity(judged.len());
        for ((topic, target), policy) in judged {
            match self.refusal(Side::Source, &topic.name, &policy, running) {
                None => kept.push((topic, target)),
                Some(reason) => refused.push(Refused {
                    topic: Arc::new(topic),
                    target: target.into(),
                    reason,
                }),
            }
        }
        Ok(kept)
    }

    /// Takes out what is compacted on the target.
    pub(super) async fn provable_targets(
        &mut self,
        ready: Vec<MirroredTopic>,
        running: &BTreeSet<&str>,
        refused: &mut Vec<Refused>,
    ) -> Result<Vec<MirroredTopic>, RunError> {
        if self.mirror.delivery == Delivery::AtLeastOnce {
            return Ok(ready);
        }
        let judged = compacted::judge(&self.target, ready, |topic| &topic.target.name).await;
        let judged = judged.map_err(self.on_target())?;
        let mut kept = Vec::with_capacity(judged.len());
        for (topic, policy) in judged {
            match self.refusal(Side::Target, &topic.source.name, &policy, running) {
                None => kept.push(topic),
                Some(reason) => refused.push(topic.refused(reason)),
            }
        }
        Ok(kept)
    }

    /// What cannot be known is not a change: a topic that is copied, and was found to be provable when that began, is copied
    /// on until it is known to be compacted. One that is new has to be known.
    fn refusal(
        &mut self,
        side: Side,
        topic: &str,
        policy: &Policy,
        running: &BTreeSet<&str>,
    ) -> Option<String> {
        let place = (side, topic.to_owned());
        if let Policy::Unread(error) = policy
            && running.contains(topic)
        {
            if self.unread.insert(place) {
                tracing::warn!(topic, %error,
                    "whether it is compacted on the {side} cannot be read any more; it is copied on, and that is tried again");
            }
            return None;
        }
        if self.unread.remove(&place) {
            tracing::info!(
                topic,
                "whether it is compacted on the {side} is known again"
            );
        }
        policy.refusal(side)
    }
}
