//! What the rendered Terraform makes of a topology, resource by resource.

pub(crate) mod groups;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use render::{AwsNetworkOutline, AwsOutline, Egress, TargetError, aws_outline};
use topology::{Platform, Topology};

use crate::modules;

/// Everything that is compared, by region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The networks of each region.
    pub regions: BTreeMap<String, Vec<WantedNetwork>>,
    /// The names of MSK clusters: of those, the network and the security group are compared.
    pub msk: Vec<String>,
}

/// A VPC and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedNetwork {
    /// Its name.
    pub name: String,
    /// Its range.
    pub cidr: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its subnets.
    pub subnets: Vec<WantedSubnet>,
    /// The peerings that it asks for.
    pub peerings: Vec<WantedPeering>,
    /// Its security groups.
    pub groups: Vec<WantedGroup>,
    /// The machines of its brokers.
    pub instances: Vec<WantedInstance>,
    /// The name of machines that come and go: those of the replicator.
    pub elastic: Option<String>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedSubnet {
    /// Its name.
    pub name: String,
    /// Its range.
    pub cidr: String,
    /// Its zone.
    pub zone: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether a variable of the root decides that it is there: its absence is no difference.
    pub is_optional: bool,
}

/// A peering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPeering {
    /// Its name.
    pub name: String,
    /// The name of the network that is asked.
    pub with: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGroup {
    /// What it is called here: its name on AWS without what Terraform puts behind it.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What it lets through, and nothing else.
    pub rules: BTreeSet<Rule>,
    /// A port that a variable of the root may open for some ranges.
    pub variable_port: Option<u16>,
    /// Whether a variable of the root decides that it is there.
    pub is_optional: bool,
}

/// The machine of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedInstance {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: String,
    /// The name of its subnet.
    pub subnet: String,
    /// What its only security group is called here.
    pub group: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What a security group lets through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Whose connections.
    pub direction: Direction,
    /// `tcp`, `udp`, another protocol in AWS's words, or `all`.
    pub protocol: String,
    /// The first and the last port; absent where all are meant.
    pub ports: Option<(i32, i32)>,
    /// Who is at the other end.
    pub peer: Peer,
}

/// Whose connections a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Those that come in.
    Ingress,
    /// Those that go out.
    Egress,
}

/// The other end of what a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// An address range.
    Range(String),
    /// Members of the same group.
    Members,
    /// Something else, by AWS's id: another group, or a prefix list.
    Id(String),
}

impl Rule {
    /// Whether everybody is at the other end.
    pub fn is_open_to_the_world(&self) -> bool {
        matches!(&self.peer, Peer::Range(range) if range == modules::ANYWHERE || range == "::/0")
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            direction,
            protocol,
            ports,
            peer,
        } = self;
        let direction = match direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        };
        write!(f, "{direction}/{protocol}/")?;
        match ports {
            None => f.write_str("all")?,
            Some((first, last)) if first == last => write!(f, "{first}")?,
            Some((first, last)) => write!(f, "{first}-{last}")?,
        }
        match peer {
            Peer::Range(range) => write!(f, "/{range}"),
            Peer::Members => f.write_str("/members"),
            Peer::Id(id) => write!(f, "/{id}"),
        }
    }
}

/// Whether any cluster says what its network on AWS is.
pub(crate) fn declares_networks(topology: &Topology) -> bool {
    topology.clusters.iter().any(|cluster| {
        matches!(cluster.platform, Platform::AwsMsk | Platform::AwsEc2)
            && cluster.infrastructure.network.is_some()
    })
}

/// What `topology` makes of AWS; nothing where no cluster is on AWS.
pub fn wanted(topology: &Topology) -> Result<Wanted, TargetError> {
    let AwsOutline {
        networks,
        ec2,
        msk,
        replicator,
    } = aws_outline(topology)?;
    let names: BTreeMap<&str, &str> = networks
        .iter()
        .map(|network| (network.label.as_str(), network.name.as_str()))
        .collect();
    let mut wanted = Wanted {
        msk: msk.iter().map(|cluster| cluster.name.clone()).collect(),
        ..Wanted::default()
    };
    for outline in &networks {
        let mut network = network(outline, &names);
        for cluster in ec2.iter().filter(|it| it.network == outline.label) {
            network.groups.push(groups::ec2(cluster));
            network
                .instances
                .extend(groups::instances(cluster, &network.name, &outline.zones));
        }
        for cluster in msk.iter().filter(|it| it.network == outline.label) {
            network.groups.push(groups::msk(cluster));
        }
        if let Some(resolver) = &outline.resolver {
            network.groups.extend(groups::resolver(outline, resolver));
        }
        if let Some(replicator) = replicator.as_ref().filter(|it| it.network == outline.label) {
            network.groups.push(groups::replicator(replicator));
            network.elastic = Some(replicator.name.clone());
        }
        wanted
            .regions
            .entry(outline.region.clone())
            .or_default()
            .push(network);
    }
    Ok(wanted)
}

/// What `aws-network` makes.
fn network(outline: &AwsNetworkOutline, names: &BTreeMap<&str, &str>) -> WantedNetwork {
    let name = &outline.name;
    let ranges = if outline.subnets.is_empty() {
        modules::private_subnets(outline.cidr, outline.zones.len())
            .iter()
            .map(ToString::to_string)
            .collect()
    } else {
        outline.subnets.clone()
    };
    let mut subnets: Vec<WantedSubnet> = outline
        .zones
        .iter()
        .zip(ranges)
        .map(|(zone, cidr)| {
            let name = format!("{name}-{zone}");
            WantedSubnet {
                cidr,
                zone: zone.clone(),
                tags: named(&outline.tags, &name),
                name,
                is_optional: false,
            }
        })
        .collect();
    let egress = match outline.egress {
        Egress::Always => Some(false),
        Egress::WithReplicator => Some(true),
        Egress::Never => None,
    };
    if let (Some(is_optional), Some(cidr), Some(zone)) =
        (egress, outline.egress_subnet, outline.zones.first())
    {
        let name = format!("{name}-egress");
        subnets.push(WantedSubnet {
            cidr: cidr.to_string(),
            zone: zone.clone(),
            tags: named(&outline.tags, &name),
            name,
            is_optional,
        });
    }
    let peerings = outline
        .peers
        .iter()
        .filter_map(|label| {
            let name = format!("{name}-to-{label}");
            Some(WantedPeering {
                with: (*names.get(label.as_str())?).to_owned(),
                tags: named(&outline.tags, &name),
                name,
            })
        })
        .collect();
    WantedNetwork {
        name: name.clone(),
        cidr: outline.cidr.to_string(),
        tags: named(&outline.tags, name),
        subnets,
        peerings,
        groups: vec![groups::default(outline)],
        instances: Vec::new(),
        elastic: None,
    }
}

/// Tags with a name, which wins, as in `merge(tags, { Name = … })`.
fn named(tags: &BTreeMap<String, String>, name: &str) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.insert("Name".to_owned(), name.to_owned());
    tags
}

#[cfg(test)]
mod tests;
