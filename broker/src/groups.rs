//! Consumer groups as tests want them to look: nobody joins them here.

use std::collections::BTreeMap;

use crate::cluster::EmbeddedCluster;

/// Which protocol the members of a group speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupKind {
    /// Members agree among themselves who reads what.
    #[default]
    Classic,
    /// The coordinator decides (KIP-848).
    Consumer,
    /// Members share partitions (KIP-932).
    Share,
}

impl GroupKind {
    /// What its members speak, as it is listed.
    pub(crate) fn protocol_type(self) -> &'static str {
        match self {
            Self::Classic | Self::Consumer => "consumer",
            Self::Share => "share",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
            Self::Share => "share",
        }
    }
}

/// A member of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMemberView {
    /// What it calls itself.
    pub client_id: String,
    /// Topics that it asks for.
    pub subscribed: Vec<String>,
    /// Partitions that it reads, by topic.
    pub assigned: BTreeMap<String, Vec<i32>>,
}

/// A group. It is `Stable` while it has members, else `Empty`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupView {
    /// Its protocol.
    pub kind: GroupKind,
    /// Who is in it.
    pub members: Vec<GroupMemberView>,
    /// What it has committed, by topic and partition.
    pub committed: BTreeMap<(String, i32), i64>,
}

impl GroupView {
    pub(crate) fn state(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else {
            "Stable"
        }
    }
}

/// Groups by id.
pub(crate) type Groups = BTreeMap<String, GroupView>;

impl EmbeddedCluster {
    /// Has a group look like this, whether it was there before or not. The first broker that is up coordinates it.
    pub fn put_group(&self, id: impl Into<String>, group: GroupView) {
        self.shared.groups.lock().insert(id.into(), group);
    }

    /// Takes a group away; nothing happens where there is none.
    pub fn remove_group(&self, id: &str) {
        self.shared.groups.lock().remove(id);
    }
}
