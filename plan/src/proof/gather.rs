//! Reads what mirrors are judged by. Nothing but reads, as few requests as there can be, all clusters at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use kafka::{BrokerError, Cluster, ClusterMetadata, PermittedTopics};
use register::{Register, RegisterLog, Standing, TopicKey, TopicRecord};
use topology::{MirrorState, Sasl, Topology};

use super::evidence::{Evidence, Filled, SiteEvidence, Told, TopicEvidence};
use super::gather_topics::{self, Settings};
use super::outlook::judged;
use crate::guard::Clients;
use crate::topic::ReadError;
use crate::{acl, client_quota};

/// Aliases of the clusters at the ends of the mirrors that are judged.
pub fn judged_clusters(topology: &Topology) -> BTreeSet<String> {
    judged(topology)
        .flat_map(|mirror| mirror.sources.iter().chain([&mirror.target]))
        .cloned()
        .collect()
}

/// Reads the clusters at the ends of mirrors, by `clients`; `unreached` says why there is no client to others.
///
/// Never fails: what cannot be read is said to be so in the evidence. Cancel safe: nothing but reads.
pub async fn gather(
    topology: &Topology,
    clients: &Clients,
    unreached: &BTreeMap<String, String>,
) -> Evidence {
    let aliases = judged_clusters(topology);
    let reading = aliases.iter().map(|alias| async move {
        let site = match clients.get(alias) {
            Some(client) => site(topology, alias, client).await,
            None => Err(unreached
                .get(alias)
                .cloned()
                .unwrap_or_else(|| "there is no connection to it".to_owned())),
        };
        (alias.clone(), site)
    });
    let mut evidence = Evidence {
        sites: join_all(reading).await.into_iter().collect(),
        now_ms: now_ms(),
    };
    let wanted = gather_topics::settings_wanted(topology, &evidence);
    let reading = wanted.iter().filter_map(|(alias, names)| {
        let client = clients.get(alias)?;
        Some(async move { (alias, gather_topics::settings(client, names).await) })
    });
    for (alias, Settings { topics, defaults }) in join_all(reading).await {
        if let Some(Ok(site)) = evidence.sites.get_mut(alias) {
            site.defaults = defaults;
            for (name, settings) in topics {
                if let Some(topic) = site.topics.get_mut(&name) {
                    topic.settings = settings;
                }
            }
        }
    }
    let wanted = gather_topics::records_wanted(topology, &evidence);
    let reading = wanted.iter().filter_map(|(alias, wanted)| {
        let client = clients.get(alias)?;
        Some(async move { (alias, gather_topics::records(client, wanted).await) })
    });
    for (alias, found) in join_all(reading).await {
        if let Some(Ok(site)) = evidence.sites.get_mut(alias) {
            found.into_site(site);
        }
    }
    evidence
}

/// Milliseconds since 1970 UTC.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as i64
}

async fn site(topology: &Topology, alias: &str, client: &Cluster) -> Told<SiteEvidence> {
    let (topics, rights, quotas, rules, said) = futures::join!(
        client.permitted_topics(),
        client.cluster_rights(),
        client_quota::read(client),
        acl::read(client),
        said(client),
    );
    let PermittedTopics {
        metadata,
        rights: by_topic,
    } = topics.map_err(|error| error.to_string())?;
    let untold = rights
        .as_ref()
        .err()
        .map(|error| format!("what this login may do to the cluster could not be read: {error}"));
    let filled = said.map(|said| said.of(&metadata));
    let topics = metadata.topics.into_iter().filter(|(_, it)| !it.internal);
    Ok(SiteEvidence {
        cluster_id: metadata.cluster_id,
        brokers: metadata.brokers.len(),
        principal: principal(topology, alias),
        topics: topics
            .map(|(name, topic)| {
                let rights = by_topic.get(&name).copied();
                let partitions = topic.partitions.len() as u32;
                let evidence = TopicEvidence {
                    id: topic.id.to_string(),
                    ..TopicEvidence::new(partitions, rights)
                };
                (name, evidence)
            })
            .collect(),
        defaults: Ok(BTreeMap::new()),
        quotas: quotas
            .map(|quotas| {
                let quotas = quotas.into_values();
                quotas.map(|quota| (quota.entity, quota.limits)).collect()
            })
            .map_err(|error| reason(&error)),
        rights: rights.ok().flatten(),
        rules: rules
            .map(|rules| rules.map(|rules| rules.into_values().collect()))
            .map_err(|error| reason(&error)),
        filled: filled.map_err(|error| reason(&ReadError::Cluster(error))),
        untold: untold.into_iter().collect(),
    })
}

/// What the mirrors into a cluster say there.
#[derive(Default)]
struct Said {
    topics: BTreeMap<TopicKey, TopicRecord>,
    states: Register,
}

/// Reads what the mirrors into a cluster say. Who may not read that is told nothing: `missing-acl` says what a target lacks, and
/// a source need not let anybody.
async fn said(client: &Cluster) -> Result<Said, kafka::Error> {
    let states = RegisterLog::new(client.clone());
    match futures::try_join!(register::provenance(client), states.read()) {
        Ok((topics, states)) => Ok(Said { topics, states }),
        Err(kafka::Error::Broker { error, .. }) if error.name() == "TOPIC_AUTHORIZATION_FAILED" => {
            Ok(Said::default())
        }
        Err(error) => Err(error),
    }
}

impl Said {
    /// About the topics that are there: one that was recreated has no history.
    fn of(self, metadata: &ClusterMetadata) -> Vec<Filled> {
        let Self { topics, states } = self;
        let there = topics.into_iter().filter(|(_, record)| {
            let topic = metadata.topics.get(&record.target_topic);
            topic.is_some_and(|topic| topic.id.to_string() == record.target_topic_id)
        });
        let promoted = |mirror: &str| {
            let standing = states.get(mirror).and_then(|entry| entry.standing.as_ref());
            matches!(standing, Some(Standing::Known { record, .. }) if record.state == MirrorState::Promoted)
        };
        there
            .map(|(key, record)| Filled {
                promoted: promoted(&key.mirror),
                mirror: key.mirror,
                source_cluster_id: key.source_cluster_id,
                source_topic: key.topic,
                target_topic: record.target_topic,
                origins: record.origins.into_iter().map(|it| it.cluster_id).collect(),
                released: record.released,
            })
            .collect()
    }
}

/// Why something was not told, without what differs from one answer to the next: brokers put their connections' numbers into
/// their messages.
fn reason(error: &ReadError) -> String {
    let again = match error {
        ReadError::Cluster(kafka::Error::Broker { api, error }) => Some((api.as_str(), error)),
        ReadError::Topic {
            request, source, ..
        } => Some((*request, source)),
        ReadError::Cluster(_) => None,
    };
    again.map_or_else(
        || error.to_string(),
        |(api, error)| {
            let bare = BrokerError {
                message: None,
                ..error.clone()
            };
            bare.to(api)
        },
    )
}

/// Whom the brokers take us for, where that follows from how we connect.
fn principal(topology: &Topology, alias: &str) -> Option<String> {
    let cluster = topology.cluster(alias)?;
    let certified = cluster.tls.as_ref().is_some_and(|tls| tls.client.is_some());
    match &cluster.sasl {
        Some(Sasl::Plain(login) | Sasl::ScramSha256(login) | Sasl::ScramSha512(login)) => {
            Some(format!("User:{}", login.username))
        }
        // the brokers decide who a token, a role or a certificate is
        Some(Sasl::Oauthbearer(_) | Sasl::AwsMskIam(_)) => None,
        None => (!certified).then(|| "User:ANONYMOUS".to_owned()),
    }
}
