//! The end of an apply: brokers learn of a change one after the other, and whoever plans next asks any of them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use kafka::{BrokerNode, Cluster};
use tokio::time::{Instant, sleep, timeout_at};

use super::ApplyOptions;
use super::execute::outlooks;
use super::work::Outlook;
use crate::change::{Resource, ResourceChange};
use crate::guard::Clients;

/// How long brokers may take. One that is cut off may take for ever, and nobody plans by asking it.
const WITHIN: Duration = Duration::from_secs(10);

/// Waits until each broker shows those of these changes that its cluster shows, and returns the ids of those that do not in
/// time by cluster. A broker that does not answer is among them. Cancel safe: nothing but reads.
pub(super) async fn behind<'a>(
    clients: &Clients,
    changes: impl Iterator<Item = &'a ResourceChange>,
    options: &ApplyOptions,
) -> Vec<(String, Vec<i32>)> {
    let mut by_cluster: BTreeMap<&str, Vec<&ResourceChange>> = BTreeMap::new();
    for change in changes.filter(|change| of_metadata(&change.resource)) {
        if let Some(alias) = change.home.cluster() {
            by_cluster.entry(alias).or_default().push(change);
        }
    }
    let deadline = Instant::now() + WITHIN.min(options.visible_within);
    let looks = by_cluster.iter().map(|(alias, changes)| async {
        let behind = match clients.get(*alias) {
            Some(cluster) => behind_of(cluster, changes, options.poll, deadline).await,
            None => Vec::new(),
        };
        ((*alias).to_owned(), behind)
    });
    let mut found = join_all(looks).await;
    found.retain(|(_, behind)| !behind.is_empty());
    found
}

async fn behind_of(
    cluster: &Cluster,
    changes: &[&ResourceChange],
    poll: Duration,
    deadline: Instant,
) -> Vec<i32> {
    let brokers = match timeout_at(deadline, cluster.metadata_of(&[])).await {
        Ok(Ok(metadata)) => metadata.brokers,
        // gone since: whoever ends the lease says so
        Ok(Err(_)) | Err(_) => return Vec::new(),
    };
    if brokers.len() < 2 {
        return Vec::new();
    }
    let looks = brokers.iter().map(|(id, node)| async {
        let shown = shown_by(cluster, node, changes, poll);
        (*id, timeout_at(deadline, shown).await.is_ok())
    });
    let looked = join_all(looks).await.into_iter();
    looked
        .filter(|(_, shown)| !shown)
        .map(|(id, _)| id)
        .collect()
}

/// Whether brokers answer for it out of their own copy of the metadata. A mirror's record is read from its partition's leader.
fn of_metadata(resource: &Resource) -> bool {
    match resource {
        Resource::Topic(_)
        | Resource::Acl(_)
        | Resource::ClientQuota(_)
        | Resource::ScramUser(_) => true,
        Resource::Mirror(_) | Resource::RenderedFile(_) => false,
    }
}

/// Returns once this broker shows all of them.
async fn shown_by(
    cluster: &Cluster,
    node: &BrokerNode,
    changes: &[&ResourceChange],
    poll: Duration,
) {
    let mut pause = poll;
    loop {
        if let Ok(broker) = cluster.at(node).await
            && let Ok(outlooks) = outlooks(&broker, changes).await
            && outlooks
                .iter()
                .all(|(_, outlook)| *outlook == Outlook::AlreadyDone)
        {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
