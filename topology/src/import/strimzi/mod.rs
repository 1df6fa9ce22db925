//! Resources of Strimzi, the operator for Kafka on Kubernetes.

mod clusters;
mod connector;
mod login;
mod mirror_maker;
mod part;
mod read;
mod resource;
mod topic;
mod user;

pub use read::{StrimziError, strimzi};
