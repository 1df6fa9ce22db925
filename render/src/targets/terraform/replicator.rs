//! Which mirrors a root's replicator runs, and what its machines need for that.

use std::collections::BTreeSet;

use serde::Serialize;
use topology::{Cluster, Engine, Mirror, MirrorState, Topology};

use crate::target::TargetError;
use crate::targets::names;
use crate::targets::replicator::{Run, runs_of};

/// Where the topology lies on the machines: what it names by relative paths is looked for beside it.
const FOLDER: &str = "/etc/mirrorctl";
/// Folders that the service cannot look into, or that are emptied when the machine starts.
const OUT_OF_REACH: [&str; 7] = [
    "/dev/",
    "/home/",
    "/proc/",
    "/root/",
    "/run/",
    "/tmp/",
    "/var/tmp/",
];

/// The mirrors of the built-in engine that begin or end on one of `clusters`, and are not promoted.
pub(super) fn mirrors<'a>(topology: &'a Topology, clusters: &[&Cluster]) -> Vec<&'a Mirror> {
    let here = |alias: &String| clusters.iter().any(|cluster| cluster.alias == *alias);
    topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::Builtin && mirror.state != MirrorState::Promoted)
        .filter(|mirror| here(&mirror.target) || mirror.sources.iter().any(here))
        .collect()
}

/// What is said of the replicator of a root that has one.
pub(super) fn remarks(topology: &Topology, clusters: &[&Cluster]) -> Vec<String> {
    if mirrors(topology, clusters).is_empty() {
        return Vec::new();
    }
    names::remark(topology.name.as_deref())
        .into_iter()
        .collect()
}

/// The cluster that the replicator is put next to: a target, because produce requests suffer most from distance.
pub(super) fn neighbour<'a>(mirrors: &[&Mirror], clusters: &[&'a Cluster]) -> Option<&'a Cluster> {
    let find = |wanted: &dyn Fn(&Mirror, &Cluster) -> bool| {
        mirrors.iter().find_map(|mirror| {
            clusters
                .iter()
                .find(|cluster| wanted(mirror, cluster))
                .copied()
        })
    };
    find(&|mirror, cluster| mirror.target == cluster.alias)
        .or_else(|| find(&|mirror, cluster| mirror.sources.contains(&cluster.alias)))
}

/// What the machines need beside the topology.
#[derive(Debug, Default, Serialize)]
pub(super) struct Needs {
    /// The environment variables that hold secrets.
    variables: BTreeSet<String>,
    /// The variables that may be there, and need not.
    optional_variables: BTreeSet<String>,
    /// Files that everybody may read: certificates.
    files: Vec<File>,
    /// Files with a secret in them.
    secret_files: Vec<File>,
    /// Clusters whose addresses the topology does not say yet.
    without_address: BTreeSet<String>,
}

/// A file that the topology names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct File {
    /// As the topology has it.
    written: String,
    /// Below the folder `files` of the root.
    below: String,
    /// On the machines.
    path: String,
}

/// What some mirrors need.
pub(super) fn needs(topology: &Topology, mirrors: &[&Mirror]) -> Result<Needs, TargetError> {
    let mut needs = Needs::default();
    let (mut files, mut secret_files) = (BTreeSet::new(), BTreeSet::new());
    for run in runs_of(topology, mirrors.iter().copied())? {
        for written in run.files.iter().chain(&run.absolute_files) {
            let file = file(&run, written)?;
            if run.secret_files.contains(written) {
                secret_files.insert(file);
            } else {
                files.insert(file);
            }
        }
        needs.variables.extend(run.variables);
        needs.optional_variables.extend(run.optional_variables);
    }
    // what one cluster calls a certificate and another one a password is a secret
    files.retain(|file| !secret_files.contains(file));
    needs.files = files.into_iter().collect();
    needs.secret_files = secret_files.into_iter().collect();
    let aliases = mirrors
        .iter()
        .flat_map(|it| it.sources.iter().chain([&it.target]));
    needs.without_address = aliases
        .filter_map(|alias| topology.cluster(alias))
        .filter(|cluster| cluster.bootstrap_servers.is_empty())
        .map(|cluster| cluster.alias.clone())
        .collect();
    Ok(needs)
}

fn file(run: &Run, written: &str) -> Result<File, TargetError> {
    let path = if written.starts_with('/') {
        written.to_owned()
    } else {
        format!("{FOLDER}/{written}")
    };
    if OUT_OF_REACH.iter().any(|folder| path.starts_with(folder)) {
        return Err(TargetError::Mirror {
            mirror: run.mirror.clone(),
            problem: format!(
                "the service on the machines cannot read `{written}`: name a file beside the topology, or below /etc"
            ),
        });
    }
    Ok(File {
        written: written.to_owned(),
        below: written.trim_start_matches('/').to_owned(),
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(security: &str) -> Result<Needs, TargetError> {
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: a, bootstrapServers: 'x:9092', {security}}}\n\
             - {{alias: b, platform: aws-msk}}\n\
             mirrors:\n- {{name: m, source: a, target: b}}\n"
        );
        let topology = topology::parse("t.yaml", &text).expect("valid").topology;
        let mirrors: Vec<&Mirror> = topology.mirrors.iter().collect();
        needs(&topology, &mirrors)
    }

    #[test]
    fn certificates_are_told_from_secrets() {
        let needs = needed(
            "tls: {caFile: certs/ca.pem, certFile: /etc/pki/m.pem, keyFile: /etc/pki/m.key}, \
             sasl: {mechanism: plain, username: u, password: {file: pw}}",
        )
        .unwrap();
        let paths = |files: &[File]| -> Vec<String> {
            let files = files.iter();
            files
                .map(|it| format!("{} {}", it.below, it.path))
                .collect()
        };
        assert_eq!(
            paths(&needs.files),
            [
                "etc/pki/m.pem /etc/pki/m.pem",
                "certs/ca.pem /etc/mirrorctl/certs/ca.pem"
            ]
        );
        assert_eq!(
            paths(&needs.secret_files),
            ["etc/pki/m.key /etc/pki/m.key", "pw /etc/mirrorctl/pw"]
        );
        assert_eq!(needs.without_address, BTreeSet::from(["b".to_owned()]));
    }

    #[test]
    fn what_the_service_cannot_read_is_refused() {
        for bad in ["/home/me/ca.pem", "/root/ca.pem", "/tmp/ca.pem"] {
            let refused = needed(&format!("tls: {{caFile: {bad}}}")).unwrap_err();
            assert!(refused.to_string().contains("cannot read"), "{refused}");
        }
    }
}
