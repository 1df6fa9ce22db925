//! What is on AWS, as far as it was read. What AWS does not tell is absent, and is then no difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::wanted::Rule;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// What was read of one region: the VPCs that may be ours, and everything in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Region {
    /// VPCs with a name or a range of ours.
    pub vpcs: Vec<Vpc>,
    /// The subnets in them.
    pub subnets: Vec<Subnet>,
    /// Their peerings, asked for by either side.
    pub peerings: Vec<Peering>,
    /// The security groups in them.
    pub groups: Vec<Group>,
    /// The machines in them.
    pub instances: Vec<Instance>,
}

/// A VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// Its first range.
    pub cidr: String,
    /// Whether machines in it can ask for names.
    pub dns_support: Option<bool>,
    /// Whether machines in it have names.
    pub dns_hostnames: Option<bool>,
    /// Its tags.
    pub tags: Tags,
}

/// A subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: String,
    /// Its range.
    pub cidr: String,
    /// Its zone, by name.
    pub zone: String,
    /// Whether machines get public addresses.
    pub public_addresses: Option<bool>,
    /// Its tags.
    pub tags: Tags,
}

/// A peering of two VPCs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peering {
    /// Its id.
    pub id: String,
    /// The VPC that asked.
    pub requester: String,
    /// The VPC that was asked.
    pub accepter: String,
    /// Its state in the words of AWS, such as `active`.
    pub state: String,
    /// Whether names of the accepter resolve to private addresses for the requester.
    pub requester_resolves: Option<bool>,
    /// The same for the accepter.
    pub accepter_resolves: Option<bool>,
    /// Its tags.
    pub tags: Tags,
}

/// A security group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: String,
    /// Its name, which AWS never changes.
    pub name: String,
    /// What it lets through.
    pub rules: BTreeSet<Rule>,
    /// Its tags.
    pub tags: Tags,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: String,
    /// The subnet that it is in.
    pub subnet: String,
    /// Its size.
    pub size: String,
    /// Its state in the words of AWS, such as `running`.
    pub state: String,
    /// The ids of its security groups.
    pub groups: BTreeSet<String>,
    /// Its public address.
    pub public_address: Option<String>,
    /// Whether its metadata is only told to who has a token: `required` or `optional`.
    pub metadata_tokens: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// The tag that people know things by.
pub(crate) fn name(tags: &Tags) -> Option<&str> {
    tags.get("Name").map(String::as_str)
}
