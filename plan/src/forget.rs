//! Ending the management of resources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use folder::Folder;

use crate::change::RecordChange;
use crate::guard::Clients;
use crate::journal;
use crate::ownership::Owner;
use crate::rendered_file::{self, FileError};

/// Why resources could not be forgotten. Nothing was, unless a cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// No cluster remembers these.
    #[error("nothing is remembered of {}", addresses.join(", "))]
    Unknown {
        /// Addresses as given.
        addresses: Vec<String>,
    },
    /// Another topology has these: one name is one topology's to take back.
    #[error("of another topology: {}", of_another(addresses))]
    OfAnotherTopology {
        /// Names of the topologies by address.
        addresses: BTreeMap<String, String>,
    },
    /// The manifest of rendered files could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A cluster did not answer.
    #[error("cluster {alias}: {source}")]
    Cluster {
        /// Cluster alias.
        alias: String,
        /// What went wrong.
        source: kafka::Error,
    },
}

fn of_another(addresses: &BTreeMap<String, String>) -> String {
    let words = addresses
        .iter()
        .map(|(address, owner)| format!("{address} (`{owner}`)"));
    words.collect::<Vec<_>>().join(", ")
}

/// Takes back what the clusters, and the manifest of rendered files in `folder`, remember of these resources for the topology
/// called `topology`, and returns their addresses. The resources stay as they are, and so do throttles that an apply left on
/// them. All are looked up before any is forgotten.
pub async fn forget(
    clients: &Clients,
    folder: Option<&Path>,
    topology: Option<&str>,
    addresses: &[String],
) -> Result<Vec<String>, ForgetError> {
    let another = |owner: &Owner| owner.another_than(topology).map(str::to_owned);
    let failed = |alias: &str| {
        let alias = alias.to_owned();
        move |source| ForgetError::Cluster { alias, source }
    };
    let mut found = Vec::new();
    let mut others = BTreeMap::new();
    for (alias, cluster) in clients {
        let journal = journal::read(cluster).await.map_err(failed(alias))?;
        let recorded_here = journal::addressed(journal.recorded, alias);
        let underway_here = journal::addressed(journal.underway, alias);
        for address in addresses {
            let recorded = recorded_here.get(address);
            let owner = recorded.map(|owned| Owner::named(owned.topology.as_deref()));
            if let Some(other) = owner.as_ref().and_then(another) {
                others.insert(address.clone(), other);
            } else if owner.is_some() || underway_here.contains_key(address) {
                found.push((alias, cluster, address.clone()));
            }
        }
    }
    let folder = folder.map(Folder::at);
    let mut files = BTreeMap::new();
    if let Some(folder) = &folder {
        files = rendered_file::known(folder, addresses)?;
        for (address, owner) in rendered_file::owners(folder)? {
            if let Some(other) = another(&owner)
                && files.remove(&address).is_some()
            {
                others.insert(address, other);
            }
        }
    }
    let known: BTreeSet<&String> = found.iter().map(|(_, _, address)| address).collect();
    // one name is a mirror of each on another target
    others.retain(|address, _| !known.contains(address));
    let unknown: Vec<String> = addresses
        .iter()
        .filter(|address| {
            !known.contains(address)
                && !files.contains_key(*address)
                && !others.contains_key(*address)
        })
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(ForgetError::Unknown { addresses: unknown });
    }
    if !others.is_empty() {
        return Err(ForgetError::OfAnotherTopology { addresses: others });
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
    if let Some(folder) = &folder {
        let gone = files.values();
        let gone: Vec<_> = gone
            .map(|name| (name.as_str(), &RecordChange::Forget))
            .collect();
        rendered_file::note(folder, &gone)?;
        forgotten.extend(files.into_keys());
    }
    Ok(forgotten)
}
