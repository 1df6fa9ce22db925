//! Whether brokers' names are known in the networks that have to reach them. Brokers announce themselves by names, which only
//! their own network knows by itself.

use std::net::IpAddr;
use std::ops::Range;

use super::super::scope::Scope;
use super::links;
use super::peers::{Cloud, Placed, cloud, is_one_network, network_path};
use super::zones::{self, Entry};
use crate::choices::{Link, Platform};
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::Network;
use crate::resolved::Cluster;

/// Of a cluster that says nothing of its brokers.
const DEFAULT_BROKERS: u32 = 3;

/// The peers of one cluster. Name servers are said to be missing once, for the first peer that needs them; zones for each.
pub(super) fn check(
    scope: &mut Scope<'_>,
    clusters: &[Placed],
    cluster: &Placed,
    network: &Network,
) {
    if network.link == Some(Link::Public) {
        return;
    }
    let mut needs_servers = false;
    for (at, alias) in network.peers.iter().enumerate() {
        let Some((_, peer)) = clusters.iter().find(|(_, it)| it.alias == *alias) else {
            continue;
        };
        let is_again = network.peers[..at].contains(alias);
        if is_again || peer.alias == cluster.1.alias || is_one_network(&cluster.1, peer) {
            continue;
        }
        let missing = directions(&cluster.1, peer).find_map(|(here, there)| {
            let name = unknown(here, there)?;
            Some((here, there, name))
        });
        let Some((here, there, name)) = missing else {
            continue;
        };
        if !are_on_aws(here, there) && std::mem::replace(&mut needs_servers, true) {
            continue;
        }
        let span = scope.span(&network_path(cluster.0).key("peers").index(at));
        scope.add(finding(span, here, there, &name));
    }
}

fn finding(span: Range<usize>, here: &Cluster, there: &Cluster, name: &Unknown<'_>) -> Finding {
    let label = match (name, are_on_aws(here, there)) {
        (Unknown::Name(name), true) => format!("`{name}` lies in no zone that is served to it"),
        (Unknown::NotEntered(name, _), true) => {
            format!("nothing enters `{name}` in its zone")
        }
        (Unknown::NotYet, true) => "no zone for the names there".to_owned(),
        (_, false) => "another network, and no name servers to ask".to_owned(),
    };
    Finding::new(
        Code::MissingDns,
        span,
        format!(
            "the network of `{}` cannot resolve the names of the brokers of `{}`",
            here.alias, there.alias
        ),
        label,
    )
    .hint(hint(here, there, name))
}

/// Who asks for whose names. A peering on AWS leads both ways, whoever wrote it; where both did, each is asked about once. A way
/// that is not rendered is refused elsewhere.
fn directions<'a>(
    cluster: &'a Cluster,
    peer: &'a Cluster,
) -> impl Iterator<Item = (&'a Cluster, &'a Cluster)> {
    let on_aws = are_on_aws(cluster, peer);
    let forth = (!on_aws || links::is_peering(cluster, peer)).then_some((cluster, peer));
    let far = peer.infrastructure.network.as_ref();
    let names_back =
        far.is_some_and(|it| it.link != Some(Link::Public) && it.peers.contains(&cluster.alias));
    let back = (on_aws && far.is_some() && !names_back).then_some((peer, cluster));
    forth.into_iter().chain(back.filter(|_| forth.is_some()))
}

/// What is not known in the network of somebody who asks.
enum Unknown<'a> {
    Name(&'a str),
    /// A name in a zone that nothing enters there.
    NotEntered(&'a str, &'a str),
    /// What brokers will be called.
    NotYet,
}

fn unknown<'a>(here: &Cluster, there: &'a Cluster) -> Option<Unknown<'a>> {
    let needed = match here.platform {
        Platform::AzureHdinsight | Platform::AwsEc2 | Platform::AwsMsk => true,
        // their name servers are not ours
        Platform::Existing | Platform::Embedded | Platform::Ansible | Platform::Strimzi => false,
    };
    if !needed {
        return None;
    }
    let unknown = if are_on_aws(here, there) {
        outside_of_zone(there)
    } else {
        first_name(there)
    };
    // other name servers are not asked about what lies in a zone
    unknown.filter(|it| matches!(it, Unknown::NotEntered(..)) || !has_forwarders(here))
}

/// A name that networks that a cluster's own is peered with do not know.
fn outside_of_zone(cluster: &Cluster) -> Option<Unknown<'_>> {
    // MSK's names are known everywhere
    if cluster.platform == Platform::AwsMsk {
        return None;
    }
    let Some(zone) = zones::written(cluster) else {
        return first_name(cluster);
    };
    let brokers = cluster.infrastructure.brokers.as_ref();
    let count = brokers.map_or(DEFAULT_BROKERS, |it| it.count);
    names(cluster).find_map(|name| match zones::entry(zone, count, name) {
        Entry::Machine => None,
        Entry::Absent => Some(Unknown::NotEntered(name, zone)),
        Entry::Elsewhere => Some(Unknown::Name(name)),
    })
}

fn has_forwarders(cluster: &Cluster) -> bool {
    let dns = cluster.infrastructure.dns.as_ref();
    dns.is_some_and(|dns| !dns.forwarders.is_empty())
}

fn are_on_aws(one: &Cluster, other: &Cluster) -> bool {
    cloud(one.platform) == Cloud::Aws && cloud(other.platform) == Cloud::Aws
}

/// A name that its brokers are reached by. Addresses that are not known yet will be names, and nodes of `HDInsight` announce
/// themselves by theirs.
fn first_name(cluster: &Cluster) -> Option<Unknown<'_>> {
    let always =
        cluster.bootstrap_servers.is_empty() || cluster.platform == Platform::AzureHdinsight;
    let name = names(cluster).next().map(Unknown::Name);
    name.or_else(|| always.then_some(Unknown::NotYet))
}

fn names(cluster: &Cluster) -> impl Iterator<Item = &str> {
    let hosts = cluster.bootstrap_servers.iter().map(|server| {
        let host = server.rsplit_once(':').map_or(server.as_str(), |it| it.0);
        host.trim_matches(['[', ']'])
    });
    hosts.filter(|host| host.parse::<IpAddr>().is_err())
}

fn hint(here: &Cluster, there: &Cluster, name: &Unknown<'_>) -> String {
    if are_on_aws(here, there) {
        let domain = match name {
            Unknown::Name(name) => name.split_once('.').map(|(_, domain)| domain),
            Unknown::NotEntered(_, zone) => {
                return format!(
                    "brokers are called `b-1.{zone}` and so on in their zone: write these into `bootstrapServers`"
                );
            }
            Unknown::NotYet => None,
        };
        return format!(
            "give `{1}` `dns: {{zone: {0}}}`, which is served to the networks that it is peered with, or `{2}` \
             `dns: {{forwarders: [ADDRESS]}}` with name servers that know these names",
            domain.unwrap_or("DOMAIN"),
            there.alias,
            here.alias
        );
    }
    let known = if here.platform == Platform::AzureHdinsight {
        "; 168.63.129.16 is Azure's own"
    } else {
        ""
    };
    format!(
        "add `dns: {{forwarders: [ADDRESS]}}` with the name servers that know the other network{known}"
    )
}

#[cfg(test)]
mod tests {
    /// What is missing between two clusters on AWS: the line, and who cannot resolve whose names.
    fn missing(x: &str, y: &str) -> Vec<String> {
        let zones = "region: eu-west-1, brokers: {count: 2, zones: [eu-west-1a, eu-west-1b]}";
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {{alias: x, {zones}, {x}}}\n- {{alias: y, {zones}, {y}}}\n"
        );
        let Err(found) = crate::parse("t.yaml", &text) else {
            return Vec::new();
        };
        let lines = found.into_iter().map(|it| {
            let words: Vec<&str> = it.message.split('`').collect();
            format!("{} {}: {} {}", it.line, it.code, words[1], words[3])
        });
        lines.collect()
    }

    const X: &str = "platform: aws-ec2, bootstrapServers: ['b-1.x.example:9092'], network: {cidr: 10.1.0.0/16, link: peering, peers: [y]}";
    const Y: &str =
        "platform: aws-ec2, bootstrapServers: ['b-1.y.example:9092'], network: {cidr: 10.2.0.0/16}";

    #[test]
    fn each_side_of_a_peering_knows_the_others_names() {
        let to = |cluster: &str, dns: &str| format!("{cluster}, dns: {{{dns}}}");
        let (zone_x, zone_y) = (to(X, "zone: x.example"), to(Y, "zone: y.example"));
        assert!(missing(&zone_x, &zone_y).is_empty());
        // whoever has no zone is not known on the other side, which of the two wrote the peering, too
        assert_eq!(missing(&zone_x, Y), ["4 topology::missing-dns: x y"]);
        assert_eq!(missing(X, &zone_y), ["4 topology::missing-dns: y x"]);
        let back = Y.replace('}', ", link: peering, peers: [x]}");
        assert_eq!(
            missing(X, &back),
            [
                "4 topology::missing-dns: x y",
                "5 topology::missing-dns: y x"
            ]
        );
        // a zone that the names do not lie in
        assert_eq!(
            missing(&zone_x, &to(Y, "zone: other.example")),
            ["4 topology::missing-dns: x y"]
        );
        // name servers that know them
        let asked = to(X, "zone: x.example, forwarders: [10.9.0.2]");
        assert!(missing(&asked, Y).is_empty());
        // a machine that is not there, which they are not asked about
        let fourth = zone_y.replace("b-1.y", "b-3.y");
        assert_eq!(missing(&asked, &fourth), ["4 topology::missing-dns: x y"]);
        assert!(missing(&asked, &fourth.replace("b-3.y", "b-2.y")).is_empty());
    }

    #[test]
    fn names_that_are_known_everywhere_need_no_zone() {
        let addresses = |of: &str| of.replace("b-1.", "10.9.9.9:1', 'b-1.");
        assert!(missing(&addresses(X), Y).len() == 1);
        let x = X.replace("b-1.x.example", "10.1.0.9");
        let y = Y.replace("b-1.y.example", "10.2.0.9");
        assert!(missing(&x, &y).is_empty());
        let msk = |cluster: &str| cluster.replace("aws-ec2", "aws-msk");
        assert!(missing(&msk(X), &msk(Y)).is_empty());
        assert_eq!(missing(&msk(X), Y), ["4 topology::missing-dns: x y"]);
    }

    #[test]
    fn brokers_without_an_address_yet_need_a_zone() {
        let x = X.replace("bootstrapServers: ['b-1.x.example:9092'], ", "");
        let y = Y.replace("bootstrapServers: ['b-1.y.example:9092'], ", "");
        assert_eq!(missing(&x, &y), ["4 topology::missing-dns: x y"]);
        let zone = |of: &str, zone: &str| format!("{of}, dns: {{zone: {zone}}}");
        assert!(missing(&zone(&x, "x.example"), &zone(&y, "y.example")).is_empty());
    }

    #[test]
    fn a_network_has_one_zone_of_a_name() {
        let with = |of: &str| {
            format!("{of}, dns: {{zone: one.example}}")
                .replace("x.example", "one.example")
                .replace("y.example", "one.example")
        };
        assert_eq!(
            missing(&with(X), &with(Y)),
            ["5 topology::contradicting-network: x y"]
        );
        let apart = with(X).replace(", link: peering, peers: [y]", "");
        assert!(missing(&apart, &with(Y)).is_empty());
        let named = |of: String| {
            of.replace("network: {", "network: {name: n, ")
                .replace("10.2", "10.1")
        };
        assert_eq!(
            missing(&named(apart), &named(with(Y))),
            ["5 topology::not-renderable: x y"]
        );
    }
}
