//! The end of an apply that was told to stop, or that lost its lease, while changes are under way: they come to their end,
//! unless their cluster does not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::select;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::event::{ApplyEvent, ApplyObserver};
use crate::change::ResourceChange;
use crate::guard::Clients;

/// How often it is asked whether a cluster is there, and how long it may take to say so.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// The changes that were begun and have not ended.
#[derive(Debug, Default)]
pub(super) struct UnderWay<'a> {
    changes: Mutex<BTreeMap<&'a str, &'a ResourceChange>>,
}

impl<'a> UnderWay<'a> {
    pub(super) fn begun(&self, change: &'a ResourceChange) {
        self.lock().insert(&change.address, change);
    }

    pub(super) fn ended(&self, change: &ResourceChange) {
        self.lock().remove(change.address.as_str());
    }

    /// Those that have not ended.
    pub(super) fn left(&self) -> Vec<&'a ResourceChange> {
        self.lock().values().copied().collect()
    }

    fn clusters(&self) -> BTreeSet<&'a str> {
        let changes = self.lock();
        changes
            .values()
            .filter_map(|it| it.home.cluster())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'a str, &'a ResourceChange>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until one of `stops` is cancelled, says so, and returns once a cluster with changes under way has not answered for
/// `silent_for`. Never returns while they answer: replicas that move may take as long as they do. Cancel safe.
pub(super) async fn out_of_patience(
    under_way: &UnderWay<'_>,
    clients: &Clients,
    observer: &dyn ApplyObserver,
    [cancel, lost]: [&CancellationToken; 2],
    silent_for: Duration,
) {
    let (told, lapsed) = (cancel.cancelled(), lost.cancelled());
    select(std::pin::pin!(told), std::pin::pin!(lapsed)).await;
    observer.event(&ApplyEvent::Stopping {
        under_way: under_way.left().len(),
        lease_lost: lost.is_cancelled(),
    });
    let mut heard: BTreeMap<&str, Instant> = BTreeMap::new();
    loop {
        for alias in under_way.clusters() {
            let heard_at = *heard.entry(alias).or_insert_with(Instant::now);
            let Some(cluster) = clients.get(alias) else {
                continue;
            };
            match timeout(ASK_EVERY, cluster.metadata_of(&[])).await {
                Ok(Ok(_)) => {
                    heard.insert(alias, Instant::now());
                }
                Ok(Err(_)) | Err(_) if heard_at.elapsed() >= silent_for => return,
                Ok(Err(_)) | Err(_) => {}
            }
        }
        sleep(ASK_EVERY).await;
    }
}
