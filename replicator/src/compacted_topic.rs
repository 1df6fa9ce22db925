//! Our own compacted topics of one partition on the target: created, read whole, appended to.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::batch::{BatchError, RawBatch};
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::produce::ProduceBatch;
use kafka::record::{self, Record};
use kafka::{
    Cluster, Compression, Connection, Error, NewTopic, OffsetSpec, ProducerIdentity, TopicPartition,
};
use tokio::time::Instant;

use crate::leaders::Leaders;

/// What these topics hold is not idempotent: the last one a key wins, whoever wrote it.
const NO_PRODUCER: ProducerIdentity = ProducerIdentity { id: -1, epoch: -1 };

/// Pause before metadata is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Metadata knows a topic that was just created within this time, or something is wrong.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);
/// One fetch.
pub(crate) const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(500),
    min_bytes: 1,
    max_bytes: 4 << 20,
    partition_max_bytes: 4 << 20,
};

/// Creates the topic where it is missing, and returns once metadata knows it: a broker that has
/// just started does not know all topics, and one that it does not know looks like an empty one.
pub(crate) async fn ensure(target: &Cluster, name: &str) -> Result<(), Error> {
    if exists(target, name).await? {
        return Ok(());
    }
    let brokers = target.metadata_of(&[]).await?.brokers.len();
    let topic = NewTopic {
        name: name.to_owned(),
        partitions: Some(1),
        replication_factor: Some(brokers.clamp(1, 3) as i16),
        configs: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
    };
    for (name, outcome) in target.create_topics(&[topic]).await? {
        match outcome {
            Ok(()) => {}
            Err(error) if error.name() == "TOPIC_ALREADY_EXISTS" => {}
            Err(error) => {
                return Err(Error::Broker {
                    api: format!("CreateTopics {name}"),
                    error,
                });
            }
        }
    }
    let deadline = Instant::now() + APPEARS_WITHIN;
    while !exists(target, name).await? {
        if Instant::now() >= deadline {
            return Err(Error::NoLeader {
                topic: name.to_owned(),
                partition: 0,
            });
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    Ok(())
}

/// Whether there is such a topic. Any other error than that it is unknown is an error here: who
/// takes it for a missing topic takes what it holds for nothing.
pub(crate) async fn exists(target: &Cluster, name: &str) -> Result<bool, Error> {
    let mut found = target.topic_metadata(&[name.to_owned()]).await?;
    match found.remove(name) {
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) if error.name() != "UNKNOWN_TOPIC_OR_PARTITION" => Err(Error::Broker {
            api: format!("Metadata {name}"),
            error,
        }),
        Some(Err(_)) | None => Ok(false),
    }
}

/// Hands every record to `visit`, the oldest first, up to the end as it is now. None where the
/// topic does not exist.
pub(crate) async fn read(
    target: &Cluster,
    name: &str,
    mut visit: impl FnMut(&Record),
) -> Result<(), Error> {
    if !exists(target, name).await? {
        return Ok(());
    }
    let partition = TopicPartition::new(name, 0);
    let leaders = Leaders::new(target.clone());
    leaders.track([name.to_owned()]).await;
    let mut at = listed(target, &partition, OffsetSpec::Earliest).await?;
    let end = listed(target, &partition, OffsetSpec::Latest).await?;
    let leader = leaders.of(name, 0, None).await?;
    let connection = target.open(&leader.node).await?;
    while at < end {
        let from = FetchFrom {
            topic: name.into(),
            topic_id: leader.topic_id,
            partition: 0,
            offset: at,
            leader_epoch: -1,
        };
        let fetched = kafka::fetch::send(&connection, LIMITS, &[from])
            .await?
            .receive()
            .await?;
        let Some(fetched) = fetched.into_iter().next() else {
            continue;
        };
        if let Some(error) = fetched.error {
            return Err(Error::Broker {
                api: format!("Fetch {partition}"),
                error,
            });
        }
        let mut records = fetched.records;
        let malformed = |error: BatchError| Error::Malformed {
            address: connection.address().to_owned(),
            what: "batch of a compacted topic",
            detail: error.to_string(),
        };
        while let Some(batch) = RawBatch::split_from(&mut records).map_err(malformed)? {
            at = at.max(batch.header.next_offset());
            if batch.header.is_control() {
                continue;
            }
            for record in record::decode(&batch).map_err(malformed)? {
                visit(&record);
            }
        }
    }
    Ok(())
}

/// An end of the topic's only partition.
pub(crate) async fn listed(
    target: &Cluster,
    partition: &TopicPartition,
    at: OffsetSpec,
) -> Result<i64, Error> {
    let outcome = target
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

/// Appends one batch with `acks=all`; durable once this returns `Ok`. After a failure it may be
/// there or not: `connection` is then empty, and the caller passes the moment as `stale` next time.
pub(crate) async fn append(
    leaders: &Leaders,
    connection: &mut Option<Connection>,
    name: &str,
    stale: Option<Instant>,
    records: &[Record],
) -> Result<(), Error> {
    let batch = record::encode(records, Compression::None).map_err(|error| Error::Malformed {
        address: "this client".to_owned(),
        what: "record of a compacted topic",
        detail: error.to_string(),
    })?;
    let leader = leaders.of(name, 0, stale).await?;
    let open = leaders
        .cluster()
        .reuse_or_open(connection.take(), &leader.node)
        .await?;
    let batch = ProduceBatch {
        topic: name.into(),
        partition: 0,
        header: batch.stamped(NO_PRODUCER, -1),
        payload: batch.payload(),
    };
    let timeout = open.request_timeout();
    let produced = kafka::produce::send(&open, &[batch], timeout)
        .await?
        .receive()
        .await?;
    for produced in produced {
        if let Err(error) = produced.outcome {
            return Err(Error::Broker {
                api: format!("Produce {name}"),
                error,
            });
        }
    }
    *connection = Some(open);
    Ok(())
}
