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
    Record(&'a Record),
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
            for batch in fetch_batches(&connection, LIMITS, from).await? {
                if !batch.header.is_control() {
                    let records = record::decode(&batch)
                        .map_err(|error| malformed(&connection, &self.topic, &error))?;
                    for record in &records {
                        visit(Seen::Record(record));
                    }
                }
                self.next = batch.header.next_offset();
            }
        }
        Ok(())
    }
}

/// One fetch of one partition: the whole batches, control batches too, that reach past its offset.
pub(crate) async fn fetch_batches(
    connection: &Connection,
    limits: FetchLimits,
    from: FetchFrom,
) -> Result<Vec<RawBatch>, Error> {
    let place = TopicPartition::new(&*from.topic, from.partition);
    let offset = from.offset;
    let fetched = kafka::fetch::send(connection, limits, &[from])
        .await?
        .receive()
        .await?;
    let mut batches = Vec::new();
    for fetched in fetched {
        if let Some(error) = fetched.error {
            return Err(Error::Broker {
                api: format!("Fetch {place}"),
                error,
            });
        }
        let mut records = fetched.records;
        while let Some(batch) = RawBatch::split_from(&mut records)
            .map_err(|error| malformed(connection, &place.topic, &error))?
        {
            if batch.header.next_offset() > offset {
                batches.push(batch);
            }
        }
    }
    Ok(batches)
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
