//! Whether networks that have to reach each other can: by address and by link. `resolution.rs` looks at names.

use super::super::scope::Scope;
use super::{links, resolution, zones};
use crate::choices::{Link, Platform};
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::Network;
use crate::path::Path;
use crate::resolved::Cluster;

/// A cluster, and its place in the file.
pub(super) type Placed = (usize, Cluster);

/// The networks of all clusters.
pub(super) fn check(scope: &mut Scope<'_>, clusters: &[Placed]) {
    zones::check(scope, clusters);
    for (index, cluster) in clusters.iter().enumerate() {
        let Some(network) = &cluster.1.infrastructure.network else {
            continue;
        };
        contradiction(scope, &clusters[..index], cluster, network);
        other_zones(scope, &clusters[..index], cluster);
        range(scope, clusters, cluster, network);
        for (at, alias) in network.peers.iter().enumerate() {
            let place = network_path(cluster.0).key("peers").index(at);
            if *alias == cluster.1.alias {
                let span = scope.span(&place);
                scope.add(
                    Finding::new(
                        Code::InvalidValue,
                        span,
                        format!("`{alias}` reaches its own network anyway"),
                        "this cluster itself",
                    )
                    .hint("name the clusters whose networks have to be reached"),
                );
                continue;
            }
            let Some(peer) = clusters.iter().find(|(_, it)| it.alias == *alias) else {
                continue;
            };
            // by public addresses, networks need nothing of each other; in one network, clusters do not
            if network.link == Some(Link::Public) || is_one_network(&cluster.1, &peer.1) {
                continue;
            }
            link(scope, cluster, peer, &place);
            links::rendered(scope, &cluster.1, &peer.1, &place);
            overlap(scope, cluster, peer);
        }
        resolution::check(scope, clusters, cluster, network);
    }
}

pub(super) fn network_path(index: usize) -> Path {
    Path::root().key("clusters").index(index).key("network")
}

/// Clusters of one cloud whose networks have the same name and group live in one network.
pub(super) fn is_one_network(one: &Cluster, other: &Cluster) -> bool {
    let key = |cluster: &Cluster| {
        cluster
            .infrastructure
            .network
            .as_ref()
            .and_then(|network| Some((network.name.clone()?, network.resource_group.clone())))
    };
    cloud(one.platform) == cloud(other.platform)
        && one.region == other.region
        && key(one).is_some()
        && key(one) == key(other)
}

/// One network has one range.
fn contradiction(scope: &mut Scope<'_>, before: &[Placed], cluster: &Placed, network: &Network) {
    let Some((cidr, (first, other))) = network.cidr.and_then(|cidr| {
        let other = before.iter().find(|(_, other)| {
            let range = other.infrastructure.network.as_ref().and_then(|it| it.cidr);
            is_one_network(&cluster.1, other) && range.is_some_and(|range| range != cidr)
        })?;
        Some((cidr, other))
    }) else {
        return;
    };
    let line = scope.line(&network_path(*first).key("cidr"));
    let span = scope.span(&network_path(cluster.0).key("cidr"));
    scope.add(
        Finding::new(
            Code::ContradictingNetwork,
            span,
            format!(
                "`{}` and `{}` live in one network, and give it different ranges",
                other.alias, cluster.1.alias
            ),
            format!("`{cidr}` here"),
        )
        .hint(format!(
            "line {line} has the other range; write one range, or give the networks names of their own"
        )),
    );
}

/// The subnets of one network on AWS are in its zones.
fn other_zones(scope: &mut Scope<'_>, before: &[Placed], cluster: &Placed) {
    let zones = |of: &Cluster| {
        of.infrastructure
            .brokers
            .as_ref()
            .map(|it| it.zones.clone())
    };
    let here = zones(&cluster.1);
    let known =
        cloud(cluster.1.platform) == Cloud::Aws && here.as_ref().is_some_and(|it| !it.is_empty());
    let other = before
        .iter()
        .find(|(_, other)| known && is_one_network(&cluster.1, other) && zones(other) != here);
    let Some((_, other)) = other else { return };
    let place = Path::root().key("clusters").index(cluster.0);
    let span = scope.span(&place.key("brokers").key("zones"));
    scope.add(
        Finding::new(
            Code::ContradictingNetwork,
            span,
            format!(
                "`{}` and `{}` live in one network, and spread over different zones",
                other.alias, cluster.1.alias
            ),
            "other zones here",
        )
        .hint("write the same zones, in the same order, or give the networks names of their own"),
    );
}

/// A network that is built has a range: at this cluster, or at another one that lives in it.
fn range(scope: &mut Scope<'_>, clusters: &[Placed], cluster: &Placed, network: &Network) {
    let place = network_path(cluster.0);
    let builds = matches!(cloud(cluster.1.platform), Cloud::Aws | Cloud::Azure);
    if !builds || network.cidr.is_some() || scope.is_written(&place.key("cidr")) {
        return;
    }
    let elsewhere = clusters.iter().any(|(at, other)| {
        let range = other.infrastructure.network.as_ref().and_then(|it| it.cidr);
        *at != cluster.0 && is_one_network(&cluster.1, other) && range.is_some()
    });
    if elsewhere {
        return;
    }
    let span = scope.key_span(&place);
    scope.add(
        Finding::new(
            Code::IncompleteNetwork,
            span,
            "a network cannot be built without `cidr`: it has a range of addresses",
            "the network needs `cidr`",
        )
        .hint("add `cidr: 10.20.0.0/16`; a cluster that is there already needs no `network`"),
    );
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloud {
    Aws,
    Azure,
    OnPremises,
    /// What exists already, or runs on a Kubernetes that does, may be anywhere.
    Anywhere,
}

pub(super) fn cloud(platform: Platform) -> Cloud {
    match platform {
        Platform::AwsMsk | Platform::AwsEc2 => Cloud::Aws,
        Platform::AzureHdinsight => Cloud::Azure,
        Platform::Ansible => Cloud::OnPremises,
        Platform::Existing | Platform::Embedded | Platform::Strimzi => Cloud::Anywhere,
    }
}

/// A cloud joins networks of its own.
fn link(scope: &mut Scope<'_>, cluster: &Placed, peer: &Placed, place: &Path) {
    let network = cluster.1.infrastructure.network.as_ref();
    if network.and_then(|network| network.link) != Some(Link::Peering) {
        return;
    }
    let (here, there) = (cloud(cluster.1.platform), cloud(peer.1.platform));
    let on_premises = here == Cloud::OnPremises || there == Cloud::OnPremises;
    let apart = here != there && here != Cloud::Anywhere && there != Cloud::Anywhere;
    if on_premises || apart {
        let span = scope.span(place);
        scope.add(
            Finding::new(
                Code::ImpossibleLink,
                span,
                format!(
                    "the networks of `{}` and `{}` cannot be peered",
                    cluster.1.alias, peer.1.alias
                ),
                "not in the same cloud",
            )
            .hint("peering joins networks of one cloud: write `link: vpn`, or `link: public`"),
        );
    }
}

/// Between networks with addresses in common no route tells where a packet goes.
fn overlap(scope: &mut Scope<'_>, cluster: &Placed, peer: &Placed) {
    let range = |cluster: &Cluster| cluster.infrastructure.network.as_ref()?.cidr;
    let (Some(here), Some(there)) = (range(&cluster.1), range(&peer.1)) else {
        return;
    };
    if !here.contains(&there) && !there.contains(&here) {
        return;
    }
    // once for both directions, where the later one stands
    let (first, last) = if cluster.0 < peer.0 {
        (cluster, peer)
    } else {
        (peer, cluster)
    };
    let names_back = |of: &Placed, other: &Placed| {
        let network = of.1.infrastructure.network.as_ref();
        network.is_some_and(|network| network.peers.contains(&other.1.alias))
    };
    if cluster.0 < peer.0 && names_back(peer, cluster) {
        return;
    }
    let line = scope.line(&network_path(first.0).key("cidr"));
    let span = scope.span(&network_path(last.0).key("cidr"));
    scope.add(
        Finding::new(
            Code::OverlappingNetworks,
            span,
            format!(
                "the networks of `{}` and `{}` have addresses in common",
                first.1.alias, last.1.alias
            ),
            "overlaps",
        )
        .hint(format!(
            "line {line} has the other range; networks that reach each other need ranges of their own"
        )),
    );
}
