//! What whoever runs the command allows, beyond what the topology permits.

use std::collections::BTreeSet;

/// Deletions that were asked for, by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    destroy: BTreeSet<String>,
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
        }
    }

    /// Whether the deletion of this resource was asked for.
    pub fn may_destroy(&self, address: &str) -> bool {
        self.destroy.contains(address)
    }
}
