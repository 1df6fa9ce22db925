//! Who fills which topic, and where its records come from: what is said on the target before the first record, and what
//! follows from what others said.

use std::collections::BTreeSet;

use register::{Origin, TOPICS_TOPIC, TopicRecord};

use super::{Changes, Created, Selected, Upkeep};
use crate::error::RunError;
use crate::position_writer::now_ms;
use crate::topics::provenance::{self, Verdict};
use crate::topics::{MirroredTopic, Refused};

/// The format that this build writes.
const VERSION: u32 = 1;

impl Upkeep {
    /// Takes out what has been on the target already.
    pub(super) async fn screen(
        &mut self,
        selected: Selected,
        running: &BTreeSet<&str>,
    ) -> Result<(Selected, Vec<String>), RunError> {
        let mut kept = Vec::with_capacity(selected.len());
        let mut over = Vec::new();
        let mut withdrawn = Changes::new();
        for (topic, target) in selected {
            let runs = running.contains(topic.name.as_str());
            match self.judge(&topic.name, &topic.id.to_string()) {
                Verdict::Clear => kept.push((topic, target)),
                Verdict::Wait { ring } => {
                    self.say_ring(&topic.name, &ring);
                    if runs {
                        kept.push((topic, target));
                    }
                }
                Verdict::LeaveOut { ring } => {
                    self.say_ring(&topic.name, &ring);
                    if self.own(&topic.name).is_some() {
                        withdrawn.push((self.key(&topic.name), None));
                    }
                    if runs {
                        over.push(topic.name);
                    }
                }
            }
        }
        if !withdrawn.is_empty() {
            let written = self.target_log.write(&withdrawn).await;
            written.map_err(self.on_target())?;
        }
        Ok((kept, over))
    }

    /// Says on the target where the records of its topics come from, before the first of them.
    ///
    /// Everybody writes first and reads then, so of two that begin at the same moment at least one
    /// sees the other.
    pub(super) async fn claim(
        &mut self,
        ready: Vec<MirroredTopic>,
        created: &Created,
        running: &BTreeSet<&str>,
        refused: &mut Vec<Refused>,
    ) -> Result<Vec<MirroredTopic>, RunError> {
        let mut claims = Changes::new();
        let mut kept = Vec::with_capacity(ready.len());
        let mut new = BTreeSet::new();
        for topic in ready {
            if let Some(reason) = self.conflict(&topic) {
                refused.push(topic.refused(reason));
                if self.own(&topic.source.name).is_some() {
                    claims.push((self.key(&topic.source.name), None));
                }
                continue;
            }
            let record = self.record(&topic, created.get(&topic.target.name));
            let own = self.own(&topic.source.name);
            if own.is_none() {
                new.insert(topic.source.name.clone());
            }
            if own != Some(&record) {
                claims.push((self.key(&topic.source.name), Some(record)));
            }
            kept.push(topic);
        }
        if claims.is_empty() {
            return Ok(kept);
        }
        let written = self.target_log.write(&claims).await;
        written.map_err(self.on_target())?;
        if new.is_empty() {
            return Ok(kept);
        }
        self.read_source_log().await?;
        let mut withdrawn = Changes::new();
        let mut sure = Vec::with_capacity(kept.len());
        for topic in kept {
            let name = &topic.source.name;
            if !new.contains(name) || running.contains(name.as_str()) {
                sure.push(topic);
                continue;
            }
            if let Some(reason) = self.conflict(&topic) {
                withdrawn.push((self.key(name), None));
                refused.push(topic.refused(reason));
                continue;
            }
            match self.judge(name, &topic.source.id.to_string()) {
                Verdict::Clear => sure.push(topic),
                Verdict::Wait { ring } => self.say_ring(name, &ring),
                Verdict::LeaveOut { ring } => {
                    self.say_ring(name, &ring);
                    withdrawn.push((self.key(name), None));
                }
            }
        }
        if !withdrawn.is_empty() {
            let written = self.target_log.write(&withdrawn).await;
            written.map_err(self.on_target())?;
        }
        Ok(sure)
    }

    /// Who else fills the target topic, from another topic or cluster, and has the older claim.
    pub(in crate::topics) fn conflict(&self, topic: &MirroredTopic) -> Option<String> {
        let own_key = self.key(&topic.source.name);
        let own = self.own(&topic.source.name);
        let target_id = topic.target.id.to_string();
        self.target_log.records().iter().find_map(|(key, other)| {
            let same_topic = other.target_topic == topic.target.name
                && other.target_topic_id == target_id;
            let same_source = key.source_cluster_id == own_key.source_cluster_id
                && key.topic == own_key.topic;
            let older = own.is_none_or(|own| other.origins.first() < own.origins.first());
            // whoever was promoted fills nothing any more
            let fills = other.released.is_none();
            (same_topic && !same_source && older && fills).then(|| {
                format!(
                    "`{}` on the target is filled from `{}` of cluster {} by mirror `{}`: two sources in \
                     one topic would break the order of both. Give them different names, or remove that \
                     mirror's record from {TOPICS_TOPIC} where it no longer runs",
                    topic.target.name, key.topic, key.source_cluster_id, key.mirror
                )
            })
        })
    }

    /// What is said of a topic; `given` are the configuration keys that it was made with just now.
    fn record(&self, topic: &MirroredTopic, given: Option<&BTreeSet<String>>) -> TopicRecord {
        let target_topic_id = topic.target.id.to_string();
        let own = self.own(&topic.source.name);
        let since_ms = own
            .and_then(|own| own.origins.first())
            .map_or_else(now_ms, |origin| origin.since_ms);
        let mut origins = vec![Origin {
            since_ms,
            cluster_id: self.source.cluster_id().to_owned(),
        }];
        origins.extend(self.way(&topic.source.name, &topic.source.id.to_string()));
        TopicRecord {
            version: VERSION,
            target_topic: topic.target.name.clone(),
            synced_configs: own
                .filter(|own| own.target_topic_id == target_topic_id)
                .map(|own| &own.synced_configs)
                .or(given)
                .cloned()
                .unwrap_or_default(),
            target_topic_id,
            origins,
            released: None,
        }
    }

    pub(in crate::topics) fn judge(&self, topic: &str, topic_id: &str) -> Verdict {
        let own = self.own(topic).and_then(|own| own.origins.first());
        let way = self.way(topic, topic_id);
        provenance::judge(
            &way,
            self.source.cluster_id(),
            self.target.cluster_id(),
            own,
        )
    }

    fn way(&self, topic: &str, topic_id: &str) -> Vec<Origin> {
        provenance::way(self.source_log.records(), topic, topic_id)
    }

    pub(in crate::topics) fn ring_reason(&self, topic: &str) -> String {
        let target = self.target.cluster_id();
        let by = self.source_log.records().iter().find_map(|(key, record)| {
            let comes = record.origins.iter().any(|hop| hop.cluster_id == target);
            let fills = record.target_topic == topic && record.released.is_none();
            (fills && comes).then(|| key.mirror.clone())
        });
        let alias = &self.mirror.target;
        match by {
            Some(by) => format!(
                "mirror `{by}` fills it with what comes from `{alias}`, and copying it there would go round for ever; once the \
                 promotion of that mirror is over (`state: promoted`) it is copied back"
            ),
            None => format!(
                "its records come from `{alias}`, and copying them there would go round for ever"
            ),
        }
    }

    fn say_ring(&mut self, topic: &str, ring: &[String]) {
        let ring = ring.join(" ← ");
        let reason = self.ring_reason(topic);
        self.left_out.insert(topic.to_owned(), reason.clone());
        if self.say(format!("ring {topic} {ring}")) {
            tracing::warn!(topic, ring, "left out: {reason}");
        }
    }
}
