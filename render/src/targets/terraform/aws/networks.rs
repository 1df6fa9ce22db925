//! Which VPCs there are.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde::{Serialize, Serializer};
use topology::Cluster;

use super::outline::Egress;
use crate::target::TargetError;
use crate::targets::terraform::addresses;

/// A VPC as the template writes it.
#[derive(Debug, Serialize)]
pub(super) struct AwsNetwork {
    pub(super) label: String,
    pub(super) name: String,
    /// The label of the region's provider.
    pub(super) region: String,
    pub(super) region_name: String,
    pub(super) cidr: String,
    pub(super) zones: Vec<String>,
    pub(super) subnets: Vec<String>,
    /// Where its way out stands, if it has one.
    pub(super) egress_subnet: Option<Ipv4Net>,
    pub(super) tags: BTreeMap<String, String>,
    #[serde(serialize_with = "expression")]
    pub(super) egress: Egress,
    /// Labels of networks that this one is peered with; each pair stands at one of them.
    pub(super) peers: Vec<Peer>,
    /// Sites behind a VPN, with their ranges.
    pub(super) vpns: Vec<Site>,
    pub(super) resolver: Option<Resolver>,
    /// The ranges of the networks that are linked with this one, whoever's they are.
    #[serde(skip)]
    pub(super) linked: BTreeSet<Ipv4Net>,
    #[serde(skip)]
    range: Ipv4Net,
}

/// As Terraform decides it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn expression<S: Serializer>(egress: &Egress, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match egress {
        Egress::Always => "true",
        Egress::WithReplicator => "var.replicator != null",
        Egress::Never => "false",
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Peer {
    pub(super) label: String,
    pub(super) cidr: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Site {
    pub(super) label: String,
    pub(super) cidrs: Vec<String>,
}

/// Names across networks.
#[derive(Debug, Default, Serialize)]
pub(super) struct Resolver {
    pub(super) askers: Vec<String>,
    pub(super) forward: BTreeMap<String, Vec<String>>,
    pub(super) zone: Option<String>,
    /// The networks that the zone is served to beside its own.
    pub(super) served: Vec<Served>,
}

/// A network that names are served to.
#[derive(Debug, Serialize)]
pub(super) struct Served {
    pub(super) label: String,
    pub(super) region_name: String,
}

impl AwsNetwork {
    /// Its own range and those that are linked with it.
    pub(super) fn reachable(&self) -> Vec<String> {
        let mut ranges: Vec<String> = vec![self.cidr.clone()];
        ranges.extend(self.linked.iter().map(ToString::to_string));
        ranges
    }

    /// Its range.
    pub(super) fn range(&self) -> Ipv4Net {
        self.range
    }
}

/// All VPCs, and who lives where.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) networks: Vec<AwsNetwork>,
    /// The label of the network of each cluster.
    pub(super) homes: BTreeMap<String, String>,
    /// Sites that need the address of a gateway.
    pub(super) sites: BTreeSet<String>,
    /// Peers that nothing here leads to.
    pub(super) elsewhere: BTreeSet<String>,
}

impl Plan {
    /// The network of a label that is in `homes`.
    pub(super) fn network(&self, label: &str) -> &AwsNetwork {
        self.networks
            .iter()
            .find(|network| network.label == label)
            .unwrap_or(&self.networks[0])
    }

    /// The networks that one is peered with, whichever of the two asks for it.
    pub(super) fn peered_with(&self, label: &str) -> Vec<&AwsNetwork> {
        let asks = |from: &AwsNetwork, to: &str| from.peers.iter().any(|peer| peer.label == to);
        let here = self.network(label);
        let others = self.networks.iter();
        others
            .filter(|other| asks(here, &other.label) || asks(other, label))
            .collect()
    }
}

/// A network for each cluster; clusters that name the same one in a region share it.
pub(super) fn plan(
    clusters: &[&Cluster],
    names: &BTreeMap<String, String>,
) -> Result<Plan, TargetError> {
    let mut networks: Vec<AwsNetwork> = Vec::new();
    let mut homes = BTreeMap::new();
    for cluster in clusters {
        let lacks = |key, why| TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key,
            why,
        };
        let Some(region) = &cluster.region else {
            return Err(lacks("region", "everything on AWS lies in a region"));
        };
        let Some(written) = &cluster.infrastructure.network else {
            return Err(lacks("network", "brokers live in a VPC"));
        };
        let name = written
            .name
            .clone()
            .unwrap_or_else(|| cluster.alias.clone());
        let zones = cluster
            .infrastructure
            .brokers
            .as_ref()
            .map(|brokers| brokers.zones.clone())
            .unwrap_or_default();
        let known = networks
            .iter()
            .find(|network| network.name == name && network.region_name == *region);
        if let Some(known) = known {
            if zones != known.zones {
                return Err(TargetError::Cluster {
                    cluster: cluster.alias.clone(),
                    key: "brokers.zones",
                    problem: "clusters that share a network are spread over the same zones"
                        .to_owned(),
                });
            }
            homes.insert(cluster.alias.clone(), known.label.clone());
            continue;
        }
        if zones.len() < 2 {
            return Err(lacks(
                "brokers.zones",
                "what lives in one zone goes down with it; name two or more",
            ));
        }
        let range = addresses::range(cluster, written)?;
        if !(16..=28).contains(&range.prefix_len()) {
            return Err(TargetError::Cluster {
                cluster: cluster.alias.clone(),
                key: "network.cidr",
                problem: "a VPC is between /16 and /28".to_owned(),
            });
        }
        let label = names[&cluster.alias].clone();
        homes.insert(cluster.alias.clone(), label.clone());
        networks.push(AwsNetwork {
            label,
            name,
            region: super::labels([region.as_str()])[region].clone(),
            region_name: region.clone(),
            cidr: range.to_string(),
            zones,
            subnets: written.subnets.iter().map(ToString::to_string).collect(),
            egress_subnet: written.way_out(),
            tags: cluster.infrastructure.tags.clone(),
            egress: Egress::Never,
            peers: Vec::new(),
            vpns: Vec::new(),
            resolver: None,
            linked: BTreeSet::new(),
            range,
        });
    }
    Ok(Plan {
        networks,
        homes,
        sites: BTreeSet::new(),
        elsewhere: BTreeSet::new(),
    })
}

/// A way out needs a range of its own. `validate` refuses most that has none; a topology that was not read says it here.
pub(super) fn check_ways_out(plan: &Plan) -> Result<(), TargetError> {
    let lacking = plan
        .networks
        .iter()
        .find(|network| network.egress != Egress::Never && network.egress_subnet.is_none());
    let Some(network) = lacking else {
        return Ok(());
    };
    let mut homes = plan.homes.iter();
    let cluster = homes.find(|(_, label)| **label == network.label);
    Err(TargetError::Cluster {
        cluster: cluster.map_or_else(|| network.name.clone(), |(alias, _)| alias.clone()),
        key: "network.subnets",
        problem: "machines reach the internet through a subnet of its own: leave a /28 of the network free".to_owned(),
    })
}
