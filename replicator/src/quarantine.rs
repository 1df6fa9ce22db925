//! Records that are too large for their target topic, kept in a topic beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::record::{self, Record};
use kafka::{
    Cluster, Compression, ConfigChange, Error, NewTopic, OffsetSpec, RetryClass, TopicPartition,
};
use tokio::time::Instant;
use topology::{OnOversize, QUARANTINE_SUFFIX};

use crate::appender::{Appender, RETRY_PAUSE};
use crate::gap::GapKind;
use crate::leaders::Leaders;
use crate::losses::{Found, Passage};
use crate::outcome::{Stopped, TooLarge, Trouble};
use crate::partition::{Partition, Shared};
use crate::topic_reader::{fetch_batches, listed, malformed};

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
/// A quarantine topic takes at least this much, so that it rarely has to be raised.
const LEAST_LIMIT: usize = 16 << 20;
/// A new topic has no leader for a moment.
const APPEAR_WITHIN: Duration = Duration::from_secs(30);
/// What names the place that a quarantined record comes from.
const SOURCE_HEADERS: &[u8] = b"mirrorctl.source.";
/// Before a record is written of which nobody knows whether it was, so many of the last ones are looked at. Other partitions
/// and mirrors may have written since; a record behind more of them than this is there twice.
const LOOKED_AT: i64 = 100;
/// One fetch.
const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(500),
    min_bytes: 1,
    max_bytes: 1 << 20,
    partition_max_bytes: 1 << 20,
};

/// A record as it lies on the source.
struct AtSource {
    offset: i64,
    record: Record,
    codec: Compression,
}

impl Partition {
    /// Gets past a batch that the target refused because of its size: it is cut, or its only
    /// record is quarantined.
    pub(crate) async fn pass_too_large(
        &mut self,
        shared: &Shared,
        refused: TooLarge,
    ) -> Result<Passage, Stopped> {
        let limit = match limit_of(shared.target.cluster(), &self.id.target_topic).await {
            Ok(limit) => limit,
            Err(error) if error.class() == RetryClass::Fatal => None,
            Err(error) => return Ok(Passage::Again(Trouble::Target(error))),
        };
        let TooLarge {
            start,
            end,
            records,
            bytes,
            error,
        } = refused;
        let watermark = self.flow.watermark();
        self.cutter.forget_below(watermark);
        self.cutter.refuse(start, end, limit);
        // Something before it failed too: that goes first, and this comes again.
        if records > 1 || start != watermark {
            return Ok(Passage::Passed);
        }
        let found = match self.read_one(shared, start, end).await {
            Ok(found) => found,
            Err(error) if error.class() == RetryClass::Fatal => return Err(Stopped::Client(error)),
            Err(error) => return Ok(Passage::Again(Trouble::Source(error))),
        };
        let offset = found.as_ref().map_or(start, |found| found.offset);
        let (OnOversize::Quarantine, Some(found)) = (shared.losses.on_oversize, found) else {
            return Err(Stopped::Oversize {
                topic: self.id.target_topic.clone(),
                offset,
                bytes,
                limit: self.cutter.limit(),
                error,
            });
        };
        let topic = format!("{}{QUARANTINE_SUFFIX}", self.id.target_topic);
        let reason = format!(
            "its batch has {bytes} bytes, {}",
            limit.map_or_else(
                || format!("too many for `{}`", self.id.target_topic),
                |limit| format!("`{}` takes {limit}", self.id.target_topic)
            )
        );
        self.quarantine(shared, &topic, found, &reason, &error.to_string())
            .await
            .map_err(|error| Stopped::Quarantine {
                topic: topic.clone(),
                offset,
                error: Box::new(error),
            })?;
        let gap = Found {
            kind: GapKind::Oversize,
            source_topic_id: self.position.source_topic_id.clone(),
            lost_epoch: None,
            from: offset,
            to: Some(end),
            records: Some(1),
            resumed_at: end,
            reason: format!("{reason}; the record is in `{topic}`"),
            policy: "onOversize: quarantine",
        };
        self.note(shared, gap).await?;
        self.progress.quarantined(1);
        self.flow.jump(end);
        Ok(Passage::Passed)
    }

    /// Whether a batch that the target holds a part of went there in pieces, because it is larger
    /// than the target takes; it is cut into the same pieces then.
    pub(crate) async fn was_cut(
        &mut self,
        shared: &Shared,
        start: i64,
        end: i64,
        bytes: usize,
    ) -> bool {
        let limit = limit_of(shared.target.cluster(), &self.id.target_topic).await;
        match limit {
            Ok(Some(limit)) if bytes > limit => {
                self.cutter.refuse(start, end, Some(limit));
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(partition = %self.id, %error,
                    "the largest batch that the target takes is not known");
                false
            }
        }
    }

    /// The first record from `start` on and before `end`, read on a connection of its own.
    async fn read_one(
        &self,
        shared: &Shared,
        start: i64,
        end: i64,
    ) -> Result<Option<AtSource>, Error> {
        let id = &self.id;
        let leader = shared
            .source
            .of(&id.source_topic, id.partition, None)
            .await?;
        let connection = shared.source.cluster().open(&leader.node).await?;
        let from = FetchFrom {
            topic: id.source_topic.clone(),
            topic_id: leader.topic_id,
            partition: id.partition,
            offset: start,
            leader_epoch: leader.epoch,
        };
        for batch in fetch_batches(&connection, LIMITS, from).await?.batches {
            if batch.header.is_control() {
                continue;
            }
            let malformed = |error| malformed(&connection, &id.source_topic, &error);
            batch.check_crc().map_err(malformed)?;
            let base = batch.header.base_offset;
            let found = record::decode(&batch)
                .map_err(malformed)?
                .into_iter()
                .map(|record| (base + i64::from(record.offset_delta), record))
                .find(|(offset, _)| (start..end).contains(offset));
            if let Some((offset, record)) = found {
                let codec = batch.header.compression().unwrap_or(Compression::None);
                return Ok(Some(AtSource {
                    offset,
                    record,
                    codec,
                }));
            }
        }
        Ok(None)
    }

    /// Durable in the quarantine topic once this returns `Ok`.
    async fn quarantine(
        &self,
        shared: &Shared,
        topic: &str,
        found: AtSource,
        reason: &str,
        error: &str,
    ) -> Result<(), Error> {
        let mut record = found.record;
        for (name, value) in [
            ("mirrorctl.reason", reason),
            ("mirrorctl.error", error),
            (
                "mirrorctl.source.cluster",
                shared.source.cluster().cluster_id(),
            ),
            ("mirrorctl.source.topic", &self.id.source_topic),
            ("mirrorctl.source.partition", &self.id.partition.to_string()),
            ("mirrorctl.source.offset", &found.offset.to_string()),
        ] {
            let name = Bytes::copy_from_slice(name.as_bytes());
            let value = Bytes::copy_from_slice(value.as_bytes());
            record.headers.push((name, Some(value)));
        }
        let batch =
            record::encode(std::slice::from_ref(&record), found.codec).map_err(|error| {
                Error::Malformed {
                    address: "this client".to_owned(),
                    what: "quarantined record",
                    detail: error.to_string(),
                }
            })?;
        ensure(shared.target.cluster(), topic, batch.wire_len()).await?;
        shared.target.track([topic.to_owned()]).await;
        let give_up = Instant::now() + APPEAR_WITHIN;
        let mut appender = Appender::new(shared.target.clone(), topic);
        // What an earlier run wrote before it died, or an append whose answer was lost, must not be written twice.
        let mut unsure = self.progress.has_quarantined_none();
        loop {
            let kept = async {
                if unsure && holds(&shared.target, topic, &record).await? {
                    return Ok(());
                }
                appender.append_batch(&batch).await
            };
            match kept.await {
                Err(error) if error.class() != RetryClass::Fatal && Instant::now() < give_up => {
                    unsure = true;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }
}

/// Whether one of the last records of a topic is this one: from the same place on the source.
async fn holds(target: &Leaders, topic: &str, record: &Record) -> Result<bool, Error> {
    let place = |record: &Record| -> Vec<(Bytes, Option<Bytes>)> {
        let of_ours = |(name, _): &&(Bytes, Option<Bytes>)| name.starts_with(SOURCE_HEADERS);
        record.headers.iter().filter(of_ours).cloned().collect()
    };
    let wanted = place(record);
    let leader = target.of(topic, 0, Some(Instant::now())).await?;
    let partition = TopicPartition::new(topic, 0);
    let cluster = target.cluster();
    let start = listed(cluster, &partition, OffsetSpec::Earliest).await?;
    let end = listed(cluster, &partition, OffsetSpec::Latest).await?;
    let mut at = start.max(end - LOOKED_AT);
    let connection = cluster.open(&leader.node).await?;
    while at < end {
        let from = FetchFrom {
            topic: topic.into(),
            topic_id: leader.topic_id,
            partition: 0,
            offset: at,
            leader_epoch: -1,
        };
        let answer = fetch_batches(&connection, LIMITS, from).await?;
        if answer.nothing_before(end) {
            return Ok(false);
        }
        for batch in answer.batches {
            at = batch.header.next_offset();
            let malformed = |error| malformed(&connection, topic, &error);
            let kept = record::decode(&batch).map_err(malformed)?;
            if kept.iter().any(|kept| place(kept) == wanted) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The largest batch that a topic takes; `None` where the broker does not say.
async fn limit_of(cluster: &Cluster, topic: &str) -> Result<Option<usize>, Error> {
    let described = cluster.describe_topic_configs(&[topic.to_owned()]).await?;
    match described.into_iter().next() {
        Some((_, Ok(configs))) => Ok(configs
            .get(MAX_MESSAGE_BYTES)
            .and_then(|entry| entry.value.as_ref())
            .and_then(|value| value.parse().ok())),
        Some((_, Err(error))) => Err(Error::Broker {
            api: format!("DescribeConfigs {topic}"),
            error,
        }),
        None => Ok(None),
    }
}

/// Creates the quarantine topic, or raises its limit, so that it takes a batch of `bytes`.
async fn ensure(target: &Cluster, topic: &str, bytes: usize) -> Result<(), Error> {
    let limit = bytes
        .checked_next_power_of_two()
        .unwrap_or(bytes)
        .max(LEAST_LIMIT)
        .min(i32::MAX as usize)
        .to_string();
    let existing = target.topic_metadata(&[topic.to_owned()]).await?;
    if matches!(existing.get(topic), Some(Ok(_))) {
        if limit_of(target, topic)
            .await?
            .is_some_and(|now| now < bytes)
        {
            let raised = ConfigChange::Set {
                key: MAX_MESSAGE_BYTES.to_owned(),
                value: limit,
            };
            target.alter_topic_configs(topic, &[raised]).await?;
        }
        return Ok(());
    }
    let brokers = target.metadata_of(&[]).await?.brokers.len();
    let new = NewTopic {
        name: topic.to_owned(),
        partitions: Some(1),
        replication_factor: Some(brokers.clamp(1, 3) as i16),
        configs: BTreeMap::from([
            (MAX_MESSAGE_BYTES.to_owned(), limit),
            // Somebody has to look at these; until then they stay.
            ("retention.ms".to_owned(), "-1".to_owned()),
        ]),
    };
    for (name, outcome) in target.create_topics(&[new]).await? {
        match outcome {
            Ok(()) => tracing::info!(topic = name, "created quarantine topic"),
            Err(error) if error.name() == "TOPIC_ALREADY_EXISTS" => {}
            Err(error) => {
                return Err(Error::Broker {
                    api: format!("CreateTopics {name}"),
                    error,
                });
            }
        }
    }
    Ok(())
}
