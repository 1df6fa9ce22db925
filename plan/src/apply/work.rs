//! One change that is one request: read, decide, ask, and wait until the cluster shows it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ApplyOptions;
use super::execute::{ChangeError, Done};
use crate::difference::Difference;
use crate::topic::ReadError;

/// What the live state means for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// It is already as planned.
    AlreadyDone,
    /// It is as the plan read it, or partly as planned.
    Remaining,
    /// Somebody changed it since the plan was made.
    Stale(Vec<Difference>),
}

/// What `live` means, given each managed key with its value before and after the change: each is as the plan read it, or
/// as it sets it; anything else is somebody else's doing. Values are written as messages `show` them.
pub(crate) fn key_by_key<K: ToString, V: PartialEq>(
    keys: impl Iterator<Item = (K, Option<V>, Option<V>)>,
    live: impl Fn(&K) -> Option<V>,
    show: impl Fn(&V) -> String,
) -> Outlook {
    let mut done = true;
    let mut differences = Vec::new();
    for (key, before, after) in keys {
        let found = live(&key);
        done &= found == after;
        if found != before && found != after {
            differences.push(Difference {
                attribute: key.to_string(),
                expected: before.as_ref().map(&show),
                found: found.as_ref().map(&show),
            });
        }
    }
    match (done, differences.is_empty()) {
        (true, _) => Outlook::AlreadyDone,
        (false, true) => Outlook::Remaining,
        (false, false) => Outlook::Stale(differences),
    }
}

/// One change of one resource.
pub(crate) trait Work {
    /// What is read of the live resource.
    type Live: PartialEq;

    /// Reads the live resource. Cancel safe.
    async fn read(&self) -> Result<Self::Live, ReadError>;

    /// What the live state means for the change.
    fn outlook(&self, live: &Self::Live) -> Outlook;

    /// Whether what can be seen of the resource is as planned.
    fn reached(&self, live: &Self::Live) -> bool {
        self.outlook(live) == Outlook::AlreadyDone
    }

    /// Asks for what is left of the change, given the live resource. May be repeated.
    async fn request(&self, live: &Self::Live) -> Result<(), kafka::Error>;

    /// What is asked for, for messages: `create the ACL`.
    fn step(&self) -> String;
}

/// Rechecks the live resource and carries out what is left, as [`execute`](super::execute::execute) says.
pub(crate) async fn carry_out(
    work: &impl Work,
    options: &ApplyOptions,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let live = work.read().await?;
    match work.outlook(&live) {
        Outlook::AlreadyDone => return Ok(Done::Already),
        Outlook::Stale(differences) => return Err(ChangeError::Stale(differences)),
        Outlook::Remaining => {}
    }
    if let Err(source) = work.request(&live).await {
        let step = work.step();
        // what took effect although its answer was lost is done: the live state decides
        match work.read().await {
            Ok(now) if now != live && work.reached(&now) => {}
            Ok(_) => return Err(ChangeError::Request { step, source }),
            Err(read) => return Err(ChangeError::InDoubt { step, source, read }),
        }
    }
    steps_done.push(work.step());
    await_visible(work, options).await?;
    Ok(Done::Applied)
}

/// Brokers learn of a change after the controller has answered.
async fn await_visible(work: &impl Work, options: &ApplyOptions) -> Result<(), ChangeError> {
    let deadline = Instant::now() + options.visible_within;
    let mut pause = options.poll;
    loop {
        let live = work.read().await;
        if live.as_ref().is_ok_and(|live| work.reached(live)) {
            return Ok(());
        }
        if Instant::now() + pause > deadline {
            live?;
            return Err(ChangeError::NotVisible {
                within: options.visible_within,
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// What a controller said of one of many, where only one was asked about.
pub(crate) fn only<K: Ord, T>(
    api: &'static str,
    label: &str,
    mut outcomes: std::collections::BTreeMap<K, Result<T, kafka::BrokerError>>,
) -> Result<(), kafka::Error> {
    match outcomes.pop_first() {
        Some((_, Ok(_))) => Ok(()),
        Some((_, Err(error))) => Err(kafka::Error::Broker {
            api: format!("{api} {label}"),
            error,
        }),
        None => Err(kafka::Error::Malformed {
            address: "the controller".to_owned(),
            what: "admin response",
            detail: format!("{api} does not mention {label}"),
        }),
    }
}
