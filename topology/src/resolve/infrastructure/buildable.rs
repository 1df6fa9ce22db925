//! Whether a platform can build what a cluster asks for. A cluster without a `network` is there already, wherever it runs.

use ipnet::{IpNet, Ipv4Net};

use super::super::scope::Scope;
use super::regions;
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::{Brokers, Infrastructure, Network};
use crate::path::Path;
use crate::spec;

/// The largest and the smallest network of AWS, and of its subnets, by the length of their prefixes.
const AWS_PREFIXES: (u8, u8) = (16, 28);
/// Of Azure, as it is divided where no subnets are named.
const AZURE_LONGEST_PREFIX: u8 = 26;
const FEWEST_ZONES: usize = 2;

/// The cluster at `path`.
pub(super) fn check(
    scope: &mut Scope<'_>,
    path: &Path,
    written: &spec::Cluster,
    found: &Infrastructure,
) {
    if let Some(region) = &written.region {
        regions::check(scope, path, written.platform, region);
    }
    match written.platform {
        Platform::AwsMsk | Platform::AwsEc2 => aws(scope, path, found),
        Platform::AzureHdinsight => azure(scope, path, found),
        Platform::Ansible => hosts(scope, path, found),
        Platform::Existing | Platform::Embedded | Platform::Strimzi => {}
    }
    let kubernetes = found.kubernetes.as_ref();
    if let Some(namespace) = kubernetes.and_then(|it| it.namespace.as_ref())
        && !is_namespace(namespace)
    {
        name(
            scope,
            &path.key("kubernetes").key("namespace"),
            format!("`{namespace}` cannot be a namespace"),
            "a namespace has up to 63 of a-z, 0-9 and `-`, which neither begins nor ends it",
        );
    }
}

fn aws(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    if let Some(brokers) = &found.brokers {
        zones_once(scope, path, brokers);
    }
    let Some(network) = &found.network else {
        return;
    };
    region(scope, path, "AWS");
    let place = path.key("brokers").key("zones");
    let zones = found.brokers.as_ref().map_or(0, |it| it.zones.len());
    if zones < FEWEST_ZONES && !scope.was_removed(&place) {
        lacks(
            scope,
            path,
            "brokers.zones",
            "what lives in one zone goes down with it",
            "name two zones or more: `brokers: {zones: [eu-west-1a, eu-west-1b]}`",
        );
    }
    let network_path = path.key("network");
    let (largest, smallest) = AWS_PREFIXES;
    let Some(range) = ipv4(scope, &network_path, network) else {
        return;
    };
    if !(largest..=smallest).contains(&range.prefix_len()) {
        size(
            scope,
            &network_path.key("cidr"),
            format!("a VPC is between /{largest} and /{smallest}"),
            format!("this is a /{}", range.prefix_len()),
            "write a range such as `10.20.0.0/16`".to_owned(),
        );
        return;
    }
    if network.subnets.is_empty() && !scope.is_written(&network_path.key("subnets")) {
        let parts = u32::try_from(zones.max(FEWEST_ZONES)).unwrap_or(u32::MAX);
        // the first half, in as many parts as there are zones, rounded up to a power of two
        let bits = 1 + u8::try_from(parts.next_power_of_two().trailing_zeros()).unwrap_or(u8::MAX);
        let prefix = range.prefix_len().saturating_add(bits);
        if prefix > smallest {
            size(
                scope,
                &network_path.key("cidr"),
                format!("a subnet of AWS is a /{smallest} or larger"),
                format!("divided for {parts} zones, each has a /{prefix}"),
                format!(
                    "write a range of /{} or larger, or `subnets` of your own",
                    smallest.saturating_sub(bits)
                ),
            );
        }
    }
    for (at, subnet) in network.subnets.iter().enumerate() {
        if !(largest..=smallest).contains(&subnet.prefix_len()) {
            size(
                scope,
                &network_path.key("subnets").index(at),
                format!("a subnet of AWS is between /{largest} and /{smallest}"),
                format!("this is a /{}", subnet.prefix_len()),
                format!("write a range of /{smallest} or larger"),
            );
        }
    }
}

fn azure(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    let Some(network) = &found.network else {
        return;
    };
    region(scope, path, "Azure");
    let place = path.key("network");
    match &network.resource_group {
        None if !scope.is_written(&place.key("resourceGroup")) => lacks(
            scope,
            path,
            "network.resourceGroup",
            "everything in Azure lies in a resource group",
            "add `resourceGroup: NAME` to `network`",
        ),
        None => {}
        Some(group) if is_resource_group(group) => {}
        Some(group) => name(
            scope,
            &place.key("resourceGroup"),
            format!("`{group}` cannot be a resource group"),
            "a resource group has up to 90 letters, digits, `_`, `-`, `.` and round brackets, and no `.` at the end",
        ),
    }
    if let Some(written) = network.name.as_ref().filter(|it| !is_virtual_network(it)) {
        name(
            scope,
            &place.key("name"),
            format!("`{written}` cannot be a virtual network"),
            "a virtual network has 2 to 64 letters, digits, `_`, `-` and `.`; it begins with a letter or digit, and ends with \
             one or with `_`",
        );
    }
    let Some(range) = ipv4(scope, &place, network) else {
        return;
    };
    let subnets = place.key("subnets");
    if network.subnets.is_empty() && !scope.is_written(&subnets) {
        if range.prefix_len() > AZURE_LONGEST_PREFIX {
            size(
                scope,
                &place.key("cidr"),
                format!(
                    "nodes and a name server need 64 addresses or more (/{AZURE_LONGEST_PREFIX})"
                ),
                format!("this is a /{}", range.prefix_len()),
                format!("write a range of /{AZURE_LONGEST_PREFIX} or larger"),
            );
        }
    } else if network.subnets.len() == 1 && !scope.was_removed(&subnets) {
        let span = scope.span(&subnets);
        scope.add(
            Finding::new(
                Code::InvalidSubnet,
                span,
                "two subnets are needed: for the nodes, and for the name server",
                "one subnet",
            )
            .hint("write two, or leave `subnets` out to divide the network"),
        );
    }
}

/// The range of a network that can be built.
fn ipv4(scope: &mut Scope<'_>, path: &Path, network: &Network) -> Option<Ipv4Net> {
    match network.cidr? {
        IpNet::V4(range) => {
            if !is_private(range) {
                let span = scope.span(&path.key("cidr"));
                scope.add(
                    Finding::new(
                        Code::PublicNetwork,
                        span,
                        format!("`{range}` are addresses of the internet"),
                        "not a private range",
                    )
                    .hint(
                        "whoever has these addresses cannot be reached from the network: write a part of 10.0.0.0/8, \
                         172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
                    ),
                );
            }
            Some(range)
        }
        IpNet::V6(range) => {
            size(
                scope,
                &path.key("cidr"),
                "the networks that are built have IPv4 addresses".to_owned(),
                format!("`{range}` is IPv6"),
                "write a range such as `10.20.0.0/16`".to_owned(),
            );
            None
        }
    }
}

/// RFC 1918, and what carriers share (RFC 6598).
fn is_private(range: Ipv4Net) -> bool {
    [
        ([10, 0, 0, 0], 8),
        ([172, 16, 0, 0], 12),
        ([192, 168, 0, 0], 16),
        ([100, 64, 0, 0], 10),
    ]
    .into_iter()
    .filter_map(|(address, prefix)| Ipv4Net::new(address.into(), prefix).ok())
    .any(|private| private.contains(&range))
}

fn zones_once(scope: &mut Scope<'_>, path: &Path, brokers: &Brokers) {
    for (at, zone) in brokers.zones.iter().enumerate() {
        if brokers.zones[..at].contains(zone) {
            let span = scope.span(&path.key("brokers").key("zones").index(at));
            scope.add(
                Finding::new(
                    Code::DuplicateReference,
                    span,
                    format!("the zone `{zone}` is listed twice"),
                    "listed again here",
                )
                .hint("brokers take the zones in turns: each is named once"),
            );
        }
    }
}

/// Every broker has a machine of its own. Where no machine is named, somebody else knows them.
fn hosts(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    let Some(brokers) = found.brokers.as_ref().filter(|it| !it.hosts.is_empty()) else {
        return;
    };
    let place = path.key("brokers").key("hosts");
    if brokers.hosts.len() != brokers.count as usize {
        let span = scope.span(&place);
        scope.add(
            Finding::new(
                Code::HostsDoNotFit,
                span,
                format!(
                    "{} brokers do not fit on {} machines",
                    brokers.count,
                    brokers.hosts.len()
                ),
                "not one for each broker",
            )
            .hint(format!(
                "every broker runs on a machine of its own: name {}, or write `count: {}`",
                brokers.count,
                brokers.hosts.len()
            )),
        );
    }
    for (at, host) in brokers.hosts.iter().enumerate() {
        if brokers.hosts[..at].contains(host) {
            let span = scope.span(&place.index(at));
            scope.add(Finding::new(
                Code::DuplicateReference,
                span,
                format!("the machine `{host}` is listed twice"),
                "listed again here",
            ));
        }
    }
}

fn region(scope: &mut Scope<'_>, path: &Path, cloud: &str) {
    if scope.is_written(&path.key("region")) {
        return;
    }
    let example = if cloud == "AWS" {
        "eu-west-1"
    } else {
        "westeurope"
    };
    lacks(
        scope,
        path,
        "region",
        &format!("everything in {cloud} lies in a region"),
        &format!("add `region: {example}`"),
    );
}

/// Says it where the network stands, because only that makes it needed.
fn lacks(scope: &mut Scope<'_>, path: &Path, key: &str, why: &str, hint: &str) {
    let span = scope.key_span(&path.key("network"));
    scope.add(
        Finding::new(
            Code::IncompleteNetwork,
            span,
            format!("a network cannot be built without `{key}`: {why}"),
            format!("the cluster needs `{key}`"),
        )
        .hint(format!(
            "{hint}; a cluster that is there already needs no `network`"
        )),
    );
}

fn size(scope: &mut Scope<'_>, path: &Path, message: String, label: String, hint: String) {
    let span = scope.span(path);
    scope.add(Finding::new(Code::NetworkSize, span, message, label).hint(hint));
}

fn name(scope: &mut Scope<'_>, path: &Path, message: String, hint: &str) {
    let span = scope.span(path);
    scope.add(Finding::new(Code::InvalidName, span, message, "not such a name").hint(hint));
}

/// A label of DNS (RFC 1123).
fn is_namespace(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.chars().all(legal)
}

fn is_resource_group(name: &str) -> bool {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '(' | ')');
    (1..=90).contains(&name.chars().count()) && !name.ends_with('.') && name.chars().all(legal)
}

fn is_virtual_network(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (2..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_the_platforms_take_them() {
        for good in ["amq-streams", "a", "0"] {
            assert!(is_namespace(good), "{good}");
        }
        for bad in ["Amq_Streams", "X Y", "-a", "a-", ""] {
            assert!(!is_namespace(bad), "{bad}");
        }
        for good in ["kafka-mirror", "a(1).b_c"] {
            assert!(is_resource_group(good), "{good}");
        }
        for bad in ["bad name!*", "a.", ""] {
            assert!(!is_resource_group(bad), "{bad}");
        }
        for good in ["source-vnet", "v1", "v_"] {
            assert!(is_virtual_network(good), "{good}");
        }
        for bad in ["v net", "v", "-v", "v-"] {
            assert!(!is_virtual_network(bad), "{bad}");
        }
    }

    #[test]
    fn private_ranges() {
        let private = |text: &str| is_private(text.parse().expect("a range"));
        for good in [
            "10.1.0.0/16",
            "172.31.0.0/16",
            "192.168.3.0/24",
            "100.64.0.0/10",
        ] {
            assert!(private(good), "{good}");
        }
        for bad in ["8.8.8.0/24", "172.32.0.0/16", "192.0.0.0/8", "0.0.0.0/0"] {
            assert!(!private(bad), "{bad}");
        }
    }
}
