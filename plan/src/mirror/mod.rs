//! Mirrors: which state each is meant to be in, as its target cluster keeps it (`register`). Replicators follow that record.
//!
//! What a mirror needs to keep its promises is judged elsewhere (`proof/`).

mod diff;
mod execute;
mod live;
mod state;

pub(crate) use diff::Mirrors;
#[cfg(test)]
pub(crate) use execute::outlook;
pub(crate) use execute::{execute, outlooks};
pub(crate) use live::observe;
pub use state::{MirrorRecord, ObservedMirror};

/// The first word of its addresses. A mirror's name is one of the whole topology, so the address names no cluster.
pub(crate) const KIND: &str = "mirror";

/// The address of the mirror with this name.
pub(crate) fn address(name: &str) -> String {
    format!("{KIND}.{name}")
}
