//! The targets, one file or folder each.

mod ansible;
mod arm;
mod connect;
mod container;
mod java_client;
mod kubernetes;
mod mirrormaker;
mod mirrormaker2;
mod monitoring;
mod names;
mod pipelines;
mod replicator;
mod strimzi;
mod systemd;
mod terraform;

use crate::target::Target;

/// All targets, by name. A new one is a module and a line here.
static TARGETS: &[Target] = &[
    ansible::TARGET,
    arm::TARGET,
    connect::TARGET,
    container::TARGET,
    kubernetes::TARGET,
    mirrormaker::TARGET,
    mirrormaker2::TARGET,
    monitoring::TARGET,
    pipelines::TARGET,
    strimzi::TARGET,
    systemd::TARGET,
    terraform::aws::TARGET,
    terraform::azure::TARGET,
];

/// All targets, by name.
pub fn targets() -> &'static [Target] {
    TARGETS
}
