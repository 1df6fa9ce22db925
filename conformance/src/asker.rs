//! Questions to a cluster. librdkafka's answers may take long; a cancelled observer does not wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::Error;
use crate::context::{Consumer, serve};
use crate::endpoint::Endpoint;
use crate::observer::Observer;

/// How long librdkafka may take to answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);
/// Between two questions about a partition that is on its way to a leader.
const PAUSE: Duration = Duration::from_millis(200);
/// How late a cancelled observer is heard while librdkafka is waited for.
const LISTEN: Duration = Duration::from_millis(500);
/// How long a client may take to close before it is left to close by itself.
const CLOSE: Duration = Duration::from_millis(500);

/// A partition with its first and its end offset.
pub(crate) type Span = (i32, i64, i64);

/// Runs a blocking call on a thread of its own, which is left behind when the observer cancels:
/// librdkafka's waits end at their own time limits and cannot be ended from outside.
pub(crate) fn unless_cancelled<T: Send + 'static>(
    observer: &dyn Observer,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (tell, answer) = sync_channel(1);
    thread::spawn(move || tell.send(call()));
    loop {
        match answer.recv_timeout(LISTEN) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) if observer.cancelled() => {
                return Err(Error::Cancelled);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Invalid(
                    "a question to a cluster panicked".to_owned(),
                ));
            }
        }
    }
}

/// Closes a client, and waits for that only briefly: a cluster that is away can hold it up.
pub(crate) fn close<T: Send + 'static>(client: T) {
    let (tell, closed) = sync_channel(1);
    thread::spawn(move || {
        drop(client);
        tell.send(())
    });
    if closed.recv_timeout(CLOSE).is_err() {
        tracing::debug!("a client takes long to close");
    }
}

/// Asks one cluster about topics and offsets. Has no group id, so that no coordinator is looked up.
pub(crate) struct Asker<'e> {
    pub(crate) endpoint: &'e Endpoint,
    pub(crate) observer: &'e dyn Observer,
    /// `None` only while it is dropped.
    client: Option<Arc<Consumer>>,
}

impl<'e> Asker<'e> {
    /// Does not connect yet.
    pub(crate) fn open(endpoint: &'e Endpoint, observer: &'e dyn Observer) -> Result<Self, Error> {
        let client = endpoint
            .asker()
            .create_with_context(endpoint.context())
            .map_err(endpoint.failed("creating a client"))?;
        Ok(Self {
            endpoint,
            observer,
            client: Some(Arc::new(client)),
        })
    }

    /// How many partitions each topic has: of all topics, or of the one named. Creates nothing.
    pub(crate) fn partition_counts(
        &self,
        topic: Option<&str>,
    ) -> Result<BTreeMap<String, i32>, Error> {
        let named = topic.map(str::to_owned);
        let what = topic.map_or_else(|| "all topics".to_owned(), str::to_owned);
        self.ask(
            format!("asking for the metadata of {what}"),
            move |client| {
                let metadata = client.fetch_metadata(named.as_deref(), ANSWER)?;
                let there = metadata
                    .topics()
                    .iter()
                    .filter(|found| found.error().is_none() && !found.partitions().is_empty());
                Ok(there
                    .map(|found| (found.name().to_owned(), found.partitions().len() as i32))
                    .collect())
            },
        )
    }

    /// The first and the end offset of each of these partitions, as a read-committed reader sees
    /// them, in the order given.
    pub(crate) fn spans(&self, topic: &str, partitions: &[i32]) -> Result<Vec<Span>, Error> {
        let firsts = self.offsets(topic, partitions, Offset::Beginning)?;
        let ends = self.offsets(topic, partitions, Offset::End)?;
        let bounds = firsts.into_iter().zip(ends);
        Ok(partitions
            .iter()
            .zip(bounds)
            .map(|(&partition, (first, end))| (partition, first, end))
            .collect())
    }

    /// The offsets at one edge of these partitions: one request a broker.
    pub(crate) fn offsets(
        &self,
        topic: &str,
        partitions: &[i32],
        edge: Offset,
    ) -> Result<Vec<i64>, Error> {
        let failed = self
            .endpoint
            .failed(format!("asking for the offsets of {topic}"));
        let places = self.places(topic, partitions, edge)?;
        let offsets: Option<Vec<i64>> = places.into_iter().collect();
        offsets.ok_or_else(|| failed(KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset)))
    }

    /// The offset of the first record that is not older than this, in milliseconds since the epoch; `None` where there is none.
    pub(crate) fn at_time(
        &self,
        topic: &str,
        partition: i32,
        millis: i64,
    ) -> Result<Option<i64>, Error> {
        // below zero are the edges
        let time = Offset::Offset(millis.max(0));
        let places = self.places(topic, &[partition], time)?;
        Ok(places.into_iter().next().flatten())
    }

    /// The id of the cluster; `None` where it does not say.
    pub(crate) fn cluster_id(&self) -> Result<Option<String>, Error> {
        self.ask("asking for the cluster id".to_owned(), |client| {
            Ok(client.client().fetch_cluster_id(ANSWER))
        })
    }

    /// Whether the cluster itself says that there is no such topic: one that is hidden from us is not in the list either.
    pub(crate) fn is_unknown(&self, topic: &str) -> Result<bool, Error> {
        let name = topic.to_owned();
        self.ask(format!("asking for the topic {topic}"), move |client| {
            let metadata = client.fetch_metadata(Some(&name), ANSWER)?;
            let answers = metadata.topics().iter();
            Ok(answers.filter(|it| it.name() == name).any(|it| {
                it.error().map(RDKafkaErrorCode::from)
                    == Some(RDKafkaErrorCode::UnknownTopicOrPartition)
            }))
        })
    }

    /// Offsets of an edge, or of a time.
    fn places(
        &self,
        topic: &str,
        partitions: &[i32],
        edge: Offset,
    ) -> Result<Vec<Option<i64>>, Error> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let (name, wanted) = (topic.to_owned(), partitions.to_vec());
        self.ask(
            format!("asking for the offsets of {topic}"),
            move |client| {
                let asked = Instant::now();
                loop {
                    match edges(client, &name, &wanted, edge) {
                        Err(error) if is_moving(&error) && asked.elapsed() < ANSWER => {
                            thread::sleep(PAUSE);
                        }
                        answer => return answer,
                    }
                }
            },
        )
    }

    fn ask<T: Send + 'static>(
        &self,
        operation: String,
        question: impl FnOnce(&Consumer) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, Error> {
        let failed = self.endpoint.failed_because(operation);
        let Some(client) = self.client.clone() else {
            return Err(Error::Cancelled);
        };
        unless_cancelled(self.observer, move || {
            let context = client.client().context();
            serve(&client, context, ANSWER);
            question(&client).map_err(|error| {
                // complaints wait to be polled, too
                serve(&client, context, Duration::ZERO);
                (error, context.last_trouble())
            })
        })?
        .map_err(|(error, trouble)| failed(error, trouble))
    }
}

/// One question about the offsets at one edge of these partitions.
fn edges(
    client: &Consumer,
    topic: &str,
    partitions: &[i32],
    edge: Offset,
) -> Result<Vec<Option<i64>>, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for &partition in partitions {
        // ListOffsets takes the edges for timestamps (-1 and -2), and so does librdkafka
        list.add_partition_offset(topic, partition, edge)?;
    }
    let found = client.offsets_for_times(list, ANSWER)?;
    let mut offsets = Vec::with_capacity(partitions.len());
    for &partition in partitions {
        let Some(place) = found.find_partition(topic, partition) else {
            return Err(KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition));
        };
        place.error()?;
        match place.offset() {
            Offset::Offset(offset) => offsets.push(Some(offset)),
            // of a time that is younger than every record
            _ => offsets.push(None),
        }
    }
    Ok(offsets)
}

/// Whether a partition is only on its way to a leader, as right after its topic was created.
fn is_moving(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable)
    )
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            close(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_topic_is_asked_again_and_a_missing_one_is_not() {
        let answer = |code| is_moving(&KafkaError::OffsetFetch(code));
        assert!(answer(RDKafkaErrorCode::NotLeaderForPartition));
        assert!(answer(RDKafkaErrorCode::LeaderNotAvailable));
        assert!(!answer(RDKafkaErrorCode::UnknownTopicOrPartition));
        assert!(!answer(RDKafkaErrorCode::TopicAuthorizationFailed));
    }
}
