//! How VPCs reach other networks, by address and by name.

use std::collections::BTreeMap;

use topology::{Cluster, Link, Network, Platform, Topology};

use super::networks::{Peer, Plan, Resolver, Served, Site};
use crate::target::TargetError;
use crate::targets::terraform::addresses;

/// Links the networks of the plan as their clusters say.
pub(super) fn join(
    topology: &Topology,
    clusters: &[&Cluster],
    names: &BTreeMap<String, String>,
    plan: &mut Plan,
) -> Result<(), TargetError> {
    for cluster in clusters {
        let Some(network) = &cluster.infrastructure.network else {
            continue;
        };
        for alias in &network.peers {
            let Some(peer) = topology.cluster(alias) else {
                continue;
            };
            if network.link == Some(Link::Public) {
                continue;
            }
            if plan.homes.contains_key(alias) {
                peering(plan, cluster, peer, network)?;
            } else {
                vpn(plan, names, cluster, peer, network)?;
            }
        }
    }
    for cluster in clusters {
        zone(plan, cluster);
    }
    for cluster in clusters {
        forwards(topology, plan, cluster);
    }
    Ok(())
}

fn at<'a>(plan: &'a mut Plan, alias: &str) -> Option<&'a mut super::networks::AwsNetwork> {
    let label = plan.homes.get(alias)?;
    plan.networks
        .iter_mut()
        .find(|network| network.label == *label)
}

fn peering(
    plan: &mut Plan,
    cluster: &Cluster,
    peer: &Cluster,
    network: &Network,
) -> Result<(), TargetError> {
    let here = plan.network(&plan.homes[&cluster.alias]);
    let there = plan.network(&plan.homes[&peer.alias]);
    let already = |one: &super::networks::AwsNetwork, other: &str| {
        one.peers.iter().any(|peer| peer.label == other)
    };
    if here.label == there.label || already(here, &there.label) || already(there, &here.label) {
        return Ok(());
    }
    if network.link == Some(Link::Vpn) || here.region_name != there.region_name {
        return Err(TargetError::Cluster {
            cluster: cluster.alias.clone(),
            key: "network.link",
            problem: format!(
                "networks of AWS are joined by `peering` in one region; the way to `{}` is not rendered",
                peer.alias
            ),
        });
    }
    let (here_range, there_range) = (here.range(), there.range());
    let joined = Peer {
        label: there.label.clone(),
        cidr: there.cidr.clone(),
    };
    // the later one asks, so that a module only needs those before it
    if let Some(network) = at(plan, &cluster.alias) {
        network.linked.insert(there_range);
        network.peers.push(joined);
    }
    if let Some(network) = at(plan, &peer.alias) {
        network.linked.insert(here_range);
    }
    Ok(())
}

fn vpn(
    plan: &mut Plan,
    names: &BTreeMap<String, String>,
    cluster: &Cluster,
    peer: &Cluster,
    network: &Network,
) -> Result<(), TargetError> {
    // another cloud's network or a Kubernetes of somebody: how it is reached is not said here
    if network.link != Some(Link::Vpn) || peer.platform == Platform::AzureHdinsight {
        plan.elsewhere.insert(peer.alias.clone());
        return Ok(());
    }
    let Some(far) = &peer.infrastructure.network else {
        return Err(TargetError::ClusterLacks {
            cluster: peer.alias.clone(),
            key: "network.cidr",
            why: "the VPN routes to its network",
        });
    };
    let range = addresses::range(peer, far)?;
    let label = names[&peer.alias].clone();
    plan.sites.insert(label.clone());
    if let Some(network) = at(plan, &cluster.alias) {
        network.linked.insert(range);
        if !network.vpns.iter().any(|site| site.label == label) {
            network.vpns.push(Site {
                label,
                cidrs: vec![range.to_string()],
            });
        }
    }
    Ok(())
}

/// The zone of a cluster's names is served to its network, and to those that are peered with it.
fn zone(plan: &mut Plan, cluster: &Cluster) {
    let dns = cluster.infrastructure.dns.as_ref();
    // MSK's names are AWS's own
    let written = dns
        .and_then(|dns| dns.zone.as_ref())
        .filter(|_| cluster.platform == Platform::AwsEc2);
    let (Some(written), Some(home)) = (written, plan.homes.get(&cluster.alias)) else {
        return;
    };
    let peered = plan.peered_with(home).into_iter();
    let served = peered
        .map(|network| Served {
            label: network.label.clone(),
            region_name: network.region_name.clone(),
        })
        .collect();
    if let Some(resolver) = resolver_at(plan, &cluster.alias)
        && resolver.zone.is_none()
    {
        resolver.zone = Some(written.clone());
        resolver.served = served;
    }
}

/// Domains of peers go to the forwarders that the cluster names, unless a zone that is served here holds them.
fn forwards(topology: &Topology, plan: &mut Plan, cluster: &Cluster) {
    let (Some(dns), Some(network)) = (&cluster.infrastructure.dns, &cluster.infrastructure.network)
    else {
        return;
    };
    if dns.forwarders.is_empty() {
        return;
    }
    let mut forward = BTreeMap::new();
    for peer in network
        .peers
        .iter()
        .filter_map(|alias| topology.cluster(alias))
    {
        for server in &peer.bootstrap_servers {
            if let Some(domain) =
                addresses::domain(server).filter(|domain| !is_served(plan, peer, domain))
            {
                forward.insert(domain.to_owned(), dns.forwarders.clone());
            }
        }
    }
    if !forward.is_empty()
        && let Some(resolver) = resolver_at(plan, &cluster.alias)
    {
        resolver.forward.extend(forward);
    }
}

/// Whether Route 53 answers for a domain of a peer: Amazon does for MSK's, and the zone of a network for those in it.
fn is_served(plan: &Plan, peer: &Cluster, domain: &str) -> bool {
    let Some(home) = plan.homes.get(&peer.alias) else {
        return false;
    };
    let zone = plan.network(home).resolver.as_ref();
    let zone = zone.and_then(|resolver| resolver.zone.as_deref());
    peer.platform == Platform::AwsMsk || zone.is_some_and(|zone| addresses::is_within(domain, zone))
}

/// The resolver of a cluster's network, which those that are linked with it may ask.
fn resolver_at<'a>(plan: &'a mut Plan, alias: &str) -> Option<&'a mut Resolver> {
    let network = at(plan, alias)?;
    let resolver = network.resolver.get_or_insert_with(Resolver::default);
    resolver.askers = network.linked.iter().map(ToString::to_string).collect();
    Some(resolver)
}
