//! Pipelines that check and prove: YAML, with what each mirror needs, and nothing that leaves its place.

use mirrorctl_render::{RenderError, Rendering, Request, Settings, Templates, render};
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::support::{examples, file, parse};

const TOPOLOGY: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: a
  bootstrapServers: ["a1:9093"]
  tls: {caFile: certs/a.pem, certFile: certs/me.pem, keyFile: certs/me.key}
- alias: b
  bootstrapServers: "b:9092"
  sasl: {mechanism: scram-sha-512, username: u, password: {env: B_PW}}
- {alias: c, bootstrapServers: "c:9092", topics: {protected: 'mirrorctl\..*'}}
mirrors:
- {name: all, source: a, target: b, replicationPolicy: {type: prefix, prefix: 'all.'}}
- {name: pay, source: [a, c], target: b, topicsPattern: 'pay\..*|mirrorctl\.verify', engine: mirrormaker2, replicationPolicy: {type: default}}
- {name: gone, source: c, target: b, state: promoted}
"#;

const GITHUB: &str = "ci/github/mirrorctl.yml";
const GITLAB: &str = "ci/gitlab/mirrorctl.gitlab-ci.yml";

fn try_set(text: &str, settings: &[&str]) -> Result<Rendering, RenderError> {
    let topology = parse(text);
    let request = Request {
        topology: &topology,
        source: text,
        settings: &Settings::parse(settings).unwrap(),
    };
    render(
        &request,
        &["ci".to_owned()],
        &Templates::embedded().unwrap(),
    )
}

fn set(settings: &[&str]) -> Rendering {
    try_set(TOPOLOGY, settings).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn yaml(text: &str) -> Yaml<'_> {
    let mut documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

#[test]
fn the_files_are_these() {
    let rendering = set(&[]);
    insta::assert_snapshot!("github", file(&rendering, GITHUB));
    insta::assert_snapshot!("gitlab", file(&rendering, GITLAB));
}

#[test]
fn both_are_yaml_for_every_example_and_setting() {
    let settings = [
        "ci.download=https://example.org/x/mirrorctl?v=1&os=linux",
        "ci.sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "ci.topology=clusters/topology.yaml",
        "ci.runs-on=self-hosted",
        "ci.image=registry.example:5000/team/ci:1",
        "ci.topic=pay.proof",
    ];
    let mut rendered = 0;
    for (name, text) in examples() {
        for settings in [&[][..], &settings] {
            let Ok(rendering) = try_set(&text, settings) else {
                continue;
            };
            // some have no mirror that a pipeline could reach
            if rendering.files.is_empty() {
                continue;
            }
            rendered += 1;
            let github = yaml(file(&rendering, GITHUB));
            let jobs = github["jobs"].as_mapping().unwrap();
            assert!(jobs.len() > 1, "{name}");
            for (_, job) in jobs {
                let steps = job["steps"].as_vec().unwrap();
                assert!(
                    steps.iter().any(|step| step.contains_mapping_key("run")),
                    "{name}"
                );
                assert!(job["timeout-minutes"].as_integer().is_some(), "{name}");
            }
            let gitlab = yaml(file(&rendering, GITLAB));
            assert!(
                gitlab["mirrorctl-verify-1"]["script"][0].as_str().is_some(),
                "{name}"
            );
        }
    }
    assert!(rendered >= 8, "{rendered}");
}

#[test]
fn each_mirror_is_proven_from_each_source_as_far_as_it_takes_a_workload() {
    let rendering = set(&[]);
    let github = yaml(file(&rendering, GITHUB));
    let command = |job: &str| {
        let steps = github["jobs"][job]["steps"].as_vec().unwrap();
        let verify = steps
            .iter()
            .find(|it| it.contains_mapping_key("name") && it["name"].as_str() == Some("verify"));
        verify.unwrap()["run"].as_str().unwrap().to_owned()
    };
    let reports = |job: &str| format!("--junit {job}.xml --html {job}.html");
    for (job, mirror, source, how) in [
        (
            "verify-1",
            "all",
            "a",
            "--profile ci --topic mirrorctl.verify",
        ),
        (
            "verify-2",
            "pay",
            "a",
            "--profile ci --topic mirrorctl.verify",
        ),
        // protected there
        ("verify-3", "pay", "c", "--mode compare"),
    ] {
        assert_eq!(
            command(job),
            format!(
                "mirrorctl verify --file topology.yaml --mirror {mirror} --source {source} {how} {}",
                reports(job)
            )
        );
    }
    assert!(
        !github["jobs"]
            .as_mapping()
            .unwrap()
            .contains_key(&Yaml::value_from_str("verify-4"))
    );
    let secret = github["jobs"]["verify-1"]["steps"][1]["env"]["B_PW"].as_str();
    assert_eq!(secret, Some("${{ secrets.B_PW }}"));
}

#[test]
fn what_the_files_do_not_say_is_a_remark() {
    let remarks = set(&[]).remarks;
    for words in ["certs/me.key", "mirror `pay` from `c` is only compared"] {
        assert!(
            remarks.iter().any(|it| it.contains(words)),
            "{words}: {remarks:?}"
        );
    }
}

#[test]
fn what_services_would_fill_in_or_keep_for_themselves_is_refused() {
    let reserved = TOPOLOGY.replace("B_PW", "GITHUB_PW");
    let error = try_set(&reserved, &[]).unwrap_err().to_string();
    assert!(error.contains("GITHUB_"), "{error}");
    for bad in [
        "ci.topology=../topology.yaml",
        "ci.topology=/etc/topology.yaml",
        "ci.topology=a b",
        "ci.topology=${{ github.token }}",
        "ci.topic=a;b",
        "ci.topic=-x",
        "ci.download=http://example.org/mirrorctl",
        "ci.download=https://example.org/$(id)",
        "ci.download=https://",
        "ci.sha256=0123",
        "ci.runs-on=a b",
        "ci.image=a b",
    ] {
        assert!(Settings::parse(&[bad]).is_err(), "{bad}");
    }
}
