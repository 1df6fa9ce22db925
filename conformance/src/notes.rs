//! What a mirror of the built-in engine keeps about itself on the target, read without any code of the engine:
//! JSON records of two compacted topics.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::Error;
use crate::asker::Asker;
use crate::reader::{Reader, Step};
use crate::record::RecordView;

const POSITIONS: &str = "mirrorctl-positions.internal";
const GAPS: &str = "mirrorctl-gaps.internal";
const QUEUED_KIB: u32 = 4 * 1024;

/// How far a partition is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedPosition {
    /// Every source record before this offset is on the target, or in the ledger.
    pub offset: i64,
    /// The target topic.
    pub target_topic: String,
    /// Id of the source topic that the offset belongs to.
    pub source_topic_id: String,
    /// Where a consumer that has read up to `offset` goes on, on the target; exactly-once keeps it.
    pub target_offset: Option<i64>,
    /// Why the mirror has stopped here, in its own words; `None` where it goes on.
    pub stopped: Option<String>,
}

/// Why offsets were not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// They were gone from the source before they were copied.
    Deleted,
    /// The source lost them after they were copied.
    Truncation,
    /// The source topic was recreated.
    TopicReset,
    /// The target topic was recreated.
    TargetReset,
    /// A record that is too large for the target topic.
    Oversize,
    /// A kind that this version does not know.
    #[serde(skip)]
    Unknown,
}

/// An entry of the gap ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedGap {
    /// Source partition.
    pub partition: i32,
    /// What happened.
    pub kind: GapKind,
    /// Id of the source topic that the offsets belong to.
    pub source_topic_id: String,
    /// First source offset.
    pub from: i64,
    /// The source offset after the last one, where that is known.
    pub to: Option<i64>,
    /// Where copying went on.
    pub resumed_at: i64,
}

impl NotedGap {
    /// Whether this source offset was reported as not copied.
    pub fn covers(&self, offset: i64) -> bool {
        self.from <= offset && self.to.is_some_and(|to| offset < to)
    }
}

/// What is kept about one source topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicNotes {
    /// By partition.
    pub positions: BTreeMap<i32, NotedPosition>,
    /// In no order.
    pub gaps: Vec<NotedGap>,
}

impl TopicNotes {
    /// The gaps of a partition that speak of the topic as it is now: a recreated topic has other offsets.
    pub fn current(&self, partition: i32) -> impl Iterator<Item = &NotedGap> {
        let topic = self
            .positions
            .get(&partition)
            .map(|position| &position.source_topic_id);
        self.gaps.iter().filter(move |gap| {
            gap.partition == partition && topic.is_none_or(|topic| *topic == gap.source_topic_id)
        })
    }

    /// Whether this source offset was reported as not copied.
    pub fn reports(&self, partition: i32, offset: i64) -> bool {
        self.current(partition).any(|gap| gap.covers(offset))
    }
}

/// What is kept about a mirror from one source, by source topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    topics: BTreeMap<String, TopicNotes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PositionKey {
    mirror: String,
    source_cluster_id: String,
    topic: String,
    partition: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PositionValue {
    offset: i64,
    target_topic: String,
    source_topic_id: String,
    producer: Option<ProducerValue>,
    stopped: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProducerValue {
    target_offset: i64,
}

#[derive(Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
struct GapKey {
    mirror: String,
    source_cluster_id: String,
    topic: String,
    partition: i32,
    from: i64,
    kind: String,
    source_topic_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GapValue {
    to: Option<i64>,
    resumed_at: i64,
}

/// One mirror from one source.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) mirror: String,
    pub(crate) source_cluster_id: String,
}

impl Subject {
    fn is(&self, mirror: &str, source_cluster_id: &str) -> bool {
        self.mirror == mirror && self.source_cluster_id == source_cluster_id
    }
}

impl Notes {
    /// Reads both topics to their ends. A topic that is not there holds nothing.
    pub(crate) fn read(target: &Asker<'_>, subject: &Subject) -> Result<Self, Error> {
        let mut notes = Self::default();
        read(target, POSITIONS, |record| {
            notes.take_position(subject, record);
        })?;
        let mut gaps = BTreeMap::new();
        read(target, GAPS, |record| take_gap(&mut gaps, subject, record))?;
        for (key, gap) in gaps {
            notes.topics.entry(key.topic).or_default().gaps.push(gap);
        }
        Ok(notes)
    }

    pub(crate) fn of(&self, topic: &str) -> TopicNotes {
        self.topics.get(topic).cloned().unwrap_or_default()
    }

    /// Source topics with the target topics they were copied to.
    pub(crate) fn copied(&self) -> BTreeSet<(String, String)> {
        let topics = self.topics.iter();
        topics
            .flat_map(|(topic, notes)| {
                let positions = notes.positions.values();
                positions.map(move |it| (topic.clone(), it.target_topic.clone()))
            })
            .collect()
    }

    fn take_position(&mut self, subject: &Subject, record: &RecordView<'_>) {
        let Some(key) = parsed::<PositionKey>(record.key) else {
            return;
        };
        if !subject.is(&key.mirror, &key.source_cluster_id) {
            return;
        }
        let positions = &mut self.topics.entry(key.topic).or_default().positions;
        match parsed::<PositionValue>(record.value) {
            Some(value) => {
                let position = NotedPosition {
                    offset: value.offset,
                    target_topic: value.target_topic,
                    source_topic_id: value.source_topic_id,
                    target_offset: value.producer.map(|producer| producer.target_offset),
                    stopped: value.stopped,
                };
                positions.insert(key.partition, position);
            }
            None => drop(positions.remove(&key.partition)),
        }
    }
}

fn take_gap(gaps: &mut BTreeMap<GapKey, NotedGap>, subject: &Subject, record: &RecordView<'_>) {
    let Some(key) = parsed::<GapKey>(record.key) else {
        return;
    };
    if !subject.is(&key.mirror, &key.source_cluster_id) {
        return;
    }
    let kind = GapKind::deserialize(serde_json::Value::String(key.kind.clone()))
        .unwrap_or(GapKind::Unknown);
    match parsed::<GapValue>(record.value) {
        Some(value) => {
            let gap = NotedGap {
                partition: key.partition,
                kind,
                source_topic_id: key.source_topic_id.clone(),
                from: key.from,
                to: value.to,
                resumed_at: value.resumed_at,
            };
            gaps.insert(key, gap);
        }
        None => drop(gaps.remove(&key)),
    }
}

/// `None` where there is nothing, or something of another kind: the topics hold other records, too.
fn parsed<T: for<'de> Deserialize<'de>>(bytes: Option<&[u8]>) -> Option<T> {
    serde_json::from_slice(bytes?).ok()
}

/// Shows every record of a topic, each partition in order; none where there is no such topic.
pub(crate) fn read(
    asker: &Asker<'_>,
    topic: &str,
    mut show: impl FnMut(&RecordView<'_>),
) -> Result<(), Error> {
    let Some(partitions) = asker.partition_counts(Some(topic))?.remove(topic) else {
        return Ok(());
    };
    let all: Vec<i32> = (0..partitions).collect();
    let spans = asker.spans(topic, &all)?;
    if spans.iter().all(|(_, first, end)| first >= end) {
        return Ok(());
    }
    let mut reader = Reader::open(asker, QUEUED_KIB);
    reader.assign(topic, &spans)?;
    while !reader.reached() {
        let step = reader.poll(|_, _, record| {
            show(record);
            Ok(())
        })?;
        if step == Step::Quiet && asker.observer.cancelled() {
            return Err(Error::Cancelled);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    fn subject() -> Subject {
        Subject {
            mirror: "m".to_owned(),
            source_cluster_id: "abc".to_owned(),
        }
    }

    fn record<'r>(key: &'r str, value: Option<&'r str>) -> RecordView<'r> {
        RecordView {
            key: Some(key.as_bytes()),
            value: value.map(str::as_bytes),
            headers: Vec::new(),
            timestamp: Timestamp::create(0),
        }
    }

    #[test]
    fn positions_of_this_mirror_are_kept_and_taken_back() {
        let mine = r#"{"mirror":"m","sourceClusterId":"abc","topic":"t","partition":3}"#;
        let other = r#"{"mirror":"n","sourceClusterId":"abc","topic":"t","partition":3}"#;
        let value = r#"{"version":2,"offset":7,"targetTopic":"a.t","sourceTopicId":"i","targetTopicId":"j",
            "committedAtMs":1,"producer":{"id":1,"epoch":0,"sequence":2,"targetOffset":9}}"#;
        let mut notes = Notes::default();
        for key in [
            mine,
            other,
            r#"{"ownerOfMirror":"m","sourceClusterId":"abc"}"#,
        ] {
            notes.take_position(&subject(), &record(key, Some(value)));
        }
        assert_eq!(notes.of("t").positions.len(), 1);
        assert_eq!(notes.of("t").positions[&3].target_offset, Some(9));
        assert_eq!(
            notes.copied(),
            BTreeSet::from([("t".to_owned(), "a.t".to_owned())])
        );
        notes.take_position(&subject(), &record(mine, None));
        assert!(notes.of("t").positions.is_empty());
    }

    #[test]
    fn gaps_are_read_and_speak_of_one_topic_id() {
        let key = r#"{"mirror":"m","sourceClusterId":"abc","topic":"t","partition":0,"from":5,"kind":"deleted","sourceTopicId":"i"}"#;
        let value = r#"{"version":1,"targetTopic":"t","to":9,"resumedAt":9,"reason":"r","policy":"p","atMs":7}"#;
        let mut gaps = BTreeMap::new();
        take_gap(&mut gaps, &subject(), &record(key, Some(value)));
        let mut notes = TopicNotes {
            gaps: gaps.values().cloned().collect(),
            ..TopicNotes::default()
        };
        assert_eq!(notes.gaps[0].kind, GapKind::Deleted);
        assert!(notes.reports(0, 5) && notes.reports(0, 8));
        assert!(!notes.reports(0, 9) && !notes.reports(1, 5));
        let elsewhere = NotedPosition {
            offset: 9,
            target_topic: "t".to_owned(),
            source_topic_id: "another".to_owned(),
            target_offset: None,
            stopped: None,
        };
        notes.positions.insert(0, elsewhere);
        assert!(!notes.reports(0, 5), "of the topic before");
        take_gap(&mut gaps, &subject(), &record(key, None));
        assert!(gaps.is_empty());
    }
}
