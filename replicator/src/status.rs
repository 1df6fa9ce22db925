use std::collections::BTreeMap;

use kafka::{Cluster, OffsetSpec, TopicPartition};
use serde::Serialize;
use topology::{Engine, Mirror, StartOffset};

use crate::error::RunError;
use crate::options::Source;
use crate::position::{POSITIONS_TOPIC, Position, PositionKey};
use crate::position_log;
use crate::topics;

/// Why a partition that nobody leads on the source is not copied.
const LEADERLESS: &str =
    "it has no leader on the source: what it holds is not known, and it is copied once it has one";

/// How far one partition is copied, as the committed positions say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionStatus {
    /// Topic on the source.
    pub source_topic: String,
    /// Topic on the target.
    pub target_topic: String,
    /// Partition index.
    pub partition: i32,
    /// Committed source offset; `None` where nothing was committed yet.
    pub position: Option<i64>,
    /// Last stable offset of the source; `None` where nobody leads it there.
    pub source_end: Option<i64>,
    /// Offsets between position and end; from the log's start where the position means nothing any more, and from where the first
    /// run will begin where there is none. `None` where the end is not known.
    pub lag: Option<i64>,
    /// First offset that the source still has; `None` where nobody leads it there.
    pub source_start: Option<i64>,
    /// When the position was committed, ms since the epoch.
    pub committed_at_ms: Option<i64>,
    /// Why a replicator copies nothing: where both clusters show it, or as the last one left it when it stopped here.
    pub cause: Option<String>,
    /// How it stands, as far as both clusters show it.
    pub condition: Condition,
}

/// How a partition stands, judged without its replicator: from its position and both clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Records that were not copied are gone from the source: the position lies before its start.
    DataLost,
    /// The position lies after the source's end: the source lost records that were copied.
    Truncated,
    /// The source topic is not the one that the position speaks of.
    SourceRecreated,
    /// The target topic is not the one that the position speaks of.
    TargetRecreated,
    /// The target topic, or this partition of it, does not exist.
    TargetMissing,
    /// Nothing is copied, for a reason that both clusters show.
    Refused,
    /// The last replicator stopped here, and left the reason.
    Stopped,
    /// Nobody leads it on the source, so that nothing of it can be read, nor how much that is.
    Leaderless,
    /// Held back on purpose (`pausedTopics`), with nothing else to be said of it.
    Paused,
    /// No position was committed yet.
    NotStarted,
    /// Something is still to be copied.
    Behind,
    /// Everything is on the target.
    CaughtUp,
}

impl Condition {
    /// The same of a partition that is held back: what needs attention does so all the same.
    fn held_back(self) -> Self {
        if self.needs_attention() {
            self
        } else {
            Self::Paused
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::DataLost => "data lost",
            Self::Truncated => "source truncated",
            Self::SourceRecreated => "source recreated",
            Self::TargetRecreated => "target recreated",
            Self::TargetMissing => "not on target",
            Self::Paused => "paused",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Leaderless => "no leader",
            Self::NotStarted => "not started",
            Self::Behind => "behind",
            Self::CaughtUp => "caught up",
        }
    }

    /// A replicator would stop here, start anew, or wait for the source, rather than go on: somebody should look.
    pub fn needs_attention(self) -> bool {
        match self {
            Self::DataLost
            | Self::Truncated
            | Self::SourceRecreated
            | Self::TargetRecreated
            | Self::TargetMissing
            | Self::Refused
            | Self::Stopped
            | Self::Leaderless => true,
            Self::Paused | Self::NotStarted | Self::Behind | Self::CaughtUp => false,
        }
    }
}

/// What is known of a partition beside its position.
struct Seen<'s> {
    source_id: &'s str,
    target_id: Option<&'s str>,
    /// Where the source's log begins and ends, where somebody leads it.
    log: Option<(i64, i64)>,
    refused: bool,
}

fn condition(position: Option<&Position>, seen: &Seen<'_>) -> Condition {
    let Some(position) = position else {
        return match seen.log {
            _ if seen.refused => Condition::Refused,
            None => Condition::Leaderless,
            Some(_) => Condition::NotStarted,
        };
    };
    match (seen.target_id, seen.log) {
        _ if position.source_topic_id != seen.source_id => Condition::SourceRecreated,
        (None, _) if !seen.refused => Condition::TargetMissing,
        (None, _) => Condition::Refused,
        (Some(id), _) if id != position.target_topic_id => Condition::TargetRecreated,
        (Some(_), None) if seen.refused => Condition::Refused,
        (Some(_), None) => Condition::Leaderless,
        (Some(_), Some((start, _))) if position.offset < start => Condition::DataLost,
        (Some(_), Some((_, end))) if position.offset > end => Condition::Truncated,
        (Some(_), Some(_)) if seen.refused => Condition::Refused,
        (Some(_), Some((_, end))) if position.offset >= end => Condition::CaughtUp,
        (Some(_), Some(_)) if position.stopped.is_some() => Condition::Stopped,
        (Some(_), Some(_)) => Condition::Behind,
    }
}

/// Reads positions from the target and ends from the source; changes nothing and needs no
/// running replicator. Sorted by topic and partition. Those that nobody leads on the source hold up no other.
pub async fn status(
    mirror: &Mirror,
    source: &Source,
    target: &Cluster,
) -> Result<Vec<PartitionStatus>, RunError> {
    let on_source = |error| RunError::Source {
        alias: source.alias.clone(),
        error,
    };
    let positions = position_log::load(target, &mirror.name, source.cluster.cluster_id())
        .await
        .map_err(|error| RunError::Positions {
            alias: mirror.target.clone(),
            topic: POSITIONS_TOPIC,
            error: Box::new(error),
        })?;
    let metadata = source.cluster.metadata().await.map_err(on_source)?;
    let selected = topics::select(mirror, &source.alias, metadata.topics);
    let partitions: Vec<TopicPartition> = selected
        .iter()
        .flat_map(|(topic, _)| {
            topic
                .partitions
                .iter()
                .map(|p| TopicPartition::new(topic.name.clone(), p.index))
        })
        .collect();
    let mut led = Vec::with_capacity(partitions.len());
    for (topic, _) in &selected {
        for it in &topic.partitions {
            let leader = it.leader;
            if leader.is_some_and(|leader| metadata.brokers.contains_key(&leader)) {
                led.push(TopicPartition::new(topic.name.clone(), it.index));
            }
        }
    }
    let starts = source
        .cluster
        .list_offsets(&led, OffsetSpec::Earliest)
        .await;
    let starts = starts.map_err(on_source)?;
    let ends = source
        .cluster
        .list_offsets(&led, OffsetSpec::LatestCommitted)
        .await;
    let ends = ends.map_err(on_source)?;
    let begins = if positions.is_empty() {
        first_begins(mirror, source, &led, &ends)
            .await
            .map_err(on_source)?
    } else {
        BTreeMap::new()
    };
    let names: Vec<String> = selected.iter().map(|(_, name)| name.clone()).collect();
    let there = target
        .metadata_of(&names)
        .await
        .map_err(|error| RunError::Target {
            alias: mirror.target.clone(),
            error,
        })?
        .topics;
    let causes = match mirror.engine {
        Engine::Builtin => topics::obstacles(mirror, source, target, &selected, &there).await?,
        Engine::MirrorMaker2
        | Engine::MirrorMaker
        | Engine::StrimziMirrorMaker2
        | Engine::MskReplicator => BTreeMap::new(),
    };
    let topics: BTreeMap<String, (String, String)> = selected
        .into_iter()
        .map(|(topic, target)| (topic.name, (topic.id.to_string(), target)))
        .collect();
    partitions
        .into_iter()
        .map(|partition| {
            let key = PositionKey {
                mirror: mirror.name.clone(),
                source_cluster_id: source.cluster.cluster_id().to_owned(),
                topic: partition.topic.clone(),
                partition: partition.partition,
            };
            let position = positions.get(&key);
            let log = if ends.contains_key(&partition) {
                let start = offset(&starts, &partition).map_err(on_source)?;
                Some((start, offset(&ends, &partition).map_err(on_source)?))
            } else {
                None
            };
            let (source_id, target_topic) =
                topics.get(&partition.topic).cloned().unwrap_or_default();
            let target_id = there
                .get(&target_topic)
                .filter(|topic| (partition.partition as usize) < topic.partitions.len())
                .map(|topic| topic.id.to_string());
            let cause = causes.get(&partition.topic).cloned();
            let seen = Seen {
                source_id: &source_id,
                target_id: target_id.as_deref(),
                log,
                refused: cause.is_some(),
            };
            let condition = condition(position, &seen);
            let left = || position.and_then(|position| position.stopped.clone());
            let cause = match condition {
                Condition::Stopped
                | Condition::DataLost
                | Condition::Truncated
                | Condition::SourceRecreated => left().or(cause),
                Condition::Leaderless => Some(LEADERLESS.to_owned()),
                Condition::TargetRecreated
                | Condition::TargetMissing
                | Condition::Refused
                | Condition::Paused
                | Condition::NotStarted
                | Condition::Behind
                | Condition::CaughtUp => cause,
            };
            let lag = log.map(|(start, end)| {
                let copied = match (position, condition) {
                    (None, _) => begins.get(&partition).copied().unwrap_or(start),
                    // the position means nothing there: everything is to be copied
                    (
                        Some(_),
                        Condition::SourceRecreated
                        | Condition::TargetRecreated
                        | Condition::TargetMissing,
                    ) => start,
                    (
                        Some(position),
                        Condition::DataLost
                        | Condition::Truncated
                        | Condition::Refused
                        | Condition::Stopped
                        | Condition::Leaderless
                        | Condition::Paused
                        | Condition::NotStarted
                        | Condition::Behind
                        | Condition::CaughtUp,
                    ) => position.offset,
                };
                end.saturating_sub(copied).max(0)
            });
            Ok(PartitionStatus {
                condition: if mirror.is_paused(&partition.topic) {
                    condition.held_back()
                } else {
                    condition
                },
                cause,
                target_topic,
                source_topic: partition.topic,
                partition: partition.partition,
                position: position.map(|position| position.offset),
                source_end: log.map(|(_, end)| end),
                source_start: log.map(|(start, _)| start),
                lag,
                committed_at_ms: position.map(|position| position.committed_at_ms),
            })
        })
        .collect()
}

/// Where the very first run will begin, where that is not the first record. Later what is new is copied from its first one.
async fn first_begins(
    mirror: &Mirror,
    source: &Source,
    partitions: &[TopicPartition],
    ends: &Listed,
) -> Result<BTreeMap<TopicPartition, i64>, kafka::Error> {
    let found = match mirror.start_offset {
        StartOffset::Earliest => return Ok(BTreeMap::new()),
        StartOffset::Latest => None,
        StartOffset::Timestamp(timestamp) => {
            let at = OffsetSpec::Timestamp(timestamp);
            Some(source.cluster.list_offsets(partitions, at).await?)
        }
    };
    let begin = |partition: &TopicPartition| {
        let found = found.as_ref().map(|found| offset(found, partition));
        match found.transpose()? {
            Some(found) if found >= 0 => Ok(found),
            // nothing is that new
            Some(_) | None => offset(ends, partition),
        }
    };
    let begins = partitions.iter().map(|it| Ok((it.clone(), begin(it)?)));
    begins.collect()
}

type Listed = BTreeMap<TopicPartition, Result<kafka::ListedOffset, kafka::BrokerError>>;

fn offset(listed: &Listed, partition: &TopicPartition) -> Result<i64, kafka::Error> {
    match listed.get(partition) {
        Some(Ok(listed)) => Ok(listed.offset),
        Some(Err(error)) => Err(kafka::Error::Broker {
            api: format!("ListOffsets {partition}"),
            error: error.clone(),
        }),
        None => Err(kafka::Error::NoLeader {
            topic: partition.topic.clone(),
            partition: partition.partition,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_condition_is_named() {
        let position = |offset| Position {
            version: crate::position::VERSION,
            offset,
            target_topic: "t".to_owned(),
            source_topic_id: "a".to_owned(),
            target_topic_id: "b".to_owned(),
            committed_at_ms: 0,
            leader_epoch: None,
            leader_epoch_start: None,
            stopped: None,
            owner: None,
            term: None,
            producer: None,
        };
        let of = |offset, source_id, target_id, (start, end)| {
            let seen = Seen {
                source_id,
                target_id,
                log: Some((start, end)),
                refused: false,
            };
            condition(Some(&position(offset)), &seen)
        };
        assert_eq!(of(7, "a", Some("b"), (0, 7)), Condition::CaughtUp);
        assert_eq!(of(6, "a", Some("b"), (0, 7)), Condition::Behind);
        assert_eq!(of(6, "a", Some("b"), (7, 9)), Condition::DataLost);
        assert_eq!(of(8, "a", Some("b"), (0, 7)), Condition::Truncated);
        assert_eq!(of(8, "a", None, (0, 7)), Condition::TargetMissing);
        assert_eq!(of(8, "a", Some("c"), (0, 7)), Condition::TargetRecreated);
        assert_eq!(of(8, "x", None, (9, 9)), Condition::SourceRecreated);
        let stopped = |offset| {
            let position = Position {
                stopped: Some("too large".to_owned()),
                ..position(offset)
            };
            let seen = Seen {
                source_id: "a",
                target_id: Some("b"),
                log: Some((0, 7)),
                refused: false,
            };
            condition(Some(&position), &seen)
        };
        assert_eq!(stopped(6), Condition::Stopped);
        assert_eq!(stopped(7), Condition::CaughtUp, "nothing is left there");
        let unled = |position: Option<&Position>, target_id| {
            let seen = Seen {
                source_id: "a",
                target_id,
                log: None,
                refused: false,
            };
            condition(position, &seen)
        };
        let some = position(6);
        assert_eq!(unled(Some(&some), Some("b")), Condition::Leaderless);
        assert_eq!(unled(Some(&some), None), Condition::TargetMissing);
        assert_eq!(unled(None, None), Condition::Leaderless);
        assert_eq!(Condition::CaughtUp.held_back(), Condition::Paused);
        assert_eq!(Condition::DataLost.held_back(), Condition::DataLost);
    }
}
