//! Gathers what is judged of a pair beyond its records: what is declared of the mirror, and what the mirror notes.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::Offset;

use crate::Error;
use crate::checks::{
    LostRecord, MappedOffset, OversizeFacts, SyncedOffset, TopicFacts, config_sync, offset_map,
    offset_syncs_hold,
};
use crate::compare::pair::{Comparison, LOOK_AGAIN, Pair, one};
use crate::compare::reset::Watch;
use crate::mirror::{MirrorFacts, OffsetSyncTopics};
use crate::notes::{self, GapKind, TopicNotes};
use crate::offset_syncs::{self, OffsetSync};
use crate::record::{Record, RecordHasher, RecordView};
use crate::topics::{self, Config};
use crate::verdict::{CheckResult, Verdict};

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
/// Of each partition the records of as many offset syncs are looked at, the latest.
const SYNCS: usize = 16;

impl Comparison<'_> {
    pub(super) fn config_synced(
        &mut self,
        pair: &Pair<'_>,
        mirror: &MirrorFacts,
        subject: &str,
    ) -> Result<CheckResult, Error> {
        let follows = |key: &str| mirror.rules.follows(pair.target_topic, key);
        let started = Instant::now();
        loop {
            let source = facts(
                &self.source_configs,
                pair.source_topic,
                pair.source_partitions,
            );
            let target = pair
                .target_partitions
                .map(|partitions| facts(&self.target_configs, pair.target_topic, partitions));
            let result = config_sync(subject, &source, target.as_ref(), &follows);
            if !matches!(result.verdict, Verdict::Fail { .. }) {
                return Ok(result);
            }
            if started.elapsed() >= self.patience.get() {
                self.patience.set(Duration::ZERO);
                return Ok(result);
            }
            if self.observer.cancelled() {
                return Err(Error::Cancelled);
            }
            sleep(LOOK_AGAIN);
            for (configs, asker, topic) in [
                (&mut self.source_configs, self.source, pair.source_topic),
                (&mut self.target_configs, self.target, pair.target_topic),
            ] {
                let topic = [topic.to_owned()];
                configs.extend(topics::configs(asker.endpoint, &topic, self.observer)?);
            }
        }
    }

    pub(super) fn oversize_facts(
        &mut self,
        pair: &Pair<'_>,
        mirror: &MirrorFacts,
        notes: TopicNotes,
        lost: &[(i32, i64)],
    ) -> Result<OversizeFacts, Error> {
        let quarantine_topic = format!("{}{}", pair.target_topic, mirror.quarantine_suffix);
        let reported = |gap: &notes::NotedGap| gap.kind == GapKind::Oversize;
        let mut quarantined = BTreeSet::new();
        if notes.gaps.iter().any(reported) {
            notes::read(self.target, &quarantine_topic, |record| {
                quarantined.extend(place_of(record, pair.source_topic));
            })?;
        }
        let mut facts = OversizeFacts {
            notes,
            quarantined,
            source_topic: pair.source_topic.to_owned(),
            quarantine_topic,
            lost: Vec::new(),
            limit: None,
        };
        if lost.is_empty() {
            return Ok(facts);
        }
        let config = self.target_configs.get(pair.target_topic);
        facts.limit = config
            .and_then(|config| config.as_ref().ok()?.get(MAX_MESSAGE_BYTES)?.value.as_ref())
            .and_then(|limit| limit.parse().ok());
        for &(partition, offset) in lost {
            let found = one(
                &mut self.ours,
                pair.source_topic,
                partition,
                offset,
                self.observer,
            )?;
            facts.lost.extend(found.map(|record| LostRecord {
                partition,
                offset,
                bytes: bytes(&record),
            }));
        }
        Ok(facts)
    }

    pub(super) fn reset_noticed(
        &self,
        pair: &Pair<'_>,
        notes: TopicNotes,
        subject: &str,
    ) -> Result<Option<CheckResult>, Error> {
        let Some(mirror) = &self.subject else {
            return Ok(None);
        };
        let watch = Watch {
            source: self.source,
            target: self.target,
            mirror,
            patience: &self.patience,
        };
        watch.judge(pair, notes, subject).map(Some)
    }

    /// What exactly-once keeps of where consumers would go on.
    pub(super) fn offsets_mapped(
        &self,
        pair: &Pair<'_>,
        notes: &TopicNotes,
        places: &[(i32, (i64, i64, i64))],
        subject: &str,
    ) -> Result<Option<CheckResult>, Error> {
        let positions = notes.positions.iter();
        let translated: Vec<(i32, i64, i64)> = positions
            .filter(|(partition, _)| **partition < pair.target_partitions.unwrap_or(0))
            .filter_map(|(&partition, it)| Some((partition, it.offset, it.target_offset?)))
            .collect();
        if translated.is_empty() {
            return Ok(None);
        }
        let partitions: Vec<i32> = translated.iter().map(|it| it.0).collect();
        // after the positions were read: a mirror that runs moves both
        let ends = self
            .target
            .offsets(pair.target_topic, &partitions, Offset::End)?;
        let mapped = |((partition, source, target), target_end): ((i32, i64, i64), i64)| {
            let next = places
                .iter()
                .find(|(at, (wanted, ..))| (*at, *wanted) == (partition, source));
            MappedOffset {
                partition,
                source,
                target,
                next: next.map(|(_, (_, source, target))| (*source, *target)),
                target_end,
            }
        };
        let offsets: Vec<MappedOffset> = translated.into_iter().zip(ends).map(mapped).collect();
        // of a sample the next record may lie anywhere behind
        let bound = match self.options.sample {
            None => self.options.replays.window,
            Some(_) => u64::MAX,
        };
        let topics = (pair.source_topic, pair.target_topic);
        Ok(Some(offset_map(subject, topics, &offsets, bound)))
    }

    /// Looks at the records that `MirrorMaker` 2 says are the same.
    pub(super) fn syncs_followed(
        &mut self,
        pair: &Pair<'_>,
        names: &OffsetSyncTopics,
        subject: &str,
    ) -> Result<Option<CheckResult>, Error> {
        let syncs = match self.syncs.take() {
            Some(syncs) => syncs,
            None => match offset_syncs::read(self.source, self.target, names) {
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => {
                    tracing::warn!(%error, "the offset syncs could not be read, and are not judged");
                    BTreeMap::new()
                }
                Ok(syncs) => syncs,
            },
        };
        let ours = syncs.get(pair.source_topic).cloned().unwrap_or_default();
        self.syncs = Some(syncs);
        let there = pair
            .target_partitions
            .unwrap_or(0)
            .min(pair.source_partitions);
        let mut latest: BTreeMap<i32, Vec<OffsetSync>> = BTreeMap::new();
        for sync in ours.into_iter().filter(|it| it.partition < there) {
            latest.entry(sync.partition).or_default().push(sync);
        }
        if latest.is_empty() {
            return Ok(None);
        }
        let partitions: Vec<i32> = latest.keys().copied().collect();
        // after the syncs were read: a mirror that runs moves both
        let (sources, targets) = (
            self.source.spans(pair.source_topic, &partitions)?,
            self.target.spans(pair.target_topic, &partitions)?,
        );
        let mut offsets = Vec::new();
        for ((syncs, ours), theirs) in latest.into_values().zip(sources).zip(targets) {
            let first = syncs.len().saturating_sub(SYNCS);
            for sync in &syncs[first..] {
                let held = |(_, first, end): (i32, i64, i64), at| first <= at && at < end;
                let both = held(ours, sync.upstream) && held(theirs, sync.downstream);
                let same = if both { self.same(pair, sync)? } else { None };
                offsets.push(SyncedOffset {
                    partition: sync.partition,
                    source: sync.upstream,
                    target: sync.downstream,
                    target_end: theirs.2,
                    same,
                });
            }
        }
        let topics = (pair.source_topic, pair.target_topic);
        Ok(Some(offset_syncs_hold(subject, topics, &offsets)))
    }

    /// Whether both sides hold the same record there; `None` where one of them holds none.
    fn same(&mut self, pair: &Pair<'_>, sync: &OffsetSync) -> Result<Option<bool>, Error> {
        let (partition, observer) = (sync.partition, self.observer);
        let ours = one(
            &mut self.ours,
            pair.source_topic,
            partition,
            sync.upstream,
            observer,
        )?;
        let theirs = one(
            &mut self.theirs,
            pair.target_topic,
            partition,
            sync.downstream,
            observer,
        )?;
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            return Ok(None);
        };
        let mut hasher = RecordHasher::default();
        let mut hash = |record: &Record| {
            let view = record.view();
            hasher.content(view.key, view.value, &view.headers)
        };
        Ok(Some(hash(&ours) == hash(&theirs)))
    }
}

fn facts(configs: &BTreeMap<String, Config>, topic: &str, partitions: i32) -> TopicFacts {
    let unread = || Err("the broker described nothing".to_owned());
    TopicFacts {
        partitions,
        config: configs.get(topic).cloned().unwrap_or_else(unread),
    }
}

fn bytes(record: &Record) -> u64 {
    let of = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
    let headers = record
        .headers
        .iter()
        .map(|(name, value)| name.len() + of(value));
    (of(&record.key) + of(&record.value) + headers.sum::<usize>()) as u64
}

/// Where a quarantined record lay on the source, if it is one of this topic.
fn place_of(record: &RecordView<'_>, source_topic: &str) -> Option<(i32, i64)> {
    // a quarantined record may have been one itself: the last names count
    let header = |name: &str| {
        let found = record.headers.iter().rev().find(|it| it.0 == name)?.1?;
        std::str::from_utf8(found).ok()
    };
    let partition = header("mirrorctl.source.partition")?.parse().ok()?;
    let offset = header("mirrorctl.source.offset")?.parse().ok()?;
    (header("mirrorctl.source.topic")? == source_topic).then_some((partition, offset))
}
