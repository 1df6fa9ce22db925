//! Terraform roots and the ARM template of the example topologies. The real validators run in the deep tier
//! (`e2e/tests/terraform.rs`); here the files are read as what they claim to be.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mirrorctl_render::{Request, Settings, Templates, render};

/// The files of one target for an example topology, as texts.
fn rendered(example: &str, target: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(examples().join(example)).unwrap();
    of_text(example, &text, target).unwrap()
}

fn of_text(name: &str, text: &str, target: &str) -> Result<BTreeMap<String, String>, String> {
    let loaded = topology::parse(name, text).map_err(|found| found.to_string())?;
    let request = Request {
        topology: &loaded.topology,
        source: text,
        settings: &Settings::default(),
    };
    let templates = Templates::embedded().unwrap();
    let rendering =
        render(&request, &[target.to_owned()], &templates).map_err(|error| error.to_string())?;
    Ok(rendering
        .files
        .into_iter()
        .map(|(path, file)| (path, String::from_utf8(file.content).unwrap()))
        .collect())
}

fn is_terraform(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "tf")
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples")
}

#[test]
fn roots_are_hcl_and_always_the_same() {
    for (example, target) in [
        ("seed-000-hybrid-cloud.yaml", "terraform-aws"),
        ("aws-msk.yaml", "terraform-aws"),
        ("seed-002-hdinsight.yaml", "terraform-azure"),
    ] {
        let files = rendered(example, target);
        assert_eq!(files, rendered(example, target), "{example}");
        let mut read = 0;
        for (path, text) in files.iter().filter(|(path, _)| is_terraform(path)) {
            if let Err(error) = hcl::parse(text) {
                panic!("{path}: {error}\n{text}");
            }
            read += 1;
        }
        assert!(read > 10, "{example}: {read} files of HCL");
    }
}

#[test]
fn roots_of_the_examples() {
    for (example, target) in [
        ("seed-000-hybrid-cloud.yaml", "terraform-aws"),
        ("aws-msk.yaml", "terraform-aws"),
        ("seed-002-hdinsight.yaml", "terraform-azure"),
    ] {
        let files = rendered(example, target);
        let name = example.trim_end_matches(".yaml");
        for file in ["main.tf", "variables.tf"] {
            insta::assert_snapshot!(format!("{name}-{file}"), files[&format!("{target}/{file}")]);
        }
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        insta::assert_snapshot!(format!("{name}-files"), names.join("\n"));
    }
}

#[test]
fn a_topology_without_a_cloud_has_no_root() {
    for target in ["arm", "terraform-aws", "terraform-azure"] {
        assert!(rendered("seed-004-go-mirror.yaml", target).is_empty());
    }
}

#[test]
fn no_secret_is_written() {
    for (path, text) in rendered("seed-002-hdinsight.yaml", "terraform-azure") {
        // the reference's name stands in the topology that the replicator takes along, and nowhere else
        let named = text.contains("HDI_LOGIN_PASSWORD");
        assert_eq!(named, path.ends_with("topology.yaml"), "{path}");
    }
}

#[test]
fn texts_of_the_topology_stay_in_their_quotes() {
    let text = std::fs::read_to_string(examples().join("seed-002-hdinsight.yaml")).unwrap();
    let nasty = r#"x"} ${file("/etc/passwd")} %{if true}"#;
    let text = text
        .replace("kafka-mirror", &format!("'{nasty}'"))
        .replace("source-vnet", &format!("'{nasty}'"));
    let files = of_text("nasty.yaml", &text, "terraform-azure").unwrap();
    let main = hcl::parse(&files["terraform-azure/main.tf"]).unwrap();
    let network = main
        .blocks()
        .find(|block| {
            block
                .labels()
                .iter()
                .any(|label| label.as_str() == "network")
        })
        .unwrap();
    let networks = network
        .body()
        .attributes()
        .find(|attribute| attribute.key() == "networks")
        .unwrap();
    let text = networks.expr().to_string();
    assert!(
        text.contains(r#"x\"} $${file(\"/etc/passwd\")} %%{if true}"#),
        "no interpolation: {text}"
    );
}

#[test]
fn what_is_missing_is_named() {
    let base = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n";
    for (cluster, target, wanted) in [
        (
            "- {alias: a, platform: azure-hdinsight, region: westeurope}",
            "terraform-azure",
            "needs `network`",
        ),
        (
            "- {alias: a, platform: azure-hdinsight, region: westeurope, network: {cidr: 10.0.0.0/16}}",
            "terraform-azure",
            "needs `network.resourceGroup`",
        ),
        (
            "- {alias: a, platform: azure-hdinsight, region: westeurope, network: {resourceGroup: g, cidr: 10.0.0.0/28}}",
            "terraform-azure",
            "64 addresses",
        ),
        (
            "- {alias: a, platform: aws-msk, network: {cidr: 10.0.0.0/16}}",
            "terraform-aws",
            "needs `region`",
        ),
        (
            "- {alias: a, platform: aws-msk, region: eu-west-1, network: {cidr: 10.0.0.0/16}}",
            "terraform-aws",
            "needs `brokers.zones`",
        ),
        (
            "- {alias: a, platform: aws-ec2, region: eu-west-1, brokers: {count: 3, zones: [eu-west-1a, eu-west-1b]}, network: {cidr: 10.0.0.0/8}}",
            "terraform-aws",
            "between /16 and /28",
        ),
    ] {
        let error = of_text("t.yaml", &format!("{base}{cluster}\n"), target).unwrap_err();
        assert!(error.contains(wanted), "{wanted} is not in: {error}");
    }
}
