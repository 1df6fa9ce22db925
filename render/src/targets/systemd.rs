//! The replicator as systemd units, one a mirror, and a script that installs them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::replicator::{self, Run, runs};
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{Setting, Takes};
use crate::target::{Target, TargetError};

const NAME: &str = "systemd";
/// Metrics and health of the first mirror; each has a port of its own.
pub(super) const FIRST_PORT: u16 = 9464;

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "hardened systemd units of the replicator, one a mirror, secrets as credentials, and a script that installs them",
    renders: replicator::RENDERS,
    settings: &[Setting {
        name: "memory-max",
        about: "the most memory that a mirror may take (1G)",
        takes: Takes::Text(memory_max),
    }],
    remarks,
    drafts,
};

fn remarks(request: &Request<'_>) -> Vec<String> {
    replicator::remarks(request.topology, NAME)
}

#[derive(Serialize)]
struct Unit<'a> {
    #[serde(flatten)]
    run: &'a Run,
    listen: String,
    memory_max: &'a str,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let runs = runs(request.topology)?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let memory_max = request.setting(NAME, "memory-max", "1G");
    // the unit is the same that the Ansible role installs
    let mut drafts = Draft::tree("ansible/roles/mirrorctl/files", "units")?;
    for (run, port) in runs.iter().zip(FIRST_PORT..) {
        drafts.push(Draft::template(
            format!("units/mirrorctl@{}.service.d/10-mirror.conf", run.mirror),
            "systemd/mirror.conf",
            &Unit {
                run,
                listen: format!("127.0.0.1:{port}"),
                memory_max,
            },
        )?);
    }
    drafts.push(Draft::text("topology.yaml", request.source));
    drafts.push(Draft::template(
        "install.sh",
        "systemd/install.sh",
        &Install::of(&runs),
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
    runs: &'a [Run],
    variables: BTreeSet<&'a str>,
    optional_variables: BTreeSet<&'a str>,
    files: BTreeSet<&'a str>,
    absolute_files: BTreeSet<&'a str>,
}

impl<'a> Install<'a> {
    fn of(runs: &'a [Run]) -> Self {
        let all = |of: fn(&Run) -> &BTreeSet<String>| -> BTreeSet<&'a str> {
            runs.iter().flat_map(of).map(String::as_str).collect()
        };
        Self {
            runs,
            variables: all(|run| &run.variables),
            optional_variables: all(|run| &run.optional_variables),
            files: all(|run| &run.files),
            absolute_files: all(|run| &run.absolute_files),
        }
    }
}
