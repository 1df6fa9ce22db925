//! Parts of address ranges.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use topology::{Cluster, Network};

use crate::target::TargetError;

/// The IPv4 range of a cluster's network.
pub(super) fn range(cluster: &Cluster, network: &Network) -> Result<Ipv4Net, TargetError> {
    match network.cidr {
        Some(IpNet::V4(range)) => Ok(range),
        Some(IpNet::V6(_)) => Err(TargetError::Cluster {
            cluster: cluster.alias.clone(),
            key: "network.cidr",
            problem: "the modules build IPv4 networks".to_owned(),
        }),
        None => Err(TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "network.cidr",
            why: "a network has an address range",
        }),
    }
}

/// The last sixteen addresses of a range.
pub(super) fn last_sixteen(range: Ipv4Net) -> Option<Ipv4Net> {
    let start = u32::from(range.broadcast()) & !15;
    Ipv4Net::new(Ipv4Addr::from(start), 28)
        .ok()
        .filter(|last| range.prefix_len() <= 26 && range.contains(last))
}

/// The first half of a range.
pub(super) fn first_half(range: Ipv4Net) -> Option<Ipv4Net> {
    Ipv4Net::new(range.network(), range.prefix_len() + 1).ok()
}

/// The host of `host:port`.
pub(super) fn host(server: &str) -> &str {
    server
        .rsplit_once(':')
        .map_or(server, |(host, _)| host)
        .trim_matches(['[', ']'])
}

/// The port of `host:port`.
pub(super) fn port(server: &str) -> Option<u16> {
    server.rsplit_once(':')?.1.parse().ok()
}

/// The domain that a server's name lies in; none for an address or a name without one.
pub(super) fn domain(server: &str) -> Option<&str> {
    let host = host(server);
    if host.parse::<IpAddr>().is_ok() {
        return None;
    }
    host.split_once('.').map(|(_, domain)| domain)
}

/// Whether a domain is a zone, or lies in it. DNS does not tell small letters from capital ones.
pub(super) fn is_within(domain: &str, zone: &str) -> bool {
    let plain = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    let (domain, zone) = (plain(domain), plain(zone));
    domain
        .strip_suffix(&zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_in_their_range_side_by_side() {
        for text in ["10.0.0.0/16", "10.1.128.0/17", "192.168.3.0/26"] {
            let range: Ipv4Net = text.parse().unwrap();
            let (half, last) = (first_half(range).unwrap(), last_sixteen(range).unwrap());
            assert!(range.contains(&half) && range.contains(&last), "{text}");
            assert!(!half.contains(&last), "{text}");
        }
        assert_eq!(last_sixteen("10.0.0.0/27".parse().unwrap()), None);
    }

    #[test]
    fn domains_lie_in_zones() {
        for (domain, zone) in [("x.example", "x.example"), ("a.X.example", "x.example.")] {
            assert!(is_within(domain, zone), "{domain}");
        }
        for domain in ["example", "ax.example", "y.example"] {
            assert!(!is_within(domain, "x.example"), "{domain}");
        }
    }

    #[test]
    fn parts_of_a_server() {
        assert_eq!(domain("kafka1.dc1.example:9092"), Some("dc1.example"));
        assert_eq!(domain("10.0.0.1:9092"), None);
        assert_eq!(domain("[::1]:9092"), None);
        assert_eq!(domain("localhost:9092"), None);
        assert_eq!(port("kafka1:9094"), Some(9094));
    }
}
