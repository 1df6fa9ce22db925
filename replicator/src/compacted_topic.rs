//! Our own compacted topics of one partition on the target: made, looked up, read whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka::record::Record;
use kafka::{Cluster, Error, NewTopic, RetryClass};
use tokio::time::Instant;

use crate::leaders::Leaders;
use crate::topic_reader::{Seen, TopicReader};

/// Pause before metadata is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Metadata knows a topic that was just created within this time, or something is wrong.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);

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
    loop {
        match exists(target, name).await {
            Ok(true) => return Ok(()),
            Err(error) if error.class() == RetryClass::Fatal || Instant::now() >= deadline => {
                return Err(error);
            }
            Ok(false) if Instant::now() >= deadline => {
                return Err(Error::NoLeader {
                    topic: name.to_owned(),
                    partition: 0,
                });
            }
            Ok(false) | Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
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
    let leaders = Arc::new(Leaders::tracking(target.clone(), name));
    TopicReader::new(leaders, name)
        .read_to_end(|seen| match seen {
            Seen::Anew => {}
            Seen::Record(record) => visit(record),
        })
        .await
}
