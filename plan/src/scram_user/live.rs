//! Reads live SCRAM users.

use std::collections::BTreeMap;

use kafka::Cluster;
use kafka::security::ScramHash;
use topology::ScramMechanism;

use super::{KIND, label};
use crate::desired::DesiredCluster;
use crate::draft;
use crate::observed::ObservedCluster;
use crate::topic::ReadError;

/// Iterations by mechanism.
pub(crate) type Iterations = BTreeMap<ScramMechanism, u32>;

/// All live users by name.
pub(crate) async fn read(cluster: &Cluster) -> Result<BTreeMap<String, Iterations>, ReadError> {
    let users = cluster.scram_users().await?;
    let of_user = |known: BTreeMap<ScramHash, u32>| {
        known
            .into_iter()
            .map(|(hash, iterations)| (mechanism(hash), iterations))
            .collect()
    };
    Ok(users
        .into_iter()
        .map(|(name, known)| (name, of_user(known)))
        .collect())
}

/// The mechanism as requests carry it.
pub(super) fn hash(mechanism: ScramMechanism) -> ScramHash {
    match mechanism {
        ScramMechanism::Sha256 => ScramHash::Sha256,
        ScramMechanism::Sha512 => ScramHash::Sha512,
    }
}

fn mechanism(hash: ScramHash) -> ScramMechanism {
    match hash {
        ScramHash::Sha256 => ScramMechanism::Sha256,
        ScramHash::Sha512 => ScramMechanism::Sha512,
    }
}

/// Reads the users into `observed`, where any is declared or recorded.
pub(crate) async fn observe(
    alias: &str,
    cluster: &DesiredCluster,
    client: &Cluster,
    observed: &mut ObservedCluster,
) -> Result<(), ReadError> {
    let Some(labels) = draft::looked_at(KIND, alias, &cluster.users, observed) else {
        return Ok(());
    };
    observed.users = read(client)
        .await?
        .into_iter()
        .map(|(name, credentials)| (label(&name), credentials))
        .filter(|(label, _)| labels.contains(label))
        .collect();
    Ok(())
}
