//! Regions that are as they are wanted, for tests to change.

use std::collections::BTreeSet;

use topology::Topology;

use crate::observed::{Group, Instance, Peering, Region, Subnet, Vpc};
use crate::wanted::{Wanted, WantedNetwork, wanted};

/// Brokers on EC2 with a site beyond a VPN and names across; beside it MSK in a network of its own.
pub(crate) const TOPOLOGY: &str = r"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: onprem
  platform: ansible
  bootstrapServers: [kafka1.dc1.example:9092]
  network: {cidr: 10.10.0.0/16}
- alias: aws
  platform: aws-ec2
  region: eu-west-1
  bootstrapServers: [b-1.kafka.aws.example:9095]
  brokers: {count: 4, zones: [eu-west-1a, eu-west-1b, eu-west-1c]}
  network: {name: kafka, cidr: 10.20.0.0/16, link: vpn, peers: [onprem]}
  dns: {zone: kafka.aws.example, forwarders: [10.10.0.2]}
  tags: {project: hybrid}
- alias: orders
  platform: aws-msk
  region: eu-west-1
  sasl: {mechanism: aws-msk-iam, aws: {region: eu-west-1}}
  tls: {}
  brokers: {count: 2, instanceType: kafka.m7g.large, zones: [eu-west-1a, eu-west-1b]}
  network: {cidr: 10.30.0.0/24, subnets: [10.30.0.0/28, 10.30.0.16/28], link: peering, peers: [aws]}
mirrors:
- {name: up, source: onprem, target: aws}
";

pub(crate) const REGION: &str = "eu-west-1";

pub(crate) fn topology(text: &str) -> Topology {
    topology::parse("topology.yaml", text)
        .expect("a valid topology")
        .topology
}

pub(crate) fn networks() -> Vec<WantedNetwork> {
    let Wanted { mut regions, .. } = wanted(&topology(TOPOLOGY)).expect("it can be rendered");
    regions.remove(REGION).expect("the region")
}

/// What AWS shows where everything is as wanted, what is optional included.
pub(crate) fn as_wanted(networks: &[WantedNetwork]) -> Region {
    let mut region = Region::default();
    for network in networks {
        let vpc = format!("vpc-{}", network.name);
        region.vpcs.push(Vpc {
            id: vpc.clone(),
            cidr: network.cidr.clone(),
            dns_support: Some(true),
            dns_hostnames: Some(true),
            tags: network.tags.clone(),
        });
        for subnet in &network.subnets {
            region.subnets.push(Subnet {
                id: format!("subnet-{}", subnet.name),
                vpc: vpc.clone(),
                cidr: subnet.cidr.clone(),
                zone: subnet.zone.clone(),
                public_addresses: Some(false),
                tags: subnet.tags.clone(),
            });
        }
        for group in &network.groups {
            let name = match group.name.as_str() {
                "default" => "default".to_owned(),
                name => format!("{name}-20250101000000000000000001"),
            };
            region.groups.push(Group {
                id: format!("sg-{}-{}", network.name, group.name),
                vpc: vpc.clone(),
                name,
                rules: group.rules.clone(),
                tags: group.tags.clone(),
            });
        }
        for instance in &network.instances {
            region.instances.push(Instance {
                id: format!("i-{}", instance.name),
                vpc: vpc.clone(),
                subnet: format!("subnet-{}", instance.subnet),
                size: instance.size.clone(),
                state: "running".to_owned(),
                groups: BTreeSet::from([format!("sg-{}-{}", network.name, instance.group)]),
                public_address: None,
                metadata_tokens: Some("required".to_owned()),
                tags: instance.tags.clone(),
            });
        }
        for peering in &network.peerings {
            region.peerings.push(Peering {
                id: format!("pcx-{}", peering.name),
                requester: vpc.clone(),
                accepter: format!("vpc-{}", peering.with),
                state: "active".to_owned(),
                requester_resolves: Some(true),
                accepter_resolves: Some(true),
                tags: peering.tags.clone(),
            });
        }
    }
    region
}
