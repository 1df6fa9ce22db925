//! Which mirrors a root's replicator runs.

use topology::{Cluster, Engine, Mirror, MirrorState, Topology};

/// The mirrors of the built-in engine that begin or end on one of `clusters`, and are not promoted.
pub(super) fn mirrors<'a>(topology: &'a Topology, clusters: &[&Cluster]) -> Vec<&'a Mirror> {
    let here = |alias: &String| clusters.iter().any(|cluster| cluster.alias == *alias);
    topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::Builtin && mirror.state != MirrorState::Promoted)
        .filter(|mirror| here(&mirror.target) || mirror.sources.iter().any(here))
        .collect()
}

/// The cluster that the replicator is put next to: a target, because produce requests suffer most from distance.
pub(super) fn neighbour<'a>(mirrors: &[&Mirror], clusters: &[&'a Cluster]) -> Option<&'a Cluster> {
    let find = |wanted: &dyn Fn(&Mirror, &Cluster) -> bool| {
        mirrors.iter().find_map(|mirror| {
            clusters
                .iter()
                .find(|cluster| wanted(mirror, cluster))
                .copied()
        })
    };
    find(&|mirror, cluster| mirror.target == cluster.alias)
        .or_else(|| find(&|mirror, cluster| mirror.sources.contains(&cluster.alias)))
}
