//! The bridge from the file as written to the resolved topology, and every check of meaning on the way.

mod access;
mod cluster;
mod colliding;
mod config_value;
mod file;
mod infrastructure;
mod mirror;
mod msk_replicator;
mod naming;
mod promises;
mod rendering;
mod scope;
mod security;
mod topic;
mod topic_sync;

pub(crate) use file::resolve;
