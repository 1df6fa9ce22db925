//! One change to one resource: what it is, what was read, what it will be, and what may go wrong.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::AclBinding;

use crate::client_quota::QuotaState;
use crate::home::Home;
use crate::impact::Impact;
use crate::journal::Recorded;
use crate::mirror::MirrorRecord;
use crate::observed::ConfigOrigin;
use crate::ownership::Owner;
use crate::rendered_file::RenderedFileState;
use crate::scram_user::ScramUserState;
use crate::topic::TopicState;

/// A resource of the topology and what the plan does to it.
///
/// Decisions (what [`apply`](crate::apply) sends and compares) use `home`, `name`, `resource`, `record`, `owner` and
/// `blocked` only. `reason`, `risk`, `details`, `diff`, `notes`, `drifted`, `unmanaged` and `taken_from` are for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceChange {
    /// Names the resource within the topology: `topic.<cluster alias>.<topic name>`,
    /// `acl.<cluster alias>.<principal>/<permission>/<operation>/<resource type>/<pattern>/<name>` (and `/<host>`, where
    /// the rule is not about every host), `quota.<cluster alias>.user=<name>/client-id=<name>`, `user.<cluster alias>.<name>`,
    /// `mirror.<name>`, `file.<path below the folder of rendered files>`.
    /// What would be taken for a separator there is percent-encoded.
    pub address: String,
    /// Where the resource lives: `"cluster"` with an alias, or `"folder"` with a path.
    #[serde(flatten)]
    pub home: Home,
    /// Name of the resource there: what the address ends with.
    pub name: String,
    /// What kind of resource it is and what will be done, from which state to which.
    #[serde(flatten)]
    pub resource: Resource,
    /// Why, in a few words.
    pub reason: String,
    /// The gravest risk among the details.
    pub risk: Risk,
    /// Each attribute that changes, in a fixed order: of a topic its partitions, replication factor, then
    /// configuration keys by name; of an ACL the `rule` as a sentence,
    /// of a quota its limits by key, of a user its mechanisms and its `password`, of a mirror its `state`, then its sources,
    /// of a file its `content` in lines, or whether it is `executable`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// How the text of a file changes: the beginning of a unified diff, without what reads like a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Why the change is refused. A plan with any refusal is not applied at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Block>,
    /// Things worth knowing that change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether somebody else changed the resource since the last apply, and the topology asks for something else by now, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drifted: bool,
    /// What is set on the live resource and the topology does not declare: configuration of a topic, limits of a quota,
    /// mechanisms of a user. Left as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unmanaged: BTreeMap<String, String>,
    /// What moving data asks of the cluster, where the change does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// What `apply` writes into the cluster's own record, or the folder's manifest, where that differs from what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordChange>,
    /// Whose the resource was when the plan was made; absent where it was nobody's, and where the plan does nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The topology, by its name, that declared the resource last, where that is another one: this plan takes it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
}

/// A change of what is remembered of a resource where it lives. It changes nothing about the resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordChange {
    /// Remember that it was declared like this: on a cluster.
    Remember(Recorded),
    /// Remember that it was rendered like this: in a folder.
    Rendered(folder::ManifestEntry),
    /// It is ours no longer.
    Forget,
}

impl ResourceChange {
    /// Whether a safety rail refuses this change.
    pub fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// What is done to the resource.
    pub fn action(&self) -> Action {
        self.resource.action()
    }
}

/// A kind of resource with what is done to one of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "change", rename_all = "snake_case")]
pub enum Resource {
    /// A topic on one cluster.
    Topic(Change<TopicState>),
    /// An access rule of one cluster. It has no attributes, so it is created or deleted, never changed.
    Acl(Change<AclBinding>),
    /// Limits of clients of one cluster.
    ClientQuota(Change<QuotaState>),
    /// A SCRAM user of one cluster.
    ScramUser(Change<ScramUserState>),
    /// The state of a mirror, in its record on the target cluster.
    Mirror(Change<MirrorRecord>),
    /// A file that other tools need, rendered from the topology.
    RenderedFile(Change<RenderedFileState>),
}

impl Resource {
    /// What is done to the resource.
    pub fn action(&self) -> Action {
        match self {
            Self::Topic(change) => change.action(),
            Self::Acl(change) => change.action(),
            Self::ClientQuota(change) => change.action(),
            Self::ScramUser(change) => change.action(),
            Self::Mirror(change) => change.action(),
            Self::RenderedFile(change) => change.action(),
        }
    }
}

/// What can be done to a resource. There is no replace: a plan cannot express it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The live resource is what the topology declares.
    NoOp,
    /// The resource does not exist and will be created.
    Create,
    /// The resource exists and will be changed in place.
    Update,
    /// The resource exists and will be deleted.
    Delete,
}

/// A change with exactly the states its action needs.
///
/// In JSON it has Terraform's form: `{"actions": ["update"], "before": {…}, "after": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "ChangeForm<S>", into = "ChangeForm<S>")]
#[serde(bound(
    serialize = "S: Serialize + Clone",
    deserialize = "S: Deserialize<'de> + PartialEq"
))]
#[schemars(with = "ChangeForm<S>")]
pub enum Change<S> {
    /// Nothing to do.
    NoOp {
        /// The live state that was read.
        current: S,
    },
    /// Create the resource.
    Create {
        /// The state to create; what is absent is left to the brokers' defaults.
        after: S,
    },
    /// Change the resource in place.
    Update {
        /// The live state that was read.
        before: S,
        /// The state to reach.
        after: S,
    },
    /// Delete the resource.
    Delete {
        /// The live state that was read.
        before: S,
    },
}

impl<S> Change<S> {
    /// What is done, without the states.
    pub fn action(&self) -> Action {
        match self {
            Self::NoOp { .. } => Action::NoOp,
            Self::Create { .. } => Action::Create,
            Self::Update { .. } => Action::Update,
            Self::Delete { .. } => Action::Delete,
        }
    }

    /// The live state that was read; `None` when the resource did not exist.
    pub fn before(&self) -> Option<&S> {
        match self {
            Self::NoOp { current } => Some(current),
            Self::Create { .. } => None,
            Self::Update { before, .. } | Self::Delete { before } => Some(before),
        }
    }

    /// The state that the topology asks for; `None` when the resource shall be gone.
    pub fn after(&self) -> Option<&S> {
        match self {
            Self::NoOp { current } => Some(current),
            Self::Create { after } | Self::Update { after, .. } => Some(after),
            Self::Delete { .. } => None,
        }
    }
}

/// One attribute that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// `partitions`, `replication_factor`, `config.<key>`, `rule`, a key of a quota, a SCRAM mechanism, `password`, `state`,
    /// `source.<alias>`, `content`, or `executable`.
    pub attribute: String,
    /// The live value; absent when there is none.
    pub before: Option<String>,
    /// Where the live value comes from, for configuration keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ConfigOrigin>,
    /// The value to set; absent when the brokers' default is taken.
    pub after: Option<String>,
    /// What this attribute's change may cost.
    pub risk: Risk,
    /// Why it has that risk; absent when it is safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a change may cost, from nothing to data.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Can be taken back, touches no stored record.
    Safe,
    /// Copies stored records between brokers.
    MovesData,
    /// Clients may be refused that were not before.
    CutsOffClients,
    /// What somebody wrote into a file is lost.
    LosesEdits,
    /// Cannot be taken back.
    Irreversible,
    /// Brokers may delete stored records because of it.
    DestroysData,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "safe",
            Self::MovesData => "moves data",
            Self::CutsOffClients => "may cut off clients",
            Self::LosesEdits => "loses edits",
            Self::Irreversible => "irreversible",
            Self::DestroysData => "destroys data",
        })
    }
}

/// Why a safety rail refuses a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Which rail.
    pub code: BlockCode,
    /// What is refused and what to do instead.
    pub message: String,
}

/// The safety rails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BlockCode {
    /// Fewer partitions than the live topic has; Kafka cannot do it, and we never re-create.
    PartitionDecrease,
    /// No topic can have zero partitions.
    NoPartitions,
    /// Somebody else is moving replicas of the topic.
    ReassignmentUnderWay,
    /// More replicas than the cluster has brokers, or none.
    ReplicationFactorImpossible,
    /// `min.insync.replicas` that leaves no replica to lose, or that can never be met.
    MinInsyncReplicas,
    /// The topic matches the cluster's `protected` pattern.
    ProtectedTopic,
    /// The topic does not match the cluster's `managed` pattern.
    UnmanagedTopic,
    /// The topic belongs to Kafka itself.
    InternalTopic,
    /// A live topic's name differs in `.` and `_` alone: Kafka refuses the second.
    CollidingTopic,
    /// A configuration key that the brokers do not know.
    UnknownConfig,
    /// The brokers said that they would not take it: a value that they refuse, or what a policy of theirs does.
    RefusedByBrokers,
    /// A configuration key that cannot be set.
    ReadOnlyConfig,
    /// The live cluster is another one than the topology names.
    WrongCluster,
    /// The cluster, or the folder, was not observed, so nothing is known about it.
    NotObserved,
    /// A rendered file could not be read, or is a symbolic link.
    FileNotRead,
    /// A deletion, or the loss of what somebody wrote into a file, that nobody asked for by address.
    DestroyNotAllowed,
    /// The topology said `preventDestroy` when the resource was applied last.
    PreventDestroy,
    /// Consumer groups with members read the topic.
    GroupsActive,
    /// Records were written to the topic a short while ago.
    RecordsArrive,
    /// A declared mirror reads or fills the topic.
    MirroredTopic,
    /// The cluster has no authorizer, so it keeps no ACLs.
    NoAuthorizer,
    /// It would take from whom the command itself logs in as.
    OwnLogin,
    /// A mirror could not keep what it promises: one of the plan's findings.
    MirrorFinding,
    /// Another topology has the mirror, and nobody asked by address to take it over.
    MirrorOfAnotherTopology,
    /// The mirror was promoted, which is never taken back.
    MirrorPromoted,
    /// A later version of this program wrote the mirror's record.
    MirrorRecordNewer,
}

/// [`Change`] as it stands in JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeForm<S> {
    /// Exactly one action.
    actions: Vec<Action>,
    /// The live state that was read; `null` for `create`.
    before: Option<S>,
    /// The state to reach; equal to `before` for `no-op`, `null` for `delete`.
    after: Option<S>,
}

impl<S: Clone> From<Change<S>> for ChangeForm<S> {
    fn from(change: Change<S>) -> Self {
        Self {
            actions: vec![change.action()],
            before: change.before().cloned(),
            after: change.after().cloned(),
        }
    }
}

impl<S: PartialEq> TryFrom<ChangeForm<S>> for Change<S> {
    type Error = String;

    fn try_from(form: ChangeForm<S>) -> Result<Self, String> {
        let ChangeForm {
            actions,
            before,
            after,
        } = form;
        let [action] = actions.as_slice() else {
            return Err(format!("{} actions instead of one", actions.len()));
        };
        match (action, before, after) {
            (Action::NoOp, Some(current), Some(after)) if current == after => {
                Ok(Self::NoOp { current })
            }
            (Action::Create, None, Some(after)) => Ok(Self::Create { after }),
            (Action::Update, Some(before), Some(after)) => Ok(Self::Update { before, after }),
            (Action::Delete, Some(before), None) => Ok(Self::Delete { before }),
            (Action::NoOp, ..) => Err("a no-op whose before and after differ".to_owned()),
            (Action::Create, ..) => Err("a create needs an after state and no before".to_owned()),
            (Action::Update, ..) => Err("an update needs a before and an after state".to_owned()),
            (Action::Delete, ..) => Err("a delete needs a before state and no after".to_owned()),
        }
    }
}
