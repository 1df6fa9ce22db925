//! `KafkaMirrorMaker2`, for mirrors of the engine `strimzi-mirrormaker2`.

use std::collections::BTreeSet;

use serde::Serialize;
use topology::{
    Cluster, Delivery, Engine, Platform, ReplicationPolicy, Sasl, StartOffset, Tls, Topology,
};

use super::secrets::{Gathered, SecretNames, authority_of, file_key, password_key};
use super::{LONGEST_NAME, Place, namespace};
use crate::draft::Draft;
use crate::target::TargetError;
use crate::targets::java_client::cluster;
use crate::targets::mirrormaker2::{Flows, flows};
use crate::targets::names::of_mirror;

#[derive(Debug, Serialize)]
struct Mirror {
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    flows: Flows,
    to: Reached,
    from: Vec<Reached>,
    /// The Secrets that have to be made.
    secrets: BTreeSet<String>,
}

/// A cluster and how Strimzi's workers reach it.
#[derive(Debug, Serialize)]
struct Reached {
    alias: String,
    bootstrap: String,
    tls: bool,
    trusted: Option<Trusted>,
    login: Option<Login>,
    certificate: Option<Certificate>,
}

#[derive(Debug, Serialize)]
struct Trusted {
    secret: String,
    /// A key, or a pattern of keys.
    key: Option<String>,
    pattern: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Login {
    mechanism: &'static str,
    username: String,
    secret: String,
    key: String,
}

#[derive(Debug, Serialize)]
struct Certificate {
    secret: String,
    chain: String,
    key: String,
}

/// The mirrors; what they need is added to what was gathered.
pub(super) fn drafts(
    topology: &Topology,
    old: bool,
    secrets: &SecretNames,
    needed: &mut Gathered,
) -> Result<Vec<Draft>, TargetError> {
    // how clusters are reached is Strimzi's to say, not the Java clients'
    let mut open = topology.clone();
    for cluster in &mut open.clusters {
        cluster.tls = None;
        cluster.sasl = None;
    }
    let mirrors = topology
        .mirrors
        .iter()
        .filter(|it| it.engine == Engine::StrimziMirrorMaker2);
    let mut drafts = Vec::new();
    for mirror in mirrors {
        if old && let Some(problem) = too_new(mirror) {
            return Err(TargetError::Mirror {
                mirror: mirror.name.clone(),
                problem: problem.to_owned(),
            });
        }
        let target = cluster(topology, mirror, &mirror.target)?;
        let name = of_mirror(topology.name.as_deref(), &mirror.name, LONGEST_NAME);
        let mut flows = flows(&open, mirror)?;
        if old {
            say_how_many(&mut flows);
            if flows.sync_groups {
                flows.notes.push(GROUPS_STAY.to_owned());
            }
        }
        let place = Place {
            name: name.clone(),
            namespace: namespace(target),
        };
        let to = reached(target, secrets)?;
        let mut from = Vec::new();
        needed.reached(place.namespace.clone(), target)?;
        for alias in &mirror.sources {
            let source = cluster(topology, mirror, alias)?;
            from.push(reached(source, secrets)?);
            needed.reached(place.namespace.clone(), source)?;
        }
        let values = Mirror {
            secrets: from
                .iter()
                .chain([&to])
                .flat_map(Reached::secrets)
                .collect(),
            place,
            flows,
            to,
            from,
        };
        drafts.push(Draft::template(
            format!("mirrors/{name}.yaml"),
            if old {
                "strimzi/v1beta1/mirrormaker2.yaml"
            } else {
                "strimzi/v1/mirrormaker2.yaml"
            },
            &values,
        )?);
    }
    Ok(drafts)
}

/// What is no reason not to use it is said in the file.
const GROUPS_STAY: &str = "groupOffsetSync: not by the Kafka of Strimzi's v1beta1; applications translate their offsets \
    themselves, by the checkpoints (RemoteClusterUtils)";

/// Why the Kafka of Strimzi's v1beta1 (2.4) cannot do what is asked: other records would arrive, or others twice.
fn too_new(mirror: &topology::Mirror) -> Option<&'static str> {
    if mirror.policy == ReplicationPolicy::Identity {
        Some("the Kafka of Strimzi's v1beta1 has no identity policy")
    } else if mirror.delivery == Delivery::ExactlyOnce {
        Some("the Kafka of Strimzi's v1beta1 delivers at least once, not exactly once")
    } else if matches!(mirror.start_offset, StartOffset::Latest) {
        Some("the Kafka of Strimzi's v1beta1 begins at `earliest`, whatever it is told")
    } else {
        None
    }
}

/// The Kafka of Strimzi's v1beta1 has no word for the default of the brokers: Connect 2.4 takes a number, and MirrorMaker's own
/// default for the topics it copies to is below what brokers with `min.insync.replicas` of 2 can lose. So what is not known
/// is Connect's default.
fn say_how_many(flows: &mut Flows) {
    const UNKNOWN: i32 = 3;
    for replicas in [
        &mut flows.internal_replication_factor,
        &mut flows.source_replication_factor,
    ] {
        if *replicas < 1 {
            *replicas = UNKNOWN;
        }
    }
    if flows.replication_factor < 1 {
        flows.replication_factor = flows.internal_replication_factor;
    }
}

impl Reached {
    /// The Secrets that it names, and no operator makes.
    fn secrets(&self) -> impl Iterator<Item = String> {
        let trusted = self.trusted.iter().filter(|it| it.key.is_some());
        let trusted = trusted.map(|it| &it.secret);
        let login = self.login.iter().map(|it| &it.secret);
        let certificate = self.certificate.iter().map(|it| &it.secret);
        trusted.chain(login).chain(certificate).cloned()
    }
}

fn reached(cluster: &Cluster, secrets: &SecretNames) -> Result<Reached, TargetError> {
    let shown = cluster.tls.as_ref().and_then(|it| it.client.as_ref());
    if shown.is_some() && cluster.sasl.is_some() {
        return Err(refused(
            cluster,
            "sasl",
            "Strimzi's workers log in by a password or by a certificate, not by both",
        ));
    }
    Ok(Reached {
        alias: cluster.alias.clone(),
        bootstrap: cluster.bootstrap_servers.join(","),
        tls: cluster.tls.is_some(),
        trusted: cluster
            .tls
            .as_ref()
            .and_then(|tls| trusted(cluster, tls, secrets)),
        login: login(cluster, secrets)?,
        certificate: shown.map(|it| Certificate {
            secret: secrets.certificates.clone(),
            chain: file_key(&it.cert_file),
            key: file_key(&it.key_file),
        }),
    })
}

fn trusted(cluster: &Cluster, tls: &Tls, secrets: &SecretNames) -> Option<Trusted> {
    if cluster.platform == Platform::Strimzi {
        // the operator writes it
        return Some(Trusted {
            secret: authority_of(cluster),
            key: None,
            pattern: Some("*.crt"),
        });
    }
    tls.ca_file.as_ref().map(|file| Trusted {
        secret: secrets.certificates.clone(),
        key: Some(file_key(file)),
        pattern: None,
    })
}

fn login(cluster: &Cluster, secrets: &SecretNames) -> Result<Option<Login>, TargetError> {
    let (mechanism, login) = match &cluster.sasl {
        None => return Ok(None),
        Some(Sasl::Plain(login)) => ("plain", login),
        Some(Sasl::ScramSha256(login)) => ("scram-sha-256", login),
        Some(Sasl::ScramSha512(login)) => ("scram-sha-512", login),
        Some(Sasl::Oauthbearer(_) | Sasl::AwsMskIam(_)) => {
            return Err(refused(
                cluster,
                "sasl",
                "Strimzi's workers log in by plain or scram",
            ));
        }
    };
    Ok(Some(Login {
        mechanism,
        username: login.username.clone(),
        secret: secrets.passwords.clone(),
        key: password_key(&login.password),
    }))
}

fn refused(cluster: &Cluster, key: &'static str, problem: &str) -> TargetError {
    TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key,
        problem: problem.to_owned(),
    }
}
