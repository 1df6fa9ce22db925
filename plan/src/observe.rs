//! Reads the live clusters. Nothing but reads.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use kafka::{BrokerError, Cluster};
use topology::Topology;

use crate::acl;
use crate::client_quota;
use crate::desired::{Desired, DesiredCluster};
use crate::draft;
use crate::guard::{Clients, FailureKind};
use crate::journal::{self, Journal};
use crate::mirror;
use crate::observed::{Observed, ObservedCluster};
use crate::ownership;
use crate::rendered_file::observe_where_possible;
use crate::scram_user;
use crate::topic::live::{self, ReadError};
use crate::topic::{self, colliding, extent, usage};

/// Why the live clusters could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The topology declares something on a cluster that nobody connected to.
    #[error("cluster {alias}: something is declared on it, but there is no connection to it")]
    NoClient {
        /// Cluster alias.
        alias: String,
    },
    /// The live cluster is another one than the topology names; nothing more was read.
    #[error(
        "cluster {alias} calls itself {found}, but the topology allows only {expected}: refusing \
         to touch it"
    )]
    WrongCluster {
        /// Cluster alias.
        alias: String,
        /// The id in the topology.
        expected: String,
        /// The id of the live cluster.
        found: String,
    },
    /// A request failed.
    #[error("cluster {alias}: {source}")]
    Cluster {
        /// Cluster alias.
        alias: String,
        /// What went wrong.
        source: kafka::Error,
    },
    /// The brokers refused to show a declared topic.
    #[error("cluster {alias}: cannot read topic {topic}: {}", source.to(request))]
    Topic {
        /// Cluster alias.
        alias: String,
        /// Topic name.
        topic: String,
        /// What was asked.
        request: &'static str,
        /// What the brokers said.
        source: BrokerError,
    },
    /// Two aliases are one cluster; nothing more was read.
    #[error(
        "clusters {first} and {second} are one and the same ({cluster_id}), and something is declared on both: refusing to \
         touch it, because each would undo what the other one does"
    )]
    OneCluster {
        /// Cluster alias.
        first: String,
        /// The other one.
        second: String,
        /// The id that both call themselves.
        cluster_id: String,
    },
}

impl ObserveError {
    /// What the failure means to whoever started the command.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::WrongCluster { .. } | Self::OneCluster { .. } => FailureKind::Refused,
            Self::NoClient { .. } | Self::Cluster { .. } | Self::Topic { .. } => FailureKind::Error,
        }
    }

    fn read(alias: &str, error: ReadError) -> Self {
        let alias = alias.to_owned();
        match error {
            ReadError::Cluster(source) => Self::Cluster { alias, source },
            ReadError::Topic {
                topic,
                request,
                source,
            } => Self::Topic {
                alias,
                topic,
                request,
                source,
            },
        }
    }
}

/// Reads every cluster of `topology` that `clients` reaches: all at once, what is declared or recorded only.
///
/// Before anything else each cluster is asked for its id, and where the topology names one and the
/// live cluster has another, or where two on which something is declared are one, nothing more is read from any cluster. A
/// cluster without a client is
/// left out when nothing is declared on it. Cancel safe: nothing but reads.
pub async fn observe(topology: &Topology, clients: &Clients) -> Result<Observed, ObserveError> {
    observe_desired(&Desired::from(topology), clients).await
}

/// [`observe`] for a [`Desired`] state that does not come from a topology file.
pub async fn observe_desired(
    desired: &Desired,
    clients: &Clients,
) -> Result<Observed, ObserveError> {
    let folder = desired.folder.as_ref();
    let folder = folder.map(|folder| observe_where_possible(folder, desired.name.as_deref()));
    let mut reached = Vec::new();
    for (alias, cluster) in &desired.clusters {
        match clients.get(alias) {
            Some(client) => reached.push((alias, cluster, client)),
            None if !cluster.is_managed() => {}
            None => {
                return Err(ObserveError::NoClient {
                    alias: alias.clone(),
                });
            }
        }
    }

    let introductions = join_all(
        reached
            .iter()
            .map(|(alias, cluster, client)| introduce(alias, cluster, client)),
    )
    .await;
    let introductions = gravest_first(introductions)?;
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for ((alias, cluster, _), introduction) in reached.iter().zip(&introductions) {
        let id = &introduction.cluster_id;
        if cluster.is_managed()
            && let Some(first) = known.insert(id, alias)
        {
            return Err(ObserveError::OneCluster {
                first: first.to_owned(),
                second: (*alias).clone(),
                cluster_id: id.clone(),
            });
        }
    }

    let observed = join_all(reached.iter().zip(introductions).map(
        |((alias, cluster, client), introduction)| async move {
            let name = desired.name.as_deref();
            let observed = read(alias, name, cluster, client, introduction).await?;
            Ok(((*alias).clone(), observed))
        },
    ))
    .await;
    let clusters = observed
        .into_iter()
        .collect::<Result<BTreeMap<_, _>, ObserveError>>()?;
    Ok(Observed {
        clusters,
        folder,
        ..Observed::default()
    })
}

/// A wrong cluster matters more than an unreachable one, whichever comes first.
fn gravest_first<T>(outcomes: Vec<Result<T, ObserveError>>) -> Result<Vec<T>, ObserveError> {
    let mut read = Vec::with_capacity(outcomes.len());
    let mut failure: Option<ObserveError> = None;
    for outcome in outcomes {
        match outcome {
            Ok(value) => read.push(value),
            Err(error) => match (&failure, error.kind()) {
                (None, _) | (Some(_), FailureKind::Refused) => failure = Some(error),
                (Some(_), FailureKind::Error | FailureKind::Stale) => {}
            },
        }
    }
    failure.map_or(Ok(read), Err)
}

/// What a cluster says about itself.
struct Introduction {
    cluster_id: String,
    brokers: BTreeMap<i32, Option<String>>,
}

async fn introduce(
    alias: &str,
    cluster: &DesiredCluster,
    client: &Cluster,
) -> Result<Introduction, ObserveError> {
    let metadata = client
        .metadata_of(&[])
        .await
        .map_err(|source| ObserveError::Cluster {
            alias: alias.to_owned(),
            source,
        })?;
    match &cluster.cluster_id {
        Some(expected) if *expected != metadata.cluster_id => Err(ObserveError::WrongCluster {
            alias: alias.to_owned(),
            expected: expected.clone(),
            found: metadata.cluster_id,
        }),
        Some(_) | None => Ok(Introduction {
            cluster_id: metadata.cluster_id,
            brokers: metadata
                .brokers
                .into_iter()
                .map(|(id, node)| (id, node.rack))
                .collect(),
        }),
    }
}

async fn read(
    alias: &str,
    topology: Option<&str>,
    cluster: &DesiredCluster,
    client: &Cluster,
    introduction: Introduction,
) -> Result<ObservedCluster, ObserveError> {
    let failed = |error| ObserveError::read(alias, error);
    let Journal { recorded, underway } = journal::read(client)
        .await
        .map_err(|error| failed(error.into()))?;
    let underway = journal::addressed(underway, alias);
    let (recorded, elsewhere) = ownership::split(journal::addressed(recorded, alias), topology);
    let dropped: BTreeSet<&str> = draft::recorded(topic::KIND, alias, &recorded)
        .map(|(name, _)| name)
        .filter(|name| !cluster.topics.contains_key(*name))
        .collect();
    let names: Vec<String> = cluster
        .topics
        .keys()
        .cloned()
        .chain(dropped.iter().map(|name| (*name).to_owned()))
        .collect();
    let mut topics = live::topics(client, &names)
        .await
        .map_err(failed)?
        .into_iter()
        .map(|(name, live)| (name, live.topic))
        .collect::<BTreeMap<_, _>>();
    if cluster.allow.delete_topics {
        let deletable = dropped
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), topics.get(*name)?.partitions)))
            .collect();
        for (name, usage) in usage::watched(client, deletable).await.map_err(failed)? {
            if let Some(topic) = topics.get_mut(&name) {
                topic.usage = Some(usage);
            }
        }
    }
    let prefix = draft::prefix(topic::KIND, alias);
    let moving: Vec<String> = cluster
        .topics
        .iter()
        .filter(|(name, declared)| {
            let live = topics.get(*name);
            let ours = underway.get(&format!("{prefix}{name}"));
            live.is_some_and(|live| topic::is_to_move(declared, live, ours, &introduction.brokers))
        })
        .map(|(name, _)| name.clone())
        .collect();
    for (name, extent) in extent::of(client, &topics, &moving).await.map_err(failed)? {
        if let Some(topic) = topics.get_mut(&name) {
            topic.extent = Some(extent);
        }
    }
    let mut known_configs: BTreeSet<String> = topics
        .values()
        .flat_map(|topic| topic.configs.keys().cloned())
        .collect();
    let configures = cluster
        .topics
        .values()
        .any(|topic| !topic.configs.is_empty());
    if known_configs.is_empty() && configures {
        known_configs = live::known_configs(client).await.map_err(failed)?;
    }
    let leaves_replicas_to_brokers = cluster.topics.iter().any(|(name, declared)| {
        declared.replication_factor.is_none() && !topics.contains_key(name)
    });
    let default_replication_factor = match introduction.brokers.keys().next() {
        Some(any) if leaves_replicas_to_brokers => {
            let told = live::default_replication_factor(client, *any).await;
            told.map_err(failed)?
        }
        Some(_) | None => None,
    };
    let missing = cluster.topics.keys().map(String::as_str);
    let missing = missing.filter(|name| !topics.contains_key(*name)).collect();
    let colliding = colliding::with(client, missing).await.map_err(failed)?;
    let mut observed = ObservedCluster {
        cluster_id: introduction.cluster_id,
        bootstrap: client.bootstrap().to_vec(),
        brokers: introduction.brokers,
        topics,
        colliding,
        known_configs,
        default_replication_factor,
        recorded,
        elsewhere,
        underway,
        ..ObservedCluster::default()
    };
    acl::observe(alias, cluster, client, &mut observed)
        .await
        .map_err(failed)?;
    client_quota::observe(alias, cluster, client, &mut observed)
        .await
        .map_err(failed)?;
    scram_user::observe(alias, cluster, client, &mut observed)
        .await
        .map_err(failed)?;
    mirror::observe(alias, cluster, client, &mut observed)
        .await
        .map_err(failed)?;
    Ok(observed)
}
