//! The ARM template against a JSON Schema of the parts that it uses (`arm.schema.json`, ours, not Azure's), and against itself:
//! what it refers to is declared. No validator of Azure's runs here.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::collections::BTreeSet;
use std::path::Path;

use mirrorctl_render::{Request, Settings, Templates, render};
use serde_json::Value;

fn rendered(text: &str) -> Result<(Value, Value), String> {
    let loaded = topology::parse("t.yaml", text).map_err(|found| found.to_string())?;
    let request = Request {
        topology: &loaded.topology,
        source: text,
        settings: &Settings::default(),
    };
    let rendering = render(
        &request,
        &["arm".to_owned()],
        &Templates::embedded().unwrap(),
    )
    .map_err(|error| error.to_string())?;
    let read = |path: &str| serde_json::from_slice(&rendering.files[path].content).unwrap();
    Ok((
        read("arm/azuredeploy.json"),
        read("arm/azuredeploy.parameters.json"),
    ))
}

fn seed() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples/seed-002-hdinsight.yaml");
    std::fs::read_to_string(path).unwrap()
}

/// The seed with both clusters in one network.
fn one_network() -> String {
    seed().replace(
        "dest-vnet, cidr: 10.1.0.0/16",
        "source-vnet, cidr: 10.0.0.0/16",
    )
}

/// The seed with tags on both clusters, and one more on the source.
fn tagged() -> String {
    let text = seed().replace(
        "  dns: {",
        "  tags: {project: mirror, note: '[x]'}\n  dns: {",
    );
    text.replacen("tags: {project", "tags: {side: source, project", 1)
}

fn check(template: &Value) -> Vec<String> {
    let text = include_str!("arm.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
    schema
        .iter_errors(template)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn templates_fit_the_schema() {
    for text in [seed(), one_network(), tagged()] {
        let (template, _) = rendered(&text).unwrap();
        assert_eq!(check(&template), Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses() {
    let (template, _) = rendered(&seed()).unwrap();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut template = template.clone();
        change(&mut template);
        !check(&template).is_empty()
    };
    assert!(broken(
        &|it| it["parameters"]["sshPassword"]["type"] = "string".into()
    ));
    assert!(broken(
        &|it| it["parameters"]["workerCount_source_mirror"]["minValue"] = 2.into()
    ));
    assert!(broken(
        &|it| it["resources"][0]["apiVersion"] = "latest".into()
    ));
    assert!(broken(
        &|it| it["resources"][0]["dependson"] = Value::Array(Vec::new())
    ));
    assert!(broken(&|it| it["contentVersion"] = "1".into()));
}

#[test]
fn what_is_referred_to_is_declared() {
    for text in [seed(), one_network()] {
        let (template, parameters) = rendered(&text).unwrap();
        let keys = |value: &Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let whole = template.to_string();
        let used = |function: &str| -> BTreeSet<String> {
            let begin = format!("{function}('");
            whole
                .split(begin.as_str())
                .skip(1)
                .map(|rest| rest.split('\'').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(used("parameters"), keys(&template["parameters"]));
        assert_eq!(used("variables"), keys(&template["variables"]));
        assert!(keys(&parameters["parameters"]).is_subset(&keys(&template["parameters"])));
        let ids = ids(&template);
        assert_eq!(
            ids.len(),
            template["resources"].as_array().unwrap().len(),
            "{ids:?}"
        );
        for resource in template["resources"].as_array().unwrap() {
            for need in resource["dependsOn"].as_array().into_iter().flatten() {
                let need = need.as_str().unwrap();
                assert!(ids.contains(need), "{need} is not in {ids:#?}");
            }
        }
    }
}

/// The ids of all resources, as others name them.
fn ids(template: &Value) -> BTreeSet<String> {
    let expression = |name: &str| match name.strip_prefix('[') {
        Some(rest) => rest.trim_end_matches(']').to_owned(),
        None => name
            .split('/')
            .map(|part| format!("'{part}'"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    template["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| {
            let kind = resource["type"].as_str().unwrap();
            let name = expression(resource["name"].as_str().unwrap());
            format!("[resourceId('{kind}', {name})]")
        })
        .collect()
}

#[test]
fn name_servers_answer_before_clusters_exist() {
    let (template, _) = rendered(&seed()).unwrap();
    let resources = template["resources"].as_array().unwrap();
    let clusters: Vec<&Value> = resources
        .iter()
        .filter(|it| it["type"] == "Microsoft.HDInsight/clusters")
        .collect();
    assert_eq!(clusters.len(), 2);
    for cluster in clusters {
        let needs = cluster["dependsOn"].to_string();
        for network in ["source-vnet-names", "dest-vnet-names"] {
            assert!(needs.contains(network), "{needs}");
        }
    }
    let names: Vec<&str> = resources
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert!(names.contains(&"[concat('source-', parameters('baseClusterName'))]"));
    assert!(names.contains(&"[concat('dest-', parameters('baseClusterName'))]"));
}

#[test]
fn a_name_server_asks_the_other_one() {
    let (template, _) = rendered(&seed()).unwrap();
    let server = template["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| {
            it["name"] == "source-vnet-dns" && it["type"] == "Microsoft.Compute/virtualMachines"
        })
        .unwrap();
    let data = server["properties"]["osProfile"]["customData"]
        .as_str()
        .unwrap();
    // the parts between single quotes are the text; what stands between them is the suffix that Azure tells
    let text: String = data
        .strip_prefix("[base64(concat('")
        .and_then(|rest| rest.strip_suffix("'))]"))
        .unwrap()
        .split("', '")
        .flat_map(|part| part.split("', reference("))
        .collect();
    assert!(text.starts_with("#cloud-config\n"), "{text}");
    assert!(text.contains("forwarders { 10.1.255.244; }"), "{text}");
    assert!(
        text.contains("acl networks { localhost; 10.0.0.0/16; 10.1.0.0/16; };"),
        "{text}"
    );
}

#[test]
fn texts_of_the_topology_are_no_expressions() {
    let text = seed().replace("user: sshuser", "user: \"[resourceGroup().id]\"");
    let (template, _) = rendered(&text).unwrap();
    assert_eq!(
        template["parameters"]["sshUserName"]["defaultValue"],
        "[[resourceGroup().id]"
    );
}

#[test]
fn passwords_are_asked_for() {
    let (template, parameters) = rendered(&seed()).unwrap();
    for name in ["clusterLoginPassword", "sshPassword"] {
        assert_eq!(template["parameters"][name]["type"], "securestring");
        assert!(template["parameters"][name].get("defaultValue").is_none());
        assert!(parameters["parameters"].get(name).is_none());
    }
}

#[test]
fn two_groups_are_no_template() {
    let text = seed().replacen("resourceGroup: kafka-mirror", "resourceGroup: other", 1);
    let error = rendered(&text).unwrap_err();
    assert!(error.contains("one resource group"), "{error}");
}

#[test]
fn the_group_is_locked_once_its_clusters_are_there() {
    let (template, parameters) = rendered(&seed()).unwrap();
    assert_eq!(
        template["parameters"]["lockResourceGroup"]["defaultValue"],
        true
    );
    assert!(parameters["parameters"].get("lockResourceGroup").is_none());
    let resources = template["resources"].as_array().unwrap();
    let lock = resources.last().unwrap();
    assert_eq!(lock["type"], "Microsoft.Authorization/locks");
    assert_eq!(lock["properties"]["level"], "CanNotDelete");
    assert_eq!(lock["dependsOn"].as_array().map(Vec::len), Some(2));
}

/// All resources, those of templates inside of templates too.
fn all_resources(template: &Value) -> Vec<&Value> {
    let resources = template["resources"].as_array().unwrap();
    resources
        .iter()
        .flat_map(|it| {
            let inner = it.pointer("/properties/template");
            let inner = inner.map(all_resources).unwrap_or_default();
            std::iter::once(it).chain(inner)
        })
        .collect()
}

#[test]
fn whatever_takes_tags_has_those_of_the_clusters() {
    let (template, _) = rendered(&tagged()).unwrap();
    let common = serde_json::json!({"project": "mirror", "note": "[[x]"});
    let mut of_source = common.clone();
    of_source["side"] = "source".into();
    for resource in all_resources(&template) {
        let kind = resource["type"].as_str().unwrap();
        let name = resource["name"].as_str().unwrap();
        let expected = match kind {
            "Microsoft.Authorization/locks"
            | "Microsoft.Network/virtualNetworks/virtualNetworkPeerings" => None,
            "Microsoft.HDInsight/clusters" | "Microsoft.Storage/storageAccounts"
                if name.contains("source") =>
            {
                Some(&of_source)
            }
            _ => Some(&common),
        };
        assert_eq!(resource.get("tags"), expected, "{kind} {name}");
    }
    // where none are declared, none are written
    let (template, _) = rendered(&seed()).unwrap();
    assert!(!template.to_string().contains("\"tags\""));
}
