//! Virtual networks, their way out, their guards, and peering.

use serde_json::{Value, json};

use super::expressions::{bare_id, id, literal, quoted};
use crate::targets::terraform::azure::{AzureNetwork, Root};

/// The version of the network's API.
pub(super) const API: &str = "2024-05-01";
pub(super) const NETWORK: &str = "Microsoft.Network/virtualNetworks";
const GUARD: &str = "Microsoft.Network/networkSecurityGroups";
const OUTBOUND: &str = "Microsoft.Network/natGateways";
const ADDRESS: &str = "Microsoft.Network/publicIPAddresses";
pub(super) const PEERING: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";
const LOCATION: &str = "[parameters('location')]";

/// Everything but name servers.
pub(super) fn resources(root: &Root) -> Vec<Value> {
    let mut resources = Vec::new();
    for network in &root.networks {
        resources.extend(way_out(network));
        resources.push(guard(network, "kafka", &kafka_rules()));
        if has_name_servers(root) {
            resources.push(guard(network, "dns", &dns_rules()));
        }
        let needs: Vec<String> = needs(network, root);
        resources.push(json!({
            "type": NETWORK,
            "apiVersion": API,
            "name": literal(&network.name),
            "location": LOCATION,
            "dependsOn": needs,
            "properties": properties(network, root, None),
        }));
    }
    for (from, to) in &root.peerings {
        resources.extend(peering(root, from, to));
        resources.extend(peering(root, to, from));
    }
    resources
}

/// One network resolves its own names by itself; several need somebody who asks the others.
pub(super) fn has_name_servers(root: &Root) -> bool {
    root.networks.len() > 1
}

/// A name that is made from the network's.
pub(super) fn named(network: &AzureNetwork, what: &str) -> String {
    format!("{}-{what}", network.name)
}

fn needs(network: &AzureNetwork, root: &Root) -> Vec<String> {
    let mut needs = vec![
        id(OUTBOUND, &[&quoted(&named(network, "outbound"))]),
        id(GUARD, &[&quoted(&named(network, "kafka"))]),
    ];
    if has_name_servers(root) {
        needs.push(id(GUARD, &[&quoted(&named(network, "dns"))]));
    }
    needs
}

/// A network's properties: without name servers when it is created, with them when they answer.
pub(super) fn properties(network: &AzureNetwork, root: &Root, dns: Option<&str>) -> Value {
    let subnet = |name: &str, range: &str| {
        json!({
            "name": name,
            "properties": {
                "addressPrefix": range,
                "defaultOutboundAccess": false,
                "natGateway": {"id": id(OUTBOUND, &[&quoted(&named(network, "outbound"))])},
                "networkSecurityGroup": {"id": id(GUARD, &[&quoted(&named(network, name))])},
            },
        })
    };
    let mut subnets = vec![subnet("kafka", &network.cluster_subnet)];
    if has_name_servers(root) {
        subnets.push(subnet("dns", &network.dns_subnet));
    }
    let mut properties = json!({
        "addressSpace": {"addressPrefixes": [network.address_space]},
        "subnets": subnets,
    });
    if let Some(address) = dns {
        properties["dhcpOptions"] = json!({"dnsServers": [address]});
    }
    properties
}

fn way_out(network: &AzureNetwork) -> [Value; 2] {
    let name = named(network, "outbound");
    [
        json!({
            "type": ADDRESS,
            "apiVersion": API,
            "name": literal(&name),
            "location": LOCATION,
            "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"},
        }),
        json!({
            "type": OUTBOUND,
            "apiVersion": API,
            "name": literal(&name),
            "location": LOCATION,
            "sku": {"name": "Standard"},
            "dependsOn": [id(ADDRESS, &[&quoted(&name)])],
            "properties": {"publicIpAddresses": [{"id": id(ADDRESS, &[&quoted(&name)])}]},
        }),
    ]
}

fn guard(network: &AzureNetwork, what: &str, rules: &Value) -> Value {
    json!({
        "type": GUARD,
        "apiVersion": API,
        "name": literal(&named(network, what)),
        "location": LOCATION,
        "properties": {"securityRules": rules},
    })
}

fn rule(
    name: &str,
    priority: u16,
    access: &str,
    from: &str,
    to: &str,
    port: &str,
    protocol: &str,
) -> Value {
    json!({
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Inbound",
            "access": access,
            "protocol": protocol,
            "sourceAddressPrefix": from,
            "sourcePortRange": "*",
            "destinationAddressPrefix": to,
            "destinationPortRange": port,
        },
    })
}

fn kafka_rules() -> Value {
    json!([rule(
        "hdinsight-service",
        300,
        "Allow",
        "HDInsight",
        "VirtualNetwork",
        "443",
        "Tcp"
    )])
}

fn dns_rules() -> Value {
    json!([
        rule(
            "names",
            300,
            "Allow",
            "VirtualNetwork",
            "VirtualNetwork",
            "53",
            "*"
        ),
        rule("nothing-else", 4000, "Deny", "*", "*", "*", "*"),
    ])
}

fn peering(root: &Root, from: &str, to: &str) -> Option<Value> {
    let find = |label: &str| root.networks.iter().find(|network| network.label == label);
    let (from, to) = (find(from)?, find(to)?);
    Some(json!({
        "type": PEERING,
        "apiVersion": API,
        "name": literal(&format!("{}/to-{}", from.name, to.name)),
        "dependsOn": [id(NETWORK, &[&quoted(&from.name)]), id(NETWORK, &[&quoted(&to.name)])],
        "properties": {
            "allowVirtualNetworkAccess": true,
            "allowForwardedTraffic": false,
            "allowGatewayTransit": false,
            "useRemoteGateways": false,
            "remoteVirtualNetwork": {"id": id(NETWORK, &[&quoted(&to.name)])},
        },
    }))
}

/// The peerings of a network, as somebody depends on them.
pub(super) fn peering_ids(root: &Root, network: &AzureNetwork) -> Vec<String> {
    neighbours(root, network)
        .into_iter()
        .map(|to| {
            let name = format!("to-{}", to.name);
            id(PEERING, &[&quoted(&network.name), &quoted(&name)])
        })
        .collect()
}

/// The networks that one is peered with.
pub(super) fn neighbours<'a>(root: &'a Root, network: &AzureNetwork) -> Vec<&'a AzureNetwork> {
    root.networks
        .iter()
        .filter(|other| {
            root.peerings.iter().any(|(from, to)| {
                (*from == network.label && *to == other.label)
                    || (*to == network.label && *from == other.label)
            })
        })
        .collect()
}

/// The id of a subnet.
pub(super) fn subnet(network: &AzureNetwork, name: &str) -> String {
    format!(
        "[concat({}, {})]",
        bare_id(NETWORK, &[&quoted(&network.name)]),
        quoted(&format!("/subnets/{name}"))
    )
}
