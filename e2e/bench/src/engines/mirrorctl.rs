//! `mirrorctl replicate`.

use std::ffi::OsString;

use e2e::{Guarded, mirrorctl_binary};

use super::engine::{Delivery, Job};
use crate::endpoint::Endpoint;
use crate::error::Result;

/// Starts the replicator on a topology with this one mirror, with all its defaults but what is promised.
pub(crate) fn start(job: &Job<'_>) -> Result<Guarded> {
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         {source}\
         {target}\
         mirrors:\n\
         - name: {alias}-to-target\n\
        \x20 source: {alias}\n\
        \x20 target: target\n\
        \x20 topicsPattern: \"{topics}\"\n\
        \x20 replicationPolicy: {{type: default}}\n\
         {delivery}",
        source = cluster(job.alias, job.source),
        target = cluster("target", job.target),
        alias = job.alias,
        topics = job.topics,
        delivery = match job.delivery {
            Delivery::AtLeastOnce => "",
            Delivery::ExactlyOnce => "  delivery: exactly-once\n",
        },
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

fn cluster(alias: &str, endpoint: &Endpoint) -> String {
    let tls = endpoint
        .ca_file
        .as_ref()
        .map(|ca| format!(", tls: {{caFile: \"{}\"}}", ca.display()))
        .unwrap_or_default();
    format!(
        "- {{alias: {alias}, platform: existing, bootstrapServers: [\"{}\"]{tls}}}\n",
        endpoint.servers
    )
}
