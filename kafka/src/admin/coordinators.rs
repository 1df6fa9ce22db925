use std::collections::BTreeMap;

use kafka_protocol::messages::FindCoordinatorRequest;
use kafka_protocol::protocol::StrBytes;

use crate::cluster::{Cluster, retried};
use crate::error::{BrokerError, Error};
use crate::metadata::BrokerNode;
use crate::retry::RetryClass;

/// `FindCoordinatorRequest.CoordinatorType.GROUP`.
const GROUP: i8 = 0;
/// The first version that takes many keys (KIP-699).
const MANY: i16 = 4;

/// Groups by the broker that coordinates them, and those for which none is to be had.
#[derive(Debug, Default)]
pub(super) struct Coordinators {
    pub(super) by_broker: BTreeMap<i32, (BrokerNode, Vec<String>)>,
    pub(super) failed: BTreeMap<String, BrokerError>,
}

impl Coordinators {
    fn add(&mut self, group: String, node: BrokerNode, code: i16, message: Option<&str>) {
        if let Some(error) = BrokerError::from_code(code, message) {
            self.failed.insert(group, error);
            return;
        }
        let entry = self.by_broker.entry(node.id);
        entry.or_insert_with(|| (node, Vec::new())).1.push(group);
    }
}

impl Cluster {
    /// Who coordinates these groups. It is asked again for a while where none is to be had just now, as on a cluster
    /// that makes its offsets topic only now.
    pub(super) async fn coordinators_of(&self, groups: &[String]) -> Result<Coordinators, Error> {
        let attempt = || async {
            let found = self.coordinators_once(groups).await?;
            let passing = found
                .failed
                .iter()
                .find(|(_, error)| error.class() != RetryClass::Fatal);
            match passing {
                Some((group, error)) => Err(Error::broker(
                    format!("FindCoordinator {group}"),
                    error.clone(),
                )),
                None => Ok(found),
            }
        };
        match retried(attempt).await {
            // one outcome a group, also where it did not pass
            Err(Error::Broker { .. }) => self.coordinators_once(groups).await,
            other => other,
        }
    }

    async fn coordinators_once(&self, groups: &[String]) -> Result<Coordinators, Error> {
        let connection = self.any_connection().await?;
        let mut found = Coordinators::default();
        let node = |id: i32, host: &str, port: i32| BrokerNode {
            id,
            host: host.to_owned(),
            port: u16::try_from(port).unwrap_or_default(),
            rack: None,
        };
        let text = |group: &String| StrBytes::from_string(group.clone());
        if connection.version_of::<FindCoordinatorRequest>()? >= MANY {
            let request = FindCoordinatorRequest::default()
                .with_key_type(GROUP)
                .with_coordinator_keys(groups.iter().map(text).collect());
            for answer in connection.call(&request).await?.coordinators {
                let node = node(answer.node_id.0, &answer.host, answer.port);
                let message = answer.error_message.as_deref();
                found.add(answer.key.to_string(), node, answer.error_code, message);
            }
            return Ok(found);
        }
        for group in groups {
            let request = FindCoordinatorRequest::default()
                .with_key_type(GROUP)
                .with_key(text(group));
            let answer = connection.call(&request).await?;
            let node = node(answer.node_id.0, &answer.host, answer.port);
            let message = answer.error_message.as_deref();
            found.add(group.clone(), node, answer.error_code, message);
        }
        Ok(found)
    }
}
