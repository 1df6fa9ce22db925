//! ACLs: reading them, comparing them, their rails, and carrying out their changes.
//!
//! An ACL has no attributes: the whole rule is its key. It is created or deleted, never changed.

mod diff;
mod execute;
mod label;
mod live;
mod observe;
mod rails;

pub(crate) use diff::Acls;
#[cfg(test)]
pub(crate) use execute::outlook;
pub(crate) use execute::{execute, outlooks};
pub(crate) use label::label;
pub(crate) use live::{read, read_with_unknown};
pub(crate) use observe::observe;

/// The first word of its addresses.
pub(crate) const KIND: &str = "acl";
