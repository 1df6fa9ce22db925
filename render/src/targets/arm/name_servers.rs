//! A name server a network, which asks those of the other networks.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::expressions::{bare_id, id, literal, quoted};
use super::networks::{API, NETWORK, named, neighbours, peering_ids, properties, subnet};
use crate::targets::terraform::azure::{AzureNetwork, Root};

const CARD: &str = "Microsoft.Network/networkInterfaces";
const MACHINE: &str = "Microsoft.Compute/virtualMachines";
const MACHINE_API: &str = "2024-07-01";
const EXTENSION: &str = "Microsoft.Compute/virtualMachines/extensions";
pub(super) const DEPLOYMENT: &str = "Microsoft.Resources/deployments";
const DEPLOYMENT_API: &str = "2022-09-01";
const LOCATION: &str = "[parameters('location')]";

/// The name server of each network, and what points the network at it.
pub(super) fn resources(root: &Root) -> Vec<Value> {
    let mut resources = Vec::new();
    for network in &root.networks {
        // ranges were read before; one that cannot hold a server has none
        let Some(address) = address(network) else {
            continue;
        };
        resources.push(card(network, &address));
        resources.push(machine(root, network));
        resources.push(ready(network));
        resources.push(use_it(root, network, &address));
    }
    resources
}

/// What clusters in the network wait for.
pub(super) fn answering(network: &AzureNetwork) -> String {
    id(DEPLOYMENT, &[&quoted(&named(network, "names"))])
}

/// Azure keeps the first four addresses of a subnet to itself.
fn address(network: &AzureNetwork) -> Option<String> {
    let (start, _) = network.dns_subnet.split_once('/')?;
    let start: Ipv4Addr = start.parse().ok()?;
    Some(Ipv4Addr::from(u32::from(start) + 4).to_string())
}

fn card(network: &AzureNetwork, address: &str) -> Value {
    json!({
        "type": CARD,
        "apiVersion": API,
        "name": literal(&named(network, "dns")),
        "location": LOCATION,
        "dependsOn": [id(NETWORK, &[&quoted(&network.name)])],
        "properties": {
            // the server itself asks Azure, also after the network points at it
            "dnsSettings": {"dnsServers": ["168.63.129.16"]},
            "ipConfigurations": [{
                "name": "internal",
                "properties": {
                    "subnet": {"id": subnet(network, "dns")},
                    "privateIPAllocationMethod": "Static",
                    "privateIPAddress": address,
                },
            }],
        },
    })
}

fn machine(root: &Root, network: &AzureNetwork) -> Value {
    let name = named(network, "dns");
    let others = neighbours(root, network);
    // the neighbours' cards tell the suffixes of their names
    let mut needs = vec![id(CARD, &[&quoted(&name)])];
    needs.extend(
        others
            .iter()
            .map(|other| id(CARD, &[&quoted(&named(other, "dns"))])),
    );
    needs.extend(peering_ids(root, network));
    json!({
        "type": MACHINE,
        "apiVersion": MACHINE_API,
        "name": literal(&name),
        "location": LOCATION,
        "dependsOn": needs,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1ms"},
            "osProfile": {
                "computerName": format!("dns-{}", network.label.replace('_', "-")),
                "adminUsername": "mirrorctl",
                "customData": format!("[base64(concat({}))]", cloud_config(network, &others).join(", ")),
                "linuxConfiguration": {
                    "disablePasswordAuthentication": true,
                    "ssh": {"publicKeys": [{
                        "path": "/home/mirrorctl/.ssh/authorized_keys",
                        "keyData": "[parameters('sshPublicKey')]",
                    }]},
                },
            },
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "osDisk": {
                    "createOption": "FromImage",
                    "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
                },
            },
            "networkProfile": {"networkInterfaces": [{"id": id(CARD, &[&quoted(&name)])}]},
        },
    })
}

/// The parts of cloud-init's file, each an expression.
fn cloud_config(network: &AzureNetwork, others: &[&AzureNetwork]) -> Vec<String> {
    let ranges = std::iter::once(network).chain(others.iter().copied());
    let clients = list(ranges.map(|it| it.address_space.as_str()));
    let forwarders = list(network.forwarders.iter().map(String::as_str));
    let mut parts = vec![quoted(&format!(
        "#cloud-config\n\
         package_update: true\n\
         packages: [bind9]\n\
         write_files:\n\
         - path: /etc/bind/named.conf.options\n\
         \x20 content: |\n\
         \x20   acl networks {{ localhost; {clients}}};\n\
         \x20   options {{\n\
         \x20     directory \"/var/cache/bind\";\n\
         \x20     recursion yes;\n\
         \x20     allow-query {{ networks; }};\n\
         \x20     forward only;\n\
         \x20     forwarders {{ {forwarders}}};\n\
         \x20     dnssec-validation no;\n\
         \x20     listen-on {{ any; }};\n\
         \x20   }};\n\
         - path: /etc/bind/named.conf.local\n\
         \x20 content: |\n"
    ))];
    for other in others {
        let Some(server) = address(other) else {
            continue;
        };
        parts.push(quoted("    zone \""));
        parts.push(format!(
            "reference({}, '{API}').dnsSettings.internalDomainNameSuffix",
            bare_id(CARD, &[&quoted(&named(other, "dns"))])
        ));
        parts.push(quoted(&format!(
            "\" {{ type forward; forward only; forwarders {{ {server}; }}; }};\n"
        )));
    }
    parts.push(quoted(
        "    // end of the other networks\nruncmd:\n- named-checkconf\n- systemctl enable named\n- systemctl restart named\n",
    ));
    parts
}

/// A list as `named` writes it, each item with its semicolon.
fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.flat_map(|item| [item, "; "]).collect()
}

/// A machine counts as created long before its name server answers. This ends when it does, or fails.
fn ready(network: &AzureNetwork) -> Value {
    let name = named(network, "dns");
    json!({
        "type": EXTENSION,
        "apiVersion": MACHINE_API,
        "name": literal(&format!("{name}/ready")),
        "location": LOCATION,
        "dependsOn": [id(MACHINE, &[&quoted(&name)])],
        "properties": {
            "publisher": "Microsoft.Azure.Extensions",
            "type": "CustomScript",
            "typeHandlerVersion": "2.1",
            "autoUpgradeMinorVersion": true,
            "settings": {"commandToExecute": "cloud-init status --wait && systemctl is-active named"},
        },
    })
}

/// The network again, now with its name server: a template can name a resource only once, so this is one of its own.
fn use_it(root: &Root, network: &AzureNetwork, address: &str) -> Value {
    json!({
        "type": DEPLOYMENT,
        "apiVersion": DEPLOYMENT_API,
        "name": literal(&named(network, "names")),
        "dependsOn": [id(EXTENSION, &[&quoted(&named(network, "dns")), "'ready'"])],
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "outer"},
            "template": {
                "$schema": super::template::SCHEMA,
                "contentVersion": "1.0.0.0",
                "resources": [{
                    "type": NETWORK,
                    "apiVersion": API,
                    "name": literal(&network.name),
                    "location": LOCATION,
                    "properties": properties(network, root, Some(address)),
                }],
            },
        },
    })
}
