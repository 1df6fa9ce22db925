//! Pipelines that check a topology at every change and prove its mirrors: a workflow of GitHub Actions, a job of GitLab.

use std::collections::BTreeSet;

use serde::Serialize;
use topology::{Mirror, MirrorState, Platform, Topology};

use super::replicator::runs_of;
use crate::draft::Draft;
use crate::quoting;
use crate::request::Request;
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError};

const NAME: &str = "ci";
/// The topic that `verify` writes to unless another is named.
const WORKLOAD: &str = "mirrorctl.verify";
/// What `verify --profile ci` may take, and the time around it.
const MINUTES: u16 = 15;

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "a workflow of GitHub Actions and a job of GitLab: validate and plan at every change, `verify --profile ci` of each mirror",
    renders: "mirrors that are not promoted, between clusters that are not embedded",
    settings: &[
        Setting {
            name: "topology",
            about: "where the topology lies in the repository (topology.yaml)",
            takes: Takes::Text(path),
        },
        Setting {
            name: "topic",
            about: "the topic that stamped records are written to, where a mirror selects it (mirrorctl.verify)",
            takes: Takes::Text(topic),
        },
        Setting {
            name: "download",
            about: "the https address of the binary; without it the runner has to have mirrorctl",
            takes: Takes::Text(address),
        },
        Setting {
            name: "sha256",
            about: "what the binary's bytes have to hash to",
            takes: Takes::Text(digest),
        },
        Setting {
            name: "runs-on",
            about: "the label of GitHub's runner (ubuntu-latest): one that reaches the clusters",
            takes: Takes::Text(label),
        },
        Setting {
            name: "image",
            about: "the image of GitLab's jobs (buildpack-deps:bookworm-curl)",
            takes: Takes::Text(setting::image),
        },
    ],
    remarks,
    drafts,
};

/// Mirrors that a pipeline can judge.
fn judged(topology: &Topology) -> impl Iterator<Item = &Mirror> {
    let embedded = |alias: &String| {
        let cluster = topology.cluster(alias);
        cluster.is_some_and(|it| it.platform == Platform::Embedded)
    };
    topology.mirrors.iter().filter(move |mirror| {
        let mut ends = mirror.sources.iter().chain([&mirror.target]);
        mirror.state != MirrorState::Promoted && !ends.any(embedded)
    })
}

fn remarks(request: &Request<'_>) -> Vec<String> {
    let Ok(runs) = runs_of(request.topology, judged(request.topology)) else {
        // said as an error where it is rendered
        return Vec::new();
    };
    let mut remarks: Vec<String> = runs
        .iter()
        .filter(|run| !run.secret_files.is_empty())
        .map(|run| {
            let files: Vec<&str> = run.secret_files.iter().map(String::as_str).collect();
            format!(
                "ci: mirror `{}` reads secrets from files ({}): have the pipeline put them there, out of its own secrets",
                run.mirror,
                files.join(", ")
            )
        })
        .collect();
    let topic = request.setting(NAME, "topic", WORKLOAD);
    for mirror in judged(request.topology) {
        let unselected =
            |source: &&String| !takes_workload(request.topology, mirror, source, topic);
        if let Some(source) = mirror.sources.iter().find(unselected) {
            remarks.push(format!(
                "ci: mirror `{}` from `{source}` is only compared, because it does not select the topic {topic} or must not \
                 write to it: name another with --set ci.topic=TOPIC",
                mirror.name
            ));
        }
    }
    remarks
}

/// Whether stamped records may be written to this topic of a source, and are mirrored.
fn takes_workload(topology: &Topology, mirror: &Mirror, source: &str, topic: &str) -> bool {
    let permitted = topology
        .cluster(source)
        .is_some_and(|cluster| cluster.topics.permits(topic));
    permitted && mirror.target_topic(source, topic).is_some()
}

/// A proof of a mirror from one of its sources.
#[derive(Debug, Serialize)]
struct Proof {
    /// Plain in every language: what jobs and files are called.
    id: String,
    title: String,
    command: String,
    /// Variables, and where GitHub has them from.
    secrets: Vec<Secret>,
}

#[derive(Debug, Clone, Serialize)]
struct Secret {
    name: String,
    expression: String,
}

#[derive(Debug, Serialize)]
struct Pipeline<'a> {
    topology: &'a str,
    runs_on: &'a str,
    image: &'a str,
    /// Puts the binary onto the path of GitHub's runner, and of GitLab's.
    install_on_github: Option<String>,
    install_on_gitlab: Vec<String>,
    validate: String,
    plan: String,
    plan_secrets: Vec<Secret>,
    proofs: Vec<Proof>,
    variables: BTreeSet<String>,
    minutes: u16,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let topology = request.topology;
    let runs = runs_of(topology, judged(topology))?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let file = request.setting(NAME, "topology", "topology.yaml");
    let topic = request.setting(NAME, "topic", WORKLOAD);
    let mut proofs = Vec::new();
    for (mirror, run) in judged(topology).zip(&runs) {
        for source in &mirror.sources {
            let number = proofs.len() + 1;
            let id = format!("verify-{number}");
            let workload = takes_workload(topology, mirror, source, topic);
            let names = run.variables.iter().chain(&run.optional_variables);
            proofs.push(Proof {
                command: command(mirror, file, source, workload.then_some(topic), &id)?,
                title: format!("verify {} from {source}", mirror.name),
                secrets: secrets(mirror, names)?,
                id,
            });
        }
    }
    let variables: BTreeSet<String> = runs
        .iter()
        .flat_map(|run| run.variables.iter().chain(&run.optional_variables))
        .cloned()
        .collect();
    let mut plan_secrets: Vec<Secret> = Vec::new();
    for proof in &proofs {
        for secret in &proof.secrets {
            if !plan_secrets.iter().any(|it| it.name == secret.name) {
                plan_secrets.push(secret.clone());
            }
        }
    }
    let quoted = |text: &str| in_shell(NAME, text);
    let pipeline = Pipeline {
        topology: file,
        runs_on: request.setting(NAME, "runs-on", "ubuntu-latest"),
        image: request.setting(NAME, "image", "buildpack-deps:bookworm-curl"),
        install_on_github: on_github(install(request, "$HOME/.local/bin")?),
        install_on_gitlab: install(request, "/usr/local/bin")?,
        validate: format!("mirrorctl validate --file {}", quoted(file)?),
        // 2 says that changes are pending, which is what a change to the file is for
        plan: format!(
            "mirrorctl plan --file {} --detailed-exitcode || [ $? -eq 2 ]",
            quoted(file)?
        ),
        plan_secrets,
        proofs,
        variables,
        minutes: MINUTES,
    };
    Ok(vec![
        Draft::template("github/mirrorctl.yml", "ci/github.yml", &pipeline)?,
        Draft::template("gitlab/mirrorctl.gitlab-ci.yml", "ci/gitlab.yml", &pipeline)?,
    ])
}

/// A verification, as a line of a shell.
fn command(
    mirror: &Mirror,
    file: &str,
    source: &str,
    topic: Option<&str>,
    id: &str,
) -> Result<String, TargetError> {
    let mut words = vec!["--file", file, "--mirror", &mirror.name, "--source", source];
    match topic {
        Some(topic) => words.extend(["--profile", "ci", "--topic", topic]),
        None => words.extend(["--mode", "compare"]),
    }
    let mut line = "mirrorctl verify".to_owned();
    for word in words {
        line.push(' ');
        line.push_str(&in_shell(&mirror.name, word)?);
    }
    Ok(format!("{line} --junit {id}.xml --html {id}.html"))
}

fn secrets<'n>(
    mirror: &Mirror,
    names: impl Iterator<Item = &'n String>,
) -> Result<Vec<Secret>, TargetError> {
    names
        .map(|name| {
            if name.to_ascii_uppercase().starts_with("GITHUB_") {
                return Err(TargetError::Mirror {
                    mirror: mirror.name.clone(),
                    problem: format!(
                        "the environment variable {name} cannot be a secret of GitHub: it keeps names that begin with GITHUB_"
                    ),
                });
            }
            Ok(Secret {
                name: name.clone(),
                expression: format!("${{{{ secrets.{name} }}}}"),
            })
        })
        .collect()
}

/// Lines that put the binary into a folder; none where the runner has it.
fn install(request: &Request<'_>, folder: &str) -> Result<Vec<String>, TargetError> {
    let from = request.setting(NAME, "download", "");
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let binary = format!("\"{folder}/mirrorctl\"");
    let mut lines = vec![
        format!("mkdir -p \"{folder}\""),
        format!(
            "curl --fail --silent --show-error --location --proto '=https' --output {binary} {}",
            in_shell(NAME, from)?
        ),
    ];
    let digest = request.setting(NAME, "sha256", "");
    if !digest.is_empty() {
        lines.push(format!(
            "echo \"{digest}  {folder}/mirrorctl\" | sha256sum --check --quiet"
        ));
    }
    lines.push(format!("chmod 0755 {binary}"));
    Ok(lines)
}

/// One script, whose folder is on the path of later steps.
fn on_github(mut lines: Vec<String>) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    lines.push("echo \"$HOME/.local/bin\" >> \"$GITHUB_PATH\"".to_owned());
    Some(lines.join("\n"))
}

/// A word of a shell. Both services fill in `${{ … }}` and know no escape for it, so a text with it is refused.
fn in_shell(mirror: &str, text: &str) -> Result<String, TargetError> {
    let refused = |problem: String| TargetError::Mirror {
        mirror: mirror.to_owned(),
        problem,
    };
    if text.contains("${{") {
        return Err(refused(format!(
            "{text:?} cannot be written into a workflow, which would fill it in"
        )));
    }
    quoting::shell(text).map_err(|error| refused(error.to_string()))
}

/// A path in the repository.
fn path(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let inside =
        !text.starts_with(['/', '-']) && text.split('/').all(|part| !matches!(part, "" | ".."));
    if inside && text.chars().all(legal) {
        Ok(())
    } else {
        Err("is no path in a repository, of letters, digits, `.`, `_`, `-` and `/`".to_owned())
    }
}

fn topic(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(legal) {
        Ok(())
    } else {
        Err("is no name of a topic".to_owned())
    }
}

fn address(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!&()*+,;=%".contains(c);
    match text.strip_prefix("https://") {
        Some(rest) if !rest.is_empty() && rest.chars().all(legal) => Ok(()),
        Some(_) | None => Err("is no https address".to_owned()),
    }
}

fn digest(text: &str) -> Result<(), String> {
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    if text.len() == 64 && text.chars().all(hex) {
        Ok(())
    } else {
        Err("is no SHA-256: 64 hexadecimal digits, in lower case".to_owned())
    }
}

fn label(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !text.is_empty() && text.chars().all(legal) {
        Ok(())
    } else {
        Err("is no label of a runner".to_owned())
    }
}
