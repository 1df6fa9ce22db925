//! The targets, one file or folder each.

mod ansible;
mod arm;
mod ci;
mod connect;
mod container;
mod credentials;
mod java_client;
mod kubernetes;
mod listening;
mod loopback;
mod mirrormaker;
mod mirrormaker2;
mod monitoring;
mod names;
mod pipelines;
mod replicator;
mod strimzi;
mod systemd;
mod terraform;

pub use terraform::aws::{
    AwsNetworkOutline, AwsOutline, Ec2Outline, Egress, MskOutline, ReplicatorOutline,
    ResolverOutline, aws_outline,
};

pub use replicator::clusters;

use crate::target::Target;

/// All targets, by name. A new one is a module and a line here.
static TARGETS: &[Target] = &[
    ansible::TARGET,
    arm::TARGET,
    ci::TARGET,
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

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn a_topology_may_name_each_of_them() {
        let names = targets().iter().map(|target| target.name);
        assert!(names.eq(topology::RenderTarget::ALL.map(topology::RenderTarget::name)));
    }

    #[test]
    fn names_are_folders_in_order_and_settings_are_unique() {
        let names: Vec<&str> = targets().iter().map(|target| target.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        for target in targets() {
            assert!(folder::check(target.name).is_ok(), "{}", target.name);
            assert!(!target.name.contains(['/', '.']), "{}", target.name);
            let mut settings: Vec<&str> = target.settings.iter().map(|it| it.name).collect();
            settings.sort_unstable();
            settings.dedup();
            assert_eq!(settings.len(), target.settings.len(), "{}", target.name);
        }
    }
}
