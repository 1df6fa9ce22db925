//! What has to exist before Kafka can run: machines, networks, disks, names and the accounts of operators.

use std::collections::BTreeMap;
use std::path::Path;

use ipnet::{IpNet, Ipv4Net};
use serde::Serialize;

use crate::choices::{Link, Listener, StorageType};
use crate::security::SecretRef;

/// The length of the prefix of the smallest subnet that AWS has.
const SMALLEST_SUBNET: u8 = 28;
/// Of the largest network.
const LARGEST_NETWORK: u8 = 16;

/// The platform blocks of a cluster. What is not written is absent; each platform has defaults of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Infrastructure {
    /// The machines.
    pub brokers: Option<Brokers>,
    /// The network that they live in.
    pub network: Option<Network>,
    /// Their disks.
    pub storage: Option<Storage>,
    /// Name resolution between networks.
    pub dns: Option<Dns>,
    /// How operators log in.
    pub access: Option<Access>,
    /// Where on Kubernetes.
    pub kubernetes: Option<Kubernetes>,
    /// Tags on everything that is created.
    pub tags: BTreeMap<String, String>,
}

/// The brokers of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brokers {
    /// How many, from 1 to 1000.
    pub count: u32,
    /// The size of the machines, in the words of the platform.
    pub instance_type: Option<String>,
    /// The Kafka version to run.
    pub kafka_version: Option<String>,
    /// The machines, where they exist already; their number is not checked against `count`.
    pub hosts: Vec<String>,
    /// The zones to spread them over.
    pub zones: Vec<String>,
    /// Broker configuration, as texts.
    pub config: BTreeMap<String, String>,
}

/// The network of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its name (VPC, virtual network).
    pub name: Option<String>,
    /// The Azure resource group.
    pub resource_group: Option<String>,
    /// Its address range, without host bits.
    pub cidr: Option<IpNet>,
    /// The address ranges of its subnets, without host bits.
    pub subnets: Vec<IpNet>,
    /// The aliases of clusters whose networks have to be reached.
    pub peers: Vec<String>,
    /// How they are reached.
    pub link: Option<Link>,
}

/// The disks of the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// What kind of disk.
    #[serde(rename = "type")]
    pub kind: Option<StorageType>,
    /// The size of each broker's storage, in bytes.
    pub size: Option<u64>,
    /// The storage class, on Kubernetes.
    pub class: Option<String>,
    /// How many disks each broker has, from 1 to 64.
    pub disks: Option<u32>,
    /// Whether the claim is deleted with the cluster, on Kubernetes.
    pub delete_claim: bool,
}

/// Name resolution between networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dns {
    /// The zone of the brokers' names.
    pub zone: Option<String>,
    /// The name servers that queries for other networks go to.
    pub forwarders: Vec<String>,
}

/// How operators log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The console of the platform.
    pub login: Option<Account>,
    /// The machines.
    pub ssh: Option<Account>,
}

/// Who logs in, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Who logs in.
    pub user: String,
    /// Where the password is.
    pub password: Option<SecretRef>,
}

/// Where on Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kubernetes {
    /// The namespace.
    pub namespace: Option<String>,
    /// The listeners of the brokers; each once.
    pub listeners: Vec<Listener>,
    /// Whether the topic and user operators run.
    pub entity_operator: bool,
}

impl Network {
    /// Where the way out of a network on AWS stands, in a subnet of its own: the last sixteenth of the network (/28 at the
    /// smallest), or the largest range from there on that none of `subnets` lies in.
    pub fn way_out(&self) -> Option<Ipv4Net> {
        let IpNet::V4(range) = self.cidr? else {
            return None;
        };
        if range.prefix_len() < LARGEST_NETWORK {
            return None;
        }
        let is_free = |candidate: &Ipv4Net| {
            let candidate = IpNet::V4(*candidate);
            let mut subnets = self.subnets.iter();
            !subnets.any(|it| it.contains(&candidate) || candidate.contains(it))
        };
        let largest = (range.prefix_len() + 4).min(SMALLEST_SUBNET);
        (largest..=SMALLEST_SUBNET).find_map(|prefix| {
            let parts: Vec<Ipv4Net> = range.subnets(prefix).ok()?.collect();
            parts.into_iter().rev().find(is_free)
        })
    }
}

impl Infrastructure {
    /// Makes relative paths relative to `folder`.
    pub(crate) fn place_files(&mut self, folder: &Path) {
        let accounts = self
            .access
            .iter_mut()
            .flat_map(|access| [&mut access.login, &mut access.ssh]);
        for account in accounts.flatten() {
            if let Some(SecretRef::File(file)) = &mut account.password {
                *file = folder.join(&*file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_out(cidr: &str, subnets: &[&str]) -> Option<String> {
        let network = Network {
            name: None,
            resource_group: None,
            cidr: Some(cidr.parse().expect("a range")),
            subnets: subnets
                .iter()
                .map(|it| it.parse().expect("a range"))
                .collect(),
            peers: Vec::new(),
            link: None,
        };
        network.way_out().map(|it| it.to_string())
    }

    /// The first two figures are those of `terraform/aws-network/tests`.
    #[test]
    fn the_way_out_is_where_no_subnet_lies() {
        for (cidr, subnets, expected) in [
            ("10.20.0.0/16", &[][..], "10.20.240.0/20"),
            (
                "10.20.0.0/24",
                &["10.20.0.0/26", "10.20.0.128/25"],
                "10.20.0.112/28",
            ),
            ("10.0.0.0/26", &[], "10.0.0.48/28"),
            (
                "10.20.0.0/16",
                &["10.20.0.0/17", "10.20.192.0/18"],
                "10.20.176.0/20",
            ),
            // nothing as large is left
            (
                "10.20.0.0/20",
                &[
                    "10.20.0.0/21",
                    "10.20.8.0/22",
                    "10.20.12.0/23",
                    "10.20.14.0/24",
                    "10.20.15.0/25",
                    "10.20.15.192/26",
                ],
                "10.20.15.128/26",
            ),
            (
                "10.20.0.0/18",
                &[
                    "10.20.0.0/19",
                    "10.20.32.0/20",
                    "10.20.48.0/21",
                    "10.20.56.0/22",
                    "10.20.62.0/23",
                    "10.20.60.0/23",
                ],
                "",
            ),
        ] {
            let found = way_out(cidr, subnets).unwrap_or_default();
            assert_eq!(found, expected, "{cidr} {subnets:?}");
        }
        assert_eq!(
            way_out("10.20.0.0/24", &["10.20.0.0/25", "10.20.0.128/25"]),
            None
        );
    }
}
