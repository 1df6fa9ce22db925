//! What is on AWS against what the topology declares.
//!
//! ```text
//! Topology ──▶ render::aws_outline ──▶ wanted (what the rendered Terraform makes of it)
//!                                         │
//!              AWS ──▶ read (feature `sdk`, reads only) ──▶ compare (pure) ──▶ plan::Infrastructure
//! ```
//!
//! Nothing here changes anything: what is missing or changed is repaired by `terraform apply`. VPCs, subnets, peerings, security groups
//! with their rules and the machines of brokers are compared; MSK clusters, disks, routes, VPNs and resolver endpoints are not.
//! What AWS itself adds (identifiers, tags of others) is no difference.

mod compare;
mod modules;
mod observed;

mod wanted;

#[cfg(feature = "sdk")]
mod observe;
#[cfg(feature = "sdk")]
mod read;
#[cfg(not(feature = "sdk"))]
mod without_sdk;

#[cfg(test)]
mod testbed;

pub use compare::{Comparison, compare};
pub use observed::{Group, Instance, Peering, Region, Subnet, Tags, Vpc};
pub use wanted::{
    Direction, Peer, Rule, Wanted, WantedGroup, WantedInstance, WantedNetwork, WantedPeering,
    WantedSubnet, wanted,
};

#[cfg(feature = "sdk")]
pub use observe::observe;
#[cfg(feature = "sdk")]
pub use read::ReadError;
#[cfg(not(feature = "sdk"))]
pub use without_sdk::observe;
