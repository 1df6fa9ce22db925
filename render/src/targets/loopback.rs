//! Addresses that are another machine wherever the files are used.

use std::net::IpAddr;

use topology::{Mirror, Platform, Topology};

use super::listening::Taken;

/// Says of each cluster of the mirrors that it is reached by a loopback address, which is `what` where the mirrors run.
pub(super) fn remarks<'a>(
    topology: &Topology,
    mirrors: impl IntoIterator<Item = &'a Mirror>,
    target: &str,
    what: &str,
) -> Vec<String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut remarks = Vec::new();
    for mirror in mirrors {
        for alias in mirror.sources.iter().chain([&mirror.target]) {
            let Some(cluster) = topology.cluster(alias) else {
                continue;
            };
            let server = cluster.bootstrap_servers.iter().find(|it| is_loopback(it));
            let Some(server) = server.filter(|_| cluster.platform != Platform::Embedded) else {
                continue;
            };
            if !seen.contains(&alias.as_str()) {
                seen.push(alias);
                remarks.push(format!(
                    "{target}: cluster `{alias}` is reached at {server}, which is {what}: give it an address that can be \
                     reached from there"
                ));
            }
        }
    }
    remarks
}

/// Ports of clusters that are reached by a loopback address: their brokers are where the mirrors run.
pub(super) fn ports<'a>(
    topology: &Topology,
    mirrors: impl IntoIterator<Item = &'a Mirror>,
) -> Taken {
    let mut ports = Taken::new();
    for mirror in mirrors {
        let aliases = mirror.sources.iter().chain([&mirror.target]);
        for cluster in aliases.filter_map(|alias| topology.cluster(alias)) {
            let servers = cluster.bootstrap_servers.iter();
            let here = servers.filter(|it| is_loopback(it));
            let here = here.filter_map(|it| it.rsplit_once(':')?.1.parse().ok());
            ports.extend(here.map(|port: u16| (port, cluster.alias.clone())));
        }
    }
    ports
}

fn is_loopback(server: &str) -> bool {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_has_many_names() {
        for yes in [
            "localhost:9092",
            "LocalHost:9092",
            "127.0.0.1:1",
            "127.8.0.1:1",
            "[::1]:9092",
        ] {
            assert!(is_loopback(yes), "{yes}");
        }
        for no in [
            "kafka:9092",
            "localhost.example:9092",
            "10.0.0.1:9092",
            "[fd00::1]:1",
        ] {
            assert!(!is_loopback(no), "{no}");
        }
    }
}
