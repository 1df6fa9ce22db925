//! Ending the management of resources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use folder::Folder;

use crate::change::RecordChange;
use crate::guard::Clients;
use crate::journal;
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

/// Takes back what the clusters, and the manifest of rendered files in `folder`, remember of these resources, and returns
/// their addresses. The resources stay as they are, and so do throttles that an apply left on them. All are looked up
/// before any is forgotten.
pub async fn forget(
    clients: &Clients,
    folder: Option<&Path>,
    addresses: &[String],
) -> Result<Vec<String>, ForgetError> {
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
    let folder = folder.map(Folder::at);
    let files = match &folder {
        Some(folder) => rendered_file::known(folder, addresses)?,
        None => BTreeMap::new(),
    };
    let known: BTreeSet<&String> = found.iter().map(|(_, _, address)| address).collect();
    let unknown: Vec<String> = addresses
        .iter()
        .filter(|address| !known.contains(address) && !files.contains_key(*address))
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
