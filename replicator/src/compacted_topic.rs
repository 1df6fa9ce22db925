//! Our own compacted topics of one partition on the target: made, looked up, read whole.

use std::sync::Arc;

use kafka::record::Record;
use kafka::{Cluster, Error, KeyedLog};

use crate::leaders::Leaders;
use crate::topic_reader::{Seen, TopicReader};

/// Creates the topic where it is missing, and returns once metadata shows its leader: a broker that has just started
/// does not know all topics, and one that it does not know looks like an empty one.
pub(crate) async fn ensure(target: &Cluster, name: &str) -> Result<(), Error> {
    let log = KeyedLog::new(target.clone(), name);
    log.ensure(&[("cleanup.policy", "compact")]).await
}

/// Whether there is such a topic. Any other error than that it is unknown is an error here: who
/// takes it for a missing topic takes what it holds for nothing.
pub(crate) async fn exists(target: &Cluster, name: &str) -> Result<bool, Error> {
    KeyedLog::new(target.clone(), name).exists().await
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
            Seen::Record { record, .. } => visit(record),
        })
        .await
}
