//! What the topology asks for, cut down to what `diff` needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use topology::{
    AclBinding, Allow, Cluster, Engine, Mirror, MirrorState, Placement, QuotaEntity, QuotaValue,
    Sasl, ScramMechanism, ScramUser, SecretRef, Tls, Topic, TopicGuard, Topology,
};

use crate::rendered_file::{self, DesiredFolder};
use crate::{acl, client_quota, draft, mirror, scram_user, topic};

/// The clusters of a topology and what it declares on them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Desired {
    /// The name of the topology, where it has one: clusters remember under it what was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Clusters by alias.
    pub clusters: BTreeMap<String, DesiredCluster>,
    /// Rendered files, where the topology asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<DesiredFolder>,
    /// Declared mirrors of every engine: whose topics must not go. They are no resources, so they do not count as another
    /// declaration.
    #[serde(skip)]
    pub mirrors: Vec<Mirror>,
    /// Addresses of what the topology declares and is to go all the same.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<String>,
}

/// A declared cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DesiredCluster {
    /// Where to connect, `host:port`.
    pub bootstrap: Vec<String>,
    /// The only cluster id that may be touched; `None` accepts any.
    pub cluster_id: Option<String>,
    /// How connections are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// How connections are authenticated; secrets by reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl: Option<Sasl>,
    /// What may be deleted.
    pub allow: Allow,
    /// Which topics may be touched.
    pub guards: TopicGuard,
    /// Declared topics by name.
    pub topics: BTreeMap<String, DesiredTopic>,
    /// Declared ACLs by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub acls: BTreeMap<String, DesiredAcl>,
    /// Declared client quotas by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, DesiredQuota>,
    /// Declared SCRAM users by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, DesiredUser>,
    /// Declared mirrors of the built-in engine into this cluster, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mirrors: BTreeMap<String, DesiredMirror>,
}

impl Desired {
    /// The same without the resources whose address matches: what of them was applied is declared no longer, then.
    #[must_use]
    pub fn without(mut self, matches: impl Fn(&str) -> bool) -> Self {
        let withdrawn = RefCell::new(BTreeSet::new());
        let kept = |address: String| {
            let goes = matches(&address);
            if goes {
                withdrawn.borrow_mut().insert(address);
            }
            !goes
        };
        for (alias, cluster) in &mut self.clusters {
            let topics = draft::prefix(topic::KIND, alias);
            let kept = |prefix: &str, label: &str| kept(format!("{prefix}{label}"));
            cluster.topics.retain(|name, _| kept(&topics, name));
            let acls = draft::prefix(acl::KIND, alias);
            cluster.acls.retain(|label, _| kept(&acls, label));
            let quotas = draft::prefix(client_quota::KIND, alias);
            cluster.quotas.retain(|label, _| kept(&quotas, label));
            let users = draft::prefix(scram_user::KIND, alias);
            cluster.users.retain(|label, _| kept(&users, label));
            let mirrors = draft::prefix(mirror::KIND, alias);
            cluster.mirrors.retain(|name, _| kept(&mirrors, name));
        }
        if let Some(folder) = &mut self.folder {
            folder
                .files
                .retain(|path, _| kept(rendered_file::label(path)));
        }
        self.withdrawn = withdrawn.into_inner();
        self
    }

    /// The addresses of all that is declared.
    pub fn addresses(self) -> BTreeSet<String> {
        self.without(|_| true).withdrawn
    }

    /// The same with files that were rendered from the topology.
    #[must_use]
    pub fn with_files(mut self, folder: DesiredFolder) -> Self {
        self.folder = Some(folder);
        self
    }
}

impl DesiredCluster {
    /// Whether a plan has anything to say about the cluster: something is declared on it, or what was may be deleted.
    pub(crate) fn is_managed(&self) -> bool {
        let Allow {
            delete_topics,
            delete_acls,
            delete_quotas,
            delete_users,
            delete_mirrors,
            replace_infrastructure: _,
        } = self.allow;
        let nothing = self.topics.is_empty()
            && self.acls.is_empty()
            && self.quotas.is_empty()
            && self.users.is_empty()
            && self.mirrors.is_empty();
        let deletes = [
            delete_topics,
            delete_acls,
            delete_quotas,
            delete_users,
            delete_mirrors,
        ];
        !nothing || deletes.contains(&true)
    }

    /// Whom this program logs in as, where that has a name of its own.
    pub(crate) fn own_login(&self) -> Option<&str> {
        match &self.sasl {
            Some(Sasl::Plain(login) | Sasl::ScramSha256(login) | Sasl::ScramSha512(login)) => {
                Some(&login.username)
            }
            // the brokers decide who a token or a role is
            Some(Sasl::Oauthbearer(_) | Sasl::AwsMskIam(_)) | None => None,
        }
    }
}

/// Aliases of the clusters that a plan for the topology reads.
pub fn managed_clusters(topology: &Topology) -> BTreeSet<String> {
    Desired::from(topology)
        .clusters
        .into_iter()
        .filter(|(_, cluster)| cluster.is_managed())
        .map(|(alias, _)| alias)
        .collect()
}

/// A declared topic on one cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DesiredTopic {
    /// Number of partitions; `None` is not managed.
    pub partitions: Option<u32>,
    /// Replicas of each partition; `None` is not managed.
    pub replication_factor: Option<u16>,
    /// Which brokers hold the replicas.
    #[serde(skip_serializing_if = "Placement::is_any")]
    pub placement: Placement,
    /// Declared configuration keys; all others are not managed.
    pub configs: BTreeMap<String, String>,
    /// What the cluster's patterns say about the name.
    pub guard: Guard,
    /// Never to be deleted, whatever else is allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prevent_destroy: bool,
}

/// A declared access rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredAcl {
    /// The rule.
    #[serde(flatten)]
    pub rule: AclBinding,
    /// Where the topology asks for it; moving it there changes nothing.
    #[serde(skip)]
    pub origin: String,
}

/// Declared limits of clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredQuota {
    /// Whom they are for.
    pub entity: QuotaEntity,
    /// By Kafka's keys.
    pub limits: BTreeMap<String, QuotaValue>,
    /// Where the topology asks for them; moving them there changes nothing.
    #[serde(skip)]
    pub origin: String,
}

/// A declared SCRAM user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredUser {
    /// The name to log in with.
    pub name: String,
    /// The mechanism of its credential.
    pub mechanism: ScramMechanism,
    /// How often the password is hashed.
    pub iterations: u32,
    /// Which password it is; another number sets it anew.
    pub generation: u32,
    /// Where the password is.
    pub password: SecretRef,
    /// Where the topology asks for it; moving it there changes nothing.
    #[serde(skip)]
    pub origin: String,
}

/// A declared mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredMirror {
    /// The state that it is meant to be in.
    pub state: MirrorState,
    /// The clusters that it copies from: alias, and the cluster id that the topology names.
    pub sources: BTreeMap<String, Option<String>>,
}

/// What the cluster's `managed` and `protected` patterns say about a topic name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// May be changed.
    #[default]
    Allowed,
    /// Matches `protected`, given here as written.
    Protected(String),
    /// Does not match `managed`, given here as written.
    Unmanaged(String),
}

impl From<&Topology> for Desired {
    fn from(topology: &Topology) -> Self {
        let clusters = topology
            .clusters
            .iter()
            .map(|cluster| (cluster.alias.clone(), desired_cluster(cluster, topology)))
            .collect();
        Self {
            name: topology.name.clone(),
            clusters,
            mirrors: topology.mirrors.clone(),
            ..Self::default()
        }
    }
}

fn desired_cluster(cluster: &Cluster, topology: &Topology) -> DesiredCluster {
    DesiredCluster {
        bootstrap: cluster.bootstrap_servers.clone(),
        cluster_id: cluster.cluster_id.clone(),
        tls: cluster.tls.clone(),
        sasl: cluster.sasl.clone(),
        allow: cluster.allow,
        guards: cluster.topics.clone(),
        topics: topology
            .topics
            .iter()
            .filter(|topic| topic.clusters.contains(&cluster.alias))
            .map(|topic| (topic.name.clone(), desired_topic(cluster, topic)))
            .collect(),
        acls: topology
            .acls
            .iter()
            .filter(|acl| acl.cluster == cluster.alias)
            .map(|acl| {
                let (rule, origin) = (acl.binding.clone(), acl.origin.clone());
                (acl::label(&rule), DesiredAcl { rule, origin })
            })
            .collect(),
        quotas: topology
            .quotas
            .iter()
            .filter(|quota| quota.cluster == cluster.alias)
            .map(|quota| {
                let desired = DesiredQuota {
                    entity: quota.entity.clone(),
                    limits: quota.limits.clone(),
                    origin: quota.origin.clone(),
                };
                (client_quota::label(&quota.entity), desired)
            })
            .collect(),
        users: topology
            .users
            .iter()
            .filter(|user| user.cluster == cluster.alias)
            .map(|user| (scram_user::label(&user.name), desired_user(user)))
            .collect(),
        mirrors: topology
            .mirrors
            .iter()
            .filter(|mirror| mirror.target == cluster.alias && mirror.engine == Engine::Builtin)
            .map(|mirror| (mirror.name.clone(), desired_mirror(mirror, topology)))
            .collect(),
    }
}

fn desired_mirror(mirror: &Mirror, topology: &Topology) -> DesiredMirror {
    let id = |alias: &String| topology.cluster(alias)?.cluster_id.clone();
    let sources = mirror.sources.iter();
    DesiredMirror {
        state: mirror.state,
        sources: sources.map(|alias| (alias.clone(), id(alias))).collect(),
    }
}

fn desired_user(user: &ScramUser) -> DesiredUser {
    DesiredUser {
        name: user.name.clone(),
        mechanism: user.mechanism,
        iterations: user.iterations,
        generation: user.generation,
        password: user.password.clone(),
        origin: user.origin.clone(),
    }
}

fn desired_topic(cluster: &Cluster, topic: &Topic) -> DesiredTopic {
    DesiredTopic {
        partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        placement: topic.placement,
        configs: topic.configs.clone(),
        guard: guard(&cluster.topics, &topic.name),
        prevent_destroy: topic.prevent_destroy,
    }
}

/// What a cluster's patterns say about a topic.
pub(crate) fn guard(guards: &TopicGuard, topic: &str) -> Guard {
    if let Some(protected) = &guards.protected
        && protected.matches(topic)
    {
        return Guard::Protected(protected.to_string());
    }
    match &guards.managed {
        Some(managed) if !managed.matches(topic) => Guard::Unmanaged(managed.to_string()),
        Some(_) | None => Guard::Allowed,
    }
}
