//! Machines that two clusters name.

use super::super::scope::Scope;
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolved::Cluster;

/// A machine runs the brokers of one cluster: Kafka's service, its disks and its ports are there once.
pub(super) fn machines(scope: &mut Scope<'_>, clusters: &[(usize, Cluster)]) {
    let place = |index: usize, at: usize| {
        let brokers = Path::root().key("clusters").index(index).key("brokers");
        brokers.key("hosts").index(at)
    };
    let ours: Vec<&(usize, Cluster)> = clusters
        .iter()
        .filter(|(_, cluster)| cluster.platform == Platform::Ansible)
        .collect();
    for (before, (index, cluster)) in ours.iter().enumerate() {
        for (at, host) in hosts(cluster).enumerate() {
            let other = ours[..before].iter().find_map(|(index, other)| {
                let at = hosts(other).position(|it| it.eq_ignore_ascii_case(host))?;
                Some((place(*index, at), &other.alias))
            });
            let Some((first, alias)) = other else {
                continue;
            };
            let line = scope.line(&first);
            let span = scope.span(&place(*index, at));
            scope.add(
                Finding::new(
                    Code::SharedMachine,
                    span,
                    format!("the machine `{host}` runs brokers of `{alias}` already"),
                    "in two clusters",
                )
                .hint(format!(
                    "line {line} has it first; brokers of two clusters need machines of their own"
                )),
            );
        }
    }
}

fn hosts(cluster: &Cluster) -> impl Iterator<Item = &String> {
    let brokers = cluster.infrastructure.brokers.iter();
    brokers.flat_map(|it| &it.hosts)
}
