//! What the brokers say that whoever is logged in may do (KIP-430). This covers what access rules alone do not tell: super
//! users, and clusters without an authorizer.

use std::collections::BTreeMap;

use kafka_protocol::messages::{DescribeClusterRequest, MetadataRequest};

use super::acl::AclOperation;
use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};
use crate::metadata::ClusterMetadata;

/// How brokers say that they do not tell.
const NOT_TOLD: i32 = i32::MIN;

/// Operations that are permitted on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(i32);

impl Rights {
    /// Rights to these operations.
    pub fn to(operations: &[AclOperation]) -> Self {
        Self(operations.iter().fold(0, |bits, it| bits | bit(*it)))
    }

    fn told(bits: i32) -> Option<Self> {
        (bits != NOT_TOLD).then_some(Self(bits))
    }

    /// Whether this operation is permitted.
    pub fn allow(self, operation: AclOperation) -> bool {
        self.0 & bit(operation) != 0
    }
}

fn bit(operation: AclOperation) -> i32 {
    1_i32.checked_shl(operation.to_wire() as u32).unwrap_or(0)
}

/// All topics, and what one may do to each; topics whose rights the brokers do not tell are missing among the rights.
#[derive(Debug, Clone, Default)]
pub struct PermittedTopics {
    /// Brokers and all topics that one may see.
    pub metadata: ClusterMetadata,
    /// Rights by topic.
    pub rights: BTreeMap<String, Rights>,
}

impl Cluster {
    /// All topics, with what whoever is logged in may do to each. Cancel safe.
    pub async fn permitted_topics(&self) -> Result<PermittedTopics, Error> {
        let request = MetadataRequest::default()
            .with_topics(None)
            .with_allow_auto_topic_creation(false)
            .with_include_topic_authorized_operations(true);
        let response = self.call_any(&request).await?;
        let rights = response
            .topics
            .iter()
            .filter_map(|topic| {
                let name = topic.name.as_ref()?.0.to_string();
                Some((name, Rights::told(topic.topic_authorized_operations)?))
            })
            .collect();
        Ok(PermittedTopics {
            metadata: ClusterMetadata::from_response(response),
            rights,
        })
    }

    /// What whoever is logged in may do to the cluster as a whole; nothing where the brokers do not tell. Cancel safe.
    pub async fn cluster_rights(&self) -> Result<Option<Rights>, Error> {
        let request = DescribeClusterRequest::default()
            .with_endpoint_type(1)
            .with_include_cluster_authorized_operations(true);
        let response = self.call_any(&request).await?;
        BrokerError::outcome(response.error_code, response.error_message.as_deref())
            .map_err(|error| Error::broker("DescribeCluster", error))?;
        Ok(Rights::told(response.cluster_authorized_operations))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_the_bits_of_their_operations() {
        // READ is 3 and DESCRIBE 8 in `AclOperation`
        let rights = Rights::told(1 << 3 | 1 << 8).expect("told");
        assert_eq!(
            rights,
            Rights::to(&[AclOperation::Read, AclOperation::Describe])
        );
        assert!(rights.allow(AclOperation::Read));
        assert!(!rights.allow(AclOperation::Write));
        assert!(!rights.allow(AclOperation::Other(99)));
        assert_eq!(Rights::told(i32::MIN), None);
        assert_eq!(Rights::told(0), Some(Rights::to(&[])));
    }
}
