//! Whether mirrors have a way between the networks of their clusters.

use super::super::naming;
use super::super::scope::Scope;
use super::peers::{Cloud, cloud, is_one_network};
use crate::choices::{Engine, Link, MirrorState};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolved::{Cluster, Mirror};

/// Every mirror that copies, from each of its sources.
pub(in crate::resolve) fn check(
    scope: &mut Scope<'_>,
    mirrors: &[naming::Placed<'_>],
    clusters: &[(usize, Cluster)],
) {
    for (at, mirror) in mirrors {
        // Amazon brings MSK Replicator to both networks
        if mirror.engine != Engine::MskReplicator && mirror.state != MirrorState::Promoted {
            one(scope, *at, mirror, clusters);
        }
    }
}

fn one(scope: &mut Scope<'_>, at: usize, mirror: &Mirror, clusters: &[(usize, Cluster)]) {
    let find = |alias: &String| {
        let found = clusters.iter().find(|(_, it)| it.alias == *alias);
        found.map(|(_, cluster)| cluster)
    };
    let Some(target) = find(&mirror.target) else {
        return;
    };
    let place = Path::root().key("mirrors").index(at).key("source");
    for (nth, source) in mirror.sources.iter().enumerate() {
        let Some(source) = find(source).filter(|source| are_apart(source, target)) else {
            continue;
        };
        let item = place.index(nth);
        let item = if scope.is_written(&item) {
            item
        } else {
            place.clone()
        };
        let span = scope.span(&item);
        let (here, there) = (&source.alias, &target.alias);
        scope.add(
            Finding::new(
                Code::UnlinkedNetworks,
                span,
                format!("nothing links the network of `{here}` with that of `{there}`, so that nobody can copy between them"),
                "in another network",
            )
            .hint(format!(
                "add `peers: [{here}]` and a `link` (`peering`, `vpn` or `public`) to the `network` of `{there}`; where others \
                 join the two, leave it"
            )),
        );
    }
}

/// Whether the Terraform that is rendered for a network on AWS can make the way to a peer in another network.
pub(super) fn rendered(scope: &mut Scope<'_>, cluster: &Cluster, peer: &Cluster, place: &Path) {
    let (here, there) = (cloud(cluster.platform), cloud(peer.platform));
    if here != Cloud::Aws || there == Cloud::Azure {
        return;
    }
    let alias = &peer.alias;
    let far = peer.infrastructure.network.as_ref();
    let (code, message, label, hint) = if there == Cloud::Aws {
        if is_peering(cluster, peer) {
            return;
        }
        (
            Code::NotRenderable,
            format!(
                "networks of AWS are joined by peering in one region: the way to `{alias}` is not rendered"
            ),
            if are_in_two_regions(cluster, peer) {
                "in another region"
            } else {
                "not by peering"
            },
            "write `link: peering` between clusters of one region, or `link: public`",
        )
    } else if is_by_vpn(cluster) && far.is_none_or(|it| it.cidr.is_none()) {
        (
            Code::IncompleteNetwork,
            format!("the VPN to `{alias}` cannot be built without the range that it leads to"),
            "a network without `cidr`",
            "add `network: {cidr: 10.10.0.0/16}` to that cluster",
        )
    } else {
        return;
    };
    let span = scope.span(place);
    scope.add(Finding::new(code, span, message, label).hint(hint));
}

/// Whether the way between two networks of AWS is rendered: a peering in one region.
pub(super) fn is_peering(cluster: &Cluster, peer: &Cluster) -> bool {
    !is_by_vpn(cluster) && !are_in_two_regions(cluster, peer)
}

fn is_by_vpn(cluster: &Cluster) -> bool {
    let network = cluster.infrastructure.network.as_ref();
    network.is_some_and(|it| it.link == Some(Link::Vpn))
}

fn are_in_two_regions(cluster: &Cluster, peer: &Cluster) -> bool {
    cluster.region.is_some() && peer.region.is_some() && cluster.region != peer.region
}

/// Two declared networks, one of which is to be built, without a word of one about the other. What is not declared may be
/// anywhere.
fn are_apart(one: &Cluster, other: &Cluster) -> bool {
    let (Some(here), Some(there)) = (&one.infrastructure.network, &other.infrastructure.network)
    else {
        return false;
    };
    let is_built = |of: &Cluster| matches!(cloud(of.platform), Cloud::Aws | Cloud::Azure);
    (is_built(one) || is_built(other))
        && !is_one_network(one, other)
        && !here.peers.contains(&other.alias)
        && !there.peers.contains(&one.alias)
}

#[cfg(test)]
mod tests {
    const BASE: &str = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
        - {alias: site, platform: ansible, bootstrapServers: 'k:9092', SITE}\n\
        - {alias: aws, platform: aws-ec2, region: eu-west-1, brokers: {count: 2, zones: [eu-west-1a, eu-west-1b]}, \
        network: {cidr: 10.20.0.0/16, AWS}, dns: {forwarders: [10.10.0.2]}}\n\
        mirrors:\n- {name: m, source: site, target: aws, MIRROR}\n";

    fn warnings(site: &str, aws: &str, mirror: &str) -> Vec<String> {
        let text = BASE
            .replace("SITE", site)
            .replace("AWS", aws)
            .replace("MIRROR", mirror);
        let loaded = crate::parse("t.yaml", &text).unwrap();
        let found = loaded.warnings.iter();
        found.map(|it| format!("{}:{}", it.line, it.code)).collect()
    }

    #[test]
    fn a_mirror_needs_a_way() {
        const THERE: &str = "network: {cidr: 10.10.0.0/16}";
        const PLAIN: &str = "topicsPattern: x";
        let apart = ["7:topology::unlinked-networks"];
        assert_eq!(warnings(THERE, "name: kafka", PLAIN), apart);
        for link in ["vpn", "public"] {
            let linked = format!("link: {link}, peers: [site]");
            assert!(warnings(THERE, &linked, PLAIN).is_empty(), "{link}");
        }
        // either may say it
        let there = "network: {cidr: 10.10.0.0/16, link: vpn, peers: [aws]}";
        assert!(warnings(there, "name: kafka", PLAIN).is_empty());
        // where it is, nobody knows
        assert!(warnings("clusterId: x", "name: kafka", PLAIN).is_empty());
        assert!(warnings(THERE, "name: kafka", "state: promoted").is_empty());
    }
}
