//! The embedded clusters of a topology, started for as long as this value lives.

use broker::{ClusterOptions, EmbeddedCluster};
use topology::{Platform, Topology};

use crate::connect::Address;
use crate::failure::Failure;

/// Running embedded clusters, in the order of the topology.
pub(crate) struct Stage {
    clusters: Vec<(String, EmbeddedCluster)>,
}

impl Stage {
    /// Starts every cluster of the topology, each on loopback ports of its own.
    pub(crate) async fn start(topology: &Topology) -> Result<Self, Failure> {
        let mut clusters = Vec::new();
        for cluster in &topology.clusters {
            if cluster.platform != Platform::Embedded {
                return Err(Failure::Usage {
                    message: format!("cluster {} is not embedded", cluster.alias),
                    hint: "the demo runs topologies of `platform: embedded` clusters only"
                        .to_owned(),
                });
            }
            let options = ClusterOptions {
                cluster_id: cluster.cluster_id.clone(),
                brokers: cluster
                    .brokers
                    .and_then(|count| u16::try_from(count).ok())
                    .unwrap_or(1),
                ..ClusterOptions::default()
            };
            let running =
                EmbeddedCluster::start(options)
                    .await
                    .map_err(|error| Failure::Embedded {
                        alias: cluster.alias.clone(),
                        error,
                    })?;
            clusters.push((cluster.alias.clone(), running));
        }
        Ok(Self { clusters })
    }

    /// Where the clusters are.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.clusters
            .iter()
            .map(|(alias, cluster)| Address {
                alias: alias.clone(),
                bootstrap: cluster
                    .bootstrap_servers()
                    .split(',')
                    .map(str::to_owned)
                    .collect(),
                cluster_id: Some(cluster.cluster_id().to_owned()),
                tls: None,
                sasl: None,
            })
            .collect()
    }

    /// Stops all of them.
    pub(crate) async fn close(self) {
        for (_, cluster) in self.clusters {
            cluster.shutdown().await;
        }
    }
}
