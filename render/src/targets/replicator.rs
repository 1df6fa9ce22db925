//! What a replicator needs beside its topology, wherever it is started: the mirrors it runs, secrets and files by name.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use folder::{Clusters, sha256};
use serde::Serialize;
use topology::{Cluster, Engine, Mirror, MirrorState, Platform, Sasl, SecretRef, Topology};

use super::java_client::cluster;
use crate::target::TargetError;

/// What has to be there so that anything runs.
pub(super) const RENDERS: &str = "mirrors with `engine: builtin` that are not promoted";

/// Needed where neither the machine nor the pod has a role.
const AWS_KEYS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// A mirror of the built-in engine, and what its clusters ask for.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub(super) mirror: String,
    /// How many processes may share it.
    pub(super) tasks: u32,
    /// From which clusters to which, in words.
    pub(super) copies: String,
    /// A digest of the mirror and these clusters as the topology declares them: another one is another run.
    pub(super) digest: String,
    /// A digest of these clusters, which tells those of one alias apart.
    pub(super) clusters: String,
    /// The environment variables that hold secrets.
    pub(super) variables: BTreeSet<String>,
    /// The variables that may be there, and need not.
    pub(super) optional_variables: BTreeSet<String>,
    /// Whether the role of the machine or pod is asked for where those variables are not there.
    pub(super) aws_role: bool,
    /// Files that the topology names, relative to its own folder.
    pub(super) files: BTreeSet<String>,
    /// Files that it names by absolute paths.
    pub(super) absolute_files: BTreeSet<String>,
    /// Those of both that hold secrets: passwords and private keys.
    pub(super) secret_files: BTreeSet<String>,
    /// The ports of its clusters.
    pub(super) ports: BTreeSet<u16>,
}

/// What they need to run.
pub(super) fn runs(topology: &Topology) -> Result<Vec<Run>, TargetError> {
    runs_of(topology, mirrors(topology))
}

/// What some mirrors need to run.
pub(super) fn runs_of<'a>(
    topology: &Topology,
    mirrors: impl IntoIterator<Item = &'a Mirror>,
) -> Result<Vec<Run>, TargetError> {
    let mirrors = mirrors.into_iter();
    mirrors.map(|mirror| run(topology, mirror)).collect()
}

/// The mirrors that `mirrorctl replicate` runs. One that is promoted would be refused, so it is left out.
pub(super) fn mirrors(topology: &Topology) -> impl Iterator<Item = &Mirror> {
    topology
        .mirrors
        .iter()
        .filter(|it| it.engine == Engine::Builtin && it.state != MirrorState::Promoted)
}

/// Says which mirrors no replicator will run, however it is started.
pub(super) fn remarks(topology: &Topology, target: &str) -> Vec<String> {
    let embedded = |alias: &&String| {
        let cluster = topology.cluster(alias);
        cluster.is_some_and(|it| it.platform == Platform::Embedded)
    };
    let ends = mirrors(topology).map(|it| (it, it.sources.iter().chain([&it.target])));
    ends.filter_map(|(mirror, mut ends)| Some((mirror, ends.find(embedded)?)))
        .map(|(mirror, alias)| {
            format!(
                "{target}: mirror `{}` will not run: cluster `{alias}` is embedded, and lives only inside `mirrorctl demo`",
                mirror.name
            )
        })
        .collect()
}

fn run(topology: &Topology, mirror: &Mirror) -> Result<Run, TargetError> {
    let clusters = mirror
        .sources
        .iter()
        .chain([&mirror.target])
        .map(|alias| cluster(topology, mirror, alias))
        .collect::<Result<Vec<_>, _>>()?;
    let mut run = Run {
        mirror: mirror.name.clone(),
        tasks: mirror.tasks(),
        copies: format!("{} to {}", mirror.sources.join(" and "), mirror.target),
        digest: declared(mirror, &clusters),
        clusters: digest(&clusters),
        variables: BTreeSet::new(),
        optional_variables: BTreeSet::new(),
        aws_role: false,
        files: BTreeSet::new(),
        absolute_files: BTreeSet::new(),
        secret_files: BTreeSet::new(),
        ports: BTreeSet::new(),
    };
    for cluster in clusters {
        run.reach(mirror, cluster)?;
    }
    Ok(run)
}

/// The clusters of a topology that are somewhere, which tell it from others without a name. One that has neither an id nor
/// addresses yet may be anywhere.
pub fn clusters(topology: &Topology) -> Clusters {
    let known = topology
        .clusters
        .iter()
        .filter(|it| it.cluster_id.is_some() || !it.bootstrap_servers.is_empty());
    known.map(|it| (it.alias.clone(), digest(&[it]))).collect()
}

/// Of all that a run of the mirror takes from the topology. How its clusters are built is not its business.
fn declared(mirror: &Mirror, clusters: &[&Cluster]) -> String {
    let clusters: Vec<Cluster> = clusters
        .iter()
        .map(|cluster| Cluster {
            infrastructure: <_>::default(),
            ..(*cluster).clone()
        })
        .collect();
    // text-keyed maps and text: serialisation has no way to fail
    sha256(&serde_json::to_vec(&(mirror, clusters)).unwrap_or_default())
}

/// Of the ids of clusters where these are declared, which stay, and otherwise of their addresses.
fn digest(clusters: &[&Cluster]) -> String {
    const LENGTH: usize = 12;
    let mut text = String::new();
    for cluster in clusters {
        if let Some(id) = &cluster.cluster_id {
            text.push_str(id);
        } else {
            let servers: BTreeSet<&String> = cluster.bootstrap_servers.iter().collect();
            for server in servers {
                text.push_str(server);
                text.push(',');
            }
        }
        text.push('\n');
    }
    sha256(text.as_bytes()).chars().take(LENGTH).collect()
}

impl Run {
    fn reach(&mut self, mirror: &Mirror, cluster: &Cluster) -> Result<(), TargetError> {
        let ports = cluster.bootstrap_servers.iter();
        self.ports
            .extend(ports.filter_map(|it| it.rsplit_once(':')?.1.parse::<u16>().ok()));
        if let Some(tls) = &cluster.tls {
            if let Some(client) = &tls.client {
                self.file(mirror, &client.cert_file)?;
                self.secret_file(mirror, &client.key_file)?;
            }
            if let Some(file) = &tls.ca_file {
                self.file(mirror, file)?;
            }
        }
        match &cluster.sasl {
            Some(Sasl::Plain(login) | Sasl::ScramSha256(login) | Sasl::ScramSha512(login)) => {
                self.secret(mirror, &login.password)
            }
            Some(Sasl::Oauthbearer(oauth)) => {
                self.ports.insert(endpoint(&oauth.token_endpoint).1);
                self.secret(mirror, &oauth.client_secret)
            }
            Some(Sasl::AwsMskIam(aws)) if aws.profile.is_some() => Err(refused(
                mirror,
                format!(
                    "`sasl.aws.profile` of cluster `{}` is read from the home of a user, and a service has none: leave it out, \
                     and give keys by AWS_ACCESS_KEY_ID, or the machine or pod a role",
                    cluster.alias
                ),
            )),
            Some(Sasl::AwsMskIam(_)) => {
                self.aws_role = true;
                self.optional_variables.extend(AWS_KEYS.map(str::to_owned));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn secret(&mut self, mirror: &Mirror, secret: &SecretRef) -> Result<(), TargetError> {
        match secret {
            SecretRef::Env(name) if is_variable(name) => {
                self.variables.insert(name.clone());
                Ok(())
            }
            SecretRef::Env(name) => Err(refused(
                mirror,
                format!("the environment variable {name:?} cannot be given to a service"),
            )),
            SecretRef::File(file) => self.secret_file(mirror, file),
        }
    }

    fn secret_file(&mut self, mirror: &Mirror, file: &Path) -> Result<(), TargetError> {
        let path = self.file(mirror, file)?;
        self.secret_files.insert(path);
        Ok(())
    }

    /// Takes note of a file; gives its path without detours.
    fn file(&mut self, mirror: &Mirror, file: &Path) -> Result<String, TargetError> {
        let parts: Option<Vec<&str>> = file
            .components()
            .filter(|part| !matches!(part, Component::CurDir | Component::RootDir))
            .map(|part| match part {
                Component::Normal(name) => name.to_str(),
                Component::Prefix(_)
                | Component::RootDir
                | Component::CurDir
                | Component::ParentDir => None,
            })
            .collect();
        let taken = parts.filter(|parts| {
            !parts.is_empty()
                && parts.iter().all(|part| {
                    part.chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
                })
        });
        let Some(parts) = taken else {
            return Err(refused(
                mirror,
                format!(
                    "the file {:?} has to lie beside the topology or below, with letters, digits, `.`, `_` and `-` in \
                     its path, to be taken along",
                    file.display().to_string()
                ),
            ));
        };
        let path = parts.join("/");
        if file.is_absolute() {
            let path = format!("/{path}");
            self.absolute_files.insert(path.clone());
            Ok(path)
        } else {
            self.files.insert(path.clone());
            Ok(path)
        }
    }
}

/// The host and the port of a token endpoint.
pub(super) fn endpoint(url: &str) -> (&str, u16) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let with_port = authority
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)));
    with_port.unwrap_or((authority, 443))
}

/// Whether shells, systemd and Kubernetes all take it as the name of a variable.
pub(super) fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn refused(mirror: &Mirror, problem: String) -> TargetError {
    TargetError::Mirror {
        mirror: mirror.name.clone(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror() -> Topology {
        topology::parse(
            "t.yaml",
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {alias: a, bootstrapServers: 'x:9092', tls: {caFile: certs/a.pem}, \
             sasl: {mechanism: scram-sha-512, username: u, password: {env: A_PW}}}\n\
             - {alias: b, bootstrapServers: 'y:9094', tls: {caFile: /etc/b.pem, certFile: ./b.pem, keyFile: b.key}}\n\
             mirrors:\n- {name: m, source: a, target: b}\n",
        )
        .expect("valid")
        .topology
    }

    #[test]
    fn everything_that_a_run_needs_is_named() {
        let runs = runs(&mirror()).unwrap();
        let run = &runs[0];
        assert_eq!(run.copies, "a to b");
        assert_eq!(run.variables, BTreeSet::from(["A_PW".to_owned()]));
        let files = ["b.key", "b.pem", "certs/a.pem"].map(str::to_owned);
        assert_eq!(run.files, BTreeSet::from(files));
        assert_eq!(run.secret_files, BTreeSet::from(["b.key".to_owned()]));
        assert_eq!(
            run.absolute_files,
            BTreeSet::from(["/etc/b.pem".to_owned()])
        );
        assert_eq!(run.ports, BTreeSet::from([9092, 9094]));
    }

    #[test]
    fn clusters_of_one_alias_are_told_apart() {
        let of = |change: &dyn Fn(&mut Cluster)| -> String {
            let mut topology = mirror();
            change(&mut topology.clusters[0]);
            runs(&topology).unwrap()[0].clusters.clone()
        };
        let plain = of(&|_| {});
        let two = of(&|it| it.bootstrap_servers.push("z:9092".to_owned()));
        assert_eq!(plain.len(), 12);
        assert_ne!(plain, two);
        // in any order
        let turned = of(&|it| it.bootstrap_servers.insert(0, "z:9092".to_owned()));
        assert_eq!(two, turned);
        // an id stays, wherever its cluster is reached
        let id = |server: &str| {
            of(&|it| {
                it.cluster_id = Some("abc".to_owned());
                it.bootstrap_servers = vec![server.to_owned()];
            })
        };
        assert_eq!(id("x:9092"), id("y:9092"));
        assert_ne!(id("x:9092"), plain);
    }

    #[test]
    fn what_leads_out_of_the_folder_is_refused() {
        for bad in ["../ca.pem", "certs/../../ca.pem", "a b.pem", "a;b", ""] {
            let mut topology = mirror();
            if let Some(tls) = &mut topology.clusters[0].tls {
                tls.ca_file = Some(bad.into());
            }
            assert!(runs(&topology).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn promoted_mirrors_and_other_engines_are_left_out() {
        let mut topology = mirror();
        topology.mirrors[0].state = MirrorState::Promoted;
        assert!(runs(&topology).unwrap().is_empty());
        topology.mirrors[0].state = MirrorState::Paused;
        assert_eq!(runs(&topology).unwrap().len(), 1);
        topology.mirrors[0].engine = Engine::MirrorMaker2;
        assert!(runs(&topology).unwrap().is_empty());
    }

    #[test]
    fn keys_of_aws_may_be_those_of_a_role_but_of_no_profile() {
        let mut topology = mirror();
        let aws = |profile: Option<&str>| {
            Some(Sasl::AwsMskIam(topology::Aws {
                region: "eu-west-1".to_owned(),
                profile: profile.map(str::to_owned),
            }))
        };
        topology.clusters[1].sasl = aws(None);
        let run = &runs(&topology).unwrap()[0];
        assert!(run.aws_role);
        assert_eq!(run.variables, BTreeSet::from(["A_PW".to_owned()]));
        assert_eq!(run.optional_variables, AWS_KEYS.map(str::to_owned).into());
        topology.clusters[1].sasl = aws(Some("mirror"));
        let refused = runs(&topology).unwrap_err().to_string();
        assert!(refused.contains("sasl.aws.profile"), "{refused}");
    }

    #[test]
    fn token_endpoints_have_ports() {
        for (endpoint, port) in [
            ("https://idp/token", 443),
            ("https://idp:8443/token", 8443),
            ("https://idp", 443),
        ] {
            assert_eq!(super::endpoint(endpoint), ("idp", port), "{endpoint}");
        }
    }
}
