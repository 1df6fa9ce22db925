//! `clusters[].brokers`, `network`, `storage`, `dns`, `access`, `kubernetes`, `tags`.

mod buildable;
mod links;
mod machines;
mod names;
mod peers;
mod regions;
mod resolution;
mod shared;
mod sizes;
mod strimzi;
mod subnets;
mod ways_out;
mod zones;

use std::net::IpAddr;

use ipnet::IpNet;

pub(super) use links::check as check_links;
pub(super) use ways_out::check as check_ways_out;

use super::scope::Scope;
use super::security::secret;
use crate::choices::Listener;
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::{
    Access, Account, Brokers, Dns, Infrastructure, Kubernetes, Network, Storage,
};
use crate::path::Path;
use crate::resolved::Cluster;
use crate::spec;

/// One segment of a partition's log is as large, and no platform has smaller disks.
const SMALLEST_DISK: u64 = 1 << 30;

/// What clusters, each with its place in the file, have to do with each other.
pub(super) fn check(scope: &mut Scope<'_>, clusters: &[(usize, Cluster)]) {
    peers::check(scope, clusters);
    shared::machines(scope, clusters);
}

/// The platform blocks of the cluster at `path`.
pub(super) fn resolve(
    scope: &mut Scope<'_>,
    path: &Path,
    written: &spec::Cluster,
) -> Infrastructure {
    let network = written.network.as_ref();
    let storage = written.storage.as_ref();
    let infrastructure = Infrastructure {
        brokers: written.brokers.as_ref().map(brokers),
        network: network.map(|it| resolve_network(scope, &path.key("network"), it)),
        storage: storage.map(|it| resolve_storage(scope, &path.key("storage"), it)),
        dns: written
            .dns
            .as_ref()
            .map(|it| resolve_dns(scope, &path.key("dns"), it)),
        access: written.access.as_ref().map(|it| Access {
            login: it.login.as_ref().map(account),
            ssh: it.ssh.as_ref().map(account),
        }),
        kubernetes: written.kubernetes.as_ref().map(kubernetes),
        tags: written.tags.clone(),
    };
    // a platform that was taken out as wrong says nothing about what fits it
    if !scope.was_removed(&path.key("platform")) {
        fit(scope, path, written, &infrastructure);
    }
    infrastructure
}

/// Whether the blocks fit the platform and each other.
fn fit(scope: &mut Scope<'_>, path: &Path, written: &spec::Cluster, found: &Infrastructure) {
    let platform = written.platform;
    if let Some(brokers) = &found.brokers {
        let region = written.region.as_deref();
        machines::brokers(scope, path, platform, region, brokers);
    }
    if let Some(storage) = &found.storage {
        machines::storage(scope, path, platform, storage);
    }
    if let (Some(written), Some(network)) = (&written.network, &found.network) {
        let brokers = found.brokers.as_ref();
        subnets::check(
            scope,
            &path.key("network"),
            platform,
            written,
            network,
            brokers,
        );
    }
    buildable::check(scope, path, written, found);
    names::check(scope, path, written, found);
    strimzi::check(scope, path, written, found);
}

fn brokers(written: &spec::Brokers) -> Brokers {
    Brokers {
        count: written.count,
        instance_type: written.instance_type.clone(),
        kafka_version: written.kafka_version.clone(),
        hosts: written.hosts.clone(),
        zones: written.zones.clone(),
        config: written
            .config
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into_text()))
            .collect(),
    }
}

fn resolve_network(scope: &mut Scope<'_>, path: &Path, written: &spec::Network) -> Network {
    let cidr = written
        .cidr
        .as_ref()
        .and_then(|text| range(scope, &path.key("cidr"), text));
    let subnets = written
        .subnets
        .iter()
        .enumerate()
        .filter_map(|(at, text)| range(scope, &path.key("subnets").index(at), text))
        .collect();
    let peers: Vec<String> = written.peers.iter().map(|alias| alias.0.clone()).collect();
    scope.clusters(&path.key("peers"), &peers);
    Network {
        name: written.name.clone(),
        resource_group: written.resource_group.clone(),
        cidr,
        subnets,
        peers,
        link: written.link,
    }
}

fn resolve_dns(scope: &mut Scope<'_>, path: &Path, written: &spec::Dns) -> Dns {
    for (at, forwarder) in written.forwarders.iter().enumerate() {
        if forwarder.parse::<IpAddr>().is_err() {
            let span = scope.span(&path.key("forwarders").index(at));
            scope.add(
                Finding::new(
                    Code::InvalidAddress,
                    span,
                    format!("`{forwarder}` is not the address of a name server"),
                    "not an IP address",
                )
                .hint("a name server cannot be asked where it is: write its IP address"),
            );
        }
    }
    Dns {
        zone: written.zone.clone(),
        forwarders: written.forwarders.clone(),
    }
}

/// An address range as networks take it; says what is wrong with another.
fn range(scope: &mut Scope<'_>, path: &Path, written: &str) -> Option<IpNet> {
    let (problem, hint) = match written.parse::<IpNet>() {
        Ok(range) if range.trunc() == range => return Some(range),
        Ok(range) => (
            "the address has bits behind the prefix",
            format!("write `{}`", range.trunc()),
        ),
        Err(_) => (
            "not an address and the length of its prefix",
            "write it as `10.0.0.0/16`".to_owned(),
        ),
    };
    let span = scope.span(path);
    scope.add(
        Finding::new(
            Code::InvalidCidr,
            span,
            format!("`{written}` is not an address range"),
            problem,
        )
        .hint(hint),
    );
    None
}

fn resolve_storage(scope: &mut Scope<'_>, path: &Path, written: &spec::Storage) -> Storage {
    let size = written
        .size
        .as_ref()
        .and_then(|size| scope.size(&path.key("size"), size, SMALLEST_DISK));
    Storage {
        kind: written.kind,
        size,
        class: written.class.clone(),
        disks: written.disks,
        delete_claim: written.delete_claim,
    }
}

fn account(written: &spec::Account) -> Account {
    Account {
        user: written.user.clone(),
        password: written.password.as_ref().and_then(secret),
    }
}

fn kubernetes(written: &spec::Kubernetes) -> Kubernetes {
    let mut listeners: Vec<Listener> = Vec::new();
    for listener in &written.listeners {
        if !listeners.contains(listener) {
            listeners.push(*listener);
        }
    }
    Kubernetes {
        namespace: written.namespace.clone(),
        listeners,
        entity_operator: written.entity_operator,
    }
}
