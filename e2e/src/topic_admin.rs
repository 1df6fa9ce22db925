//! What a cluster's administrator does to topics, through librdkafka: without the two seconds that each of Kafka's own
//! tools takes to start.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(20);

/// Creates, changes and deletes topics. Every method returns once the cluster has answered.
pub struct TopicAdmin {
    client: AdminClient<DefaultClientContext>,
}

impl TopicAdmin {
    /// For the cluster at these servers.
    pub fn new(servers: &str) -> Result<Self> {
        let client = ClientConfig::new()
            .set("bootstrap.servers", servers)
            .set("log_level", "0")
            .create()
            .map_err(Error::client("creating an admin client"))?;
        Ok(Self { client })
    }

    /// The names of all topics.
    pub fn topics(&self) -> Result<Vec<String>> {
        let client = self.client.inner();
        let metadata = client.fetch_metadata(None, PATIENCE);
        let metadata = metadata.map_err(Error::client("listing topics"))?;
        let topics = metadata.topics().iter();
        Ok(topics.map(|topic| topic.name().to_owned()).collect())
    }

    /// Creates a topic with one replica a partition.
    pub fn create(&self, topic: &str, partitions: i32, configs: &[(&str, &str)]) -> Result<()> {
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        self.create_new(topic, new, configs)
    }

    /// Creates a topic with each partition's replicas on these brokers; the first one leads.
    pub fn create_on(
        &self,
        topic: &str,
        replicas: &[&[i32]],
        configs: &[(&str, &str)],
    ) -> Result<()> {
        let placed = TopicReplication::Variable(replicas);
        let new = NewTopic::new(topic, replicas.len() as i32, placed);
        self.create_new(topic, new, configs)
    }

    fn create_new<'a>(
        &self,
        topic: &str,
        new: NewTopic<'a>,
        configs: &[(&'a str, &'a str)],
    ) -> Result<()> {
        let what = format!("creating {topic}");
        let new = configs
            .iter()
            .fold(new, |new, (key, value)| new.set(key, value));
        let created = wait(self.client.create_topics([&new], &options()));
        first(&what, created)
    }

    /// Deletes a topic.
    pub fn delete(&self, topic: &str) -> Result<()> {
        let deleted = wait(self.client.delete_topics(&[topic], &options()));
        first(&format!("deleting {topic}"), deleted)
    }

    /// Gives a topic more partitions. Returns once a broker shows them.
    pub fn grow(&self, topic: &str, partitions: usize) -> Result<()> {
        let new = NewPartitions::new(topic, partitions);
        let what = format!("growing {topic}");
        let grown = wait(self.client.create_partitions([&new], &options()));
        first(&what, grown)?;
        // the controller has answered; a broker that does not know it yet would refuse a writer
        let give_up = Instant::now() + PATIENCE;
        loop {
            let shown = self.client.inner().fetch_metadata(Some(topic), PATIENCE);
            let shown = shown.map_err(Error::client(&what))?;
            let count = shown.topics().first().map_or(0, |it| it.partitions().len());
            if count >= partitions {
                return Ok(());
            }
            if Instant::now() >= give_up {
                return Err(Error::Timeout {
                    what,
                    waited: PATIENCE,
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Gives a topic this configuration; what is not named goes back to the broker's default.
    pub fn configure(&self, topic: &str, configs: &[(&str, &str)]) -> Result<()> {
        let what = format!("configuring {topic}");
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic));
        let change = configs
            .iter()
            .fold(change, |change, (key, value)| change.set(key, value));
        let altered = wait(self.client.alter_configs([&change], &options()));
        let altered = altered.map_err(Error::client(&what))?;
        match altered.into_iter().next() {
            Some(Ok(_)) => Ok(()),
            Some(Err((_, code))) => Err(refused(&what, code)),
            None => Err(refused(&what, RDKafkaErrorCode::NoEnt)),
        }
    }

    /// Deletes the records of a partition before `offset` (`DeleteRecords`).
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) -> Result<()> {
        let what = format!("deleting records of {topic}-{partition} before {offset}");
        let mut before = TopicPartitionList::new();
        before
            .add_partition_offset(topic, partition, Offset::Offset(offset))
            .map_err(Error::client(&what))?;
        let deleted = wait(self.client.delete_records(&before, &options()));
        let deleted = deleted.map_err(Error::client(&what))?;
        deleted
            .elements()
            .into_iter()
            .try_for_each(|partition| partition.error())
            .map_err(Error::client(&what))
    }
}

impl std::fmt::Debug for TopicAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicAdmin").finish_non_exhaustive()
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE))
}

/// The outcome of a call about one topic.
fn first(what: &str, outcomes: Result<Vec<TopicResult>, KafkaError>) -> Result<()> {
    let outcomes = outcomes.map_err(Error::client(what))?;
    match outcomes.into_iter().next() {
        Some(Ok(_)) => Ok(()),
        Some(Err((_, code))) => Err(refused(what, code)),
        None => Err(refused(what, RDKafkaErrorCode::NoEnt)),
    }
}

fn refused(what: &str, code: RDKafkaErrorCode) -> Error {
    Error::client(what)(KafkaError::AdminOp(code))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// librdkafka answers on threads of its own, so this one may sleep.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
