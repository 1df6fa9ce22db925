//! Executes one change on a cluster, whatever kind of resource it is about.

use std::time::Duration;

use kafka::Cluster;

use crate::acl;
use crate::apply::surroundings::Surroundings;
use crate::apply::work::Outlook;
use crate::change::{Resource, ResourceChange};
use crate::client_quota;
use crate::difference::Difference;
use crate::mirror;
use crate::rendered_file::FileError;
use crate::scram_user;
use crate::topic;
use crate::topic::live::ReadError;

/// How one change ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// It was carried out.
    Applied,
    /// The live resource was already as planned.
    Already,
}

/// Why one change did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// The live resource is not what the plan read.
    #[error("the live resource is not what the plan read")]
    Stale(Vec<Difference>),
    /// The live resource could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The cluster refused or did not answer.
    #[error("cannot {step}: {source}")]
    Request {
        /// What was asked for.
        step: String,
        /// What went wrong.
        source: kafka::Error,
    },
    /// The cluster refused or did not answer, and could not be read afterwards either.
    #[error("cannot {step}: {source}; whether it was done could not be read either: {read}")]
    InDoubt {
        /// What was asked for.
        step: String,
        /// What went wrong.
        source: kafka::Error,
        /// Why the live resource could not be read afterwards.
        read: ReadError,
    },
    /// The apply was told to stop, and did before this change came to its end.
    #[error("interrupted between two steps")]
    Interrupted,
    /// Dropping replicas would leave a partition with too few in sync.
    #[error(
        "partition {partition} would be left with {in_sync} replicas in sync, and producers need {minimum}: nothing more \
         of it was moved"
    )]
    TooFewInSync {
        /// The partition.
        partition: u32,
        /// Replicas in sync that would stay.
        in_sync: usize,
        /// `min.insync.replicas`.
        minimum: usize,
    },
    /// Somebody ended a move before it was done.
    #[error("somebody else ended the move of replicas before it was done")]
    TurnedBack,
    /// The topic was deleted meanwhile.
    #[error("the topic is gone")]
    Gone,
    /// Limits of replication are still set.
    #[error(
        "{because}throttles of replication could not be taken away: {source}; the next apply takes them away"
    )]
    ThrottleLeft {
        /// What went wrong before, with a separator; empty where nothing did.
        because: String,
        /// Why they could not be taken away.
        source: kafka::Error,
    },
    /// Replicas may still be moving, so the limits stay.
    #[error(
        "{because}; replicas that are on their way could not be turned back, so their throttles stay: the next apply \
         goes on from there"
    )]
    OnTheirWay {
        /// What went wrong before.
        because: String,
    },
    /// The cluster accepted the change and does not show it.
    #[error("the cluster accepted the change but does not show it after {} s", within.as_secs())]
    NotVisible {
        /// How long was waited.
        within: Duration,
    },
    /// A rendered file was not changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// No plan that this program makes: a file on a cluster, say, or one without its text.
    #[error("the plan cannot be carried out: this is no change of a resource that lives there")]
    Misplaced,
    /// It was done, and that is not in the cluster's record.
    #[error("it was done, and the cluster's record of what is ours could not be written: {0}")]
    Unrecorded(#[source] kafka::Error),
}

/// Rechecks `change` against the live resource and carries out what is left of it.
///
/// `steps_done` receives each request that the cluster accepted, also when a later one fails. Not
/// cancel safe: a request may be on its way; [`apply`](crate::apply()) stops only between
/// changes and between batches of moves.
pub(crate) async fn execute(
    around: &Surroundings<'_>,
    change: &ResourceChange,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let (cluster, options) = (around.cluster, around.options);
    match &change.resource {
        Resource::Topic(topic) => topic::execute(around, change, topic, steps_done).await,
        Resource::Acl(acl) => acl::execute(cluster, &change.name, acl, options, steps_done).await,
        Resource::ClientQuota(quota) => {
            client_quota::execute(cluster, &change.name, quota, options, steps_done).await
        }
        Resource::ScramUser(user) => {
            let credentials = around.credentials;
            scram_user::execute(cluster, change, user, credentials, options, steps_done).await
        }
        Resource::Mirror(mirror) => mirror::execute(around, change, mirror, steps_done).await,
        Resource::RenderedFile(_) => Err(ChangeError::Misplaced),
    }
}

/// What the live resources mean for each of these changes on one cluster.
pub(crate) async fn outlooks<'a>(
    cluster: &Cluster,
    changes: &[&'a ResourceChange],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, ReadError> {
    let (mut topics, mut acls) = (Vec::new(), Vec::new());
    let (mut quotas, mut users, mut mirrors) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match &change.resource {
            Resource::Topic(topic) => topics.push((*change, topic)),
            Resource::Acl(acl) => acls.push((*change, acl)),
            Resource::ClientQuota(quota) => quotas.push((*change, quota)),
            Resource::ScramUser(user) => users.push((*change, user)),
            Resource::Mirror(mirror) => mirrors.push((*change, mirror)),
            // refused when its turn comes
            Resource::RenderedFile(_) => {}
        }
    }
    let mut outlooks = topic::outlooks(cluster, &topics).await?;
    outlooks.extend(acl::outlooks(cluster, &acls).await?);
    outlooks.extend(client_quota::outlooks(cluster, &quotas).await?);
    outlooks.extend(scram_user::outlooks(cluster, &users).await?);
    outlooks.extend(mirror::outlooks(cluster, &mirrors).await?);
    Ok(outlooks)
}
