use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf as _, Bytes};
use futures::stream::{FuturesUnordered, StreamExt};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_describe_response::{
    DescribedGroup as DescribedConsumerGroup, Member as ConsumerMember,
};
use kafka_protocol::messages::describe_groups_response::{
    DescribedGroup as DescribedClassicGroup, DescribedGroupMember,
};
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
    DescribeGroupsRequest, GroupId, ListGroupsRequest, ShareGroupDescribeRequest,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::share_groups::share_group;
use crate::cluster::{Cluster, retried};
use crate::error::{BrokerError, Error};
use crate::metadata::{BrokerNode, TopicPartition};
use crate::retry::RetryClass;

/// Groups in one request.
const GROUPS_A_REQUEST: usize = 200;
/// The state of a group that is not there, or not any more.
const DEAD: &str = "Dead";
/// The protocol type of consumers: the members of other groups, Connect's workers among them, speak in their own way.
const CONSUMER: &str = "consumer";

/// A group as its coordinator lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// `consumer`, `connect`, …; empty where all members of a simple group assign partitions themselves.
    pub protocol_type: String,
    /// `Empty`, `Stable`, `PreparingRebalance`, …; empty on brokers before 2.6 (KIP-518).
    pub state: String,
    /// `classic`, `consumer` (KIP-848), `share`, `streams`; empty on brokers before 3.8.
    pub group_type: String,
}

/// A group with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedGroup {
    /// `Empty`, `Stable`, `PreparingRebalance`, …
    pub state: String,
    /// Who is in it just now.
    pub members: Vec<GroupMember>,
}

impl DescribedGroup {
    /// Whether a member reads from a topic just now, or asks for it.
    pub fn is_active_on(&self, topic: &str) -> bool {
        self.members.iter().any(|member| {
            member.subscribed.contains(topic)
                || member
                    .assigned
                    .iter()
                    .any(|assigned| assigned.topic == topic)
        })
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// What it calls itself.
    pub client_id: String,
    /// Where it connects from, `/10.0.0.1`.
    pub host: String,
    /// The topics that it asks for by name.
    pub subscribed: BTreeSet<String>,
    /// The pattern that it asks for topics by (KIP-848); topics that it fits are in `assigned`.
    pub subscribed_pattern: Option<String>,
    /// The partitions that it reads.
    pub assigned: BTreeSet<TopicPartition>,
}

type Described = BTreeMap<String, Result<DescribedGroup, BrokerError>>;

impl Cluster {
    /// All groups that this client may see (DESCRIBE on the group, or on the cluster for all), by id. Asks every broker
    /// that is up, because each lists only what it coordinates. Fails as a whole when one does not answer. Cancel safe.
    pub async fn list_groups(&self) -> Result<BTreeMap<String, ListedGroup>, Error> {
        let brokers = self.metadata_of(&[]).await?.brokers;
        let mut answers: FuturesUnordered<_> =
            brokers.values().map(|node| self.groups_on(node)).collect();
        let mut found = BTreeMap::new();
        while let Some(groups) = answers.next().await {
            found.extend(groups?);
        }
        Ok(found)
    }

    async fn groups_on(&self, node: &BrokerNode) -> Result<Vec<(String, ListedGroup)>, Error> {
        let request = ListGroupsRequest::default();
        let attempt = || async {
            let response = self.connection_to(node).await?.call(&request).await?;
            BrokerError::outcome(response.error_code, None)
                .map_err(|error| Error::broker("ListGroups", error))?;
            Ok(response)
        };
        let listed = retried(attempt).await?.groups.into_iter().map(|group| {
            let listed = ListedGroup {
                protocol_type: group.protocol_type.to_string(),
                state: group.group_state.to_string(),
                group_type: group.group_type.to_string(),
            };
            (group.group_id.0.to_string(), listed)
        });
        Ok(listed.collect())
    }

    /// Groups with their members, classic ones, those of KIP-848 and share groups alike; one outcome a group. A group
    /// that does not exist answers `GROUP_ID_NOT_FOUND`, and so does one whose members are not to be had here: a streams
    /// group. [`Cluster::list_groups`] tells them apart.
    ///
    /// Needs DESCRIBE on each group. Cancel safe.
    pub async fn describe_groups(&self, groups: &[String]) -> Result<Described, Error> {
        let mut described = BTreeMap::new();
        for some in groups.chunks(GROUPS_A_REQUEST) {
            let attempt = || async {
                let found = self.describe_groups_once(some).await?;
                let passing = found.iter().find_map(|(group, outcome)| match outcome {
                    Err(error) if error.class() != RetryClass::Fatal => Some((group, error)),
                    Err(_) | Ok(_) => None,
                });
                match passing {
                    Some((group, error)) => Err(Error::broker(
                        format!("DescribeGroups {group}"),
                        error.clone(),
                    )),
                    None => Ok(found),
                }
            };
            described.extend(retried(attempt).await?);
        }
        Ok(described)
    }

    async fn describe_groups_once(&self, groups: &[String]) -> Result<Described, Error> {
        let coordinators = self.coordinators_of(groups).await?;
        let failed = coordinators.failed.into_iter();
        let mut described: BTreeMap<_, _> =
            failed.map(|(group, error)| (group, Err(error))).collect();
        let mut answers: FuturesUnordered<_> = coordinators
            .by_broker
            .values()
            .map(|(node, groups)| self.groups_described_by(node, groups))
            .collect();
        while let Some(answer) = answers.next().await {
            described.extend(answer?);
        }
        Ok(described)
    }

    /// A coordinator knows of which kind a group is, and answers only to the question for its kind: it is asked for
    /// groups of KIP-848 first, for those that are none in the classic way, and for what is left as share groups.
    async fn groups_described_by(
        &self,
        node: &BrokerNode,
        groups: &[String],
    ) -> Result<Described, Error> {
        let connection = self.connection_to(node).await?;
        let mut described = Described::new();
        let mut left = groups.to_vec();
        if connection
            .version_of::<ConsumerGroupDescribeRequest>()
            .is_ok()
        {
            let request = ConsumerGroupDescribeRequest::default().with_group_ids(ids(&left));
            for group in connection.call(&request).await?.groups {
                let message = group.error_message.as_deref();
                let outcome = BrokerError::outcome(group.error_code, message);
                let id = group.group_id.0.to_string();
                described.insert(id, outcome.map(|()| consumer_group(group)));
            }
            left = not_found(groups, &described);
        }
        if !left.is_empty() {
            let request = DescribeGroupsRequest::default().with_groups(ids(&left));
            for group in connection.call(&request).await?.groups {
                let message = group.error_message.as_deref();
                let id = group.group_id.0.to_string();
                let outcome = match BrokerError::outcome(group.error_code, message) {
                    Err(error) => Err(error),
                    // what versions before 6 say of a group that they do not find (KIP-1043)
                    Ok(()) if &*group.group_state == DEAD => Err(BrokerError {
                        code: ResponseError::GroupIdNotFound.code(),
                        message: None,
                    }),
                    Ok(()) => Ok(classic_group(connection.address(), group)?),
                };
                described.insert(id, outcome);
            }
            left = not_found(groups, &described);
        }
        if !left.is_empty() && connection.version_of::<ShareGroupDescribeRequest>().is_ok() {
            let request = ShareGroupDescribeRequest::default().with_group_ids(ids(&left));
            for group in connection.call(&request).await?.groups {
                let message = group.error_message.as_deref();
                let outcome = BrokerError::outcome(group.error_code, message);
                let id = group.group_id.0.to_string();
                described.insert(id, outcome.map(|()| share_group(group)));
            }
        }
        Ok(described)
    }
}

fn ids(groups: &[String]) -> Vec<GroupId> {
    let id = |group: &String| GroupId(StrBytes::from_string(group.clone()));
    groups.iter().map(id).collect()
}

/// Those of the groups that no answer so far has found.
fn not_found(groups: &[String], described: &Described) -> Vec<String> {
    let missing = |group: &&String| match described.get(*group) {
        Some(Err(error)) => error.is(ResponseError::GroupIdNotFound),
        Some(Ok(_)) => false,
        None => true,
    };
    groups.iter().filter(missing).cloned().collect()
}

fn consumer_group(group: DescribedConsumerGroup) -> DescribedGroup {
    let member = |member: ConsumerMember| {
        let assigned = member.assignment.topic_partitions.iter().flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|index| TopicPartition::new(topic.topic_name.0.to_string(), *index))
        });
        let names = member.subscribed_topic_names.iter();
        GroupMember {
            assigned: assigned.collect(),
            subscribed: names.map(|name| name.0.to_string()).collect(),
            subscribed_pattern: member
                .subscribed_topic_regex
                .as_ref()
                .map(ToString::to_string)
                .filter(|pattern| !pattern.is_empty()),
            member_id: member.member_id.to_string(),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
        }
    };
    DescribedGroup {
        state: group.group_state.to_string(),
        members: group.members.into_iter().map(member).collect(),
    }
}

fn classic_group(address: &str, group: DescribedClassicGroup) -> Result<DescribedGroup, Error> {
    let consumers = &*group.protocol_type == CONSUMER;
    let member = |member: DescribedGroupMember| {
        let (subscribed, assigned) = if consumers {
            let malformed = |detail: String| Error::Malformed {
                address: address.to_owned(),
                what: "DescribeGroups",
                detail: format!("member {}: {detail}", member.member_id),
            };
            (
                subscription(member.member_metadata).map_err(malformed)?,
                assignment(member.member_assignment).map_err(malformed)?,
            )
        } else {
            (BTreeSet::new(), BTreeSet::new())
        };
        Ok(GroupMember {
            member_id: member.member_id.to_string(),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            subscribed,
            subscribed_pattern: None,
            assigned,
        })
    };
    let members: Result<Vec<GroupMember>, Error> = group.members.into_iter().map(member).collect();
    Ok(DescribedGroup {
        state: group.group_state.to_string(),
        members: members?,
    })
}

/// What members of a classic group say to each other, behind two bytes with its version; nothing while they have not
/// agreed. A version newer than ours begins like the newest that we know.
fn embedded<M: Decodable + kafka_protocol::protocol::Message>(
    mut bytes: Bytes,
) -> Result<Option<M>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let version = bytes.try_get_i16().map_err(|error| error.to_string())?;
    let version = version.clamp(M::VERSIONS.min, M::VERSIONS.max);
    codec::message::decode(&mut bytes, version)
        .map(Some)
        .map_err(|error| error.to_string())
}

fn subscription(bytes: Bytes) -> Result<BTreeSet<String>, String> {
    let said: Option<ConsumerProtocolSubscription> = embedded(bytes)?;
    let topics = said.into_iter().flat_map(|said| said.topics);
    Ok(topics.map(|topic| topic.to_string()).collect())
}

fn assignment(bytes: Bytes) -> Result<BTreeSet<TopicPartition>, String> {
    let said: Option<ConsumerProtocolAssignment> = embedded(bytes)?;
    let topics = said.into_iter().flat_map(|said| said.assigned_partitions);
    let partitions = topics.flat_map(|topic| {
        let name = topic.topic.0.to_string();
        let indexes = topic.partitions.into_iter();
        indexes.map(move |index| TopicPartition::new(name.clone(), index))
    });
    Ok(partitions.collect())
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition as Assigned;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    fn behind(version: i16, message: &impl Encodable) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_i16(version);
        message
            .encode(&mut bytes, version.clamp(0, 3))
            .expect("encodes");
        bytes.freeze()
    }

    fn topic(name: &str) -> StrBytes {
        StrBytes::from_string(name.to_owned())
    }

    #[test]
    fn what_members_say_is_read_in_every_version() {
        for version in 0..=4 {
            let said = ConsumerProtocolSubscription::default()
                .with_topics(vec![topic("a"), topic("b")])
                .with_user_data(Some(Bytes::from_static(b"own")));
            let topics = subscription(behind(version, &said)).expect("well formed");
            assert_eq!(topics.into_iter().collect::<Vec<_>>(), ["a", "b"]);
            let assigned = Assigned::default()
                .with_topic(TopicName(topic("a")))
                .with_partitions(vec![2, 0]);
            let said =
                ConsumerProtocolAssignment::default().with_assigned_partitions(vec![assigned]);
            let partitions = assignment(behind(version, &said)).expect("well formed");
            let wanted = [0, 2].map(|index| TopicPartition::new("a", index));
            assert_eq!(partitions, wanted.into());
        }
    }

    #[test]
    fn nonsense_of_members_is_an_error_and_nothing_is_nothing() {
        assert_eq!(subscription(Bytes::new()), Ok(BTreeSet::new()));
        assert_eq!(assignment(Bytes::new()), Ok(BTreeSet::new()));
        for nonsense in [
            &[0_u8][..],
            &[0, 0, 0x7f, 0xff, 0xff, 0xff],
            &[0, 0, 0, 0, 0, 9, 0],
        ] {
            let bytes = Bytes::copy_from_slice(nonsense);
            assert!(subscription(bytes.clone()).is_err(), "{nonsense:?}");
            assert!(assignment(bytes).is_err(), "{nonsense:?}");
        }
    }
}
