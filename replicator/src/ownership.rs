//! Which run a mirror belongs to, when two are started by mistake or one comes back from the dead.
//!
//! The positions topic is one partition, so its log is an order that everybody agrees on. A run appends an owner record,
//! reads to the end, and trusts what it finds before that record; what other runs append after it is ignored. Before a
//! run copies a partition for the first time, it makes its claim on it durable and reads to the end again: either no
//! other owner is there yet, then whoever comes later finds the claim and goes on with the same producer, or another
//! owner is there, and this run stops before it has written a record.
//!
//! A run that is no longer the owner and does not know it yet does no harm in exactly-once: it writes with the same
//! producers, whose sequences the target takes once.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka::{Cluster, Error};

use crate::leaders::Leaders;
use crate::position::{Owner, OwnerKey, Position, PositionKey};
use crate::position_log::PositionReader;
use crate::position_writer;

/// A run's hold on one mirror and source cluster.
#[derive(Debug)]
pub(crate) struct Ownership {
    reader: PositionReader,
    leaders: Arc<Leaders>,
    key: OwnerKey,
    ours: Owner,
}

/// Whose the mirror is.
#[derive(Debug)]
pub(crate) enum Held {
    /// Ours, as before.
    Still,
    /// Ours again: what was written between the other's owner record and now is ignored by whoever reads it, and has to
    /// be written once more where it matters.
    Again,
    /// That of a run that began later.
    Lost(Owner),
}

impl Ownership {
    /// Takes the mirror over from whoever has it, and reads its positions.
    pub(crate) async fn take(
        target: Cluster,
        leaders: Arc<Leaders>,
        mirror: &str,
        source_cluster_id: &str,
    ) -> Result<Self, Error> {
        let key = OwnerKey {
            owner_of_mirror: mirror.to_owned(),
            source_cluster_id: source_cluster_id.to_owned(),
        };
        let ours = Owner {
            instance: kafka::Uuid::new_v4().to_string(),
            since_ms: position_writer::now_ms(),
        };
        position_writer::take_ownership(leaders.clone(), &key, &ours).await?;
        let mut reader = PositionReader::new(target, mirror, source_cluster_id).await;
        reader.read_to_end().await?;
        Ok(Self {
            reader,
            leaders,
            key,
            ours,
        })
    }

    /// This run's id, which its positions carry.
    pub(crate) fn instance(&self) -> &str {
        &self.ours.instance
    }

    /// The newest position of each partition, as of the last look.
    pub(crate) fn positions(&self) -> &BTreeMap<PositionKey, Position> {
        self.reader.positions()
    }

    /// Reads on to the end of the log.
    ///
    /// The last thing that a dying run sent may land after the owner record of the run that follows it. So where the other
    /// began earlier than this run, this run says once more that the mirror is its own. Of two that live, the one that
    /// began earlier finds itself the older one and stops; should their clocks differ, still only one of them goes on.
    pub(crate) async fn look(&mut self) -> Result<Held, Error> {
        let mut held = Held::Still;
        loop {
            self.reader.read_to_end().await?;
            let Some(other) = self
                .reader
                .owner()
                .filter(|owner| owner.instance != self.ours.instance)
            else {
                return Ok(held);
            };
            if (other.since_ms, &other.instance) > (self.ours.since_ms, &self.ours.instance) {
                return Ok(Held::Lost(other.clone()));
            }
            position_writer::take_ownership(self.leaders.clone(), &self.key, &self.ours).await?;
            held = Held::Again;
        }
    }
}
