//! Private zones: AWS serves them to the network that they are made in, and to those that are peered with it.

use super::super::scope::Scope;
use super::peers::{Cloud, Placed, cloud, is_one_network};
use crate::choices::{Link, Platform};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolved::Cluster;

/// Zones that a network cannot have beside another one.
pub(super) fn check(scope: &mut Scope<'_>, clusters: &[Placed]) {
    for (at, later) in clusters.iter().enumerate() {
        let Some(zone) = written(&later.1) else {
            continue;
        };
        for earlier in clusters[..at].iter().filter(|it| written(&it.1).is_some()) {
            if is_one_network(&earlier.1, &later.1) {
                second(scope, earlier, later);
                break;
            }
            let is_same = written(&earlier.1).is_some_and(|it| is_same_name(it, zone));
            if is_same && let Some(middle) = meeting(clusters, &earlier.1, &later.1) {
                conflict(scope, earlier, later, middle);
                break;
            }
        }
    }
}

/// What a zone says of a host.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is not called as something in the zone.
    Elsewhere,
    /// It would be there, and is none of the machines that are entered.
    Absent,
    /// A machine.
    Machine,
}

/// What the zone of a cluster says of a host: brokers are entered as `b-1`, `b-2` and so on.
pub(super) fn entry(zone: &str, brokers: u32, host: &str) -> Entry {
    let (zone, host) = (plain(zone), plain(host));
    let name = host
        .strip_suffix(&zone)
        .and_then(|rest| rest.strip_suffix('.'));
    let Some(name) = name.filter(|it| !it.is_empty()) else {
        return Entry::Elsewhere;
    };
    if (1..=brokers).any(|number| name == format!("b-{number}")) {
        Entry::Machine
    } else {
        Entry::Absent
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_same_name(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

/// What a cluster has served to networks: MSK's names are Amazon's own, and other platforms' name servers are not ours.
pub(super) fn written(cluster: &Cluster) -> Option<&str> {
    let infrastructure = &cluster.infrastructure;
    if cluster.platform != Platform::AwsEc2 || infrastructure.network.is_none() {
        return None;
    }
    infrastructure.dns.as_ref()?.zone.as_deref()
}

fn lives_with(one: &Cluster, other: &Cluster) -> bool {
    one.alias == other.alias || is_one_network(one, other)
}

/// A network that both zones would be served to: that of one of the two, or one that is peered with both.
fn meeting<'a>(clusters: &'a [Placed], one: &Cluster, other: &Cluster) -> Option<&'a Cluster> {
    let sees = |from: &Cluster, to: &Cluster| {
        lives_with(from, to) || are_peered(clusters, from, to) || are_peered(clusters, to, from)
    };
    clusters
        .iter()
        .map(|(_, it)| it)
        .filter(|it| cloud(it.platform) == Cloud::Aws)
        .find(|it| sees(it, one) && sees(it, other))
}

fn are_peered(clusters: &[Placed], from: &Cluster, to: &Cluster) -> bool {
    let residents = clusters.iter().filter(|(_, it)| lives_with(it, from));
    residents
        .filter_map(|(_, it)| it.infrastructure.network.as_ref())
        .filter(|network| network.link != Some(Link::Public))
        .flat_map(|network| &network.peers)
        .filter_map(|alias| clusters.iter().find(|(_, it)| it.alias == *alias))
        .any(|(_, peer)| lives_with(peer, to))
}

fn place(of: &Placed) -> Path {
    let cluster = Path::root().key("clusters").index(of.0);
    cluster.key("dns").key("zone")
}

fn second(scope: &mut Scope<'_>, earlier: &Placed, later: &Placed) {
    let line = scope.line(&place(earlier));
    let span = scope.span(&place(later));
    scope.add(
        Finding::new(
            Code::NotRenderable,
            span,
            format!(
                "`{}` and `{}` live in one network, and one zone of names is rendered for it",
                earlier.1.alias, later.1.alias
            ),
            "a second zone",
        )
        .hint(format!(
            "line {line} has the first; brokers are called `b-1` and so on in their zone, which no two clusters share: give \
             this one a network of its own, or leave its `zone` out"
        )),
    );
}

fn conflict(scope: &mut Scope<'_>, earlier: &Placed, later: &Placed, middle: &Cluster) {
    let line = scope.line(&place(earlier));
    let span = scope.span(&place(later));
    scope.add(
        Finding::new(
            Code::ContradictingNetwork,
            span,
            format!(
                "the zones of `{}` and `{}` have one name, and both are served to the network of `{}`",
                earlier.1.alias, later.1.alias, middle.alias
            ),
            "the same zone",
        )
        .hint(format!(
            "line {line} has it first; AWS refuses a network two zones of one name: write another one here"
        )),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_entered_in_a_zone() {
        for host in ["b-1.x.example", "B-3.X.example."] {
            assert_eq!(entry("x.example", 3, host), Entry::Machine, "{host}");
        }
        for host in [
            "b-4.x.example",
            "b-0.x.example",
            "b-01.x.example",
            "a.b-1.x.example",
        ] {
            assert_eq!(entry("x.example", 3, host), Entry::Absent, "{host}");
        }
        for host in ["x.example", ".x.example", "b-1.ax.example", "b-1", ""] {
            assert_eq!(entry("x.example", 3, host), Entry::Elsewhere, "{host}");
        }
    }
}
