//! Topics that a promotion handed over to the applications: where the way back begins, and what must not be filled again.
//!
//! The marks of a promotion (`register::Released`) say how far the old source was copied, and where the target ended right
//! after. A mirror the other way round begins there, as long as the old source still ends where it was copied to: then both
//! hold the same, and nothing is copied twice or left out. Where that does not hold, or is not known, the topic is not copied
//! unless `startOffset` says where to begin.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Error, OffsetSpec, TopicPartition};
use register::{Begin, Released, TopicKey, TopicRecord, begins, unexplained};
use topology::{Mirror, StartOffset};

use super::{End, MirroredTopic, Refused};
use crate::options::Mode;
use crate::position::{Position, PositionKey};

/// What is known when topics are about to be copied.
#[derive(Debug)]
pub(crate) struct Screening<'a> {
    pub(crate) mirror: &'a Mirror,
    pub(crate) source: End<'a>,
    pub(crate) target: End<'a>,
    /// What the mirrors into the source say there.
    pub(crate) on_source: &'a BTreeMap<TopicKey, TopicRecord>,
    /// What the mirrors into the target say there.
    pub(crate) on_target: &'a BTreeMap<TopicKey, TopicRecord>,
    pub(crate) positions: &'a BTreeMap<PositionKey, Position>,
    /// Partitions that are copied already.
    pub(crate) running: &'a BTreeSet<TopicPartition>,
    pub(crate) mode: Mode,
}

/// What became of the topics.
#[derive(Debug, Default)]
pub(crate) struct Screened {
    pub(crate) ready: Vec<MirroredTopic>,
    pub(crate) refused: Vec<Refused>,
    /// Partitions of the source that begin elsewhere than others of the mirror.
    pub(crate) begins: BTreeMap<TopicPartition, Begin>,
}

/// What promotions say about a topic.
#[derive(Debug)]
enum Claim<'a> {
    /// Nothing.
    None,
    /// This mirror filled the source topic from the target topic, until it was promoted.
    WayBack {
        by: &'a str,
        released: &'a Released,
        /// Partitions that have no position yet.
        open: Vec<i32>,
    },
    /// This mirror filled the target topic until it was promoted; applications write to it now.
    Taken { by: &'a str },
}

impl<'a> Screening<'a> {
    /// Cancel safe: nothing but reads.
    pub(crate) async fn screen(&self, topics: Vec<MirroredTopic>) -> Result<Screened, Error> {
        let mut screened = Screened::default();
        let mut logs = self.on_source.values().chain(self.on_target.values());
        if !logs.any(|record| record.released.is_some()) {
            screened.ready = topics;
            return Ok(screened);
        }
        let claims: Vec<(MirroredTopic, Claim<'a>)> = topics
            .into_iter()
            .map(|topic| {
                let claim = self.claim(&topic);
                (topic, claim)
            })
            .collect();
        let ends = self.target_ends(&claims).await?;
        for (topic, claim) in claims {
            let judged = match claim {
                Claim::None => Ok(Vec::new()),
                Claim::Taken { by } => Err(self.taken(&topic, by)),
                Claim::WayBack { by, released, open } => {
                    self.way_back(&topic, by, released, &open, &ends)
                }
            };
            match judged {
                Ok(begins) => {
                    let name = &topic.source.name;
                    let begins = begins.into_iter();
                    screened.begins.extend(begins.map(|(partition, begin)| {
                        (TopicPartition::new(name.clone(), partition), begin)
                    }));
                    screened.ready.push(topic);
                }
                Err(reason) => screened.refused.push(topic.refused(reason)),
            }
        }
        Ok(screened)
    }

    fn claim(&self, topic: &MirroredTopic) -> Claim<'a> {
        let own = self.key(topic);
        if self.mode != Mode::Last
            && let Some((key, record)) = self.on_target.get_key_value(&own)
            && record.released.is_some()
            && is_of(record, &topic.target.name, &topic.target.id.to_string())
        {
            return Claim::Taken { by: &key.mirror };
        }
        let partitions = 0..topic.source.partitions.len() as i32;
        let open: Vec<i32> = partitions.filter(|it| !self.knows(&own, *it)).collect();
        if open.is_empty() {
            return Claim::None;
        }
        let source_id = topic.source.id.to_string();
        let came = newest(self.on_source, |key, record| {
            key.source_cluster_id == self.target.cluster.cluster_id()
                && key.topic == topic.target.name
                && is_of(record, &topic.source.name, &source_id)
        });
        if let Some((by, released)) = came {
            return Claim::WayBack { by, released, open };
        }
        let begun = open.len() < topic.source.partitions.len();
        let target_id = topic.target.id.to_string();
        let taken = newest(self.on_target, |key, record| {
            *key != own && is_of(record, &topic.target.name, &target_id)
        });
        match taken {
            Some((by, _)) if !begun && self.mirror.start_offset == StartOffset::Earliest => {
                Claim::Taken { by }
            }
            Some(_) | None => Claim::None,
        }
    }

    /// Where the target ends now, of the partitions that may be a way back.
    async fn target_ends(
        &self,
        claims: &[(MirroredTopic, Claim<'_>)],
    ) -> Result<BTreeMap<TopicPartition, i64>, Error> {
        let mut partitions = Vec::new();
        for (topic, claim) in claims {
            if let Claim::WayBack { open, .. } = claim {
                let name = &topic.target.name;
                let open = open.iter();
                partitions.extend(open.map(|it| TopicPartition::new(name.clone(), *it)));
            }
        }
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let cluster = self.target.cluster;
        let listed = cluster.list_offsets(&partitions, OffsetSpec::Latest);
        let listed = listed.await?.into_iter();
        Ok(listed
            .filter_map(|(partition, end)| Some((partition, end.ok()?.offset)))
            .collect())
    }

    fn way_back(
        &self,
        topic: &MirroredTopic,
        by: &str,
        released: &Released,
        open: &[i32],
        ends: &BTreeMap<TopicPartition, i64>,
    ) -> Result<Vec<(i32, Begin)>, String> {
        let name = &topic.target.name;
        let known: BTreeMap<i32, Option<i64>> = open
            .iter()
            .map(|partition| {
                let place = TopicPartition::new(name.clone(), *partition);
                (*partition, ends.get(&place).copied())
            })
            .collect();
        let same = topic.target.id.to_string() == released.source_topic_id;
        let (source, target) = (self.source.alias, self.target.alias);
        match begins(released, same, &known) {
            Ok(begins) => {
                if begins
                    .iter()
                    .any(|(_, begin)| matches!(begin, Begin::At(_)))
                {
                    self.say_unexplained(topic, by, released);
                }
                Ok(begins)
            }
            Err(why) if self.mirror.start_offset == StartOffset::Earliest => Err(format!(
                "its way back after the promotion of mirror `{by}` cannot begin by itself: {}. {}",
                why.words(name, source, target),
                why.advice(released, name, source, target),
            )),
            Err(why) => {
                tracing::warn!(
                    topic = topic.source.name,
                    why = why.words(name, source, target),
                    "it begins as startOffset says, which may repeat records or leave some out"
                );
                Ok(open.iter().map(|it| (*it, Begin::AsDeclared)).collect())
            }
        }
    }

    /// What lay on the source before the promotion, and cannot have come from the target, does not go back.
    fn say_unexplained(&self, topic: &MirroredTopic, by: &str, released: &Released) {
        for (partition, handed) in unexplained(released) {
            let (source, target) = (self.source.alias, self.target.alias);
            tracing::warn!(
                topic = topic.source.name,
                partition,
                "{} The way back begins behind it",
                handed.unexplained_words(by, source, target)
            );
        }
    }

    fn taken(&self, topic: &MirroredTopic, by: &str) -> String {
        let (name, target) = (&topic.target.name, self.target.alias);
        format!(
            "`{name}` on `{target}` was filled by mirror `{by}`, whose promotion handed it over to the applications: copying into \
             it again would repeat what it holds and mix the rest with what they write. Choose another name on the target; or delete \
             `{name}` there to copy anew, which loses what they wrote; or declare `startOffset: latest` or a timestamp to copy \
             into it all the same, which leaves out what lies before that"
        )
    }

    fn key(&self, topic: &MirroredTopic) -> TopicKey {
        TopicKey {
            mirror: self.mirror.name.clone(),
            source_cluster_id: self.source.cluster.cluster_id().to_owned(),
            topic: topic.source.name.clone(),
        }
    }

    fn knows(&self, own: &TopicKey, partition: i32) -> bool {
        let place = TopicPartition::new(own.topic.clone(), partition);
        if self.running.contains(&place) {
            return true;
        }
        let key = PositionKey {
            mirror: own.mirror.clone(),
            source_cluster_id: own.source_cluster_id.clone(),
            topic: own.topic.clone(),
            partition,
        };
        self.positions.contains_key(&key)
    }
}

fn is_of(record: &TopicRecord, topic: &str, topic_id: &str) -> bool {
    record.target_topic == topic && record.target_topic_id == topic_id
}

/// The last promotion of those that are meant, by the mirror's name.
fn newest(
    log: &BTreeMap<TopicKey, TopicRecord>,
    is_meant: impl Fn(&TopicKey, &TopicRecord) -> bool,
) -> Option<(&str, &Released)> {
    log.iter()
        .filter(|(key, record)| is_meant(key, record))
        .filter_map(|(key, record)| Some((key.mirror.as_str(), record.released.as_ref()?)))
        .max_by_key(|(_, released)| released.at_ms)
}
