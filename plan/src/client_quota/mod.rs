//! Client quotas: reading them, comparing them, and carrying out their changes.

mod diff;
mod execute;
mod label;
mod live;
mod state;

pub(crate) use diff::Quotas;
#[cfg(test)]
pub(crate) use execute::outlook;
pub(crate) use execute::{execute, outlooks};
pub(crate) use label::label;
pub(crate) use live::{observe, read};
pub use state::QuotaState;

/// The first word of its addresses.
pub(crate) const KIND: &str = "quota";
