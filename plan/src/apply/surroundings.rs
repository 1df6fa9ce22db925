//! What a change finds around it while it is carried out.

use futures::lock::Mutex;
use kafka::Cluster;
use tokio_util::sync::CancellationToken;

use super::ApplyOptions;
use super::event::{ApplyEvent, ApplyObserver};
use crate::scram_user::Credentials;

/// What the changes of one apply on one cluster share.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) options: &'a ApplyOptions,
    pub(crate) credentials: &'a Credentials,
    /// The name of the topology whose plan it is, where it has one.
    pub(crate) topology: Option<&'a str>,
    /// Held while replicas move: brokers have one limit each, so moves of several topics would take it from each other.
    pub(crate) moving: &'a Mutex<()>,
    pub(super) observer: &'a dyn ApplyObserver,
    /// Each of them stops the apply.
    pub(super) stops: [&'a CancellationToken; 2],
}

impl Surroundings<'_> {
    /// Whether the apply is to stop where it can.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| stop.is_cancelled())
    }

    /// Tells how far the change is.
    pub(crate) fn tell(&self, event: &ApplyEvent) {
        self.observer.event(event);
    }
}
