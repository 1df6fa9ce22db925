//! The template as a whole.

use serde_json::{Map, Value, json};
use topology::Cluster;

use super::clusters::{count_parameter, name, storage_variable};
use super::expressions::{id, literal, tags};
use super::networks::{PEERING, has_name_servers};
use super::{clusters, name_servers, networks};
use crate::draft::Draft;
use crate::request::Request;
use crate::target::{Target, TargetError, no_remarks};
use crate::targets::terraform::azure::{self, Root};

pub(in crate::targets) const TARGET: Target = Target {
    name: "arm",
    about: "an ARM template for Azure: networks, name servers, HDInsight clusters",
    renders: "clusters with `platform: azure-hdinsight`",
    settings: &[],
    remarks: no_remarks,
    drafts,
};

/// What somebody takes away who means to delete the resource group.
const LOCK: &str = "mirrorctl-keep";
const LOCKS: &str = "Microsoft.Authorization/locks";
/// Azure takes tags of everything but these.
const WITHOUT_TAGS: [&str; 2] = [LOCKS, PEERING];

/// What says that a file is a template for a resource group.
pub(super) const SCHEMA: &str =
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
const PARAMETERS_SCHEMA: &str =
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#";

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let clusters: Vec<&Cluster> = azure::clusters(request.topology);
    let Some(first) = clusters.first() else {
        return Ok(Vec::new());
    };
    let root = azure::root(request.topology, &clusters)?;
    one_of_each(&root, first)?;
    Ok(vec![
        Draft::json("azuredeploy.json", template(&root)),
        Draft::json("azuredeploy.parameters.json", chosen(&root)),
        Draft::template("README.md", "arm/guide.md", &root)?,
    ])
}

/// A template goes to one resource group, and its parameters name one location and one login.
fn one_of_each(root: &Root, first: &Cluster) -> Result<(), TargetError> {
    let several = |key, what: &str| TargetError::Cluster {
        cluster: first.alias.clone(),
        key,
        problem: format!(
            "an ARM template has one {what} for all clusters; render `terraform-azure`, or split the topology"
        ),
    };
    if root.resource_groups.len() > 1 {
        return Err(several("network.resourceGroup", "resource group"));
    }
    if root
        .networks
        .iter()
        .any(|network| network.location != root.location)
    {
        return Err(several("region", "location"));
    }
    if root.accounts.len() > 1 {
        return Err(several("access", "login"));
    }
    Ok(())
}

fn template(root: &Root) -> Value {
    let mut resources = networks::resources(root);
    if has_name_servers(root) {
        resources.extend(name_servers::resources(root));
    }
    resources.extend(clusters::resources(root));
    resources.push(lock(root));
    tag(&mut resources, &tags(&root.tags));
    let variables: Map<String, Value> = root
        .clusters
        .iter()
        .map(storage_variable)
        .map(|(name, value)| (name, json!(value)))
        .collect();
    let outputs: Map<String, Value> = root
        .clusters
        .iter()
        .map(|cluster| {
            let value = format!(
                "[concat('https://', {}, '.azurehdinsight.net')]",
                name(cluster)
            );
            (
                format!("ambari_{}", cluster.label),
                json!({"type": "string", "value": value}),
            )
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": parameters(root),
        "variables": variables,
        "resources": resources,
        "outputs": outputs,
    })
}

/// Gives resources the tags that all clusters have, those of templates inside of templates too: whatever is written again without
/// its tags loses them. What has tags of its own keeps these.
fn tag(resources: &mut [Value], all: &Map<String, Value>) {
    for resource in resources {
        let inner = resource.pointer_mut("/properties/template/resources");
        if let Some(inner) = inner.and_then(Value::as_array_mut) {
            tag(inner, all);
        }
        let Some(resource) = resource.as_object_mut() else {
            continue;
        };
        let kind = resource.get("type").and_then(Value::as_str);
        if kind.is_some_and(|it| WITHOUT_TAGS.contains(&it)) {
            continue;
        }
        let tags = resource
            .entry("tags")
            .or_insert_with(|| Value::Object(all.clone()));
        if tags.as_object().is_some_and(Map::is_empty) {
            resource.remove("tags");
        }
    }
}

/// What refuses to delete the group with everything in it, until somebody takes it away. It comes last: a deployment that fails
/// can be cleared away.
fn lock(root: &Root) -> Value {
    let clusters: Vec<String> = root
        .clusters
        .iter()
        .map(|cluster| id("Microsoft.HDInsight/clusters", &[&name(cluster)]))
        .collect();
    json!({
        "type": LOCKS,
        "apiVersion": "2020-05-01",
        "name": LOCK,
        "condition": "[parameters('lockResourceGroup')]",
        "dependsOn": clusters,
        "properties": {
            "level": "CanNotDelete",
            "notes": "Deleting this group deletes the Kafka clusters in it, and every record on their brokers.",
        },
    })
}

fn parameters(root: &Root) -> Value {
    let described =
        |kind: &str, about: &str| json!({"type": kind, "metadata": {"description": about}});
    let mut all = Map::new();
    let mut location = described("string", "Where everything is created.");
    location["defaultValue"] = json!(literal(&root.location));
    all.insert("location".to_owned(), location);
    if let Some(base) = &root.base_name {
        let mut name = described("string", "What the names of the clusters end with.");
        name["defaultValue"] = json!(literal(base));
        name["minLength"] = json!(1);
        name["maxLength"] = json!(40);
        all.insert("baseClusterName".to_owned(), name);
    }
    let mut lock = described(
        "bool",
        "Whether the resource group is locked against its deletion. That takes the right to create locks.",
    );
    lock["defaultValue"] = json!(true);
    all.insert("lockResourceGroup".to_owned(), lock);
    for cluster in &root.clusters {
        let mut count = described(
            "int",
            &format!(
                "How many worker nodes {} has. HDInsight wants three or more.",
                cluster.name
            ),
        );
        count["defaultValue"] = json!(cluster.workers);
        count["minValue"] = json!(3);
        all.insert(count_parameter(cluster), count);
    }
    let users = root.accounts.first();
    let accounts = [
        (
            "clusterLoginUserName",
            users.map(|it| &it.login_user),
            "Who logs in to Ambari.",
        ),
        (
            "sshUserName",
            users.map(|it| &it.ssh_user),
            "Who logs in to the nodes.",
        ),
    ];
    for (name, user, about) in accounts {
        let mut parameter = described("string", about);
        if let Some(user) = user {
            parameter["defaultValue"] = json!(literal(user));
        }
        all.insert(name.to_owned(), parameter);
    }
    for (name, about) in [
        (
            "clusterLoginPassword",
            "The password for Ambari. Another one than for SSH.",
        ),
        ("sshPassword", "The password for the nodes."),
    ] {
        let mut parameter = described("securestring", about);
        parameter["minLength"] = json!(10);
        all.insert(name.to_owned(), parameter);
    }
    if has_name_servers(root) {
        all.insert(
            "sshPublicKey".to_owned(),
            described(
                "string",
                "The public key of who logs in to the name servers.",
            ),
        );
    }
    Value::Object(all)
}

/// What the topology says; passwords and the key are given when the template is deployed.
fn chosen(root: &Root) -> Value {
    let mut parameters = Map::new();
    parameters.insert("location".to_owned(), json!({"value": root.location}));
    if let Some(base) = &root.base_name {
        parameters.insert("baseClusterName".to_owned(), json!({"value": base}));
    }
    for cluster in &root.clusters {
        parameters.insert(count_parameter(cluster), json!({"value": cluster.workers}));
    }
    if let Some(users) = root.accounts.first() {
        parameters.insert(
            "clusterLoginUserName".to_owned(),
            json!({"value": users.login_user}),
        );
        parameters.insert("sshUserName".to_owned(), json!({"value": users.ssh_user}));
    }
    json!({
        "$schema": PARAMETERS_SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": parameters,
    })
}
