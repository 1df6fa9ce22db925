//! One discovery after the other: which topics to copy, ready on the target, and what follows the
//! source besides records.

mod claims;
mod configs;
mod gone;
mod led;
mod provable;
mod selection;

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, Error, TopicMetadata, TopicPartition};
use register::{Begin, HandedOver, Released, TOPICS_TOPIC, TopicKey, TopicRecord};
use tokio::time::Instant;
use topology::Mirror;

use self::selection::Offer;
use super::handed_over::{Screened, Screening};
use super::source_delete::Missing;
use super::{End, MirroredTopic, Prepared, Refused, prepare, select};
use crate::error::RunError;
use crate::options::Mode;
use crate::position::{Position, PositionKey};
use crate::position_writer::now_ms;
use crate::progress::LeftOut;
use crate::task::Task;
use crate::topic_log::TopicLog;
use crate::traffic::Side;

/// What one discovery found.
#[derive(Debug)]
pub(crate) struct Discovered {
    /// To be copied, and on the target with all their partitions.
    pub(crate) ready: Vec<MirroredTopic>,
    /// Selected and not copied. Of one that was copied before, the partitions that are stay so unless it is `over`.
    pub(crate) refused: Vec<Refused>,
    /// Source topics that are no longer copied: gone, refused, or found to go round in circles.
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
    task: Task,
    configs_compared: Option<Instant>,
    mode: Mode,
    /// As the last discovery found, by topic.
    left_out: BTreeMap<String, String>,
    /// So the last discovery found.
    selects_nothing: bool,
    /// Copied topics of which it cannot be read whether they are compacted.
    unread: BTreeSet<(Side, String)>,
    /// What was said already.
    said: BTreeSet<String>,
}

type Selected = Vec<(TopicMetadata, String)>;
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
            task: Task::WHOLE,
            configs_compared: None,
            mode,
            left_out: BTreeMap::new(),
            selects_nothing: false,
            unread: BTreeSet::new(),
            said: BTreeSet::new(),
        }
    }

    /// Of one task: only the first one changes anything on the target.
    pub(crate) fn of(self, task: Task) -> Self {
        Self { task, ..self }
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
        let offer = Offer::of(&self.mirror, &metadata.topics);
        let selected = select(&self.mirror, &self.source_alias, metadata.topics);
        let in_all = selected.len();
        self.say_selection(in_all, &offer);
        let (paused, selected) = selected
            .into_iter()
            .partition(|(topic, _)| self.mirror.is_paused(&topic.name));
        let (selected, mut over) = self.screen(selected, &running).await?;
        let selected = if self.task.leads() {
            selected
        } else {
            self.led(selected, &running, &mut over).await?
        };
        let mut refused = Vec::new();
        let selected = self
            .provable_sources(selected, &running, &mut refused)
            .await?;
        let (source_alias, source) = (self.source_alias.clone(), self.source.clone());
        let source = End {
            alias: &source_alias,
            cluster: &source,
        };
        let (target_alias, target) = (self.mirror.target.clone(), self.target.clone());
        let target = End {
            alias: &target_alias,
            cluster: &target,
        };
        let Prepared {
            ready,
            refused: unready,
            created,
        } = prepare(&self.mirror, source, target, selected).await?;
        let ready = self.provable_targets(ready, &running, &mut refused).await?;
        // it may be copied since before it was compacted
        let compacted = refused.iter().map(|it| &it.topic.name);
        over.extend(
            compacted
                .filter(|it| running.contains(it.as_str()))
                .cloned(),
        );
        refused.extend(unready);
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
            refused: handed_over,
            begins,
        } = screened.map_err(self.on_target())?;
        refused.extend(handed_over);
        let ready = self.claim(ready, &created, &running, &mut refused).await?;
        for it in &refused {
            let name = &it.topic.name;
            if running.contains(name.as_str()) && self.own(name).is_none() {
                over.push(name.clone());
            }
        }
        if self.task.leads() {
            self.sync_configs(&ready).await;
        }
        over.extend(self.see_to_missing(&seen).await?);
        Ok(Discovered {
            ready,
            refused,
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
