//! Terraform roots and the ARM template of the example topologies. The real validators run in the deep tier
//! (`e2e/tests/terraform.rs`); here the files are read as what they claim to be.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mirrorctl_render::{Request, Settings, Templates, render};
use topology::Topology;

/// The files of one target for an example topology, as texts.
fn rendered(example: &str, target: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(examples().join(example)).unwrap();
    of_text(example, &text, target).unwrap()
}

fn of_text(name: &str, text: &str, target: &str) -> Result<BTreeMap<String, String>, String> {
    let loaded = topology::parse(name, text).map_err(|found| found.to_string())?;
    of_topology(&loaded.topology, text, target)
}

fn of_topology(
    topology: &Topology,
    source: &str,
    target: &str,
) -> Result<BTreeMap<String, String>, String> {
    let request = Request {
        topology,
        source,
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
    // `validate` refuses such names; the templates do not rely on that
    let mut topology = topology::parse("nasty.yaml", &text).unwrap().topology;
    for cluster in &mut topology.clusters {
        let network = cluster.infrastructure.network.as_mut().unwrap();
        network.resource_group = Some(nasty.to_owned());
        network.name = Some(nasty.to_owned());
    }
    let files = of_topology(&topology, &text, "terraform-azure").unwrap();
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
fn a_network_is_needed_to_build_in() {
    let base = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n";
    for (cluster, target) in [
        (
            "- {alias: a, platform: azure-hdinsight, region: westeurope}",
            "terraform-azure",
        ),
        (
            "- {alias: a, platform: aws-msk, region: eu-west-1}",
            "terraform-aws",
        ),
    ] {
        let error = of_text("t.yaml", &format!("{base}{cluster}\n"), target).unwrap_err();
        assert!(error.contains("needs `network`"), "{error}");
    }
}

/// A source that is there already, outside of every declared network, and everything that a replicator can be given.
const OUTSIDE: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: src
  bootstrapServers: ["k1.dc.example:9094", "198.51.100.7:9095"]
  tls: {caFile: certs/ca.pem, certFile: /etc/pki/me.pem, keyFile: /etc/pki/me.key}
  sasl: {mechanism: plain, username: mirror, password: {env: SRC_PW}}
- alias: aws
  platform: aws-msk
  region: eu-west-1
  tls: {}
  sasl: {mechanism: scram-sha-512, username: mirror, password: {file: pw}}
  brokers: {count: 2, zones: [eu-west-1a, eu-west-1b]}
  network: {cidr: 10.20.0.0/16}
- alias: azure
  platform: azure-hdinsight
  region: westeurope
  bootstrapServers: ["wn0.example:9092"]
  network: {resourceGroup: kafka, cidr: 10.30.0.0/16}
mirrors:
- {name: to-aws, source: src, target: aws, topicsPattern: a}
- {name: to-azure, source: src, target: azure, topicsPattern: b}
"#;

/// The argument of a module's block in `main.tf`, as HCL writes it.
fn argument(files: &BTreeMap<String, String>, root: &str, module: &str, name: &str) -> String {
    let main = hcl::parse(&files[&format!("{root}/main.tf")]).unwrap();
    let block = main
        .blocks()
        .find(|block| block.labels().iter().any(|label| label.as_str() == module))
        .unwrap();
    let attribute = block.body().attributes().find(|it| it.key() == name);
    hcl::format::to_string(attribute.unwrap().expr()).unwrap()
}

#[test]
fn machines_of_the_replicator_get_files_and_reach_what_is_outside() {
    for root in ["terraform-aws", "terraform-azure"] {
        let files = of_text("t.yaml", OUTSIDE, root).unwrap();
        let public = argument(&files, root, "replicator", "files");
        for needed in [
            "\"/etc/mirrorctl/certs/ca.pem\" = file(\"${path.module}/files/certs/ca.pem\")",
            "\"/etc/pki/me.pem\" = file(\"${path.module}/files/etc/pki/me.pem\")",
        ] {
            assert!(public.contains(needed), "{public}");
        }
        assert!(
            !public.contains("key") && !public.contains("pw"),
            "{public}"
        );
        let secret = argument(&files, root, "replicator", "secret_files");
        assert!(
            secret
                .contains("\"/etc/pki/me.key\" = var.replicator.secret_files[\"/etc/pki/me.key\"]"),
            "{secret}"
        );
        let variables = &files[&format!("{root}/variables.tf")];
        assert!(
            variables.contains("the topology reads SRC_PW:"),
            "{variables}"
        );
        let guide = &files[&format!("{root}/README.md")];
        for said in [
            "replicator = {",
            "SRC_PW = ",
            "\"/etc/pki/me.key\" = ",
            "`files/certs/ca.pem`, which the topology calls `certs/ca.pem`",
        ] {
            assert!(guide.contains(said), "{said} is not in {guide}");
        }
        for (path, text) in files.iter().filter(|(path, _)| is_terraform(path)) {
            assert!(hcl::parse(text).is_ok(), "{path}: {text}");
        }
    }
    let files = of_text("t.yaml", OUTSIDE, "terraform-aws").unwrap();
    let brokers = argument(&files, "terraform-aws", "replicator", "brokers");
    let brokers = brokers.split_whitespace().collect::<String>();
    assert_eq!(
        brokers,
        "[{range=\"0.0.0.0/0\"ports=[9094]},{range=\"10.20.0.0/16\"ports=[9096]},{range=\"198.51.100.7/32\"ports=[9095]}]"
    );
    let main = &files["terraform-aws/main.tf"];
    assert!(main.contains("# src: known by names alone"), "{main}");
    let guide = &files["terraform-aws/README.md"];
    assert!(
        guide.contains("does not say yet where `aws` can be reached"),
        "{guide}"
    );
    assert!(guide.contains("\"pw\" = "), "{guide}");
    assert!(
        guide.contains("export TF_VAR_scram_secret_arns_aws="),
        "{guide}"
    );
}

/// Three networks on AWS: two with zones of their own, and one of MSK, both peered with the first.
const PEERED: &str = include_str!("../../e2e/terraform/peered.yaml");

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn zones_are_served_to_peered_networks() {
    let files = of_text("t.yaml", PEERED, "terraform-aws").unwrap();
    let peers =
        |resolver: &str| without_spaces(&argument(&files, "terraform-aws", resolver, "peers"));
    let entry = |label: &str| {
        format!("\"{label}\"={{vpc_id=module.network-{label}.vpc_idregion=\"eu-west-1\"}}")
    };
    // both ways, and to a network without a zone
    assert_eq!(
        peers("resolver-x"),
        format!("{{{}{}}}", entry("y"), entry("msk"))
    );
    assert_eq!(peers("resolver-y"), format!("{{{}}}", entry("x")));
    let main = &files["terraform-aws/main.tf"];
    assert!(!main.contains("resolver-msk"), "{main}");
}

#[test]
fn names_outside_of_the_zones_are_asked_of_the_forwarders() {
    let text = PEERED
        .replace(
            "dns: {zone: x.example}",
            "dns: {zone: x.example, forwarders: [10.9.0.2]}",
        )
        .replace(
            "\"b-1.y.example:9092\"",
            "\"b-1.y.example:9092\", \"b-2.else.example:9092\"",
        );
    let files = of_text("t.yaml", &text, "terraform-aws").unwrap();
    let forward = argument(&files, "terraform-aws", "resolver-x", "forward");
    assert_eq!(
        without_spaces(&forward),
        "{\"else.example\"=[\"10.9.0.2\"]}"
    );
}

#[test]
fn a_way_out_lies_beside_named_subnets() {
    let files = of_text("t.yaml", PEERED, "terraform-aws").unwrap();
    let subnet = argument(&files, "terraform-aws", "network-x", "egress_subnet");
    assert_eq!(subnet, "\"10.20.0.112/28\"");
    // there, the module's own is free
    let main = &files["terraform-aws/main.tf"];
    assert_eq!(main.matches("egress_subnet").count(), 1, "{main}");
    // `validate` refuses that; the templates do not rely on it
    let mut topology = topology::parse("t.yaml", PEERED).unwrap().topology;
    let network = topology.clusters[0]
        .infrastructure
        .network
        .as_mut()
        .unwrap();
    network.subnets = ["10.20.0.0/25", "10.20.0.128/25"]
        .map(|it| it.parse().unwrap())
        .to_vec();
    let refused = of_topology(&topology, PEERED, "terraform-aws").unwrap_err();
    assert!(refused.contains("leave a /28"), "{refused}");
}

#[test]
fn every_port_of_the_brokers_is_open() {
    let files = of_text("t.yaml", PEERED, "terraform-aws").unwrap();
    let of = |name: &str| argument(&files, "terraform-aws", "kafka-x", name);
    assert_eq!(of("client_port"), "9093");
    assert_eq!(without_spaces(&of("more_client_ports")), "[9095]");
    let main = &files["terraform-aws/main.tf"];
    assert_eq!(main.matches("more_client_ports").count(), 1, "{main}");
}

/// The schema, the tables and the columns that the files of the pipelines name.
#[test]
fn the_archive_has_the_tables_of_the_pipelines() {
    let text = std::fs::read_to_string(examples().join("seed-000-hybrid-cloud.yaml")).unwrap();
    let two = text.replace(
        "- name: archive\n  topic: hybrid",
        "- name: archive\n  topic: posts",
    );
    for (text, set, archive) in [
        (&text, &[][..], ("\"poc\"", "[\"hybrid_tweets\"]")),
        (
            &two,
            &[],
            ("\"poc\"", "[\"hybrid_tweets\"\"posts_tweets\"]"),
        ),
        (
            &text,
            &["pipelines.table=mytab", "pipelines.schema=arc"],
            ("\"arc\"", "[\"mytab\"]"),
        ),
    ] {
        let loaded = topology::parse("t.yaml", text).unwrap();
        let request = Request {
            topology: &loaded.topology,
            source: text,
            settings: &Settings::parse(set).unwrap(),
        };
        let targets = ["terraform-aws", "pipelines"].map(str::to_owned);
        let files: BTreeMap<String, String> =
            render(&request, &targets, &Templates::embedded().unwrap())
                .unwrap()
                .files
                .into_iter()
                .map(|(path, file)| (path, String::from_utf8(file.content).unwrap()))
                .collect();
        let of = |name: &str| {
            without_spaces(&argument(&files, "terraform-aws", "archive", name)).replace(',', "")
        };
        assert_eq!((of("schema").as_str(), of("tables").as_str()), archive);
        let created = |text: &str| {
            let (line, rest) = text.split_once('(').unwrap();
            let columns: Vec<String> = rest
                .lines()
                .map(|line| line.trim().trim_end_matches([',', ')', ';']).to_owned())
                .filter(|line| line.contains(' '))
                .collect();
            (line.split(' ').next_back().map(ToOwned::to_owned), columns)
        };
        let module = &files["terraform-aws/modules/aws-archive/tweets.sql.tftpl"];
        let columns = created(module).1;
        assert_eq!(columns.len(), 15);
        for (path, text) in files
            .iter()
            .filter(|(path, _)| path.ends_with("redshift.sql"))
        {
            let (_, statement) = text.split_once('\n').unwrap();
            let (table, found) = created(statement.trim_end_matches(['\n', ';']));
            assert_eq!(found, columns, "{path}");
            let table = table.unwrap();
            let (schema, table) = table.split_once('.').unwrap();
            assert_eq!(format!("\"{schema}\""), archive.0);
            assert!(archive.1.contains(&format!("\"{table}\"")), "{table}");
        }
    }
}
