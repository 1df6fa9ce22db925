//! `Kafka`: the clusters themselves, and which of them the others mean.

use std::collections::BTreeMap;

use super::login::placed;
use super::part::Part;
use super::resource::Resource;
use crate::import::connect::proper;
use crate::import::settings::items;
use crate::import::{Imported, ImportedCluster, ImportedTls};

/// The alias of each Kafka resource.
#[derive(Default)]
pub(super) struct Clusters {
    aliases: BTreeMap<String, String>,
}

impl Clusters {
    /// The alias of the cluster that a resource belongs to. One that nothing else speaks of is added, with the address that
    /// Strimzi gives to a cluster of that name.
    pub(super) fn of(&mut self, resource: &Resource, imported: &mut Imported) -> String {
        let Some(kafka) = &resource.cluster else {
            if let [only] = imported.clusters.as_slice() {
                return only.alias.clone();
            }
            let label = resource.label();
            imported.remarks.push(format!(
                "{label} does not say which cluster it belongs to (`strimzi.io/cluster`)"
            ));
            return self.add_guess("unknown", resource.namespace.as_deref(), imported);
        };
        if let Some(alias) = self.aliases.get(kafka) {
            return alias.clone();
        }
        if let Some(cluster) = reached_at(kafka, &[], imported) {
            let alias = cluster.alias.clone();
            self.aliases.insert(kafka.clone(), alias.clone());
            return alias;
        }
        self.add_guess(kafka, resource.namespace.as_deref(), imported)
    }

    fn add_guess(
        &mut self,
        kafka: &str,
        namespace: Option<&str>,
        imported: &mut Imported,
    ) -> String {
        let alias = proper(kafka);
        if self
            .aliases
            .insert(kafka.to_owned(), alias.clone())
            .is_some()
        {
            return alias;
        }
        let address = inside(kafka, namespace, 9092);
        imported.remarks.push(format!(
            "no resource says how {kafka} is reached: {address} is a guess"
        ));
        imported.clusters.push(ImportedCluster {
            alias: alias.clone(),
            bootstrap_servers: vec![address],
            ..ImportedCluster::default()
        });
        alias
    }
}

/// The address of a cluster within Kubernetes.
fn inside(kafka: &str, namespace: Option<&str>, port: u64) -> String {
    let namespace = namespace.map(|it| format!(".{it}.svc"));
    format!(
        "{kafka}-kafka-bootstrap{}:{port}",
        namespace.unwrap_or_default()
    )
}

/// The cluster that is reached by the name that Strimzi gives to `kafka`, or by one of these addresses.
fn reached_at<'a>(
    kafka: &str,
    addresses: &[String],
    imported: &'a mut Imported,
) -> Option<&'a mut ImportedCluster> {
    let name = format!("{kafka}-kafka-bootstrap");
    imported.clusters.iter_mut().find(|cluster| {
        cluster.bootstrap_servers.iter().any(|server| {
            let rest = server.strip_prefix(&name);
            rest.is_some_and(|rest| rest.starts_with(['.', ':'])) || addresses.contains(server)
        })
    })
}

/// A way into a cluster.
struct Listener {
    name: String,
    addresses: Vec<String>,
    encrypted: bool,
    login: Option<String>,
}

pub(super) fn read(
    resource: Resource,
    known: &mut Clusters,
    imported: &mut Imported,
    left: &mut Vec<String>,
) {
    let Resource {
        name,
        namespace,
        mut spec,
        mut status,
        ..
    } = resource;
    let id = status.text("clusterId");
    let mut kafka = spec
        .part("kafka")
        .unwrap_or_else(|| Part::new("spec.kafka", serde_json::Value::Null));
    let listeners = listeners(&name, namespace.as_deref(), &mut kafka, &mut status, left);
    kafka.end(left);
    spec.end(left);
    let addresses: Vec<String> = listeners
        .iter()
        .flat_map(|listener| listener.addresses.clone())
        .collect();
    if let Some(cluster) = reached_at(&name, &addresses, imported) {
        cluster.cluster_id = cluster.cluster_id.take().or(id);
        known.aliases.insert(name, cluster.alias.clone());
        return;
    }
    let alias = proper(&name);
    known.aliases.insert(name.clone(), alias.clone());
    let mut usable = listeners.into_iter().filter(|it| !it.addresses.is_empty());
    let Some(chosen) = usable.next() else {
        let address = inside(&name, namespace.as_deref(), 9092);
        imported.remarks.push(format!(
            "no listener says how {name} is reached: {address} is a guess"
        ));
        imported.clusters.push(ImportedCluster {
            alias,
            bootstrap_servers: vec![address],
            cluster_id: id,
            ..ImportedCluster::default()
        });
        return;
    };
    for other in usable {
        imported.remarks.push(format!(
            "{alias} is reached by its listener {}; the other one is {} at {}",
            chosen.name,
            other.name,
            other.addresses.join(", ")
        ));
    }
    if let Some(login) = &chosen.login {
        imported.remarks.push(format!(
            "the listener {} of {alias} asks for a login ({login}): write it by hand",
            chosen.name
        ));
    }
    let tls = chosen.encrypted.then(|| {
        let secret = format!("{name}-cluster-ca-cert");
        ImportedTls {
            ca_file: Some(placed(&secret, "ca.crt", &mut imported.remarks)),
            ..ImportedTls::default()
        }
    });
    imported.clusters.push(ImportedCluster {
        alias,
        bootstrap_servers: chosen.addresses,
        cluster_id: id,
        tls,
        sasl: None,
    });
}

/// The listeners, with the addresses that the operator has found for them; those within Kubernetes have known ones.
fn listeners(
    kafka: &str,
    namespace: Option<&str>,
    spec: &mut Part,
    status: &mut Part,
    left: &mut Vec<String>,
) -> Vec<Listener> {
    let found: BTreeMap<String, Vec<String>> = status
        .list("listeners")
        .into_iter()
        .filter_map(|mut listener| {
            let name = listener.text("name").or_else(|| listener.text("type"))?;
            Some((name, items(&listener.text("bootstrapServers")?)))
        })
        .collect();
    let written = spec.list("listeners").into_iter();
    written
        .map(|mut listener| {
            let name = listener.text("name").unwrap_or_default();
            let within = matches!(
                listener.text("type").as_deref(),
                Some("internal" | "cluster-ip")
            );
            let port = listener.count("port");
            let known = found.get(&name).cloned();
            let guess = port
                .filter(|_| within)
                .map(|port: u64| vec![inside(kafka, namespace, port)]);
            let encrypted = listener.text("tls").as_deref() == Some("true");
            let mut login = listener.part("authentication");
            let kind = login.as_mut().and_then(|login| login.text("type"));
            if let Some(login) = login {
                login.end(left);
            }
            listener.end(left);
            Listener {
                name,
                addresses: known.or(guess).unwrap_or_default(),
                encrypted,
                login: kind,
            }
        })
        .collect()
}
