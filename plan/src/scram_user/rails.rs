//! The safety rails of SCRAM users.

use crate::change::{Block, BlockCode};
use crate::desired::DesiredCluster;
use crate::rails::block;

/// What is refused about taking a credential away.
pub(super) fn removal(name: &str, cluster: &DesiredCluster) -> Option<Block> {
    (cluster.own_login() == Some(name)).then(|| {
        block(
            BlockCode::OwnLogin,
            format!("this command itself logs in as {name}: use another login for it"),
        )
    })
}
