//! Where mirrors on machines serve metrics and health: loopback, each on a port of its own.

use std::collections::BTreeMap;

use topology::Mirror;

use super::replicator::mirrors;
use crate::request::Request;
use crate::setting::{Setting, Takes};
use crate::target::TargetError;

/// Where nothing else is said.
const FIRST_PORT: &str = "9464";
/// Leaves room for the mirrors behind the first.
const LAST_FIRST_PORT: u16 = 60_000;
/// The targets that start mirrors on machines.
const ON_MACHINES: [&str; 2] = ["systemd", "ansible"];

/// For machines that run mirrors of several topologies.
pub(super) const FIRST_PORT_SETTING: Setting = Setting {
    name: "first-port",
    about: "the port of the first mirror's metrics; each further one has the next (9464)",
    takes: Takes::Text(first_port),
};

/// The ports that brokers listen on where mirrors run, and a cluster of each.
pub(super) type Taken = BTreeMap<u16, String>;

/// Addresses, one mirror after the other, as the setting of this target says.
pub(super) fn addresses(request: &Request<'_>, target: &str) -> impl Iterator<Item = String> {
    let first = request.setting(target, FIRST_PORT_SETTING.name, FIRST_PORT);
    from(first)
}

/// Addresses of all mirrors, wherever a setting puts them: of those that systemd starts, and of those that Ansible installs, where
/// these are said to be others.
pub(super) fn all(request: &Request<'_>) -> Vec<String> {
    let chosen = ON_MACHINES.map(|target| request.setting(target, FIRST_PORT_SETTING.name, ""));
    let mut firsts: Vec<&str> = chosen.into_iter().filter(|it| !it.is_empty()).collect();
    if firsts.is_empty() {
        firsts.push(FIRST_PORT);
    }
    let count = mirrors(request.topology).count().max(1);
    let mut addresses: Vec<String> = Vec::new();
    for address in firsts.into_iter().flat_map(|first| from(first).take(count)) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// Refuses mirrors that would listen where brokers of the same machine do: whoever comes second would not start.
pub(super) fn check(request: &Request<'_>, target: &str, taken: &Taken) -> Result<(), TargetError> {
    let mirrors: Vec<&Mirror> = mirrors(request.topology).collect();
    for (mirror, address) in mirrors.into_iter().zip(addresses(request, target)) {
        let port = address.rsplit_once(':').and_then(|(_, it)| it.parse().ok());
        let Some((port, cluster)) = port.and_then(|port| taken.get_key_value(&port)) else {
            continue;
        };
        return Err(TargetError::Cluster {
            cluster: cluster.clone(),
            key: "bootstrapServers",
            problem: format!(
                "port {port} is its brokers' on a machine that runs the mirror `{}`, whose metrics would be there, too: choose \
                 another first port with `{target}.{}`",
                mirror.name, FIRST_PORT_SETTING.name
            ),
        });
    }
    Ok(())
}

fn from(first: &str) -> impl Iterator<Item = String> + use<> {
    // what is no port was refused with the settings
    let first = first.parse::<u32>().unwrap_or_default();
    (first..).map(|port| format!("127.0.0.1:{port}"))
}

fn first_port(written: &str) -> Result<(), String> {
    match written.parse::<u16>() {
        Ok(1..=LAST_FIRST_PORT) => Ok(()),
        Ok(_) | Err(_) => Err(format!("is no port from 1 to {LAST_FIRST_PORT}")),
    }
}
