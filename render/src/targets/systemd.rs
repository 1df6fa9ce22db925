//! The replicator as systemd units, one a mirror, and a script that installs them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::credentials::{self, CredentialFile};
use super::listening::{self, FIRST_PORT_SETTING};
use super::loopback;
use super::names::{self, on_machines};
use super::replicator::{self, Run, mirrors, runs};
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{Setting, Takes};
use crate::target::{Target, TargetError};

const NAME: &str = "systemd";

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "hardened systemd units of the replicator, one a mirror, secrets as credentials, and a script that installs them",
    renders: replicator::RENDERS,
    settings: &[
        Setting {
            name: "memory-max",
            about: "the most memory that a mirror may take (1G)",
            takes: Takes::Text(memory_max),
        },
        FIRST_PORT_SETTING,
    ],
    remarks,
    drafts,
};

fn remarks(request: &Request<'_>) -> Vec<String> {
    let mut remarks = replicator::remarks(request.topology, NAME);
    remarks.extend(names::remark(request.topology.name.as_deref()));
    remarks
}

#[derive(Serialize)]
struct Unit<'a> {
    #[serde(flatten)]
    run: &'a Run,
    listen: &'a str,
    user: &'a str,
    folder: &'a str,
    credential_files: Vec<CredentialFile<'a>>,
    memory_max: &'a str,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let runs = runs(request.topology)?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let taken = loopback::ports(request.topology, mirrors(request.topology));
    listening::check(request, NAME, &taken)?;
    let memory_max = request.setting(NAME, "memory-max", "1G");
    let name = request.topology.name.as_deref();
    let (unit, user) = (on_machines(name), names::user(name));
    let folder = format!("/etc/{unit}");
    let listens: Vec<String> = listening::addresses(request, NAME)
        .take(runs.len())
        .collect();
    // the unit is the same that the Ansible role installs
    let mut drafts = Draft::tree("ansible/roles/mirrorctl/files", "units")?;
    for draft in &mut drafts {
        draft.path = draft.path.replace("mirrorctl@", &format!("{unit}@"));
    }
    for (run, listen) in runs.iter().zip(&listens) {
        drafts.push(Draft::template(
            format!("units/{unit}@{}.service.d/10-mirror.conf", run.mirror),
            "systemd/mirror.conf",
            &Unit {
                run,
                listen,
                user: &user,
                folder: &folder,
                credential_files: credentials::hidden(text(&run.absolute_files)),
                memory_max,
            },
        )?);
    }
    drafts.push(Draft::text("topology.yaml", request.source));
    drafts.push(Draft::template(
        "install.sh",
        "systemd/install.sh",
        &Install::of(&runs, &unit, &user, &folder, &listens),
    )?);
    Ok(drafts)
}

/// Bytes with a unit, or no limit (systemd.resource-control(5)).
fn memory_max(written: &str) -> Result<(), String> {
    let number = written
        .strip_suffix(['K', 'M', 'G', 'T'])
        .unwrap_or(written);
    let count = number.parse::<u64>().ok().filter(|it| *it > 0);
    if count.is_none() && written != "infinity" {
        return Err("is no amount of memory: write it as in 512M or 1G".to_owned());
    }
    Ok(())
}

/// What all mirrors need, each once.
#[derive(Serialize)]
struct Install<'a> {
    unit: &'a str,
    user: &'a str,
    folder: &'a str,
    listens: &'a [String],
    runs: &'a [Run],
    variables: BTreeSet<&'a str>,
    optional_variables: BTreeSet<&'a str>,
    files: BTreeSet<&'a str>,
    /// Files that the unit reads where they are.
    absolute_files: BTreeSet<&'a str>,
    /// Files that systemd reads for it.
    credential_files: Vec<CredentialFile<'a>>,
}

impl<'a> Install<'a> {
    fn of(
        runs: &'a [Run],
        unit: &'a str,
        user: &'a str,
        folder: &'a str,
        listens: &'a [String],
    ) -> Self {
        let all = |of: fn(&Run) -> &BTreeSet<String>| -> BTreeSet<&'a str> {
            runs.iter().flat_map(|run| text(of(run))).collect()
        };
        let absolute_files = all(|run| &run.absolute_files);
        Self {
            unit,
            user,
            folder,
            listens,
            runs,
            variables: all(|run| &run.variables),
            optional_variables: all(|run| &run.optional_variables),
            files: all(|run| &run.files),
            credential_files: credentials::hidden(absolute_files.iter().copied()),
            absolute_files: absolute_files
                .into_iter()
                .filter(|it| !credentials::is_hidden(it))
                .collect(),
        }
    }
}

fn text(all: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    all.iter().map(String::as_str)
}
