//! The topology after validation: references hold, defaults are filled in, units are numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::access::{Acl, Quota, ScramUser};
use crate::choices::{
    Delivery, Engine, MirrorState, OnDataLoss, OnOversize, OnSourceDelete, OnTopicReset, Placement,
    Platform, Profile, RenderTarget,
};
use crate::defaults;
use crate::infrastructure::Infrastructure;
use crate::pattern::Pattern;
use crate::policy::ReplicationPolicy;
use crate::security::{Sasl, Tls};

/// Everything one file declares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Topology {
    /// What it is called, when it is: clusters remember under this name what was declared.
    pub name: Option<String>,
    /// The clusters, in the order written; aliases are unique.
    pub clusters: Vec<Cluster>,
    /// The topics, in the order written; a name appears once per cluster.
    pub topics: Vec<Topic>,
    /// The SCRAM users, in the order written; a name appears once per cluster.
    pub users: Vec<ScramUser>,
    /// The access rules, those of `acls` before those that `services` need, in the order written; a rule appears once per
    /// cluster, and never both as allow and deny.
    pub acls: Vec<Acl>,
    /// The client quotas, in the order written; an entity appears once per cluster.
    pub quotas: Vec<Quota>,
    /// The mirrors, in the order written; names are unique, all clusters exist.
    pub mirrors: Vec<Mirror>,
    /// The ingest and archive pipelines, in the order written.
    pub pipelines: Vec<Pipeline>,
    /// Files for other tools that are kept as rendered.
    pub render: Option<RenderedFiles>,
    /// What `verify` judges.
    pub verify: Verify,
    /// Parts of the file that this version accepts and does not act on (`migrations`, keys of `pipelines`, …).
    pub declared: Vec<String>,
}

impl Topology {
    /// The cluster with this alias.
    pub fn cluster(&self, alias: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.alias == alias)
    }

    /// The mirror with this name.
    pub fn mirror(&self, name: &str) -> Option<&Mirror> {
        self.mirrors.iter().find(|mirror| mirror.name == name)
    }
}

/// Files for other tools, kept in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenderedFiles {
    /// The folder, below the folder of the topology file.
    pub out: PathBuf,
    /// What is rendered; each target once.
    pub targets: Vec<RenderTarget>,
    /// Settings of these targets, `TARGET.NAME=VALUE`, sorted.
    pub settings: Vec<String>,
}

/// A Kafka cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// The MirrorMaker 2 cluster alias; letters, digits, `_` and `-`, so that it never contains a `.`.
    pub alias: String,
    /// Where it runs.
    pub platform: Platform,
    /// `host:port` of brokers to begin with; never empty for [`Platform::Existing`], empty for [`Platform::Embedded`].
    pub bootstrap_servers: Vec<String>,
    /// When given, no other cluster may be touched under this alias.
    pub cluster_id: Option<String>,
    /// The region or site.
    pub region: Option<String>,
    /// How many brokers it has, when declared; always known for [`Platform::Embedded`].
    pub brokers: Option<u32>,
    /// Which topics may be touched.
    pub topics: TopicGuard,
    /// What else may be done.
    pub allow: Allow,
    /// How connections are encrypted; they are not when absent.
    pub tls: Option<Tls>,
    /// How connections are authenticated; they are not when absent.
    pub sasl: Option<Sasl>,
    /// What has to exist before Kafka can run: machines, networks, disks.
    pub infrastructure: Infrastructure,
}

/// Which topics of a cluster may be touched.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TopicGuard {
    /// When given, only these.
    pub managed: Option<Pattern>,
    /// Never these.
    pub protected: Option<Pattern>,
}

impl TopicGuard {
    /// Whether the guard lets a topic be created or changed.
    pub fn permits(&self, topic: &str) -> bool {
        self.managed.as_ref().is_none_or(|it| it.matches(topic))
            && !self.protected.as_ref().is_some_and(|it| it.matches(topic))
    }
}

/// Permissions for what cannot be undone. All are off unless written.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a permission of its own"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Allow {
    /// Topics may be deleted.
    pub delete_topics: bool,
    /// ACLs may be deleted.
    pub delete_acls: bool,
    /// Client quotas may be deleted.
    pub delete_quotas: bool,
    /// SCRAM users may be deleted.
    pub delete_users: bool,
    /// Records of mirrors into the cluster may be deleted; what was copied stays.
    pub delete_mirrors: bool,
    /// Machines, disks and networks may be replaced.
    pub replace_infrastructure: bool,
}

/// A topic that shall exist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Topic {
    /// Its name, legal in Kafka.
    pub name: String,
    /// The aliases of the clusters that shall have it; never empty.
    pub clusters: Vec<String>,
    /// How many partitions; the broker's default when absent.
    pub partitions: Option<u32>,
    /// How many replicas; the broker's default when absent.
    pub replication_factor: Option<u16>,
    /// Which brokers hold the replicas.
    pub placement: Placement,
    /// Topic configuration: the named block with the inline values over it, as strings.
    pub configs: BTreeMap<String, String>,
    /// Never delete it, whatever else is allowed.
    pub prevent_destroy: bool,
}

/// A flow of records from source clusters into a target cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mirror {
    /// Its name; letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The aliases of the source clusters, one or more.
    pub sources: Vec<String>,
    /// The alias of the target cluster, never one of the sources.
    pub target: String,
    /// What copies.
    pub engine: Engine,
    /// Which topics. The internal topics of Kafka, Connect, MirrorMaker 2 and `mirrorctl` are always excluded.
    pub topics: Selection,
    /// Which consumer groups.
    pub groups: Selection,
    /// How topics are named on the target.
    pub policy: ReplicationPolicy,
    /// Where a partition without a position begins.
    pub start_offset: StartOffset,
    /// How often a record may arrive.
    pub delivery: Delivery,
    /// What is kept equal about topics.
    pub topic_sync: TopicSync,
    /// Whether committed offsets follow.
    pub group_offset_sync: GroupOffsetSync,
    /// Whether ACLs follow.
    pub acl_sync: AclSync,
    /// When records were lost before they were copied.
    pub on_data_loss: OnDataLoss,
    /// When a source topic was recreated.
    pub on_topic_reset: OnTopicReset,
    /// When a record is too large for the target.
    pub on_oversize: OnOversize,
    /// The most bytes per second over all sources together, when limited.
    pub throttle: Option<u64>,
    /// The lag objective, when declared.
    pub slo_lag: Option<Duration>,
    /// How long copying may be interrupted without losing records, when declared.
    pub slo_outage_budget: Option<Duration>,
    /// Whether it is meant to run.
    pub state: MirrorState,
    /// Source topics that are not copied for now.
    pub paused_topics: Option<Pattern>,
    /// A partition that has something to copy and makes no progress for this long is named.
    pub stall_after: Duration,
    /// What the file says about the target's topics.
    pub rails: TargetRails,
    /// Into how many parts its partitions are split that processes share: 1 or more. [`Self::tasks`] for the built-in replicator.
    pub tasks: Option<u32>,
    /// How many records per partition may be sent ahead of the committed position: the bound of duplicates after a crash.
    pub replay_window: u32,
    /// How many bytes may be in flight across all partitions, the bound of memory; where it is not declared, what the
    /// links need.
    pub byte_budget: Option<u64>,
    /// What the file asks for and this version cannot do: `replicate` must refuse while this is not empty.
    pub declared: Vec<String>,
}

impl Mirror {
    /// The name on the target of a source topic; nothing when the topic is not mirrored, because it is not selected or
    /// because its name shows that it came from the target.
    pub fn target_topic(&self, source_alias: &str, topic: &str) -> Option<String> {
        (self.topics.selects(topic) && !self.policy.is_cycle(&self.target, topic))
            .then(|| self.policy.target_topic(source_alias, topic))
    }

    /// Into how many parts the built-in replicator splits its partitions: 1 where nothing is said.
    pub fn tasks(&self) -> u32 {
        self.tasks.unwrap_or(defaults::TASKS)
    }

    /// Whether this source topic is not copied for now (`pausedTopics`). What the mirror's state means for all of them, whoever
    /// runs it decides: the last copy of a promoted mirror copies, too.
    pub fn is_paused(&self, topic: &str) -> bool {
        self.paused_topics
            .as_ref()
            .is_some_and(|it| it.matches(topic))
    }
}

/// What a mirror may do to the topics of its target cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TargetRails {
    /// Which of them may be created or changed.
    pub topics: TopicGuard,
    /// Whether any may be deleted.
    pub delete_topics: bool,
    /// Topics that the file declares on the target, with the configuration keys it declares: those are `plan`'s.
    pub declared: BTreeMap<String, BTreeSet<String>>,
}

/// Names to take and names to leave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Selection {
    /// Take these…
    pub include: Pattern,
    /// …but not these.
    pub exclude: Option<Pattern>,
}

impl Selection {
    /// Whether the name is taken.
    pub fn selects(&self, name: &str) -> bool {
        self.include.matches(name) && !self.exclude.as_ref().is_some_and(|it| it.matches(name))
    }
}

/// Where a partition without a position begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartOffset {
    /// At the first record that is there.
    Earliest,
    /// At the end.
    Latest,
    /// At the first record at or after this time, in milliseconds since 1970 UTC.
    Timestamp(i64),
}

/// What is kept equal about topics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicSync {
    /// The partition count follows when it grows.
    pub partitions: bool,
    /// Configuration set on the source topic follows, at creation and afterwards.
    pub config: bool,
    /// Configuration keys that do not follow.
    pub config_exclude: Vec<Pattern>,
    /// The replication factor of created topics; the target's default when absent.
    pub replication_factor: Option<u16>,
    /// How often new topics and partitions are looked for.
    pub interval: Duration,
    /// How often configuration is compared.
    pub config_interval: Duration,
    /// When the source topic is deleted.
    pub on_source_delete: OnSourceDelete,
}

impl TopicSync {
    /// Whether this configuration key follows the source.
    pub fn syncs_config(&self, key: &str) -> bool {
        self.config && !self.config_exclude.iter().any(|it| it.matches(key))
    }
}

/// Whether and how often committed offsets follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupOffsetSync {
    /// Whether they follow.
    pub enabled: bool,
    /// How often.
    pub interval: Duration,
}

/// Whether ACLs follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AclSync {
    /// Whether they follow.
    pub enabled: bool,
}

/// An ingest or archive pipeline, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// The topic that it writes or reads, when declared.
    pub topic: Option<String>,
}

/// What `verify` judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verify {
    /// The ids of the checks; all when empty.
    pub checks: Vec<String>,
    /// What is done where the command line does not say.
    pub profile: Option<Profile>,
}
