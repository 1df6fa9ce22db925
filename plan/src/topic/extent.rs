//! How much there is to move of a topic, and who would notice.

use std::collections::BTreeMap;

use kafka::{Cluster, TopicPartition};

use super::live::ReadError;
use super::readers::Readers;
use crate::observed::{Extent, ObservedTopic};

/// Reads the size of every partition of these topics, as its largest replica has it.
pub(crate) async fn of(
    cluster: &Cluster,
    topics: &BTreeMap<String, ObservedTopic>,
    names: &[String],
) -> Result<BTreeMap<String, Extent>, ReadError> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut partitions = Vec::new();
    for name in names {
        let count = topics.get(name).map_or(0, |topic| topic.partitions);
        partitions.extend((0..count).map(|index| TopicPartition::new(name, index as i32)));
    }
    let readers = Readers::of(cluster).await?;
    let mut extents: BTreeMap<String, Extent> = names
        .iter()
        .map(|name| {
            let extent = Extent {
                bytes: BTreeMap::new(),
                active_groups: readers.on(name),
            };
            (name.clone(), extent)
        })
        .collect();
    let dirs = match cluster.log_dirs_of(&partitions).await {
        Ok(dirs) => dirs,
        // without the right to ask about the cluster the sizes are not known, and said to be so
        Err(kafka::Error::Broker { .. }) => return Ok(extents),
        Err(error) => return Err(error.into()),
    };
    let replicas = dirs.into_values().flatten().flat_map(|dir| dir.replicas);
    for (partition, replica) in replicas {
        if let Some(extent) = extents.get_mut(&partition.topic) {
            let known = extent.bytes.entry(partition.partition as u32).or_default();
            *known = (*known).max(replica.bytes);
        }
    }
    Ok(extents)
}
