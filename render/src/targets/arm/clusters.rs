//! `HDInsight` clusters and the storage accounts of theirs.

use serde_json::{Value, json};

use super::expressions::{bare_id, id, literal, quoted, tags};
use super::name_servers::answering;
use super::networks::{NETWORK, has_name_servers, subnet};
use crate::targets::terraform::azure::{AzureNetwork, HdInsight, Root};

const STORAGE: &str = "Microsoft.Storage/storageAccounts";
const STORAGE_API: &str = "2023-05-01";
const CLUSTER: &str = "Microsoft.HDInsight/clusters";
const CLUSTER_API: &str = "2021-06-01";
const LOCATION: &str = "[parameters('location')]";
const SIZE: &str = "Standard_D3_V2";

/// Each cluster, behind its storage account.
pub(super) fn resources(root: &Root) -> Vec<Value> {
    root.clusters
        .iter()
        .filter_map(|cluster| {
            let network = root
                .networks
                .iter()
                .find(|it| it.label == cluster.network)?;
            Some([storage(cluster), hdinsight(root, cluster, network)])
        })
        .flatten()
        .collect()
}

/// An expression for the name of a cluster.
pub(super) fn name(cluster: &HdInsight) -> String {
    match &cluster.prefix {
        Some(prefix) => format!("concat({}, parameters('baseClusterName'))", quoted(prefix)),
        None => quoted(&cluster.name),
    }
}

/// The parameter that holds the number of brokers.
pub(super) fn count_parameter(cluster: &HdInsight) -> String {
    format!("workerCount_{}", cluster.label)
}

/// The variable that holds the name of the storage account: unlike any other in all of Azure.
pub(super) fn storage_variable(cluster: &HdInsight) -> (String, String) {
    let beginning: String = cluster
        .name
        .to_ascii_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(11)
        .collect();
    (
        format!("storage_{}", cluster.label),
        format!(
            "[concat({}, uniqueString(resourceGroup().id, {}))]",
            quoted(&beginning),
            name(cluster)
        ),
    )
}

fn storage_name(cluster: &HdInsight) -> String {
    format!("variables('storage_{}')", cluster.label)
}

fn storage(cluster: &HdInsight) -> Value {
    json!({
        "type": STORAGE,
        "apiVersion": STORAGE_API,
        "name": format!("[{}]", storage_name(cluster)),
        "location": LOCATION,
        "tags": tags(&cluster.tags),
        "kind": "StorageV2",
        "sku": {"name": "Standard_ZRS"},
        "properties": {
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
            "allowBlobPublicAccess": false,
        },
    })
}

fn hdinsight(root: &Root, cluster: &HdInsight, network: &AzureNetwork) -> Value {
    let account = bare_id(STORAGE, &[&storage_name(cluster)]);
    let mut needs = vec![id(STORAGE, &[&storage_name(cluster)])];
    if has_name_servers(root) {
        // nodes take the network's name servers when they start: they have to answer by then
        needs.extend(root.networks.iter().map(answering));
    } else {
        needs.push(id(NETWORK, &[&quoted(&network.name)]));
    }
    let role = |kind: &str, count: Value, size: &str| {
        json!({
            "name": kind,
            "targetInstanceCount": count,
            "hardwareProfile": {"vmSize": size},
            "osProfile": {"linuxOperatingSystemProfile": {
                "username": "[parameters('sshUserName')]",
                "password": "[parameters('sshPassword')]",
            }},
            "virtualNetworkProfile": {
                "id": id(NETWORK, &[&quoted(&network.name)]),
                "subnet": subnet(network, "kafka"),
            },
        })
    };
    let count = format!("[parameters('{}')]", count_parameter(cluster));
    let mut workers = role(
        "workernode",
        json!(count),
        cluster.size.as_deref().unwrap_or(SIZE),
    );
    workers["dataDisksGroups"] = json!([{"disksPerNode": cluster.disks.unwrap_or(2)}]);
    json!({
        "type": CLUSTER,
        "apiVersion": CLUSTER_API,
        "name": format!("[{}]", name(cluster)),
        "location": LOCATION,
        "tags": tags(&cluster.tags),
        "dependsOn": needs,
        "properties": {
            "clusterVersion": "5.1",
            "osType": "Linux",
            "tier": "Standard",
            "minSupportedTlsVersion": "1.2",
            "encryptionInTransitProperties": {"isEncryptionInTransitEnabled": true},
            "clusterDefinition": {
                "kind": "kafka",
                "componentVersion": {"Kafka": literal(cluster.kafka_version.as_deref().unwrap_or("3.2"))},
                "configurations": {"gateway": {
                    "restAuthCredential.isEnabled": true,
                    "restAuthCredential.username": "[parameters('clusterLoginUserName')]",
                    "restAuthCredential.password": "[parameters('clusterLoginPassword')]",
                }},
            },
            "storageProfile": {"storageaccounts": [{
                "name": format!(
                    "[replace(replace(reference({account}, '{STORAGE_API}').primaryEndpoints.blob, 'https://', ''), '/', '')]"
                ),
                "isDefault": true,
                "container": "hdinsight",
                "key": format!("[listKeys({account}, '{STORAGE_API}').keys[0].value]"),
            }]},
            "computeProfile": {"roles": [
                role("headnode", json!(2), SIZE),
                workers,
                role("zookeepernode", json!(3), "Standard_A4_V2"),
            ]},
        },
    })
}
