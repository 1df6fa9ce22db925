//! The safety rails of ACLs.

use topology::{AclBinding, AclPermission};

use crate::change::{Block, BlockCode};
use crate::desired::DesiredCluster;
use crate::rails::block;

/// What is refused about creating the rule.
pub(super) fn creation(
    rule: &AclBinding,
    cluster: &DesiredCluster,
    authorizer: bool,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !authorizer {
        blocks.push(block(
            BlockCode::NoAuthorizer,
            "the cluster keeps no ACLs: set `authorizer.class.name` on its brokers, or leave the ACLs out"
                .to_owned(),
        ));
    }
    if rule.permission == AclPermission::Deny {
        blocks.extend(own_login(rule, cluster));
    }
    blocks
}

/// What is refused about deleting the rule.
pub(super) fn deletion(rule: &AclBinding, cluster: &DesiredCluster) -> Option<Block> {
    match rule.permission {
        AclPermission::Allow => own_login(rule, cluster),
        AclPermission::Deny => None,
    }
}

/// Whoever takes rights from themselves may not be able to give them back.
fn own_login(rule: &AclBinding, cluster: &DesiredCluster) -> Option<Block> {
    let own = cluster.own_login()?;
    (rule.principal == format!("User:{own}")).then(|| {
        block(
            BlockCode::OwnLogin,
            format!(
                "it takes a right from User:{own}, whom this command itself logs in as: use another login for it"
            ),
        )
    })
}
