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
use std::time::Duration;

use kafka::{Cluster, Error};

use crate::appender::{Appender, json_record};
use crate::leaders::Leaders;
use crate::position::{Beat, BeatKey, Owner, OwnerKey, POSITIONS_TOPIC, Position, PositionKey};
use crate::position_log::PositionReader;
use crate::position_writer::now_ms;

/// How long it may take to become the owner: a young topic has no leader for a moment.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// A run's hold on one mirror and source cluster.
#[derive(Debug)]
pub(crate) struct Ownership {
    reader: PositionReader,
    appender: Appender,
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
        mirror: &str,
        source_cluster_id: &str,
    ) -> Result<Self, Error> {
        let key = OwnerKey {
            owner_of_mirror: mirror.to_owned(),
            source_cluster_id: source_cluster_id.to_owned(),
        };
        let ours = Owner {
            instance: kafka::Uuid::new_v4().to_string(),
            since_ms: now_ms(),
        };
        // Not those of the partitions: looking must not ask for the metadata of all their topics.
        let leaders = Arc::new(Leaders::tracking(target, POSITIONS_TOPIC));
        let mut ownership = Self {
            reader: PositionReader::new(leaders.clone(), mirror, source_cluster_id),
            appender: Appender::new(leaders, POSITIONS_TOPIC),
            key,
            ours,
        };
        ownership.say_so().await?;
        ownership.reader.read_to_end().await?;
        Ok(ownership)
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
            self.say_so().await?;
            held = Held::Again;
        }
    }

    /// Shows those that stand by that this run lives, or that it has `ended`. After an error, or when dropped, it may be
    /// shown or not.
    pub(crate) async fn beat(&mut self, ended: bool) -> Result<(), Error> {
        let key = BeatKey {
            beat_of_mirror: self.key.owner_of_mirror.clone(),
            source_cluster_id: self.key.source_cluster_id.clone(),
        };
        let beat = Beat {
            instance: self.ours.instance.clone(),
            at_ms: now_ms(),
            ended,
        };
        let record = json_record(&key, &beat, beat.at_ms)?;
        self.appender.append(std::slice::from_ref(&record)).await
    }

    /// The last run that says so owns the mirror. Durable when this returns.
    async fn say_so(&mut self) -> Result<(), Error> {
        let record = json_record(&self.key, &self.ours, now_ms())?;
        let records = std::slice::from_ref(&record);
        self.appender.append_within(TAKEN_WITHIN, records).await
    }
}
