//! Clusters as their modules take them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use topology::{Cluster, Platform, Sasl, StorageType};

use super::networks::AwsNetwork;
use crate::target::TargetError;
use crate::targets::terraform::addresses;

const GIB: u64 = 1 << 30;
/// Where brokers listen unless their addresses say otherwise.
const KAFKA_PORT: u16 = 9092;

#[derive(Debug, Serialize)]
pub(super) struct Msk {
    pub(super) label: String,
    pub(super) name: String,
    pub(super) network: String,
    region: String,
    count: u32,
    size: Option<String>,
    kafka_version: Option<String>,
    volume_gib: Option<u64>,
    config: BTreeMap<String, String>,
    pub(super) iam: bool,
    pub(super) scram: bool,
    pub(super) certificates: bool,
    pub(super) clients: Vec<String>,
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) fn msk(
    cluster: &Cluster,
    names: &BTreeMap<String, String>,
    network: &AwsNetwork,
    clients: Vec<String>,
    replicated: bool,
) -> Result<Msk, TargetError> {
    let scram = match &cluster.sasl {
        Some(Sasl::ScramSha512(_)) => true,
        None | Some(Sasl::AwsMskIam(_)) => false,
        Some(Sasl::Plain(_) | Sasl::ScramSha256(_) | Sasl::Oauthbearer(_)) => {
            return Err(TargetError::Cluster {
                cluster: cluster.alias.clone(),
                key: "sasl.mechanism",
                problem: "MSK takes `aws-msk-iam`, `scram-sha-512`, or certificates".to_owned(),
            });
        }
    };
    let certificates =
        cluster.sasl.is_none() && cluster.tls.as_ref().is_some_and(|tls| tls.client.is_some());
    let brokers = cluster.infrastructure.brokers.as_ref();
    Ok(Msk {
        label: names[&cluster.alias].clone(),
        name: cluster.alias.clone(),
        network: network.label.clone(),
        region: network.region.clone(),
        count: brokers.map_or(3, |brokers| brokers.count),
        size: brokers.and_then(|brokers| brokers.instance_type.clone()),
        kafka_version: brokers.and_then(|brokers| brokers.kafka_version.clone()),
        volume_gib: volume_gib(cluster),
        config: brokers
            .map(|brokers| brokers.config.clone())
            .unwrap_or_default(),
        // MSK Replicator knows no other way, and nobody may come without a name
        iam: replicated || !(scram || certificates),
        scram,
        certificates,
        clients,
        tags: cluster.infrastructure.tags.clone(),
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Ec2 {
    label: String,
    pub(super) name: String,
    pub(super) network: String,
    region: String,
    pub(super) count: u32,
    pub(super) size: Option<String>,
    architecture: &'static str,
    volume_gib: Option<u64>,
    disks: Option<u32>,
    port: u16,
    /// Further ones: brokers may listen each at another.
    more_ports: BTreeSet<u16>,
    zone: Option<String>,
    pub(super) clients: Vec<String>,
    pub(super) tags: BTreeMap<String, String>,
}

impl Ec2 {
    /// Where clients connect to.
    pub(super) fn ports(&self) -> BTreeSet<u16> {
        let mut ports = self.more_ports.clone();
        ports.insert(self.port);
        ports
    }
}

pub(super) fn ec2(
    cluster: &Cluster,
    names: &BTreeMap<String, String>,
    network: &AwsNetwork,
    clients: Vec<String>,
) -> Result<Ec2, TargetError> {
    let infrastructure = &cluster.infrastructure;
    let storage = infrastructure.storage.as_ref();
    if storage.is_some_and(|storage| storage.kind == Some(StorageType::LocalDisk)) {
        return Err(TargetError::Cluster {
            cluster: cluster.alias.clone(),
            key: "storage.type",
            problem: "the module attaches `ebs` volumes; local disks of instances are gone when they stop".to_owned(),
        });
    }
    let brokers = infrastructure.brokers.as_ref();
    let size = brokers.and_then(|brokers| brokers.instance_type.clone());
    // a zone belongs to the network's resolver, and to one cluster
    let dns = infrastructure.dns.as_ref();
    let served = network
        .resolver
        .as_ref()
        .and_then(|resolver| resolver.zone.as_ref());
    let mut ports = ports_of(cluster).into_iter();
    let port = ports.next().unwrap_or(KAFKA_PORT);
    Ok(Ec2 {
        label: names[&cluster.alias].clone(),
        name: cluster.alias.clone(),
        network: network.label.clone(),
        region: network.region.clone(),
        count: brokers.map_or(3, |brokers| brokers.count),
        architecture: if size.as_deref().is_some_and(is_graviton) {
            "arm64"
        } else {
            "x86_64"
        },
        size,
        volume_gib: volume_gib(cluster),
        disks: storage.and_then(|storage| storage.disks),
        port,
        more_ports: ports.filter(|it| *it != port).collect(),
        zone: dns
            .and_then(|dns| dns.zone.clone())
            .filter(|zone| Some(zone) == served),
        clients,
        tags: infrastructure.tags.clone(),
    })
}

/// Whole GiB, rounded up.
fn volume_gib(cluster: &Cluster) -> Option<u64> {
    let size = cluster.infrastructure.storage.as_ref()?.size?;
    Some(size.div_ceil(GIB))
}

/// Amazon's own processors have a `g` behind the generation: `m7g`, `c6gn`, `im4gn`; and the first family of them is `a1`.
fn is_graviton(size: &str) -> bool {
    let family = size.split_once('.').map_or(size, |(family, _)| family);
    let attributes = family
        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
        .trim_start_matches(|c: char| c.is_ascii_digit());
    family == "a1" || attributes.starts_with('g')
}

/// The ports of its brokers; of a cluster whose addresses are not known yet, the one its login is asked for on.
pub(super) fn ports_of(cluster: &Cluster) -> Vec<u16> {
    if cluster.bootstrap_servers.is_empty() && cluster.platform != Platform::AwsMsk {
        return vec![KAFKA_PORT];
    }
    if cluster.bootstrap_servers.is_empty() {
        let tls = cluster.tls.as_ref();
        return vec![match &cluster.sasl {
            Some(Sasl::ScramSha512(_)) => 9096,
            None if tls.is_some_and(|tls| tls.client.is_some()) => 9094,
            // and what MSK has no listener for is refused where the cluster is rendered
            None
            | Some(
                Sasl::AwsMskIam(_) | Sasl::Plain(_) | Sasl::ScramSha256(_) | Sasl::Oauthbearer(_),
            ) => 9098,
        }];
    }
    let servers = cluster.bootstrap_servers.iter();
    servers
        .filter_map(|server| addresses::port(server))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::is_graviton;

    #[test]
    fn processors_of_sizes() {
        for size in [
            "m7g.large",
            "c6gn.xlarge",
            "t4g.nano",
            "im4gn.large",
            "a1.large",
            "r8gd.metal-24xl",
        ] {
            assert!(is_graviton(size), "{size}");
        }
        for size in [
            "m5.large",
            "g5.xlarge",
            "m7i.large",
            "c7i-flex.large",
            "g6e.large",
            "m6id.large",
        ] {
            assert!(!is_graviton(size), "{size}");
        }
    }
}
