use std::collections::BTreeMap;

use futures::stream::{FuturesUnordered, StreamExt};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{GroupId, OffsetFetchRequest};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::{Cluster, retried};
use crate::error::{BrokerError, Error};
use crate::metadata::{BrokerNode, TopicPartition};
use crate::retry::RetryClass;

/// Groups in one request.
const GROUPS_A_REQUEST: usize = 200;
/// The first version that takes many groups (KIP-709).
const MANY: i16 = 8;

/// How far a group says it has read a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The offset of the next record to read.
    pub offset: i64,
    /// Leader epoch of the last record read, −1 where unknown.
    pub leader_epoch: i32,
    /// What the group noted beside it.
    pub metadata: String,
}

/// What a group has committed, by partition.
pub type CommittedOffsets = BTreeMap<TopicPartition, CommittedOffset>;

type Fetched = BTreeMap<String, Result<CommittedOffsets, BrokerError>>;

/// What is committed, of topics whose types differ in nothing but their names: one for responses with many groups, and one
/// for those with one.
macro_rules! offsets {
    ($topics:expr, $error_code:expr) => {{
        let partitions = $topics.into_iter().flat_map(|topic| {
            let name = topic.name.0.to_string();
            let partitions = topic.partitions.into_iter();
            partitions.map(move |partition| {
                committed(
                    TopicPartition::new(name.clone(), partition.partition_index),
                    partition.error_code,
                    partition.committed_offset,
                    partition.committed_leader_epoch,
                    partition.metadata,
                )
            })
        });
        BrokerError::outcome($error_code, None)
            .and_then(|()| partitions.filter_map(Result::transpose).collect())
    }};
}

impl Cluster {
    /// All that these groups have committed; one outcome a group. A group that does not exist has committed nothing.
    ///
    /// Needs DESCRIBE on each group, and shows only topics that this client may DESCRIBE. Cancel safe.
    pub async fn committed_offsets(&self, groups: &[String]) -> Result<Fetched, Error> {
        let mut fetched = BTreeMap::new();
        for some in groups.chunks(GROUPS_A_REQUEST) {
            let attempt = || async {
                let found = self.committed_offsets_once(some).await?;
                let passing = found.iter().find_map(|(group, outcome)| match outcome {
                    Err(error) if error.class() != RetryClass::Fatal => Some((group, error)),
                    Err(_) | Ok(_) => None,
                });
                match passing {
                    Some((group, error)) => {
                        Err(Error::broker(format!("OffsetFetch {group}"), error.clone()))
                    }
                    None => Ok(found),
                }
            };
            fetched.extend(retried(attempt).await?);
        }
        Ok(fetched)
    }

    async fn committed_offsets_once(&self, groups: &[String]) -> Result<Fetched, Error> {
        let coordinators = self.coordinators_of(groups).await?;
        let failed = coordinators.failed.into_iter();
        let mut fetched: Fetched = failed.map(|(group, error)| (group, Err(error))).collect();
        let mut answers: FuturesUnordered<_> = coordinators
            .by_broker
            .values()
            .map(|(node, groups)| self.offsets_from(node, groups))
            .collect();
        while let Some(answer) = answers.next().await {
            fetched.extend(answer?);
        }
        Ok(fetched)
    }

    async fn offsets_from(&self, node: &BrokerNode, groups: &[String]) -> Result<Fetched, Error> {
        let connection = self.connection_to(node).await?;
        let id = |group: &String| GroupId(StrBytes::from_string(group.clone()));
        let mut fetched = Fetched::new();
        if connection.version_of::<OffsetFetchRequest>()? >= MANY {
            let all = groups.iter().map(|group| {
                OffsetFetchRequestGroup::default()
                    .with_group_id(id(group))
                    .with_member_epoch(-1)
                    .with_topics(None)
            });
            let request = OffsetFetchRequest::default().with_groups(all.collect());
            for group in connection.call(&request).await?.groups {
                let outcome = offsets!(group.topics, group.error_code);
                fetched.insert(group.group_id.0.to_string(), outcome);
            }
            return Ok(fetched);
        }
        for group in groups {
            let request = OffsetFetchRequest::default()
                .with_group_id(id(group))
                .with_topics(None);
            let response = connection.call(&request).await?;
            let outcome = offsets!(response.topics, response.error_code);
            fetched.insert(group.clone(), outcome);
        }
        Ok(fetched)
    }
}

/// Nothing where the group has not committed anything for the partition.
fn committed(
    partition: TopicPartition,
    code: i16,
    offset: i64,
    leader_epoch: i32,
    metadata: Option<StrBytes>,
) -> Result<Option<(TopicPartition, CommittedOffset)>, BrokerError> {
    BrokerError::outcome(code, None)?;
    let committed = CommittedOffset {
        offset,
        leader_epoch,
        metadata: metadata.map(|text| text.to_string()).unwrap_or_default(),
    };
    Ok((offset >= 0).then_some((partition, committed)))
}
