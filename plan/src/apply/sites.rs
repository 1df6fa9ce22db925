//! The clusters that an apply works on: a lease on each, and an audit record of what happens there.

use std::collections::BTreeSet;
use std::time::Duration;

use kafka::Uuid;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::audit::{Audit, AuditEvent, AuditRecord, AuditedChange};
use super::error::ApplyError;
use super::event::{ApplyEvent, ApplyObserver, ApplySummary};
use super::lease::{self, Lease, LeaseError, RENEWAL};
use super::{ApplyOptions, client};
use crate::change::Action;
use crate::document::Plan;
use crate::guard::Clients;

/// Pause before a taken lease is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long leaving may take: a cluster that does not answer is not waited for.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// One cluster with its lease.
struct Site {
    lease: Lease,
    /// Absent where nothing but the record of what is ours changes.
    audit: Option<Audit>,
}

/// All clusters of one apply.
pub(super) struct Sites {
    sites: Vec<Site>,
}

impl Sites {
    /// Takes the lease on every cluster, or on none; then writes down what is about to happen.
    pub(super) async fn enter(
        plan: &Plan,
        clients: &Clients,
        aliases: &BTreeSet<&str>,
        options: &ApplyOptions,
        (observer, cancel): (&dyn ApplyObserver, &CancellationToken),
    ) -> Result<Self, ApplyError> {
        let mut entered = Self { sites: Vec::new() };
        // every apply takes them in the same order: two cannot wait for each other
        for alias in aliases {
            match Self::lease(alias, clients, options, (observer, cancel)).await {
                Ok(lease) => entered.sites.push(Site { lease, audit: None }),
                Err(error) => {
                    entered.give_back().await;
                    return Err(error);
                }
            }
        }
        let apply = Uuid::new_v4().to_string();
        for (site, alias) in entered.sites.iter_mut().zip(aliases) {
            let changes = changes_on(plan, alias);
            let Some(cluster) = clients.get(*alias).filter(|_| !changes.is_empty()) else {
                continue;
            };
            let record = AuditRecord {
                apply: apply.clone(),
                who: options.applicant.who.clone(),
                mirrorctl_version: env!("CARGO_PKG_VERSION").to_owned(),
                topology_digest: plan.topology_digest.clone(),
                topology: plan.topology.clone(),
                event: AuditEvent::Started { changes },
            };
            match Audit::started(cluster, record).await {
                Ok(audit) => site.audit = Some(audit),
                Err(source) => {
                    entered.give_back().await;
                    return Err(ApplyError::cluster(alias, source));
                }
            }
        }
        Ok(entered)
    }

    async fn lease(
        alias: &str,
        clients: &Clients,
        options: &ApplyOptions,
        (observer, cancel): (&dyn ApplyObserver, &CancellationToken),
    ) -> Result<Lease, ApplyError> {
        let cluster = client(clients, alias)?;
        let deadline = Instant::now() + options.lock_timeout;
        let mut said = None;
        loop {
            let refused = match lease::acquire(cluster, &options.applicant).await {
                Ok(lease) => return Ok(lease),
                Err(LeaseError::Held(holder)) => ApplyError::Locked {
                    alias: alias.to_owned(),
                    holder: Some(Box::new(holder)),
                },
                Err(LeaseError::Lost) => ApplyError::Locked {
                    alias: alias.to_owned(),
                    holder: None,
                },
                Err(LeaseError::Cluster(source)) => return Err(ApplyError::cluster(alias, source)),
            };
            if Instant::now() >= deadline || cancel.is_cancelled() {
                return Err(refused);
            }
            if let ApplyError::Locked {
                holder: Some(holder),
                ..
            } = &refused
                && said.replace(holder.by.clone()).as_ref() != Some(&holder.by)
            {
                observer.event(&ApplyEvent::Waiting {
                    cluster: alias.to_owned(),
                    holder: holder.to_string(),
                });
            }
            tokio::select! {
                () = sleep(AGAIN_AFTER) => {}
                () = cancel.cancelled() => {}
            }
        }
    }

    /// Renews the leases until one cannot be renewed in time; then cancels `lost`.
    pub(super) async fn keep(&mut self, lost: &CancellationToken) {
        loop {
            sleep(RENEWAL).await;
            for Site { lease, .. } in &mut self.sites {
                // one that fails is tried again at the next turn, as long as it lasts
                let renewed = timeout(RENEWAL, lease.renew()).await;
                if matches!(renewed, Ok(Err(LeaseError::Lost))) || !lease.is_held() {
                    lost.cancel();
                    return;
                }
            }
        }
    }

    /// Writes down how it ended and gives the leases back. Nothing can be done about a cluster that does not answer:
    /// its lease ends by itself, and an audit record without an end says that something went wrong.
    pub(super) async fn leave(mut self, outcome: &Result<ApplySummary, ApplyError>) {
        let nothing = ApplySummary::default();
        let (words, summary) = match outcome {
            Ok(summary) => ("done".to_owned(), summary),
            Err(error) => (error.to_string(), error.summary().unwrap_or(&nothing)),
        };
        let leaving = async {
            for site in &mut self.sites {
                if let Some(audit) = site.audit.take() {
                    audit.finished(words.clone(), summary).await.ok();
                }
            }
            self.give_back().await;
        };
        timeout(LEAVE_WITHIN, leaving).await.ok();
    }

    async fn give_back(self) {
        for Site { lease, .. } in self.sites {
            lease.release().await.ok();
        }
    }
}

fn changes_on(plan: &Plan, alias: &str) -> Vec<AuditedChange> {
    plan.resource_changes
        .iter()
        .filter(|change| change.home.cluster() == Some(alias) && change.action() != Action::NoOp)
        .map(|change| AuditedChange {
            address: change.address.clone(),
            action: change.action(),
        })
        .collect()
}
