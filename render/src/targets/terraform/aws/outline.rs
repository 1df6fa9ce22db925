//! What the rendered root for AWS will make, for whoever compares it with what is there.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use topology::Topology;

use super::{Root, aws_clusters, root};
use crate::target::TargetError;

/// What the rendered root passes to its modules, as far as networks, security groups and machines follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AwsOutline {
    /// The VPCs.
    pub networks: Vec<AwsNetworkOutline>,
    /// Clusters of brokers on EC2.
    pub ec2: Vec<Ec2Outline>,
    /// MSK clusters.
    pub msk: Vec<MskOutline>,
    /// The replicator's machines, which are there where the root's variable `replicator` is set.
    pub replicator: Option<ReplicatorOutline>,
}

/// A VPC, as the module `aws-network` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsNetworkOutline {
    /// What others here and the names of peerings call it.
    pub label: String,
    /// The argument `name`.
    pub name: String,
    /// The region, as AWS writes it.
    pub region: String,
    /// The range of the VPC.
    pub cidr: Ipv4Net,
    /// The zones, each with a private subnet.
    pub zones: Vec<String>,
    /// The ranges of the private subnets; where empty, the module divides the first half of the VPC.
    pub subnets: Vec<String>,
    /// The range of the public subnet that the way out stands in, where there is one.
    pub egress_subnet: Option<Ipv4Net>,
    /// The tags that the topology declares.
    pub tags: BTreeMap<String, String>,
    /// Whether there is a public subnet with a NAT gateway.
    pub egress: Egress,
    /// Labels of the networks that this one asks to be peered with.
    pub peers: Vec<String>,
    /// Whether a VPN gateway stands here.
    pub has_vpn: bool,
    /// Name resolution across networks, where the module `aws-resolver` is used.
    pub resolver: Option<ResolverOutline>,
}

/// When a network has a way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Egress {
    /// Always.
    Always,
    /// Where the root's variable `replicator` is set.
    WithReplicator,
    /// Never.
    Never,
}

/// Name resolution, as the module `aws-resolver` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverOutline {
    /// The ranges that may ask.
    pub askers: Vec<String>,
    /// The name servers that questions go to.
    pub servers: BTreeSet<String>,
}

/// Brokers on EC2, as the module `aws-ec2-kafka` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ec2Outline {
    /// The argument `name`: the alias of the cluster.
    pub name: String,
    /// The label of its network.
    pub network: String,
    /// How many brokers.
    pub count: u32,
    /// The size of the machines; the module's default where absent.
    pub size: Option<String>,
    /// The ports of clients.
    pub ports: BTreeSet<u16>,
    /// The ranges of clients.
    pub clients: Vec<String>,
    /// The tags that the topology declares.
    pub tags: BTreeMap<String, String>,
}

/// An MSK cluster, as the module `aws-msk` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MskOutline {
    /// The argument `name`: the alias of the cluster.
    pub name: String,
    /// The label of its network.
    pub network: String,
    /// Whether clients may log in by IAM.
    pub iam: bool,
    /// Whether clients may log in by SCRAM.
    pub scram: bool,
    /// Whether clients may log in by certificate.
    pub certificates: bool,
    /// The ranges of clients.
    pub clients: Vec<String>,
    /// The tags that the topology declares.
    pub tags: BTreeMap<String, String>,
}

/// The replicator's machines, as the module `aws-replicator` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicatorOutline {
    /// The argument `name`.
    pub name: String,
    /// The label of the network.
    pub network: String,
    /// The ranges that brokers are in, each with their ports.
    pub brokers: BTreeMap<String, BTreeSet<u16>>,
    /// The tags that the topology declares for the cluster beside it.
    pub tags: BTreeMap<String, String>,
}

/// What [`Target`](crate::Target) `terraform-aws` renders for `topology`; empty where it has no cluster on AWS.
pub fn aws_outline(topology: &Topology) -> Result<AwsOutline, TargetError> {
    let clusters = aws_clusters(topology);
    if clusters.is_empty() {
        return Ok(AwsOutline::default());
    }
    Ok(outline(root(topology, &clusters)?))
}

fn outline(root: Root) -> AwsOutline {
    let Root {
        networks,
        msk,
        ec2,
        replicator,
        ..
    } = root;
    AwsOutline {
        networks: networks
            .into_iter()
            .map(|network| AwsNetworkOutline {
                cidr: network.range(),
                egress: network.egress,
                has_vpn: !network.vpns.is_empty(),
                label: network.label,
                name: network.name,
                region: network.region_name,
                zones: network.zones,
                subnets: network.subnets,
                egress_subnet: network.egress_subnet,
                tags: network.tags,
                peers: network.peers.into_iter().map(|peer| peer.label).collect(),
                resolver: network.resolver.map(|resolver| ResolverOutline {
                    askers: resolver.askers,
                    servers: resolver.forward.into_values().flatten().collect(),
                }),
            })
            .collect(),
        ec2: ec2
            .into_iter()
            .map(|cluster| Ec2Outline {
                ports: cluster.ports(),
                name: cluster.name,
                network: cluster.network,
                count: cluster.count,
                size: cluster.size,
                clients: cluster.clients,
                tags: cluster.tags,
            })
            .collect(),
        msk: msk
            .into_iter()
            .map(|cluster| MskOutline {
                name: cluster.name,
                network: cluster.network,
                iam: cluster.iam,
                scram: cluster.scram,
                certificates: cluster.certificates,
                clients: cluster.clients,
                tags: cluster.tags,
            })
            .collect(),
        replicator: replicator.map(|replicator| ReplicatorOutline {
            name: replicator.name,
            network: replicator.network,
            brokers: replicator
                .brokers
                .into_iter()
                .map(|reach| (reach.range, reach.ports))
                .collect(),
            tags: replicator.tags,
        }),
    }
}
