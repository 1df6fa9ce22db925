//! The safety rails of every kind of resource.

use crate::change::{Block, BlockCode};
use crate::desired::DesiredCluster;
use crate::observed::ObservedCluster;
use crate::permissions::Permissions;

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

/// A deletion has to be asked for by address.
pub(crate) fn asked_for(address: &str, allowed: &Permissions) -> Option<Block> {
    (!allowed.may_destroy(address)).then(|| {
        block(
            BlockCode::DestroyNotAllowed,
            format!("deleting needs {}", allow_destroy(address)),
        )
    })
}

/// How a deletion is asked for.
pub(crate) fn allow_destroy(address: &str) -> String {
    format!("`--allow-destroy {}`", quoted(address))
}

/// How a resource is left out of a plan. Its address is a pattern that matches itself.
pub(crate) fn exclude(address: &str) -> String {
    format!("`--exclude {}`", quoted(address))
}

/// The address as a shell takes it.
fn quoted(address: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=,@%+".contains(char);
    if address.chars().all(plain) {
        address.to_owned()
    } else {
        format!("'{}'", address.replace('\'', r"'\''"))
    }
}

/// A refusal.
pub(crate) fn block(code: BlockCode, message: String) -> Block {
    Block { code, message }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn an_address_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("topic.aws.pay.orders"), "topic.aws.pay.orders");
        assert_eq!(
            quoted("quota.aws.user=<default>"),
            "'quota.aws.user=<default>'"
        );
        assert_eq!(quoted("user.aws.o'hara"), r"'user.aws.o'\''hara'");
    }
}
