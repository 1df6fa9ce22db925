//! Where the replicator's machines have to get: the brokers of its mirrors, and who gives out tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::Serialize;
use topology::{Cluster, Link, Mirror, Sasl, Topology};

use super::clusters::ports_of;
use crate::target::TargetError;
use crate::targets::replicator::endpoint;
use crate::targets::terraform::addresses;

/// Open anyway, for the binary and the secrets.
const HTTPS: u16 = 443;

/// A range of addresses, and the ports in it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reach {
    pub(super) range: String,
    pub(super) ports: BTreeSet<u16>,
    /// Clusters that are known by names alone, where this is everywhere: a security group holds no names.
    by_name: BTreeSet<String>,
}

/// What some mirrors reach from the network that the clusters in `at_home` live in.
///
/// A declared network is reached as a whole, because brokers announce more addresses than clients begin with; of a cluster
/// without one, or behind public addresses, only the bootstrap servers are.
pub(super) fn reach(
    topology: &Topology,
    mirrors: &[&Mirror],
    at_home: &BTreeSet<&str>,
) -> Result<Vec<Reach>, TargetError> {
    let mut ways = Ways::default();
    let aliases: BTreeSet<&String> = mirrors
        .iter()
        .flat_map(|mirror| mirror.sources.iter().chain([&mirror.target]))
        .collect();
    for cluster in aliases.into_iter().filter_map(|it| topology.cluster(it)) {
        let is_private = at_home.contains(cluster.alias.as_str()) || !is_public(topology, cluster);
        ways.brokers(cluster, network(cluster).filter(|_| is_private))?;
        if let Some(Sasl::Oauthbearer(oauth)) = &cluster.sasl {
            let (host, port) = endpoint(&oauth.token_endpoint);
            ways.server(cluster, host, port, None)?;
        }
    }
    Ok(ways.all())
}

fn network(cluster: &Cluster) -> Option<Ipv4Net> {
    match cluster.infrastructure.network.as_ref()?.cidr? {
        IpNet::V4(range) => Some(range),
        IpNet::V6(_) => None,
    }
}

/// Whether it is reached by public addresses, whatever its own network has inside.
fn is_public(topology: &Topology, cluster: &Cluster) -> bool {
    topology.clusters.iter().any(|other| {
        other.infrastructure.network.as_ref().is_some_and(|it| {
            it.link == Some(Link::Public)
                && (other.alias == cluster.alias || it.peers.contains(&cluster.alias))
        })
    })
}

#[derive(Default)]
struct Ways(BTreeMap<Ipv4Net, (BTreeSet<u16>, BTreeSet<String>)>);

impl Ways {
    fn brokers(&mut self, cluster: &Cluster, private: Option<Ipv4Net>) -> Result<(), TargetError> {
        if cluster.bootstrap_servers.is_empty()
            && let Some(range) = private
        {
            for port in ports_of(cluster) {
                self.open(range, port);
            }
        }
        for server in &cluster.bootstrap_servers {
            if let Some(port) = addresses::port(server) {
                self.server(cluster, addresses::host(server), port, private)?;
            }
        }
        Ok(())
    }

    fn server(
        &mut self,
        cluster: &Cluster,
        host: &str,
        port: u16,
        private: Option<Ipv4Net>,
    ) -> Result<(), TargetError> {
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            // the machine itself, which no packet leaves for
            Ok(address) if address.is_loopback() => {
                if let Some(range) = private {
                    self.open(range, port);
                }
            }
            Ok(IpAddr::V4(address)) => {
                let inside = private.filter(|range| range.contains(&address));
                self.open(inside.unwrap_or_else(|| address.into()), port);
            }
            Ok(IpAddr::V6(_)) => {
                return Err(TargetError::Cluster {
                    cluster: cluster.alias.clone(),
                    key: "bootstrapServers",
                    problem: format!(
                        "`{host}` cannot be reached: the replicator's network has IPv4 addresses"
                    ),
                });
            }
            Err(_) => {
                let range = private.unwrap_or_default();
                self.open(range, port);
                if private.is_none() && port != HTTPS {
                    let (_, by_name) = self.0.entry(range).or_default();
                    by_name.insert(cluster.alias.clone());
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, range: Ipv4Net, port: u16) {
        if range != Ipv4Net::default() || port != HTTPS {
            self.0.entry(range).or_default().0.insert(port);
        }
    }

    fn all(self) -> Vec<Reach> {
        let ways = self.0.into_iter();
        ways.map(|(range, (ports, by_name))| Reach {
            range: range.to_string(),
            ports,
            by_name,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `range: ports, and who is known by name` for a mirror from a source that is written so.
    fn found(source: &str) -> Result<Vec<String>, TargetError> {
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: src, {source}}}\n\
             - {{alias: dst, platform: aws-ec2, region: eu-west-1, bootstrapServers: 'b1.aws:9092', brokers: {{count: 2, zones: [eu-west-1a, eu-west-1b]}}, network: {{cidr: 10.20.0.0/16, link: public, peers: [src]}}}}\n\
             mirrors:\n- {{name: m, source: src, target: dst}}\n"
        );
        let topology = topology::parse("t.yaml", &text).expect("valid").topology;
        let mirrors: Vec<&Mirror> = topology.mirrors.iter().collect();
        let reach = reach(&topology, &mirrors, &BTreeSet::from(["dst"]))?;
        let lines = reach.iter().map(|it| {
            let ports: Vec<String> = it.ports.iter().map(ToString::to_string).collect();
            let names: Vec<&str> = it.by_name.iter().map(String::as_str).collect();
            format!("{}: {} {}", it.range, ports.join(","), names.join(","))
        });
        Ok(lines.map(|line| line.trim_end().to_owned()).collect())
    }

    const HOME: &str = "10.20.0.0/16: 9092";

    #[test]
    fn a_cluster_outside_is_reached_at_its_own_port() {
        assert_eq!(
            found("bootstrapServers: 'k1.dc:9094'").unwrap(),
            ["0.0.0.0/0: 9094 src", HOME]
        );
        assert_eq!(
            found("bootstrapServers: ['198.51.100.7:9094', '198.51.100.8:9095']").unwrap(),
            [HOME, "198.51.100.7/32: 9094", "198.51.100.8/32: 9095"]
        );
        // its network is its own affair where it is reached by public addresses
        assert_eq!(
            found("bootstrapServers: 'k1.dc:9094', network: {cidr: 10.10.0.0/16}").unwrap(),
            ["0.0.0.0/0: 9094 src", HOME]
        );
        assert!(found("bootstrapServers: '[2001:db8::1]:9092'").is_err());
    }

    #[test]
    fn who_gives_out_tokens_is_reached() {
        let login = |url: &str| {
            found(&format!(
                "bootstrapServers: '198.51.100.7:9094', tls: {{}}, sasl: {{mechanism: oauthbearer, oauth: {{tokenEndpoint: '{url}', clientId: c, clientSecret: {{env: S}}}}}}"
            ))
            .unwrap()
        };
        assert_eq!(login("https://idp/token"), [HOME, "198.51.100.7/32: 9094"]);
        assert_eq!(
            login("https://idp:8443/token"),
            ["0.0.0.0/0: 8443 src", HOME, "198.51.100.7/32: 9094"]
        );
    }

    #[test]
    fn a_declared_network_is_reached_as_a_whole() {
        let text = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {alias: src, platform: ansible, bootstrapServers: ['k1.dc:9094', '10.10.0.9:9095', '192.0.2.1:9096'], network: {cidr: 10.10.0.0/16}}\n\
             - {alias: dst, platform: aws-msk, region: eu-west-1, brokers: {count: 2, zones: [eu-west-1a, eu-west-1b]}, network: {cidr: 10.20.0.0/16}}\n\
             mirrors:\n- {name: m, source: src, target: dst}\n";
        let topology = topology::parse("t.yaml", text).expect("valid").topology;
        let mirrors: Vec<&Mirror> = topology.mirrors.iter().collect();
        let reach = reach(&topology, &mirrors, &BTreeSet::new()).unwrap();
        let found: Vec<(&str, Vec<u16>)> = reach
            .iter()
            .map(|it| (it.range.as_str(), it.ports.iter().copied().collect()))
            .collect();
        assert_eq!(
            found,
            [
                ("10.10.0.0/16", vec![9094, 9095]),
                ("10.20.0.0/16", vec![9098]),
                ("192.0.2.1/32", vec![9096]),
            ]
        );
    }
}
