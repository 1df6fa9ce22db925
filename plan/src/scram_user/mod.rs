//! SCRAM users: reading them, comparing them, their rails, and carrying out their changes.
//!
//! A cluster never gives a password back, nor anything derived from it, and nothing of it is recorded either: that could
//! be attacked where the record is read. So a password is compared by the `generation` that the topology gives it.

mod credentials;
mod diff;
mod execute;
mod live;
mod rails;
mod state;

pub(crate) use credentials::Credentials;
pub(crate) use diff::Users;
#[cfg(test)]
pub(crate) use execute::{Seen, outlook};
pub(crate) use execute::{execute, outlooks};
pub(crate) use live::{observe, read};
pub use state::ScramUserState;

use crate::label::escaped;

/// The first word of its addresses.
pub(crate) const KIND: &str = "user";

/// How a user is called in addresses.
pub(crate) fn label(name: &str) -> String {
    escaped(name)
}
