//! The safety rails of every kind of resource.

use crate::change::{Block, BlockCode};
use crate::desired::DesiredCluster;
use crate::observed::ObservedCluster;

/// What is refused because of the cluster.
pub(crate) fn cluster(desired: &DesiredCluster, live: Option<&ObservedCluster>) -> Vec<Block> {
    match (live, &desired.cluster_id) {
        (None, _) => vec![block(
            BlockCode::NotObserved,
            "the cluster was not observed, so nothing is known about it".to_owned(),
        )],
        (Some(live), Some(expected)) if live.cluster_id != *expected => vec![block(
            BlockCode::WrongCluster,
            format!(
                "the live cluster calls itself {}, the topology allows only {expected}",
                live.cluster_id
            ),
        )],
        (Some(_), Some(_) | None) => Vec::new(),
    }
}

/// A refusal.
pub(crate) fn block(code: BlockCode, message: String) -> Block {
    Block { code, message }
}
