//! What an apply writes down of whose the resources are: in each cluster's own record, and in the manifest of a folder.

use std::collections::BTreeMap;

use folder::Folder;
use kafka::Cluster;

use super::client;
use super::error::ApplyError;
use crate::change::{Action, RecordChange, ResourceChange};
use crate::document::Plan;
use crate::guard::Clients;
use crate::home::Home;
use crate::journal::{self, Owned};
use crate::ownership::Owners;
use crate::rendered_file;

/// Records in one batch of a cluster's own record.
const A_BATCH: usize = 1_000;

/// Writes down what is ours of that which needs no change.
pub(super) async fn remember_unchanged(
    plan: &Plan,
    clients: &Clients,
    owners: &Owners,
) -> Result<(), ApplyError> {
    let unchanged = plan
        .resource_changes
        .iter()
        .filter(|change| change.action() == Action::NoOp)
        .filter_map(|change| {
            let topology = plan.topology.as_deref();
            let entry = entry(&change.address, change.record.as_ref()?, topology)?;
            Some((change.home.cluster()?, entry))
        });
    let gone = plan.forget.iter();
    let gone = gone.filter(|it| {
        is_own(
            plan,
            &Home::Cluster(it.cluster.clone()),
            &it.address,
            owners,
        )
    });
    let gone = gone.map(|forgotten| {
        let entry = journal::entry(&forgotten.address, None);
        (forgotten.cluster.as_str(), entry)
    });
    let mut entries: BTreeMap<&str, Vec<kafka::record::Record>> = BTreeMap::new();
    for (alias, entry) in unchanged.chain(gone) {
        entries.entry(alias).or_default().push(entry);
    }
    for (alias, entries) in entries {
        let log = journal::log(client(clients, alias)?);
        for batch in entries.chunks(A_BATCH) {
            log.append(batch)
                .await
                .map_err(|source| ApplyError::cluster(alias, source))?;
        }
    }
    Ok(())
}

/// Whether this is still what the plan's own topology declared.
fn is_own(plan: &Plan, home: &Home, address: &str, owners: &Owners) -> bool {
    let owner = owners.get(home).and_then(|owners| owners.get(address));
    owner.is_some_and(|owner| owner.topology == plan.topology)
}

/// Puts into the manifest what was rendered already, and takes out what it names in vain.
pub(super) fn note_unchanged(plan: &Plan, owners: &Owners) -> Result<(), ApplyError> {
    let Some(folder) = &plan.folder else {
        return Ok(());
    };
    let changes = plan.resource_changes.iter();
    let unchanged = changes
        .filter(|change| matches!(change.home, Home::Folder(_)))
        .filter(|change| change.action() == Action::NoOp)
        .filter_map(|change| Some((change.name.as_str(), change.record.as_ref()?)));
    let home = Home::Folder(folder.path.clone());
    let gone = folder.forget.iter();
    let gone = gone.filter(|name| is_own(plan, &home, &rendered_file::label(name), owners));
    let gone = gone.map(|name| (name.as_str(), &RecordChange::Forget));
    let records: Vec<(&str, &RecordChange)> = unchanged.chain(gone).collect();
    Ok(rendered_file::note(&Folder::at(&folder.path), &records)?)
}

/// Writes down that a resource is ours, or no longer.
pub(super) async fn remember(
    cluster: &Cluster,
    change: &ResourceChange,
    topology: Option<&str>,
) -> Result<(), kafka::Error> {
    let record = change.record.as_ref();
    match record.and_then(|record| entry(&change.address, record, topology)) {
        Some(entry) => journal::log(cluster).append(&[entry]).await,
        None => Ok(()),
    }
}

/// What a cluster's own record is to say; nothing where that is a folder's business.
fn entry(
    address: &str,
    record: &RecordChange,
    topology: Option<&str>,
) -> Option<kafka::record::Record> {
    match record {
        RecordChange::Remember(recorded) => {
            let owned = Owned {
                topology: topology.map(str::to_owned),
                recorded: recorded.clone(),
            };
            Some(journal::entry(address, Some(&owned)))
        }
        RecordChange::Forget => Some(journal::entry(address, None)),
        RecordChange::Rendered(_) => None,
    }
}
