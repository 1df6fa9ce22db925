//! Security groups, and the machines in them.

use std::collections::BTreeSet;

use render::{AwsNetworkOutline, Ec2Outline, MskOutline, ReplicatorOutline, ResolverOutline};

use super::{Direction, Peer, Rule, WantedGroup, WantedInstance, named};
use crate::modules;

/// How AWS calls the group that every VPC has.
pub(crate) const DEFAULT: &str = "default";

fn rule(direction: Direction, protocol: &str, port: u16, peer: Peer) -> Rule {
    let port = i32::from(port);
    Rule {
        direction,
        protocol: protocol.to_owned(),
        ports: Some((port, port)),
        peer,
    }
}

fn range(text: &str) -> Peer {
    Peer::Range(text.to_owned())
}

/// Of `aws-network`: nobody uses it, so it lets nothing through.
pub(super) fn default(network: &AwsNetworkOutline) -> WantedGroup {
    WantedGroup {
        name: DEFAULT.to_owned(),
        tags: named(&network.tags, &format!("{}-default-unused", network.name)),
        rules: BTreeSet::new(),
        variable_port: None,
        is_optional: false,
    }
}

/// Of `aws-ec2-kafka`.
pub(super) fn ec2(cluster: &Ec2Outline) -> WantedGroup {
    let name = format!("{}-brokers", cluster.name);
    let mut rules = BTreeSet::new();
    for port in &cluster.ports {
        let clients = cluster.clients.iter();
        rules.extend(clients.map(|it| rule(Direction::Ingress, "tcp", *port, range(it))));
    }
    let controllers = modules::controller_port(&cluster.ports);
    for port in cluster.ports.iter().copied().chain([controllers]) {
        rules.insert(rule(Direction::Ingress, "tcp", port, Peer::Members));
        rules.insert(rule(Direction::Egress, "tcp", port, Peer::Members));
    }
    rules.insert(rule(
        Direction::Egress,
        "tcp",
        443,
        range(modules::ANYWHERE),
    ));
    WantedGroup {
        tags: named(&cluster.tags, &name),
        name,
        rules,
        variable_port: None,
        is_optional: false,
    }
}

/// Of `aws-msk`.
pub(super) fn msk(cluster: &MskOutline) -> WantedGroup {
    let ports = [
        (cluster.certificates, modules::MSK_TLS_PORT),
        (cluster.scram, modules::MSK_SCRAM_PORT),
        (cluster.iam, modules::MSK_IAM_PORT),
    ];
    let mut rules = BTreeSet::new();
    for (_, port) in ports.into_iter().filter(|(is_used, _)| *is_used) {
        rules.insert(rule(Direction::Ingress, "tcp", port, Peer::Members));
        rules.insert(rule(Direction::Egress, "tcp", port, Peer::Members));
        for clients in &cluster.clients {
            rules.insert(rule(Direction::Ingress, "tcp", port, range(clients)));
        }
    }
    WantedGroup {
        name: format!("{}-brokers", cluster.name),
        tags: named(&cluster.tags, &cluster.name),
        rules,
        variable_port: None,
        is_optional: false,
    }
}

/// Of `aws-resolver`: those who ask here, and those who are asked from here.
pub(super) fn resolver(
    network: &AwsNetworkOutline,
    resolver: &ResolverOutline,
) -> [WantedGroup; 2] {
    let askers = dns(Direction::Ingress, resolver.askers.iter().cloned());
    let servers = resolver.servers.iter().map(|server| format!("{server}/32"));
    let servers = dns(Direction::Egress, servers);
    [("dns-in", askers), ("dns-out", servers)].map(|(end, rules)| {
        let name = format!("{}-{end}", network.name);
        WantedGroup {
            tags: named(&network.tags, &name),
            name,
            rules,
            variable_port: None,
            is_optional: false,
        }
    })
}

/// DNS falls back to TCP where an answer is long.
fn dns(direction: Direction, ranges: impl Iterator<Item = String>) -> BTreeSet<Rule> {
    ranges
        .flat_map(|range| {
            ["tcp", "udp"].map(|protocol| rule(direction, protocol, 53, Peer::Range(range.clone())))
        })
        .collect()
}

/// Of `aws-replicator`.
pub(super) fn replicator(replicator: &ReplicatorOutline) -> WantedGroup {
    let name = replicator.name.clone();
    let mut rules = BTreeSet::new();
    for (brokers, ports) in &replicator.brokers {
        for port in ports {
            rules.insert(rule(Direction::Egress, "tcp", *port, range(brokers)));
        }
    }
    rules.insert(rule(
        Direction::Egress,
        "tcp",
        443,
        range(modules::ANYWHERE),
    ));
    WantedGroup {
        tags: named(&replicator.tags, &name),
        name,
        rules,
        variable_port: Some(modules::METRICS_PORT),
        is_optional: true,
    }
}

/// Brokers on EC2, which take the zones in turns.
pub(super) fn instances(
    cluster: &Ec2Outline,
    network: &str,
    zones: &[String],
) -> Vec<WantedInstance> {
    (1..=cluster.count)
        .zip(zones.iter().cycle())
        .map(|(number, zone)| {
            let name = format!("{}-b-{number}", cluster.name);
            WantedInstance {
                size: cluster
                    .size
                    .clone()
                    .unwrap_or_else(|| modules::EC2_SIZE.to_owned()),
                subnet: format!("{network}-{zone}"),
                group: format!("{}-brokers", cluster.name),
                tags: named(&cluster.tags, &name),
                name,
            }
        })
        .collect()
}
