//! One change to one resource: what it is, what was read, what it will be, and what may go wrong.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observed::ConfigOrigin;

/// A resource of the topology and what the plan does to it.
///
/// Decisions (what [`apply`](crate::apply) sends and compares) use `cluster`, `name`, `change` and
/// `blocked` only. `reason`, `risk`, `details`, `notes` and `unmanaged` are for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceChange {
    /// Names the resource within the topology: `topic.<cluster alias>.<topic name>`.
    pub address: String,
    /// What kind of resource it is.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// Alias of the cluster the resource lives on.
    pub cluster: String,
    /// Name of the resource on that cluster.
    pub name: String,
    /// What will be done, from which state to which.
    pub change: Change,
    /// Why, in a few words.
    pub reason: String,
    /// The gravest risk among the details.
    pub risk: Risk,
    /// Each attribute that changes, in a fixed order: partitions, replication factor, then
    /// configuration keys by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// Why the change is refused. A plan with any refusal is not applied at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Block>,
    /// Things worth knowing that change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Configuration set on the live topic that the topology does not declare: left as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unmanaged: BTreeMap<String, String>,
}

impl ResourceChange {
    /// Whether a safety rail refuses this change.
    pub fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }
}

/// Kinds of resources a plan can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    /// A topic on one cluster.
    Topic,
}

/// What can be done to a resource. There is no delete and no replace: a plan cannot express them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The live resource is what the topology declares.
    NoOp,
    /// The resource does not exist and will be created.
    Create,
    /// The resource exists and will be changed in place.
    Update,
}

/// A change with exactly the states its action needs.
///
/// In JSON it has Terraform's form: `{"actions": ["update"], "before": {…}, "after": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "ChangeForm", into = "ChangeForm")]
#[schemars(with = "ChangeForm")]
pub enum Change {
    /// Nothing to do.
    NoOp {
        /// The live state that was read.
        current: TopicState,
    },
    /// Create the resource.
    Create {
        /// The state to create; what is absent is left to the brokers' defaults.
        after: TopicState,
    },
    /// Change the resource in place.
    Update {
        /// The live state that was read.
        before: TopicState,
        /// The state to reach.
        after: TopicState,
    },
}

impl Change {
    /// What is done, without the states.
    pub fn action(&self) -> Action {
        match self {
            Self::NoOp { .. } => Action::NoOp,
            Self::Create { .. } => Action::Create,
            Self::Update { .. } => Action::Update,
        }
    }

    /// The live state that was read; `None` when the resource did not exist.
    pub fn before(&self) -> Option<&TopicState> {
        match self {
            Self::NoOp { current } => Some(current),
            Self::Create { .. } => None,
            Self::Update { before, .. } => Some(before),
        }
    }

    /// The state that the topology asks for.
    pub fn after(&self) -> &TopicState {
        match self {
            Self::NoOp { current } => current,
            Self::Create { after } | Self::Update { after, .. } => after,
        }
    }
}

/// The part of a topic's state that the plan manages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicState {
    /// Topic id: a topic that was deleted and created again has another one. `null` for a topic
    /// that is yet to be created.
    pub topic_id: Option<String>,
    /// Number of partitions; `null` leaves it to the brokers' default.
    pub partitions: Option<u32>,
    /// Replicas of each partition; `null` leaves it to the brokers' default. Of a live topic whose
    /// partitions differ, the smallest.
    pub replication_factor: Option<u16>,
    /// Values of the declared configuration keys; `null` where the brokers give no value.
    pub configs: BTreeMap<String, Option<String>>,
}

/// One attribute that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// `partitions`, `replication_factor`, or `config.<key>`.
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
    /// Another replication factor than the live topic has.
    ReplicationFactorChange,
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
    /// A configuration key that the brokers do not know.
    UnknownConfig,
    /// A configuration key that cannot be set.
    ReadOnlyConfig,
    /// The live cluster is another one than the topology names.
    WrongCluster,
    /// The cluster was not observed, so nothing is known about it.
    NotObserved,
}

/// [`Change`] as it stands in JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Change")]
struct ChangeForm {
    /// Exactly one action.
    actions: Vec<Action>,
    /// The live state that was read; `null` for `create`.
    before: Option<TopicState>,
    /// The state to reach; equal to `before` for `no-op`.
    after: TopicState,
}

impl From<Change> for ChangeForm {
    fn from(change: Change) -> Self {
        Self {
            actions: vec![change.action()],
            before: change.before().cloned(),
            after: change.after().clone(),
        }
    }
}

impl TryFrom<ChangeForm> for Change {
    type Error = String;

    fn try_from(form: ChangeForm) -> Result<Self, String> {
        let ChangeForm {
            actions,
            before,
            after,
        } = form;
        match (actions.as_slice(), before) {
            ([Action::NoOp], Some(current)) if current == after => Ok(Self::NoOp { current }),
            ([Action::NoOp], _) => Err("a no-op whose before and after differ".to_owned()),
            ([Action::Create], None) => Ok(Self::Create { after }),
            ([Action::Create], Some(_)) => Err("a create with a before state".to_owned()),
            ([Action::Update], Some(before)) => Ok(Self::Update { before, after }),
            ([Action::Update], None) => Err("an update without a before state".to_owned()),
            ([] | [_, _, ..], _) => Err(format!("{} actions instead of one", actions.len())),
        }
    }
}
