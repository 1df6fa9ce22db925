//! Reads topics of one partition from their beginning, and on from where it stopped.

use std::sync::Arc;
use std::time::Duration;

use kafka::batch::{BatchError, RawBatch};
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::record::{self, Record};
use kafka::{Cluster, Connection, Error, OffsetSpec, TopicPartition, Uuid};
use tokio::time::Instant;

use crate::leaders::Leaders;

/// One fetch.
const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(500),
    min_bytes: 1,
    max_bytes: 4 << 20,
    partition_max_bytes: 4 << 20,
};

/// What a reader comes across.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// The topic is another one than the one read so far (or the first one): what was read means
    /// nothing any more.
    Anew,
    /// The next record.
    Record {
        /// Where it stands in the topic.
        offset: i64,
        /// The record.
        record: &'a Record,
    },
}

/// How far a topic is read.
#[derive(Debug)]
pub(crate) struct TopicReader {
    leaders: Arc<Leaders>,
    topic: Arc<str>,
    /// Which topic `next` speaks of; `None` before the first reading.
    topic_id: Option<Uuid>,
    /// Offset of the next record.
    next: i64,
}

impl TopicReader {
    /// `leaders` must track the topic.
    pub(crate) fn new(leaders: Arc<Leaders>, topic: &str) -> Self {
        Self {
            leaders,
            topic: topic.into(),
            topic_id: None,
            next: 0,
        }
    }

    /// The next reading begins anew.
    pub(crate) fn forget(&mut self) {
        self.topic_id = None;
    }

    /// Reads to the end that the topic had when the call began; it must exist. After an error the
    /// next call goes on where this one stopped. Cancel safe in the same way.
    pub(crate) async fn read_to_end(
        &mut self,
        mut visit: impl FnMut(Seen<'_>),
    ) -> Result<(), Error> {
        let cluster = self.leaders.cluster().clone();
        let partition = TopicPartition::new(&*self.topic, 0);
        let leader = self
            .leaders
            .of(&self.topic, 0, Some(Instant::now()))
            .await?;
        if self.topic_id != Some(leader.topic_id) {
            self.next = listed(&cluster, &partition, OffsetSpec::Earliest).await?;
            self.topic_id = Some(leader.topic_id);
            visit(Seen::Anew);
        }
        let end = listed(&cluster, &partition, OffsetSpec::Latest).await?;
        if self.next >= end {
            return Ok(());
        }
        let connection = cluster.open(&leader.node).await?;
        while self.next < end {
            let from = FetchFrom {
                topic: self.topic.clone(),
                topic_id: leader.topic_id,
                partition: 0,
                offset: self.next,
                leader_epoch: -1,
            };
            let answer = fetch_batches(&connection, LIMITS, from).await?;
            if answer.nothing_before(end) {
                self.next = end;
            }
            for batch in answer.batches {
                if !batch.header.is_control() {
                    let records = record::decode(&batch)
                        .map_err(|error| malformed(&connection, &self.topic, &error))?;
                    for record in &records {
                        let offset = batch.header.base_offset + i64::from(record.offset_delta);
                        visit(Seen::Record { offset, record });
                    }
                }
                self.next = batch.header.next_offset();
            }
        }
        Ok(())
    }
}

/// What one fetch of one partition brought.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The whole batches, control batches too, that reach past its offset.
    pub(crate) batches: Vec<RawBatch>,
    /// Where what can be read ended then.
    readable: i64,
}

impl Answer {
    /// Nothing is left between the fetch's offset and `end`. The last records before the end can be tombstones that the
    /// cleaner has taken away. A leader that does not know yet how far its followers are answers without records too, and
    /// then what can be read ends earlier.
    pub(crate) fn nothing_before(&self, end: i64) -> bool {
        self.batches.is_empty() && self.readable >= end
    }
}

/// One fetch of one partition.
pub(crate) async fn fetch_batches(
    connection: &Connection,
    limits: FetchLimits,
    from: FetchFrom,
) -> Result<Answer, Error> {
    let place = TopicPartition::new(&*from.topic, from.partition);
    let offset = from.offset;
    let fetched = kafka::fetch::send(connection, limits, &[from])
        .await?
        .receive()
        .await?;
    let mut answer = Answer {
        batches: Vec::new(),
        readable: i64::MIN,
    };
    for fetched in fetched {
        if let Some(error) = fetched.error {
            return Err(Error::Broker {
                api: format!("Fetch {place}"),
                error,
            });
        }
        answer.readable = fetched.last_stable_offset;
        let mut records = fetched.records;
        while let Some(batch) = RawBatch::split_from(&mut records)
            .map_err(|error| malformed(connection, &place.topic, &error))?
        {
            if batch.header.next_offset() > offset {
                answer.batches.push(batch);
            }
        }
    }
    Ok(answer)
}

/// That a broker sent something else than batches of records that we know.
pub(crate) fn malformed(connection: &Connection, topic: &str, error: &BatchError) -> Error {
    Error::Malformed {
        address: connection.address().to_owned(),
        what: "record batch",
        detail: format!("of `{topic}`: {error}"),
    }
}

/// An end of a partition.
pub(crate) async fn listed(
    cluster: &Cluster,
    partition: &TopicPartition,
    at: OffsetSpec,
) -> Result<i64, Error> {
    let outcome = cluster
        .list_offsets(std::slice::from_ref(partition), at)
        .await?
        .into_values()
        .next();
    match outcome {
        Some(Ok(listed)) => Ok(listed.offset),
        Some(Err(error)) => Err(Error::Broker {
            api: format!("ListOffsets {partition}"),
            error,
        }),
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use broker::{ClusterOptions, EmbeddedCluster};
    use bytes::Bytes;
    use kafka::{ClientOptions, KeyedLog, Plaintext};

    use super::*;

    fn record(key: &'static str, value: Option<&'static str>) -> Record {
        Record {
            key: Some(Bytes::from_static(key.as_bytes())),
            value: value.map(|value| Bytes::from_static(value.as_bytes())),
            offset_delta: 0,
            timestamp: 1_760_000_000_000,
            headers: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_log_whose_last_records_were_cleaned_away_has_an_end() {
        let embedded = EmbeddedCluster::start(ClusterOptions::default())
            .await
            .expect("a cluster");
        let options = ClientOptions::new([embedded.bootstrap_servers()]);
        let cluster = Cluster::connect(options, Arc::new(Plaintext))
            .await
            .expect("connected");
        let log = KeyedLog::new(cluster.clone(), "own");
        log.ensure(&[("cleanup.policy", "compact")])
            .await
            .expect("a topic");
        for record in [
            record("a", Some("1")),
            record("b", Some("2")),
            record("b", None),
        ] {
            log.append(&[record]).await.expect("written");
        }
        embedded.compact_past_tombstones("own").expect("compacted");
        let leaders = Arc::new(Leaders::tracking(cluster, "own"));
        let mut reader = TopicReader::new(leaders, "own");
        let mut seen = BTreeMap::new();
        let read = reader.read_to_end(|it| {
            if let Seen::Record { record, .. } = it {
                seen.insert(record.key.clone(), record.value.clone());
            }
        });
        tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .expect("it ends")
            .expect("read");
        assert_eq!(seen.len(), 1, "{seen:?}");
        log.append(&[record("c", Some("3"))])
            .await
            .expect("written");
        let mut after = 0;
        let read = reader.read_to_end(|it| after += u32::from(matches!(it, Seen::Record { .. })));
        read.await.expect("read on");
        assert_eq!(after, 1);
    }
}
