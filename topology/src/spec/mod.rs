//! The topology as written: the shape of the YAML file, before references and units are resolved.
//!
//! The JSON Schema is generated from these types, and every file is checked against it before it is read into them.

mod access;
mod cluster;
mod file;
mod mirror;
mod platform;
mod rendering;
mod scalar;
mod security;
mod topic;
mod verify;

pub(crate) use access::{Acl, NameOrPrefix, Quota, Resource, Service, User};
pub(crate) use cluster::{Allow, Cluster};
pub(crate) use file::File;
pub(crate) use mirror::{
    Mirror, PolicyType, RenameRule, ReplicationPolicy, StartOffset, Timestamp,
};
pub(crate) use platform::{Account, Brokers, Dns, Kubernetes, Network, Storage};
pub(crate) use rendering::{Metadata, Render};
#[cfg(test)]
pub(crate) use scalar::{BYTES_PATTERN, DURATION_PATTERN};
pub(crate) use scalar::{ConfigValue, DurationText, OneOrMany, Secret, SizeText};
pub(crate) use security::{Aws, Mechanism, OAuth, Sasl, Tls};
pub(crate) use topic::Topic;
pub(crate) use verify::Verify;
