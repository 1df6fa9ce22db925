use std::collections::BTreeMap;

use kafka_protocol::messages::DescribeClusterRequest;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};
use crate::metadata::BrokerNode;

/// A cluster as one of its brokers describes it (KIP-700).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The id that the cluster was formatted with.
    pub cluster_id: String,
    /// Node id of the broker that acts as controller for clients.
    pub controller: Option<i32>,
    /// Brokers that are alive, with their racks, by node id.
    pub brokers: BTreeMap<i32, BrokerNode>,
}

impl Cluster {
    /// Id, controller and brokers with their racks, without topics. Needs no right. Cancel safe.
    pub async fn describe_cluster(&self) -> Result<ClusterDescription, Error> {
        // 1: brokers, not controllers (KIP-919)
        let request = DescribeClusterRequest::default().with_endpoint_type(1);
        let response = self.call_any(&request).await?;
        BrokerError::outcome(response.error_code, response.error_message.as_deref())
            .map_err(|error| Error::broker("DescribeCluster", error))?;
        let brokers = response.brokers.into_iter().map(|broker| BrokerNode {
            id: broker.broker_id.0,
            host: broker.host.to_string(),
            port: u16::try_from(broker.port).unwrap_or_default(),
            rack: broker.rack.map(|rack| rack.to_string()),
        });
        Ok(ClusterDescription {
            cluster_id: response.cluster_id.to_string(),
            controller: Some(response.controller_id.0).filter(|id| *id >= 0),
            brokers: brokers.map(|broker| (broker.id, broker)).collect(),
        })
    }
}
