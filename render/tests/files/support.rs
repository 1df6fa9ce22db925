//! Topologies, and rendering them.

use std::path::{Path, PathBuf};

use mirrorctl_render::{RenderError, Rendering, Request, Settings, Templates, render};
use saphyr::{LoadableYamlNode as _, Yaml};
use topology::Topology;

/// Every example of the topology crate, by name.
pub(crate) fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "{files:?}");
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

pub(crate) fn parse(text: &str) -> Topology {
    topology::parse("t.yaml", text)
        .unwrap_or_else(|found| panic!("{}", found.to_human(topology::Style::default())))
        .topology
}

/// Renders a topology for some targets, or for all.
pub(crate) fn try_rendering(
    text: &str,
    targets: &[&str],
    templates: &Templates,
) -> Result<Rendering, RenderError> {
    let topology = parse(text);
    let named: Vec<String> = targets.iter().map(|name| (*name).to_owned()).collect();
    let request = Request {
        topology: &topology,
        source: text,
        settings: &Settings::default(),
    };
    render(&request, &named, templates)
}

pub(crate) fn rendering(text: &str, targets: &[&str]) -> Rendering {
    try_rendering(text, targets, &Templates::embedded().unwrap())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The text of one file.
#[track_caller]
pub(crate) fn file<'a>(rendering: &'a Rendering, path: &str) -> &'a str {
    let Some(file) = rendering.files.get(path) else {
        panic!("no {path} in {:?}", rendering.files.keys());
    };
    std::str::from_utf8(&file.content).unwrap()
}

/// Two clusters and a mirror of MirrorMaker 2.
pub(crate) const MM2: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- {alias: a, bootstrapServers: ["a1:9092", "a2:9092"]}
- alias: b
  bootstrapServers: ["b:9093"]
  brokers: {count: 3}
  tls: {caFile: /etc/ca.pem}
  sasl: {mechanism: scram-sha-512, username: mirror, password: {env: B_PASSWORD}}
mirrors:
- name: a-to-b
  source: a
  target: b
  engine: mirrormaker2
  topicsPattern: "pay\\..*, bill"
  replicationPolicy: {type: default}
"#;

/// Secured in every way that a replicator can be.
pub(crate) const SECURED: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: a
  bootstrapServers: ["a1:9093", "a2:9094"]
  tls: {caFile: certs/a.pem, certFile: certs/me.pem, keyFile: /etc/keys/me.pem}
- alias: b
  bootstrapServers: "b:9092"
  sasl: {mechanism: scram-sha-512, username: "o'brien: \"x\"", password: {env: B_PW}}
mirrors:
- {name: Pay_to.b, source: a, target: b, topicsPattern: pay}
- {name: other, source: a, target: b, topicsPattern: other, state: promoted}
"#;

pub(crate) fn try_set(
    text: &str,
    target: &str,
    settings: &[&str],
) -> Result<Rendering, RenderError> {
    let topology = parse(text);
    let request = Request {
        topology: &topology,
        source: text,
        settings: &Settings::parse(settings).unwrap(),
    };
    render(
        &request,
        &[target.to_owned()],
        &Templates::embedded().unwrap(),
    )
}

pub(crate) fn set(text: &str, target: &str, settings: &[&str]) -> Rendering {
    try_set(text, target, settings).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn example(name: &str) -> String {
    examples()
        .into_iter()
        .find_map(|(it, text)| (it == name).then_some(text))
        .unwrap()
}

#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Yaml<'_>> {
    Yaml::load_from_str(text)
        .unwrap_or_else(|error| panic!("{error}: {text}"))
        .into_iter()
        .filter(|it| !it.is_null())
        .collect()
}
