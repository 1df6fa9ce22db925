//! From the clusters of a topology to connections, with the guards that come before any other
//! request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kafka::ClientOptions;
use kafka::security::SecurityError;
use plan::Clients;
use topology::{Cluster, Platform, Topology};

use crate::failure::Failure;
use crate::wire;

/// From the first packet to the cluster's answer about itself.
const WITHIN: Duration = Duration::from_secs(8);

/// Where a cluster is, and which one it has to be.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Its alias.
    pub(crate) alias: String,
    /// `host:port` of some brokers.
    pub(crate) bootstrap: Vec<String>,
    /// The only id it may have, where one is known.
    pub(crate) cluster_id: Option<String>,
    /// How connections are encrypted.
    pub(crate) tls: Option<topology::Tls>,
    /// How connections are authenticated.
    pub(crate) sasl: Option<topology::Sasl>,
}

/// Why there is no connection to a cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// Nobody answers, or not like Kafka.
    #[error("cluster {alias} at {bootstrap} cannot be reached: {}", reason(error))]
    Unreachable {
        alias: String,
        bootstrap: String,
        error: Box<kafka::Error>,
    },
    /// Somebody accepts connections and does not answer.
    #[error("cluster {alias} at {bootstrap} does not answer within {} s", WITHIN.as_secs())]
    Silent { alias: String, bootstrap: String },
    /// Another cluster lives at this address.
    #[error(
        "cluster {alias} at {bootstrap} is {found}, but the topology allows only {expected}: refusing to touch it"
    )]
    WrongCluster {
        alias: String,
        bootstrap: String,
        expected: String,
        found: String,
    },
    /// The files and secrets that secure connections cannot be used.
    #[error("cluster {alias}: {error}")]
    Security { alias: String, error: SecurityError },
    /// The cluster lives only inside `demo`.
    #[error("cluster {alias} is embedded: it lives only inside `mirrorctl demo`")]
    Embedded { alias: String },
    /// The topology does not say where the cluster is.
    #[error("cluster {alias} has no bootstrapServers")]
    NoAddress { alias: String },
}

impl ConnectError {
    /// Whether a safety rail refused, rather than something failing.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::WrongCluster { .. } => true,
            Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Security { .. }
            | Self::Embedded { .. }
            | Self::NoAddress { .. } => false,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Unreachable { alias, error, .. } => error.hint().map_or_else(
                || {
                    format!(
                        "check bootstrapServers of {alias}, that its brokers run, and that this machine may connect"
                    )
                },
                str::to_owned,
            ),
            Self::Silent { .. } => {
                "is it a Kafka listener of the declared kind (tls, sasl)? A TLS listener that hears no TLS may say nothing"
                    .to_owned()
            }
            Self::WrongCluster { alias, .. } => {
                format!(
                    "correct bootstrapServers or clusterId of {alias}; nothing was read or changed"
                )
            }
            Self::Security { error, .. } => error.hint().to_owned(),
            Self::Embedded { .. } => {
                "run `mirrorctl demo -f` with this topology, or declare `platform: existing`"
                    .to_owned()
            }
            Self::NoAddress { alias } => {
                format!("add bootstrapServers to {alias} once its brokers exist")
            }
        }
    }
}

/// What lies below "cannot be reached", without saying that again.
fn reason(error: &kafka::Error) -> String {
    match error {
        kafka::Error::Unreachable { attempts } => attempts.clone(),
        kafka::Error::Connect { .. }
        | kafka::Error::Security { .. }
        | kafka::Error::Timeout { .. }
        | kafka::Error::Closed { .. }
        | kafka::Error::Malformed { .. }
        | kafka::Error::UnsupportedVersion { .. }
        | kafka::Error::NoLeader { .. }
        | kafka::Error::NoAuthorizer { .. }
        | kafka::Error::Broker { .. } => error.to_string(),
    }
}

/// Connects to the clusters of the topology with these aliases, all at once.
///
/// Fails as a whole, with every reason, when any cannot be connected to. Cancel safe.
pub(crate) async fn connect(
    topology: &Topology,
    aliases: &BTreeSet<String>,
) -> Result<Clients, Failure> {
    let clusters = topology
        .clusters
        .iter()
        .filter(|cluster| aliases.contains(&cluster.alias));
    let mut addresses = Vec::new();
    let mut errors = Vec::new();
    for cluster in clusters {
        match address(cluster) {
            Ok(address) => addresses.push(address),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(Failure::Connect(errors));
    }
    connect_to(&addresses).await
}

/// Connects as [`connect`] does, to as many as can be reached; says why of the others, by alias.
///
/// Fails only where another cluster lives at an address than the topology allows. Cancel safe.
pub(crate) async fn connect_where_possible(
    topology: &Topology,
    aliases: &BTreeSet<String>,
) -> Result<(Clients, BTreeMap<String, ConnectError>), Failure> {
    let clusters = topology.clusters.iter();
    let clusters = clusters.filter(|cluster| aliases.contains(&cluster.alias));
    let opening = clusters.map(|cluster| async move {
        let answer = match address(cluster) {
            Ok(address) => open(&address).await,
            Err(error) => Err(error),
        };
        (cluster.alias.clone(), answer)
    });
    let mut clients = Clients::new();
    let mut unreached = BTreeMap::new();
    let mut refused = Vec::new();
    for (alias, answer) in join_all(opening).await {
        match answer {
            Ok(client) => {
                clients.insert(alias, client);
            }
            Err(error) if error.is_refusal() => refused.push(error),
            Err(error) => {
                unreached.insert(alias, error);
            }
        }
    }
    if refused.is_empty() {
        Ok((clients, unreached))
    } else {
        Err(Failure::Connect(refused))
    }
}

/// Connects to these addresses, as [`connect`] does.
pub(crate) async fn connect_to(addresses: &[Address]) -> Result<Clients, Failure> {
    let answers = join_all(addresses.iter().map(open)).await;
    let mut clients = BTreeMap::new();
    let mut errors = Vec::new();
    for (address, answer) in addresses.iter().zip(answers) {
        match answer {
            Ok(client) => {
                clients.insert(address.alias.clone(), client);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(clients)
    } else {
        Err(Failure::Connect(errors))
    }
}

fn address(cluster: &Cluster) -> Result<Address, ConnectError> {
    let alias = cluster.alias.clone();
    match cluster.platform {
        Platform::Embedded if cluster.bootstrap_servers.is_empty() => {
            return Err(ConnectError::Embedded { alias });
        }
        Platform::Embedded
        | Platform::Existing
        | Platform::Ansible
        | Platform::AwsMsk
        | Platform::AwsEc2
        | Platform::AzureHdinsight
        | Platform::Strimzi => {}
    }
    if cluster.bootstrap_servers.is_empty() {
        return Err(ConnectError::NoAddress { alias });
    }
    Ok(Address {
        alias,
        bootstrap: cluster.bootstrap_servers.clone(),
        cluster_id: cluster.cluster_id.clone(),
        tls: cluster.tls.clone(),
        sasl: cluster.sasl.clone(),
    })
}

async fn open(address: &Address) -> Result<kafka::Cluster, ConnectError> {
    let alias = address.alias.clone();
    let bootstrap = address.bootstrap.join(",");
    let options = ClientOptions::new(&address.bootstrap);
    let transport = wire::transport(address.tls.as_ref(), address.sasl.as_ref());
    let transport = transport.map_err(|error| ConnectError::Security {
        alias: alias.clone(),
        error,
    })?;
    let connecting = kafka::Cluster::connect(options, Arc::new(transport));
    let cluster = match tokio::time::timeout(WITHIN, connecting).await {
        Ok(Ok(cluster)) => cluster,
        Ok(Err(error)) => {
            return Err(ConnectError::Unreachable {
                alias,
                bootstrap,
                error: Box::new(error),
            });
        }
        Err(_) => return Err(ConnectError::Silent { alias, bootstrap }),
    };
    match &address.cluster_id {
        Some(expected) if expected != cluster.cluster_id() => Err(ConnectError::WrongCluster {
            alias,
            bootstrap,
            expected: expected.clone(),
            found: cluster.cluster_id().to_owned(),
        }),
        Some(_) | None => Ok(cluster),
    }
}
