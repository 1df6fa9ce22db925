//! `mirrorctl replicate`.

use std::ffi::OsString;

use e2e::{Guarded, mirrorctl_binary};

use super::engine::Job;
use crate::error::Result;

/// Starts the replicator on a topology with this one mirror, with all its defaults.
pub(crate) fn start(job: &Job<'_>) -> Result<Guarded> {
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {{alias: {alias}, platform: existing, bootstrapServers: [\"{source}\"]}}\n\
         - {{alias: target, platform: existing, bootstrapServers: [\"{target}\"]}}\n\
         mirrors:\n\
         - name: {alias}-to-target\n\
        \x20 source: {alias}\n\
        \x20 target: target\n\
        \x20 topicsPattern: {topic}\n\
        \x20 replicationPolicy: {{type: default}}\n",
        alias = job.alias,
        source = job.source.bootstrap_servers(),
        target = job.target.bootstrap_servers(),
        topic = job.workload.topic(),
    );
    let file = job.workspace.write("topology.yaml", topology)?;
    let arguments: [OsString; 3] = ["replicate".into(), "-f".into(), file.into()];
    let binary = mirrorctl_binary()?;
    Ok(Guarded::spawn(
        "mirrorctl",
        binary.as_os_str(),
        &arguments,
        &[],
        job.workspace.path(),
    )?)
}
