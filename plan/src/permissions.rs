//! What whoever runs the command allows, beyond what the topology permits.

use std::collections::BTreeSet;

/// Bytes a second that each broker sends and receives while replicas are copied, unless something else is asked for: a
/// sixth of what a link of 1 Gbit/s carries.
pub const REASSIGNMENT_THROTTLE: u64 = 20_000_000;

/// Deletions that were asked for, by address, and how fast replicas may be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    destroy: BTreeSet<String>,
    copy_rate: u64,
}

/// Nothing is deleted, and replicas are copied at [`REASSIGNMENT_THROTTLE`].
impl Default for Permissions {
    fn default() -> Self {
        Self {
            destroy: BTreeSet::new(),
            copy_rate: REASSIGNMENT_THROTTLE,
        }
    }
}

impl Permissions {
    /// Nothing is deleted.
    pub fn none() -> Self {
        Self::default()
    }

    /// These resources may be deleted, by their full addresses.
    pub fn to_destroy(addresses: impl IntoIterator<Item = String>) -> Self {
        Self {
            destroy: addresses.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Replicas are copied at this rate, in bytes a second and broker.
    #[must_use]
    pub fn copying_at(mut self, bytes_per_second: u64) -> Self {
        self.copy_rate = bytes_per_second;
        self
    }

    /// Bytes a second that a broker may copy.
    pub(crate) fn copy_rate(&self) -> u64 {
        self.copy_rate
    }

    /// Whether the deletion of this resource was asked for.
    pub fn may_destroy(&self, address: &str) -> bool {
        self.destroy.contains(address)
    }
}
