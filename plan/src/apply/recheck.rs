//! Whether a plan still fits what is live, and whose that is: looked at before anything is changed.

use std::collections::{BTreeMap, BTreeSet};

use folder::Folder;

use super::client;
use super::error::ApplyError;
use super::execute::outlooks;
use super::work::Outlook;
use crate::change::{Action, ResourceChange};
use crate::difference::Difference;
use crate::document::Plan;
use crate::guard::Clients;
use crate::home::Home;
use crate::journal::{self, Owned};
use crate::ownership::{Owner, Owners, changed_hands};
use crate::rendered_file;

/// Whose the resources are now, wherever the plan changes anything, or what is remembered. On clusters that is looked at once:
/// the lease keeps other applies out until this one ends. Cancel safe: nothing but reads.
pub(super) async fn owners(plan: &Plan, clients: &Clients) -> Result<Owners, ApplyError> {
    let changes = plan.resource_changes.iter();
    let concerned = changes.filter(|it| it.action() != Action::NoOp || it.record.is_some());
    let mut homes: BTreeSet<Home> = concerned.map(|it| it.home.clone()).collect();
    let forgotten = plan.forget.iter();
    homes.extend(forgotten.map(|it| Home::Cluster(it.cluster.clone())));
    let folder = plan.folder.iter().filter(|it| !it.forget.is_empty());
    homes.extend(folder.map(|it| Home::Folder(it.path.clone())));
    let mut owners = Owners::new();
    for home in homes {
        let of_home = match &home {
            Home::Cluster(alias) => {
                let journal = journal::read(client(clients, alias)?).await;
                let journal = journal.map_err(|source| ApplyError::cluster(alias, source))?;
                let recorded = journal::addressed(journal.recorded, alias);
                recorded
                    .into_iter()
                    .map(|(address, Owned { topology, .. })| (address, Owner { topology }))
                    .collect()
            }
            Home::Folder(path) => rendered_file::owners(&Folder::at(path))?,
        };
        owners.insert(home, of_home);
    }
    Ok(owners)
}

/// The first of the `pending` changes that no longer fits what is live; or the first change, of the record alone included,
/// whose resource is somebody else's by now. Everything is looked at before anything is changed: a plan that is stale in one
/// place is not carried out in others. Each change is rechecked once more when its turn comes. Cancel safe.
pub(super) async fn first_stale<'a>(
    plan: &'a Plan,
    pending: &[&'a ResourceChange],
    clients: &Clients,
    owners: &Owners,
) -> Result<Option<(&'a ResourceChange, Vec<Difference>)>, ApplyError> {
    let mut by_home: BTreeMap<&Home, Vec<&ResourceChange>> = BTreeMap::new();
    for change in pending {
        by_home.entry(&change.home).or_default().push(change);
    }
    let mut gone = BTreeSet::new();
    for (home, changes) in by_home {
        let outlooks = match home {
            Home::Cluster(alias) => outlooks(client(clients, alias)?, &changes)
                .await
                .map_err(|error| ApplyError::unread(alias, error))?,
            Home::Folder(path) => rendered_file::outlooks(&Folder::at(path), &changes)?,
        };
        for (change, outlook) in outlooks {
            match outlook {
                Outlook::Stale(differences) => return Ok(Some((change, differences))),
                Outlook::AlreadyDone if change.action() == Action::Delete => {
                    gone.insert(change.address.as_str());
                }
                Outlook::AlreadyDone | Outlook::Remaining => {}
            }
        }
    }
    let by = plan.topology.as_deref();
    let moved = changed_hands(&plan.resource_changes, owners, by, &gone);
    Ok(moved.map(|(change, difference)| (change, vec![difference])))
}
