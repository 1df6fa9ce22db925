//! `Kafka`, `KafkaNodePool` and `KafkaTopic`.

use std::collections::BTreeMap;

use serde::Serialize;
use topology::{Cluster, Listener, Sasl, Storage, StorageType, Topology};

use super::objects::Taken;
use super::{NAME, Place, RACK_KEY};
use crate::request::Request;
use crate::target::TargetError;
use crate::targets::names::kubernetes_name;

/// The longest name of a `KafkaTopic`.
const LONGEST_TOPIC: usize = 63;
/// What Strimzi 0.18 ran.
const OLD_KAFKA: &str = "2.4.0";

#[derive(Debug, Serialize)]
pub(super) struct Kafka {
    #[serde(flatten)]
    place: Place,
    brokers: u32,
    separate: bool,
    version: Option<String>,
    /// For Strimzi 0.18, as its configuration.
    old_version: String,
    old_config: BTreeMap<String, String>,
    listeners: Vec<ListenerValues>,
    authorized: bool,
    config: BTreeMap<String, String>,
    rack_key: Option<String>,
    storage: StorageValues,
    entity_operator: bool,
}

#[derive(Debug, Serialize)]
struct ListenerValues {
    name: &'static str,
    port: u16,
    tls: bool,
    authentication: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct StorageValues {
    persistent: bool,
    disks: Vec<u32>,
    size: Option<u64>,
    class: Option<String>,
    delete_claim: bool,
}

pub(super) fn kafka(
    request: &Request<'_>,
    cluster: &Cluster,
    place: Place,
) -> Result<Kafka, TargetError> {
    let wanted = &cluster.infrastructure;
    let Some(brokers) = &wanted.brokers else {
        return Err(TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "brokers",
            why: "Strimzi has to know how many to start",
        });
    };
    let rack_key = request.setting(NAME, "rack-key", RACK_KEY);
    let old_version = brokers
        .kafka_version
        .clone()
        .unwrap_or_else(|| OLD_KAFKA.to_owned());
    let config = config(&brokers.config, brokers.count);
    let mut old_config = config.clone();
    let format: Vec<&str> = old_version.split('.').take(2).collect();
    old_config
        .entry("log.message.format.version".to_owned())
        .or_insert_with(|| format.join("."));
    Ok(Kafka {
        place,
        brokers: brokers.count,
        separate: request.setting(NAME, "nodes", "combined") == "separate",
        version: brokers.kafka_version.clone(),
        old_version,
        old_config,
        listeners: listeners(cluster)?,
        authorized: request
            .topology
            .acls
            .iter()
            .any(|acl| acl.cluster == cluster.alias),
        config,
        rack_key: (rack_key != "none").then(|| rack_key.to_owned()),
        storage: storage(cluster, wanted.storage.as_ref())?,
        entity_operator: wanted
            .kubernetes
            .as_ref()
            .is_some_and(|it| it.entity_operator),
    })
}

/// Three replicas where there are as many brokers, unless something else is written.
fn config(written: &BTreeMap<String, String>, brokers: u32) -> BTreeMap<String, String> {
    let mut config = BTreeMap::from([
        (
            "default.replication.factor".to_owned(),
            brokers.min(3).to_string(),
        ),
        (
            "min.insync.replicas".to_owned(),
            if brokers < 3 { "1" } else { "2" }.to_owned(),
        ),
    ]);
    config.extend(written.clone());
    config
}

fn listeners(cluster: &Cluster) -> Result<Vec<ListenerValues>, TargetError> {
    let wanted = cluster
        .infrastructure
        .kubernetes
        .as_ref()
        .map(|it| it.listeners.as_slice())
        .filter(|it| !it.is_empty());
    let Some(wanted) = wanted else {
        return Err(TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "kubernetes.listeners",
            why: "clients need a way in",
        });
    };
    let password = match &cluster.sasl {
        None => None,
        Some(Sasl::ScramSha512(_)) => Some("scram-sha-512"),
        Some(Sasl::Plain(_) | Sasl::ScramSha256(_) | Sasl::Oauthbearer(_) | Sasl::AwsMskIam(_)) => {
            return Err(TargetError::Cluster {
                cluster: cluster.alias.clone(),
                key: "sasl",
                problem: "Strimzi's listeners take scram-sha-512".to_owned(),
            });
        }
    };
    let certificate = cluster.tls.as_ref().is_some_and(|it| it.client.is_some());
    Ok(wanted
        .iter()
        .map(|listener| match listener {
            Listener::Plain => ListenerValues {
                name: "plain",
                port: 9092,
                tls: false,
                authentication: password,
            },
            Listener::Tls => ListenerValues {
                name: "tls",
                port: 9093,
                tls: true,
                authentication: password.or(certificate.then_some("tls")),
            },
        })
        .collect())
}

fn storage(cluster: &Cluster, written: Option<&Storage>) -> Result<StorageValues, TargetError> {
    let lacks = |key, why| TargetError::ClusterLacks {
        cluster: cluster.alias.clone(),
        key,
        why,
    };
    let Some(written) = written else {
        return Err(lacks(
            "storage",
            "nobody should lose a cluster for want of a disk",
        ));
    };
    let persistent = match written.kind {
        Some(StorageType::PersistentClaim) | None => true,
        Some(StorageType::Ephemeral) => false,
        Some(StorageType::Ebs | StorageType::ManagedDisk | StorageType::LocalDisk) => {
            return Err(TargetError::Cluster {
                cluster: cluster.alias.clone(),
                key: "storage.type",
                problem: "Strimzi has persistent-claim and ephemeral".to_owned(),
            });
        }
    };
    if persistent && written.size.is_none() {
        return Err(lacks("storage.size", "a claim has a size"));
    }
    Ok(StorageValues {
        persistent,
        disks: (0..written.disks.unwrap_or(1)).collect(),
        size: written.size,
        class: written.class.clone(),
        delete_claim: written.delete_claim,
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Topics {
    pub(super) topics: Vec<Topic>,
}

#[derive(Debug, Serialize)]
pub(super) struct Topic {
    #[serde(flatten)]
    place: Place,
    cluster: String,
    written: String,
    /// Whether the object of another cluster has the plain name.
    renamed: bool,
    partitions: Option<u32>,
    replicas: Option<u16>,
    config: BTreeMap<String, String>,
}

pub(super) fn topics(
    topology: &Topology,
    cluster: &Cluster,
    place: &Place,
    taken: &mut Taken,
) -> Topics {
    let topics = topology
        .topics
        .iter()
        .filter(|it| it.clusters.contains(&cluster.alias));
    Topics {
        topics: topics
            .map(|topic| {
                let plain = Place {
                    name: kubernetes_name(&topic.name, LONGEST_TOPIC),
                    namespace: place.namespace.clone(),
                };
                let own = taken.take_or_rename(plain.clone(), &place.name, LONGEST_TOPIC);
                Topic {
                    renamed: own.name != plain.name,
                    place: own,
                    cluster: place.name.clone(),
                    written: topic.name.clone(),
                    partitions: topic.partitions,
                    replicas: topic.replication_factor,
                    config: topic.configs.clone(),
                }
            })
            .collect(),
    }
}
