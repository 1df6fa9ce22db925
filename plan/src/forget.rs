//! Ending the management of resources.

use std::collections::BTreeSet;

use crate::guard::Clients;
use crate::journal;

/// Why resources could not be forgotten. Nothing was, unless a cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// No cluster remembers these.
    #[error("nothing is remembered of {}", addresses.join(", "))]
    Unknown {
        /// Addresses as given.
        addresses: Vec<String>,
    },
    /// A cluster did not answer.
    #[error("cluster {alias}: {source}")]
    Cluster {
        /// Cluster alias.
        alias: String,
        /// What went wrong.
        source: kafka::Error,
    },
}

/// Takes back what the clusters remember of these resources, and returns their addresses. The resources stay as they
/// are, and so do throttles that an apply left on them. All are looked up before any is forgotten.
pub async fn forget(clients: &Clients, addresses: &[String]) -> Result<Vec<String>, ForgetError> {
    let failed = |alias: &str| {
        let alias = alias.to_owned();
        move |source| ForgetError::Cluster { alias, source }
    };
    let mut found = Vec::new();
    for (alias, cluster) in clients {
        let journal = journal::read(cluster).await.map_err(failed(alias))?;
        let here = addresses.iter().filter(|address| {
            journal.recorded.contains_key(*address) || journal.underway.contains_key(*address)
        });
        found.extend(here.map(|address| (alias, cluster, address.clone())));
    }
    let known: BTreeSet<&String> = found.iter().map(|(_, _, address)| address).collect();
    let unknown: Vec<String> = addresses
        .iter()
        .filter(|address| !known.contains(address))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(ForgetError::Unknown { addresses: unknown });
    }
    let mut forgotten = Vec::new();
    for (alias, cluster, address) in found {
        journal::log(cluster)
            .append(&[
                journal::entry(&address, None),
                journal::move_entry(&address, None),
            ])
            .await
            .map_err(failed(alias))?;
        forgotten.push(address);
    }
    Ok(forgotten)
}
