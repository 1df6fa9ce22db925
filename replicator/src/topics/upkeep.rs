//! One discovery after the other: which topics to copy, ready on the target, and what follows the
//! source besides records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kafka::{BrokerError, Cluster, ConfigEntry, Error, TopicMetadata, TopicPartition};
use register::{Begin, HandedOver, Origin, Released, TOPICS_TOPIC, TopicKey, TopicRecord};
use tokio::time::Instant;
use topology::{Delivery, Mirror};

use super::config_sync;
use super::handed_over::{Screened, Screening};
use super::provenance::{self, Verdict};
use super::source_delete::{self, Missing};
use super::{End, MirroredTopic, Prepared, prepare, select};
use crate::appender::{Appender, tombstone};
use crate::compacted;
use crate::error::RunError;
use crate::leaders::Leaders;
use crate::options::Mode;
use crate::position::{POSITIONS_TOPIC, Position, PositionKey};
use crate::position_writer::now_ms;
use crate::progress::{LeftOut, PartitionFailure};
use crate::topic_log::TopicLog;

/// The format that this build writes.
const VERSION: u32 = 1;
/// How long forgetting positions may be kept from its end by something passing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one discovery found.
#[derive(Debug)]
pub(crate) struct Discovered {
    /// To be copied, and on the target with all their partitions.
    pub(crate) ready: Vec<MirroredTopic>,
    /// Not copied, and why.
    pub(crate) failed: Vec<PartitionFailure>,
    /// Source topics that are no longer copied: gone, or found to go round in circles.
    pub(crate) over: Vec<String>,
    /// Partitions that begin elsewhere than others of the mirror, once they begin.
    pub(crate) begins: BTreeMap<TopicPartition, Begin>,
    /// Selected and not copied, because their records come from the target.
    pub(crate) left_out: Vec<LeftOut>,
    /// Selected and held back (`pausedTopics`), with their names on the target.
    pub(crate) paused: Vec<(TopicMetadata, String)>,
    /// How many topics are selected, whatever became of them.
    pub(crate) selected: usize,
}

/// What a run remembers from discovery to discovery.
#[derive(Debug)]
pub(crate) struct Upkeep {
    mirror: Mirror,
    source_alias: String,
    source: Cluster,
    target: Cluster,
    source_log: TopicLog,
    target_log: TopicLog,
    missing: Missing,
    configs_compared: Option<Instant>,
    mode: Mode,
    /// As the last discovery found, by topic.
    left_out: BTreeMap<String, String>,
    /// What was said already.
    said: BTreeSet<String>,
}

type Selected = Vec<(TopicMetadata, String)>;
type Described = BTreeMap<String, Result<BTreeMap<String, ConfigEntry>, BrokerError>>;
type Created = BTreeMap<String, BTreeSet<String>>;
type Changes = Vec<(TopicKey, Option<TopicRecord>)>;

impl Upkeep {
    pub(crate) fn new(
        mirror: &Mirror,
        source_alias: &str,
        source: Cluster,
        target: Cluster,
        mode: Mode,
    ) -> Self {
        Self {
            mirror: mirror.clone(),
            source_alias: source_alias.to_owned(),
            source_log: TopicLog::new(source.clone()),
            target_log: TopicLog::new(target.clone()),
            source,
            target,
            missing: Missing::default(),
            configs_compared: None,
            mode,
            left_out: BTreeMap::new(),
            said: BTreeSet::new(),
        }
    }

    /// Selects, leaves out what would close a ring, creates or grows on the target, says there
    /// where the records come from, and sees to configuration and to topics that are gone. Cancel
    /// safe: the next discovery does what this one left undone.
    pub(crate) async fn discover(
        &mut self,
        running: &BTreeSet<TopicPartition>,
        positions: &BTreeMap<PositionKey, Position>,
    ) -> Result<Discovered, RunError> {
        self.left_out.clear();
        let copied = running;
        let running: BTreeSet<&str> = running.iter().map(|it| it.topic.as_str()).collect();
        self.target_log.ensure().await.map_err(self.on_target())?;
        self.target_log.refresh().await.map_err(self.on_target())?;
        self.read_source_log().await?;
        let metadata = self.source.metadata().await.map_err(self.on_source())?;
        let seen: BTreeSet<String> = metadata
            .topics
            .keys()
            .chain(metadata.failed.keys())
            .cloned()
            .collect();
        let selected = select(&self.mirror, &self.source_alias, metadata.topics);
        let in_all = selected.len();
        let (paused, selected) = selected
            .into_iter()
            .partition(|(topic, _)| self.mirror.is_paused(&topic.name));
        let (selected, mut over) = self.screen(selected, &running).await?;
        let (selected, refused) = match self.mirror.delivery {
            Delivery::ExactlyOnce => compacted::refuse_compacted_sources(&self.source, selected)
                .await
                .map_err(self.on_source())?,
            Delivery::AtLeastOnce => (selected, Vec::new()),
        };
        // it may be copied since before it was compacted
        let ended = refused.iter().map(|failure| &failure.topic);
        over.extend(ended.filter(|it| running.contains(it.as_str())).cloned());
        let (source, target) = (self.source.clone(), self.target.clone());
        let source = End {
            alias: &self.source_alias,
            cluster: &source,
        };
        let target = End {
            alias: &self.mirror.target,
            cluster: &target,
        };
        let Prepared {
            ready,
            mut failed,
            created,
        } = prepare(&self.mirror, source, target, selected).await?;
        failed.extend(refused);
        let screening = Screening {
            mirror: &self.mirror,
            source,
            target,
            on_source: self.source_log.records(),
            on_target: self.target_log.records(),
            positions,
            running: copied,
            mode: self.mode,
        };
        let screened = screening.screen(ready).await;
        let Screened {
            ready,
            failed: handed_over,
            begins,
        } = screened.map_err(self.on_target())?;
        failed.extend(handed_over);
        let ready = self.claim(ready, &created, &running, &mut failed).await?;
        for failure in &failed {
            if running.contains(failure.topic.as_str()) && self.own(&failure.topic).is_none() {
                over.push(failure.topic.clone());
            }
        }
        self.sync_configs(&ready).await;
        over.extend(self.see_to_missing(&seen).await?);
        Ok(Discovered {
            ready,
            failed,
            over,
            begins,
            paused,
            selected: in_all,
            left_out: std::mem::take(&mut self.left_out)
                .into_iter()
                .map(|(topic, reason)| LeftOut { topic, reason })
                .collect(),
        })
    }

    /// Marks what this mirror said about its topics on the target as released; `ended` is where their partitions ended, by
    /// topic of the source, `source_ids` are the ids of those.
    pub(crate) async fn release(
        &mut self,
        mut ended: BTreeMap<String, BTreeMap<i32, HandedOver>>,
        source_ids: &BTreeMap<String, String>,
    ) -> Result<(), RunError> {
        self.target_log.refresh().await.map_err(self.on_target())?;
        let at_ms = now_ms();
        let own_cluster = self.source.cluster_id();
        let own = self.target_log.records().iter().filter(|(key, record)| {
            key.mirror == self.mirror.name
                && key.source_cluster_id == own_cluster
                && record.released.is_none()
        });
        let changes: Changes = own
            .map(|(key, record)| {
                let source_topic_id = source_ids.get(&key.topic).cloned();
                let released = Some(Released {
                    at_ms,
                    partitions: ended
                        .remove(&key.topic)
                        .filter(|_| source_topic_id.is_some()),
                    source_topic_id: source_topic_id.unwrap_or_default(),
                });
                let record = TopicRecord {
                    released,
                    ..record.clone()
                };
                (key.clone(), Some(record))
            })
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let written = self.target_log.write(&changes).await;
        written.map_err(self.on_target())
    }

    /// Takes out what has been on the target already.
    async fn screen(
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
    async fn claim(
        &mut self,
        ready: Vec<MirroredTopic>,
        created: &Created,
        running: &BTreeSet<&str>,
        failed: &mut Vec<PartitionFailure>,
    ) -> Result<Vec<MirroredTopic>, RunError> {
        let mut claims = Changes::new();
        let mut kept = Vec::with_capacity(ready.len());
        let mut new = BTreeSet::new();
        for topic in ready {
            if let Some(reason) = self.conflict(&topic) {
                failed.push(failure(&topic, reason));
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
                failed.push(failure(&topic, reason));
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
    pub(super) fn conflict(&self, topic: &MirroredTopic) -> Option<String> {
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

    /// Compares configuration where it is time; what fails is said and tried again the next time.
    async fn sync_configs(&mut self, ready: &[MirroredTopic]) {
        let due = self
            .configs_compared
            .is_none_or(|at| at.elapsed() >= self.mirror.topic_sync.config_interval);
        if !self.mirror.topic_sync.config || !due || ready.is_empty() {
            return;
        }
        self.configs_compared = Some(Instant::now());
        if let Err(error) = self.compare_configs(ready).await {
            tracing::warn!(%error, "topic configuration could not be compared; trying again");
        }
    }

    async fn compare_configs(&mut self, ready: &[MirroredTopic]) -> Result<(), Error> {
        let topics = config_sync::touchable(&self.mirror, ready);
        let names = |name: fn(&MirroredTopic) -> &str| -> Vec<String> {
            topics.iter().map(|it| name(it).to_owned()).collect()
        };
        let mut here: Described = self
            .source
            .describe_topic_configs(&names(|it| &it.source.name))
            .await?;
        let mut there: Described = self
            .target
            .describe_topic_configs(&names(|it| &it.target.name))
            .await?;
        let mut records = Changes::new();
        for topic in topics {
            let (source, target) = (&topic.source.name, &topic.target.name);
            let (here, there) = match (here.remove(source), there.remove(target)) {
                (Some(Ok(here)), Some(Ok(there))) => (here, there),
                (Some(Err(error)), _) | (_, Some(Err(error))) => {
                    if self.say(format!("configs of {source}: {error}")) {
                        tracing::warn!(topic = source, %error,
                            "its configuration cannot be read and does not follow");
                    }
                    continue;
                }
                (None, _) | (_, None) => continue,
            };
            let Some(own) = self.own(source).cloned() else {
                continue;
            };
            let mut found =
                config_sync::difference(&self.mirror, target, &here, &there, &own.synced_configs);
            if !found.changes.is_empty() {
                let refused = config_sync::apply(&self.target, target, &found.changes).await?;
                for (key, reason) in refused {
                    found.synced.remove(&key);
                    if self.say(format!("config {key} of {target}: {reason}")) {
                        tracing::warn!(
                            topic = target,
                            key,
                            reason,
                            "the target refuses a configuration value of the source"
                        );
                    }
                }
            }
            if found.synced != own.synced_configs {
                let record = TopicRecord {
                    synced_configs: found.synced,
                    ..own
                };
                records.push((self.key(source), Some(record)));
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.target_log.write(&records).await
    }

    /// Topics that this mirror filled and that the source no longer has.
    async fn see_to_missing(&mut self, seen: &BTreeSet<String>) -> Result<Vec<String>, RunError> {
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

    /// What this cluster's mirrors say about its topics; one that we may not read says nothing.
    pub(super) async fn read_target_log(&mut self) -> Result<(), RunError> {
        match self.target_log.refresh().await {
            Err(Error::Broker { error, .. }) if error.name() == "TOPIC_AUTHORIZATION_FAILED" => {
                Ok(())
            }
            read => read.map_err(self.on_target()),
        }
    }

    /// What the source's own mirrors say. One that we may not read says nothing.
    pub(super) async fn read_source_log(&mut self) -> Result<(), RunError> {
        match self.source_log.refresh().await {
            Ok(()) => Ok(()),
            Err(Error::Broker { error, .. }) if error.name() == "TOPIC_AUTHORIZATION_FAILED" => {
                if self.say(format!("{TOPICS_TOPIC} of the source")) {
                    tracing::warn!(
                        cluster = self.source_alias,
                        "{TOPICS_TOPIC} may not be read: mirrors in a ring cannot be noticed"
                    );
                }
                Ok(())
            }
            Err(error) => Err(self.on_source()(error)),
        }
    }

    pub(super) fn judge(&self, topic: &str, topic_id: &str) -> Verdict {
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

    fn key(&self, topic: &str) -> TopicKey {
        TopicKey {
            mirror: self.mirror.name.clone(),
            source_cluster_id: self.source.cluster_id().to_owned(),
            topic: topic.to_owned(),
        }
    }

    fn own(&self, topic: &str) -> Option<&TopicRecord> {
        self.target_log.records().get(&self.key(topic))
    }

    pub(super) fn ring_reason(&self, topic: &str) -> String {
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

    /// Whether this is new.
    fn say(&mut self, what: String) -> bool {
        self.said.insert(what)
    }

    fn on_source(&self) -> impl Fn(Error) -> RunError + use<> {
        let alias = self.source_alias.clone();
        move |error| RunError::Source {
            alias: alias.clone(),
            error,
        }
    }

    fn on_target(&self) -> impl Fn(Error) -> RunError + use<> {
        let alias = self.mirror.target.clone();
        move |error| RunError::Target {
            alias: alias.clone(),
            error,
        }
    }
}

pub(super) fn failure(topic: &MirroredTopic, reason: String) -> PartitionFailure {
    PartitionFailure {
        topic: topic.source.name.clone(),
        partition: None,
        position: None,
        reason,
    }
}
